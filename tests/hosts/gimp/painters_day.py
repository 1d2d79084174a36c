"""A painter's day in the real GIMP: forty documents, painted, undone, redone, saved, closed.

    uv run pytest tests/hosts/gimp/painters_day.py -n0 -s

Twenty-five minutes on two cores; not part of the test run. Everything is done by keys and the
mouse in one GIMP. What GIMP's log says is compared with that of a GIMP without Impasto, in which
the same documents are opened and closed. IMPASTO_ARTEFACTS keeps a picture of every tenth action.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest
from tests.hosts.conftest import running_daemon
from tests.hosts.gimp.conftest import Window, plug_in_processes, settings_of
from tests.hosts.gimp.test_layers import LOOKS
from tests.hosts.gimp.test_window import wait_until_over
from tests.hosts.profiles import wide_profile
from tests.integration.conftest import Daemon

MAIN = "GIMP$|GNU Image Manipulation Program"
DIALOG, PROGRESS = "^Impasto Style Transfer$", "^Impasto$"
MOST_MIB_A_JOB = 10
COMPLAINT = re.compile(r"CRITICAL|critical|ASSERT|Traceback")
PROFILES = ("Adobe RGB", "Display P3", "ProPhoto RGB", "Rec. 2020", "linear Rec. 2020")


@dataclass(frozen=True)
class Document:
    """A file that the painter opens, and what is done then.

    made: how it is made of the photograph in `image`, whose layer is `layer`; what is left in
    `layer` is selected. actions: what a Painter does, by the names of its methods, each with its
    argument.
    """

    file: str
    made: str
    actions: tuple[str, ...]


def _looks(name: str, *actions: str) -> Document:
    """A small layer above the photograph, as one of those that `LOOKS` makes."""
    return Document(_file(name), f"layer = look(above(), {name!r})", actions)


def _precision(name: str, profile: str, *actions: str) -> Document:
    made = f"image.convert_precision(Gimp.Precision.{name})\n"
    if profile:
        made += f"set_profile({profile!r})"
    return Document(_file(f"{name} {profile}"), made, actions)


def _file(name: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')}.xcf"


DOCUMENTS = (
    Document("photograph.png", "", ("paint", "undo", "redo", "again", "stroke", "paint")),
    Document("snapshot.jpg", "layer.flatten()", ("apply Dots", "paint elsewhere")),
    Document("point.xcf", "image.scale(1, 1)", ("paint", "again")),
    Document("column.xcf", "image.scale(2, 400)", ("paint", "cancel")),
    Document("grey.png", "image.convert_grayscale()", ("paint", "apply Charcoal")),
    Document("grey-alpha.xcf", "image.convert_grayscale()\nsemitransparent(layer)",
             ("select", "paint", "save", "reopen", "again")),
    Document("palette.gif", "layer.flatten()\nindexed()", ("paint", "stroke", "again")),
    Document("palette-alpha.xcf", "semitransparent(layer)\nindexed()", ("cancel", "paint")),
    Document("animation.xcf", "frames(4)\nindexed()", ("paint", "undo", "redo", "paint")),
    Document("twelve-megapixels.xcf", "image.scale(4000, 3000)", ("paint", "undo", "redo")),
    Document("three-megapixels.png", "image.scale(2000, 1500)", ("select", "paint", "cancel")),
    _precision("U16_NON_LINEAR", "Adobe RGB", "paint", "save", "reopen", "again"),
    _precision("U8_NON_LINEAR", "Display P3", "fill", "paint", "undo", "undo", "redo", "redo"),
    _precision("HALF_LINEAR", "ProPhoto RGB", "finish"),
    _precision("FLOAT_LINEAR", "Rec. 2020", "select", "paint"),
    _precision("FLOAT_NON_LINEAR", "linear Rec. 2020", "paint", "flip meanwhile"),
    _precision("U32_PERCEPTUAL", "", "paint"),
    _precision("DOUBLE_NON_LINEAR", "", "finish", "paint"),
    Document("sixteen-bits.tif", "image.convert_precision(Gimp.Precision.U16_NON_LINEAR)",
             ("paint",)),
    Document("float.exr", "image.convert_precision(Gimp.Precision.FLOAT_LINEAR)", ("paint",)),
    Document("layers.psd", "look(above(), 'multiply')", ("apply Ink", "undo", "redo")),
    Document("web.webp", "semitransparent(layer)", ("finish", "apply Mosaic")),
    _looks("semitransparent", "paint", "fill", "paint"),
    _looks("40 %", "select", "paint", "save", "reopen"),
    _looks("multiply", "paint", "flip meanwhile"),
    _looks("screen, 40 %, perceptual", "paint"),
    _looks("overlay of GIMP 2.8", "cancel", "paint"),
    _looks("mask", "paint", "select", "again"),
    _looks("mask that is switched off, being edited", "paint"),
    _looks("filter", "paint", "save", "reopen", "again"),
    _looks("filter that enlarges, mask, 40 %", "paint", "undo", "redo"),
    _looks("group with filters, within a group", "paint"),
    _looks("group that passes through", "finish", "paint"),
    Document("beyond-the-canvas.xcf", "layer.scale(320, 240, False)\nlayer.set_offsets(-70, -50)",
             ("paint", "select", "paint")),
    Document("off-the-canvas.xcf", "layer = above()\nlayer.set_offsets(150, 110)",
             ("paint", "cancel")),
    Document("feathered.xcf", "image.select_ellipse(Gimp.ChannelOps.REPLACE, 20, 10, 100, 80)\n"
             "Gimp.Selection.feather(image, 20)", ("paint", "apply Glass")),
    Document("text.xcf", "layer = text('Oils')", ("paint", "again")),
    Document("two-selected.xcf", "other = layer\nlayer = above()",
             ("paint", "undo", "redo", "again")),
    Document("locked.xcf", "layer = above()\nlayer.set_lock_position(True)\n"
             "layer.set_lock_alpha(True)\nlayer.set_lock_content(True)", ("paint", "again")),
    Document("refused.xcf", "layer.set_lock_visibility(True)", ("refused", "select", "refused")),
)  # fmt: skip

MAKE = (
    LOOKS
    + """
def above():
    layer = Gimp.Layer.new_from_drawable(image.get_layers()[0], image)
    image.insert_layer(layer, None, 0)
    layer.scale(80, 60, False)
    layer.set_offsets(30, 20)
    layer.add_alpha()
    return layer

def indexed():
    image.convert_indexed(Gimp.ConvertDitherType.FS, Gimp.ConvertPaletteType.GENERATE, 64, False,
                          False, "")

def frames(number):
    for frame in range(1, number):
        copy = image.get_layers()[0].copy()
        copy.transform_flip_simple(Gimp.OrientationType.HORIZONTAL, True, 0)
        image.insert_layer(copy, None, 0)

def set_profile(name):
    image.set_color_profile(Gimp.ColorProfile.new_from_file(
        Gio.File.new_for_path(str(folder / name))))

def text(words):
    font = Gimp.context_get_font()
    layer = Gimp.TextLayer.new(image, words, font, 36, Gimp.Unit.pixel())
    image.insert_layer(layer, None, 0)
    layer.set_offsets(10, 40)
    return layer

for file, made in documents:
    image = load(photo)
    layer, other = image.get_layers()[0], None
    exec(made)
    image.set_selected_layers([found for found in (layer, other) if found])
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(folder / file)),
                   None)
    image.delete()
"""
)
# All there is in an image, down to every pixel. In a copy, as GIMP ends a plug-in that reads pixels
# of a layer that has just gone.
STATE = """
def pixels(drawable):
    rectangle = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    data = drawable.get_buffer().get(rectangle, 1.0, None, Gegl.AbyssPolicy.NONE)
    return hashlib.sha256(data).hexdigest()

def all_of(layer):
    mask = layer.get_mask()
    return {
        **tree([layer])[0],
        "mask": mask and [pixels(mask), layer.get_apply_mask(), layer.get_show_mask(),
                          layer.get_edit_mask()],
        "visible": layer.get_visible(), "colour tag": int(layer.get_color_tag()),
        "mode": [int(layer.get_mode()), int(layer.get_blend_space()),
                 int(layer.get_composite_space()), int(layer.get_composite_mode())],
        "locks": [layer.get_lock_content(), layer.get_lock_position(), layer.get_lock_alpha(),
                  layer.get_lock_visibility()],
        "filters": [[found.get_name(), found.get_visible()] for found in layer.get_filters()],
        "parasites": sorted(layer.get_parasite_list()),
        "children": [all_of(child) for child in layer.get_children()] if layer.is_group() else [],
    }

answer = None
for image in Gimp.get_images():
    if image.get_file() and image.get_file().get_path() == str(file):
        copy = image.duplicate()
        answer = {
            "layers": [all_of(layer) for layer in copy.get_layers()],
            "channels": [[found.get_name(), pixels(found)] for found in copy.get_channels()],
            "selection": pixels(copy.get_selection()),
            "selected": [layer.get_name() for layer in image.get_selected_layers()],
            "image": [image.get_width(), image.get_height(), int(image.get_base_type()),
                      int(image.get_precision())],
            # GIMP keeps there what was set in the dialogs of any plug-in, without a step of undo.
            "parasites": sorted(name for name in image.get_parasite_list()
                                if not name.startswith("GimpProcedureConfigRun")),
        }
        copy.delete()
keep = True
"""


@dataclass
class Painter:
    """Does to GIMP what a painter does, with keys and the mouse, and looks at what comes of it.

    history: the states of the open document after each step that can be undone, None where nobody
    has looked yet; at: which of them there is now.
    """

    window: Window
    daemon: Daemon
    elsewhere: Path
    file: Path = Path()
    history: list[dict | None] = field(default_factory=list)
    at: int = 0
    actions: int = 0
    jobs: int = 0
    undone: int = 0
    applied: int = 0
    memory: list[tuple[int, dict[str, float]]] = field(default_factory=list)

    def spend(self, document: Document, file: Path) -> None:
        """All that is done to a document, from opening to closing."""
        self.file = file
        try:
            self._spend(document)
        except AssertionError:
            self.window.picture(f"gimp-day-failed-{self.file.stem}")
            raise

    def _spend(self, document: Document) -> None:
        self.do(self.open)
        for action in document.actions:
            name, *argument = action.split(" ", 1) if action.startswith("apply") else [action]
            self.do(getattr(self, name.replace(" ", "_")), *argument)
        while self.at:
            self.do(self.undo)
        while self.at < len(self.history) - 1:
            self.do(self.redo)
        self.do(self.close)

    def do(self, action: Callable[..., None], *argument: str) -> None:
        """One action; what else may be on the screen afterwards is the image's window alone."""
        action(*argument)
        self.actions += 1
        if self.actions % 10 == 0:
            self.window.picture(f"gimp-day-{self.actions:03}-{self.file.stem}")
        strange = [title for title in self.titles() if not re.search(MAIN, title)]
        assert not strange, f"{self.file.name}, {action.__name__}: {strange}\n{self.window.log()}"

    # What there is ----------------------------------------------------------------------------

    def titles(self) -> list[str]:
        """Those of all windows that can be seen."""
        named = self.window.windows(".")
        return [" ".join(self.window.xdotool("getwindowname", found)) for found in named]

    def state(self) -> dict | None:
        return self.window.run(STATE, file=self.file)

    def expect(self, wanted: Callable[[dict | None], bool], what: str) -> dict | None:
        """The document's state, once something is so of it."""
        deadline = time.monotonic() + 120
        while not wanted(found := self.state()):
            assert time.monotonic() < deadline, f"{self.file.name}: {what}: {found}"
            time.sleep(0.1)
        return found

    def add_step(self, number: int = 1) -> None:
        """Something has been done that these many presses of undo take back."""
        del self.history[self.at + 1 :]
        self.history += [None] * (number - 1) + [self.state()]
        self.at += number

    def note_memory(self) -> None:
        """After a job, what each process holds, in MiB."""
        self.jobs += 1
        worker = psutil.Process(self.daemon.process.pid).children(recursive=True)
        held = {
            "GIMP": _resident([psutil.Process(self.window.process.pid)]),
            "daemon": _resident([psutil.Process(self.daemon.process.pid)]),
            "worker": _resident(worker),
        }
        self.memory.append((self.jobs, held))

    # Files ------------------------------------------------------------------------------------

    def open(self) -> None:
        """File ▸ Open."""
        open_file(self.window, self.file)
        self.history, self.at = [self.expect(bool, "it is not open")], 0

    def save(self) -> None:
        """File ▸ Save, of an .xcf file."""
        before = self.file.stat().st_mtime_ns
        self.window.keys("ctrl+s", window=MAIN)
        deadline = time.monotonic() + 120
        while self.file.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline, "it was not saved"
            time.sleep(0.1)

    def reopen(self) -> None:
        """Close it and open it again: what was saved is there."""
        saved = self.state()
        self.close()
        self.open()
        assert self.history[0] == saved, differences(self.history[0], saved)

    def close(self) -> None:
        """File ▸ Close View."""
        close_file(self.window)
        self.expect(lambda state: state is None, "it is not closed")

    # Undo -------------------------------------------------------------------------------------

    def undo(self) -> None:
        self._step("ctrl+z", -1)

    def redo(self) -> None:
        self._step("ctrl+y", 1)

    def _step(self, key: str, by: int) -> None:
        now, expected = self.history[self.at], self.history[self.at + by]
        self.window.keys(key, window=MAIN)
        deadline = time.monotonic() + 60
        while True:
            found = self.state()
            if is_back(found, expected) if expected else found != now:
                break
            assert time.monotonic() < deadline, (
                f"{self.file.name}: {key}: {differences(found, expected)}"
            )
            time.sleep(0.1)
        self.at += by
        self.history[self.at] = found
        self.undone += 1

    # Hands ------------------------------------------------------------------------------------

    def select(self) -> None:
        """A rectangle in the middle, dragged out with the mouse."""
        self._drag("r")
        self._await_change()
        self.window.keys("Return", window=MAIN)

    def stroke(self) -> None:
        """A line of the pencil."""
        self._drag("n")
        self._await_change()

    def fill(self) -> None:
        """With the foreground colour."""
        self.window.keys("ctrl+comma", window=MAIN)
        self._await_change()

    def _await_change(self) -> None:
        before = self.history[self.at]
        self.expect(lambda state: state != before, "nothing was done")
        self.add_step()

    def _drag(self, tool: str) -> None:
        self.window.keys("shift+ctrl+j", tool, window=MAIN)
        (main, *_) = self.window.await_window(MAIN)
        found = self.window.xdotool("getwindowgeometry", "--shell", main)
        size = dict(line.split("=") for line in found)
        for across, down, press in ((46, 48, "mousedown"), (48, 51, ""), (51, 56, "mouseup")):
            x, y = int(size["WIDTH"]) * across // 100, int(size["HEIGHT"]) * down // 100
            self.window.xdotool("mousemove", str(x), str(y))
            time.sleep(0.2)
            if press:
                self.window.xdotool(press, "1")

    # Paintings --------------------------------------------------------------------------------

    def paint(self) -> None:
        """In few steps, by the dialog."""
        self._choose("6")
        self._end()

    def again(self) -> None:
        self.window.keys("ctrl+alt+g", window=MAIN)
        self._await_process()
        self._end()

    def apply(self, name: str) -> None:
        """In a saved style, which is found by its name."""
        self.window.keys("ctrl+alt+p", window=MAIN)
        self.window.await_window("Apply Preset")
        # From the folders to the name or tag, past the star where a style is chosen already, and
        # to the thumbnails.
        past = ["Tab"] * (2 if self.applied else 1)
        self.window.keys("Tab", "ctrl+a", *name, *past, "Home", "space", "alt+o", window="Preset")
        self.applied += 1
        self._end(name)

    def finish(self) -> None:
        """Long before its end."""
        self._begin()
        self.window.keys("alt+f", window=PROGRESS)
        self._end()

    def cancel(self) -> None:
        self._begin()
        self.window.keys("alt+c", window=PROGRESS)
        wait_until_over(self.window)
        self.note_memory()
        now = self.history[self.at]
        assert self.state() == now, differences(self.state(), now)

    def paint_elsewhere(self) -> None:
        """Another image is opened meanwhile, and looked at."""
        self._begin()
        open_file(self.window, self.elsewhere)
        self.window.keys("alt+f", window=PROGRESS)
        wait_until_over(self.window)
        close_file(self.window)
        self._end()

    def flip_meanwhile(self) -> None:
        """The image is mirrored while it is painted."""
        self._begin()
        self.window.keys("ctrl+alt+h", window=MAIN)
        self.window.keys("alt+f", window=PROGRESS)
        self._end(steps=2)

    def refused(self) -> None:
        """A sentence in the dialog says why not, OK does nothing, and nothing is done."""
        self._choose("6")
        time.sleep(1)
        self.window.picture(f"gimp-day-refused-{self.actions}")
        self.window.keys("Escape", window=DIALOG)
        wait_until_over(self.window)
        assert self.state() == self.history[self.at]

    def _begin(self) -> None:
        """Something that takes long, until it can be seen."""
        self._choose("9", "0", "0", "0")
        self._await_previews()

    def _choose(self, *steps: str) -> None:
        """Set the number of steps in the dialog, and press OK."""
        self.window.keys("ctrl+alt+y", window=MAIN)
        self.window.await_window(DIALOG)
        self.window.keys("alt+i", "ctrl+a", *steps, "Tab", "alt+o", window=DIALOG)

    def _await_process(self) -> None:
        deadline = time.monotonic() + 60
        while not plug_in_processes(self.window.folder / "profile"):
            assert time.monotonic() < deadline, self.window.log()
            time.sleep(0.02)

    def _await_previews(self) -> None:
        """Until two states of the painting have been seen."""
        seen = set()

        def grown(state: dict | None) -> bool:
            seen.update(layer["pixels"] for layer in every_layer(state) if _is_canvas(layer))
            return len(seen) >= 2

        self.expect(grown, "nothing is painted")

    def _end(self, name: str = "", *, steps: int = 1) -> None:
        """Wait for a painting's end, and look whether nothing else has changed."""
        wait_until_over(self.window)
        self.note_memory()
        before = self.history[self.at]
        self.add_step(steps)
        now = self.history[self.at]
        old, new = every_layer(before), every_layer(now)
        assert len(new) == len(old) + len(before["selected"]), f"{self.file.name}: {now}"
        assert not any(_is_canvas(layer) for layer in new)
        assert all(layer.startswith(name) for layer in now["selected"]), now["selected"]
        if steps == 1:
            kept = [_without_looks(layer) for layer in new]
            assert all(_without_looks(layer) in kept for layer in old), differences(now, before)


def is_back(found: dict, expected: dict) -> bool:
    """Whether a state is that of before; of several layers that come back GIMP selects one."""
    again = {**found, "selected": expected["selected"]} == expected
    return again and {*found["selected"]} <= {*expected["selected"]}


def every_layer(state: dict | None) -> list[dict]:
    """All layers of a state, those in groups, too."""
    found, waiting = [], list(state["layers"]) if state else []
    while waiting:
        layer = waiting.pop()
        found.append(layer)
        waiting += layer["children"]
    return found


def _is_canvas(layer: dict) -> bool:
    return layer["name"] == "Impasto"


def _without_looks(layer: dict) -> dict:
    """What a painting leaves as it is of the layers beside it; a group's pixels are its layers'."""
    ours = {"visible", "children"} | ({"pixels", "size", "offsets"} if layer["children"] else set())
    return {name: value for name, value in layer.items() if name not in ours}


def differences(one: object, other: object, where: str = "") -> list[str]:
    """In what two states differ, in words."""
    if isinstance(one, dict) and isinstance(other, dict):
        parts = [(f"{where} {key}", one.get(key), other.get(key)) for key in {*one, *other}]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = [(f"{where} {n}", *pair) for n, pair in enumerate(zip(one, other, strict=True))]
    else:
        return [] if one == other else [f"{where}: {one} != {other}"]
    return [line for part, a, b in parts for line in differences(a, b, part)]


def _resident(processes: list[psutil.Process]) -> float:
    return sum(process.memory_info().rss for process in processes) / 2**20


def open_file(window: Window, file: Path) -> None:
    """File ▸ Open; a profile of its own is kept."""
    window.keys("ctrl+o", window=MAIN)
    window.await_window("^Open Image$")
    window.keys("ctrl+l", "ctrl+a", window="^Open Image$")
    window.xdotool("type", "--window", "0", "--delay", "20", str(file))
    deadline = time.monotonic() + 120
    while dialog := window.windows("^Open Image$"):  # the list of completions may take the key
        assert time.monotonic() < deadline, window.log()
        window.xdotool("windowfocus", dialog[0], "key", "--window", "0", "Return", "sleep", "1")
    while not window.windows(f"{re.escape(file.stem)}.*GIMP$"):
        assert time.monotonic() < deadline, f"{file} does not open\n{window.log()}"
        if window.windows("Working Space"):
            window.keys("alt+k", window="Working Space")
        time.sleep(0.1)
    time.sleep(0.5)  # a window that has just come is seen before it listens


def close_file(window: Window) -> None:
    """File ▸ Close View, without saving."""
    window.run("keep = True")  # GIMP has heard of a process's end when it answers
    images = len(window.run("answer = [i.get_id() for i in Gimp.get_images()]\nkeep = True"))
    window.keys("ctrl+w", window=MAIN)
    deadline = time.monotonic() + 60
    while (
        len(window.run("answer = [i.get_id() for i in Gimp.get_images()]\nkeep = True")) == images
    ):
        assert time.monotonic() < deadline, window.log()
        if window.windows("^Close"):
            window.keys("ctrl+d", window="^Close")
        time.sleep(0.1)


def complaints(window: Window) -> list[str]:
    """The critical lines of GIMP's log, without what is another in each run."""
    window.log()  # writes what is there
    lines = (window.folder / "host.log").read_text().splitlines()
    return [re.sub(r"\d+", "N", line) for line in lines if COMPLAINT.search(line)]


def slope(memory: list[tuple[int, float]]) -> float:
    """By how much the second half of the day's values grows a job, by least squares."""
    half = memory[len(memory) // 2 :]
    return float(np.polyfit(*zip(*half, strict=True), 1)[0])


@pytest.fixture(scope="session")
def last_values():
    """The main dialog at a starter style and a small working size, the other at Draft."""
    return {
        "stylize": '(style-from "preset")\n(style-preset "Swirls")\n(quality "custom")\n'
        "(iterations 6)\n(working-px 160)\n(refinement 0)\n(tolerance 0)\n",
        "apply-preset": '(quality "draft")\n',
    }


@pytest.fixture(scope="session")
def gimp_daemon(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("d"), starter_styles=True) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def without_impasto(tree, screen, pictures, tmp_path_factory):
    """The documents' files, and what a GIMP without Impasto complains of when they are opened."""
    own, folder = tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("documents")
    (own / "profile").mkdir()
    (own / "profile/gimprc").write_text(settings_of(tree))
    for name in PROFILES:
        (folder / name).write_bytes(wide_profile(name))
    files = [folder / document.file for document in DOCUMENTS]
    made = [(document.file, document.made) for document in DOCUMENTS]
    plain = Window(tree, own, {"GIMP3_DIRECTORY": str(own / "profile")}, screen)
    try:
        plain.run(MAKE, documents=made, folder=folder, photo=pictures["photo"])
        for file in files:
            open_file(plain, file)
            close_file(plain)
        return files, set(complaints(plain))
    finally:  # before another GIMP comes to the same screen
        plain.close()


@pytest.mark.timeout(7200)
def test_day_leaves_no_layer_no_memory_and_no_complaint(
    without_impasto, window, gimp_daemon, pictures
):
    files, known = without_impasto
    painter, began = Painter(window, gimp_daemon, pictures["large"]), time.monotonic()
    for document, file in zip(DOCUMENTS, files, strict=True):
        at = time.monotonic()
        painter.spend(document, file)
        print(f"\n{document.file}: {time.monotonic() - at:.0f} s, {painter.memory[-1:]}", end="")
    said = complaints(window)
    slopes = {
        who: slope([(job, held[who]) for job, held in painter.memory])
        for who in ("GIMP", "daemon", "worker")
    }
    minutes = (time.monotonic() - began) / 60
    print(f"\n{len(files)} documents, {painter.actions} actions, {painter.jobs} jobs, "
          f"{painter.undone} undos and redos, {minutes:.0f} min")  # fmt: skip
    for who, mib in slopes.items():
        middle = statistics.median(held[who] for _, held in painter.memory)
        print(f"{who}: {mib:+.2f} MiB a job, {middle:.0f} MiB in the middle")
    print(f"{len(said)} complaints of GIMP's, {len(known)} kinds without Impasto")
    assert window.process.poll() is None
    assert all(mib < MOST_MIB_A_JOB for mib in slopes.values()), slopes
    assert set(said) <= known
