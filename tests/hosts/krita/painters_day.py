"""A painter's day in the real Krita: documents of all kinds painted, undone, saved and closed.

    uv run pytest tests/hosts/krita/painters_day.py -n0 -s

Twenty-five minutes on two quiet cores; not part of the test run. IMPASTO_ARTEFACTS keeps a picture
of every tenth step. Keys and clicks go to the window through X; menu entries that have no shortcut
are triggered as actions. The documents are made beforehand, in the same Krita: what it writes to
its log by then it writes without a painting, too; and what it writes of selections that are undone
and redone is known by a document that nothing is painted in.
"""

import re
import textwrap
import time
from typing import NamedTuple

import numpy as np
import psutil
import pytest
from PIL import Image
from tests.hosts.krita.test_placement import ASL, FRAMES, KINDS
from tests.hosts.profiles import wide_profile

MOST_MIB_A_JOB = 10
BAD = re.compile("CRITICAL|critical|ASSERT|Traceback")
PLAIN = "node = background; patch.remove()"


class Sheet(NamedTuple):
    """A document. acts: what is done to it: methods of Painter, with what they are given.

    made: leaves the layer to be painted in `node`, as the kinds of test_placement do.
    space: model, depth and profile that it is converted to. wide: the profile of its photograph.
    kept: saved at the end, and opened again.
    """

    name: str
    acts: str
    made: str = PLAIN
    size: tuple[int, int] = (320, 240)
    space: tuple[str, str, str] | None = None
    wide: str = ""
    animated: bool = False
    suffix: str = "kra"
    kept: bool = False


def kind(name, acts, **more):
    """A document with a layer of one of the kinds of test_placement."""
    return Sheet(name, acts, KINDS[name], **more)


SRGB, LINEAR = "sRGB-elle-V2-srgbtrc.icc", "sRGB-elle-V2-g10.icc"
GREY, GREY_LINEAR = "Gray-D50-elle-V2-srgbtrc.icc", "Gray-D50-elle-V2-g10.icc"
VECTOR_TEXT = """
node = document.createVectorLayer("Seen")
document.rootNode().addChildNode(node, patch)
node.addShapesFromSvg(
    '<svg viewBox="0 0 320 240"><text x="20" y="90" style="font-size:60px">Day</text></svg>'
)
"""
BEYOND = """
node = sheet("Seen", (-80, -60, 480, 360), [20, 160, 230, 255, 200, 30, 60, 255])
document.rootNode().addChildNode(node, background)
"""
OUTSIDE = """
node = sheet("Seen", (-80, -60, 40, 30), [20, 160, 230, 255])
document.rootNode().addChildNode(node, background)
"""
LOCAL = """
node, mask = patch, document.createSelectionMask("Local")
mask.setSelection(part(40, 30, 30, 20, 0))
node.addChildNode(mask, None)
"""
FILTER = """
node = document.createFilterLayer("A filter", krita.filter("invert"), everywhere())
document.rootNode().addChildNode(node, patch)
"""
MANY = """
node = patch
for number in range(60):
    other = sheet(f"Layer {number}", (5 * number, 3 * number, 20, 20), [number, 9, 200, 255])
    document.rootNode().addChildNode(other, patch)
"""
SHEETS = [
    Sheet("photograph", "stylise; undo; redo; strength 7; button", suffix="png"),
    Sheet("one pixel", "style Dots; stylise; again", size=(1, 1), kept=True),
    Sheet("grey", "style Ink; cancel; stroke; finish", space=("GRAYA", "U8", GREY)),
    Sheet("narrow", "stylise; cancel; again", size=(3, 400)),
    Sheet("three megapixels", "style Knife; stroke; stylise; again; cancel", size=(2000, 1500)),
    Sheet("16 bits", "invert; stylise; finish", space=("RGBA", "U16", SRGB), suffix="tif"),
    kind("group", "style Pastel; stylise; cancel; button", kept=True),
    Sheet("twelve megapixels", "stylise; cancel D; finish D", size=(4000, 3000)),
    kind("filter mask", "style Batik; button; layer Seen; again; undo", kept=True),
    Sheet("half float", "stylise; finish", space=("RGBA", "F16", LINEAR)),
    Sheet("float", "style Glass; stroke; cancel; stylise; again", space=("RGBA", "F32", LINEAR)),
    kind("pass-through group", "stylise; again; finish; undo", kept=True),
    Sheet("selection by hand", "select; stylise; deselect; style Dots; stylise; cancel_below"),
    Sheet("float in sRGB", "button; undo; finish", space=("RGBA", "F32", SRGB)),
    kind("style", "style Woodcut; stylise; again", kept=True),
    Sheet(
        "frames",
        "stylise; frame next; again; cancel; frame previous",
        "node = patch",
        animated=True,
    ),
    Sheet("Clay RGB", "finish; undo; stylise", space=("RGBA", "U8", "ClayRGB-elle-V2-g22.icc")),
    Sheet("Adobe RGB", "style Marbling; stylise; cancel", wide="Adobe RGB", kept=True),
    kind("transform mask", "stylise; finish"),
    kind("vector with a filter mask", "style Gouache; stylise; cancel; again", kept=True),
    Sheet("text", "stylise; layer Background; invert; again", VECTOR_TEXT),
    Sheet("photograph, meanwhile", "elsewhere; undo; redo; stylise"),
    Sheet("ProPhoto RGB", "stylise; again; undo; cancel", wide="ProPhoto RGB"),
    Sheet("grey, 16 bits", "style Lights; stylise; finish", space=("GRAYA", "U16", GREY_LINEAR)),
    kind("fill with a transparency mask", "button; cancel_below; again", kept=True),
    Sheet("CMYK", "stroke; stylise; finish; undo", space=("CMYKA", "U8", ""), kept=True),
    kind("screen at 40 %, labelled", "style Mosaic; stylise; again; undo; undo; redo"),
    kind("half transparent, selected", "stylise; again; finish", kept=True),
    Sheet("Lab", "style Watercolour; stylise; cancel; again", space=("LABA", "U16", "")),
    Sheet("larger than the canvas", "stylise; finish; layer Background; stylise", BEYOND),
    Sheet("off the canvas", "refused nothing on; add_layer; stroke; stylise", OUTSIDE),
    kind("clone with a filter mask", "style Charcoal; stylise; cancel; stylise", kept=True),
    kind("file with a filter mask", "stylise; again; undo", kept=True),
    Sheet("Display P3", "stroke; stylise; again; cancel", wide="Display P3"),
    Sheet("local selection", "style Swirls; stylise; finish; cancel", LOCAL, kept=True),
    Sheet("filter layer", "refused no pixels; layer Background; stylise; again", FILTER),
    Sheet("XYZ", "stylise; finish", space=("XYZA", "U16", "")),
    kind("group with a filter mask", "style Batik; button; cancel; again", suffix="psd"),
    Sheet("many layers", "stylise; layer Background; again; finish; undo; cancel", MANY),
    Sheet("YCbCr", "stylise; again", space=("YCbCrA", "U8", "")),
    kind("inherits alpha", "stylise; add_layer; stroke; finish; cancel", kept=True),
    kind("colorize mask", "style Knife; stylise; again; cancel", kept=True),
    Sheet("linear Rec. 2020", "stylise; again; finish", wide="linear Rec. 2020", kept=True),
    Sheet(
        "more frames",
        "frame next; stylise; cancel; finish; frame previous",
        "node = patch",
        animated=True,
    ),
    kind("multiplied, selected", "style Pastel; stylise; again; deselect; stylise; again"),
]


DAY = (
    FRAMES
    + """
def window():
    return krita.activeWindow().qwindow()


def modal():
    return QtWidgets.QApplication.activeModalWidget()


def place(widget, rect=None):
    # Where a widget, or a part of it, is on the screen once it is scrolled into sight.
    for area in window().findChildren(QtWidgets.QScrollArea):
        if area.isAncestorOf(widget):
            area.ensureWidgetVisible(widget)
    point = widget.mapToGlobal((rect or widget.rect()).center())
    return [point.x(), point.y()]


def named(text, inside=docker):
    # A button that can be seen; Krita puts an & into its words.
    return next(place(each) for each in inside.findChildren(QtWidgets.QAbstractButton)
                if each.isVisible() and each.text().replace("&", "") == text)


def bar():
    return window().statusBar()


def style_named(text):
    found, = docker.styles.findItems(text, QtCore.Qt.MatchExactly)
    docker.styles.scrollToItem(found)
    return place(docker.styles.viewport(), docker.styles.visualItemRect(found))


def layer_named(text):
    view, flags = window().findChild(QtWidgets.QTreeView, "listLayers"), QtCore.Qt
    found, = view.model().match(view.model().index(0, 0), flags.DisplayRole, text, 1,
                                flags.MatchExactly | flags.MatchRecursive)
    view.scrollTo(found)
    return place(view.viewport(), view.visualRect(found))


def count(action):
    # How often an action has been triggered since it was first asked for.
    fired = kept.setdefault("fired", {})
    if action not in fired:
        fired[action] = 0
        def add(*_):
            fired[action] += 1
        krita.action(action).triggered.connect(add)
    return fired[action]


def step_shown():
    # Of the history, which step stands.
    history, = (each for each in krita.dockers() if each.objectName() == "History")
    return history.findChild(QtWidgets.QListView).currentIndex().row()


def settled():
    # Krita draws shapes, files and masks in its own time.
    document, seen = krita.activeDocument(), None
    while True:
        document.waitForDone()
        now = digest(document.pixelData, document)
        if now == seen:
            return
        seen = now
        yield 300


def digest(read, document, *more):
    data = read(0, 0, document.width(), document.height(), *more)
    return hashlib.sha256(bytes(data)).hexdigest()


def nodes(document):
    return sys.modules["impasto.layers"].below(document.rootNode())


def frames(document):
    # What stands in the keyframes of animated layers.
    animated = (node for node in nodes(document) if node.animated())
    return [[digest(node.pixelDataAtTime, document, time)
             for time in range(30) if node.hasKeyframeAtTime(time)] for node in animated]


def state():
    yield from settled()
    document = krita.activeDocument()
    return {
        "layers": tree(document.rootNode()), "looks": all_looks(document.rootNode()),
        "locked": [node.locked() for node in nodes(document)],
        "frames": frames(document), "size": [document.width(), document.height()],
        "space": [document.colorModel(), document.colorDepth(), document.colorProfile()],
        "seen": digest(document.pixelData, document),
    }
"""
)

MAKE = """
def main():
    node = yield from prepared(piece)
    if is_animated:
        yield from animated()
    if space:
        model, depth, profile = space
        assert document.setColorSpace(model, depth, profile or krita.profiles(model, depth)[0])
    document.waitForDone()
    yield 100
    document.setActiveNode(node)
    yield 200
    document.saveAs(str(path))
    yield from until(lambda: not document.modified())
    yield from closed(document)
"""

ARRANGE = """
window().showNormal()
window().setGeometry(0, 0, 1400, 900)
for other in krita.dockers():
    other.setVisible(other is docker or other.objectName() == "KisLayerBox")
list_of_layers = window().findChild(QtWidgets.QDockWidget, "KisLayerBox")
window().resizeDocks([list_of_layers, docker], [200, 650], QtCore.Qt.Vertical)
docker.more.open(True)
docker.styles.fetch()
yield from until(lambda: docker.styles.count() and docker.styles.item(0).icon())
yield from until(lambda: not docker.styles._without_icon)
yield 1000
"""


class Painter:
    """What somebody does at Krita's window; counts the steps, and looks at memory after a job."""

    def __init__(self, krita, daemon, folder):
        self._krita, self._folder = krita, folder
        self._editor = psutil.Process(krita.process.pid)
        self._daemon = psutil.Process(daemon.process.pid)
        self.steps, self.undone, self.left_out, self.memory = 0, 0, 0, []

    # How it is done ---------------------------------------------------------------------------

    def run(self, code, **values):
        """What a piece leaves in `answer`, or returns if it gives Krita time."""
        if "yield" in code:
            code = f"def main():\n{textwrap.indent(code, '    ')}"
        return self._krita.run(DAY + code, **values)

    def _step(self):
        self.steps += 1
        if self.steps % 10 == 0:
            self._krita.picture(f"krita-day-{self.steps:03}")

    def _keys(self, *keys):
        """Press keys in the dialog that is open, or else in Krita's window."""
        focus = self.run("answer = int((modal() or window()).winId())")
        self._krita.xdotool("windowfocus", "--sync", str(focus))
        self._krita.xdotool("key", "--clearmodifiers", *keys)

    def _press(self, keys, action):
        """Press a shortcut, and wait until Krita does what it stands for."""
        self._step()
        before = self.run("answer = count(action)", action=action)
        self._keys(keys)
        fired = self.run("""
yield from until(lambda: count(action) > before, 30)
yield 100
return count(action) - before
""", action=action, before=before)  # fmt: skip
        assert fired == 1, f"{keys} was pressed once, and {action} triggered {fired} times"

    def _trigger(self, action):
        """Choose a menu entry that has no shortcut."""
        self._step()
        self.run("QtCore.QTimer.singleShot(0, krita.action(action).trigger)", action=action)

    def _click(self, where):
        """Click on what a piece finds on the screen."""
        self._step()
        x, y = self.run(f"answer = {where}")
        self._krita.xdotool("mousemove", str(x), str(y), "click", "1")
        self.run("yield 200")

    def _drag(self):
        """With the tool that is chosen, over the middle of the canvas."""
        self._step()
        x, y = self.run("answer = place(window().centralWidget())")
        self._krita.xdotool("mousemove", str(x - 30), str(y - 20), "mousedown", "1")
        self._krita.xdotool("mousemove_relative", "30", "15", "sleep", "0.1")
        self._krita.xdotool("mousemove_relative", "30", "25", "sleep", "0.1", "mouseup", "1")
        self.run("yield 300\nyield from settled()")

    def _paint(self, begin, *, expected="Done"):
        self.run('docker.words.setText("")')
        begin()
        self._await_end(expected)

    def _await_end(self, expected="Done"):
        words = self.run("""
yield from until(lambda: docker.painting is None and docker.words.text(), 400)
yield 400
krita.activeDocument().waitForDone()
return docker.words.text()
""")
        assert expected in words, words
        if expected == "Done":
            self.memory.append(self._mib())

    def _mib(self):
        """What Krita holds, and the daemon with its worker."""
        processes = [self._daemon, *self._daemon.children()]
        held = sum(process.memory_info().rss for process in processes)
        return self._editor.memory_info().rss / 2**20, held / 2**20

    def arrange(self):
        """Arrange the window and the settings, with a document, as Krita does without one."""
        self.open(self._folder / f"{SHEETS[0].name}.{SHEETS[0].suffix}")
        self.run(ARRANGE)
        self.style("Swirls")
        self.hurry()
        self.close()

    def give_up(self):
        """After a fault: leave nothing open for the next document."""
        self.run("""
docker.cancel()
if modal():
    modal().reject()
yield from until(lambda: docker.painting is None, 60)
for document in krita.documents():
    yield from closed(document)
docker.controls.quality.setCurrentIndex(docker.controls.quality.findData(""))
""")

    # Documents --------------------------------------------------------------------------------

    def open(self, path):
        self._step()
        self._keys("ctrl+o")
        self.run("yield from until(modal)\nyield 300")
        self._krita.xdotool("type", "--delay", "5", str(path))
        self._keys("Return")
        self.run("""
def is_open():
    document = krita.activeDocument()
    return document and document.fileName() == path and document.activeNode()
yield from until(is_open)
yield from settled()
""", path=str(path))  # fmt: skip

    def save(self):
        self._press("ctrl+s", "file_save")
        self.run("yield from until(lambda: not krita.activeDocument().modified())")

    def close(self):
        """Close it, and let go what is not saved."""
        number = self.run("answer = len(krita.documents())")
        self._step()
        self._keys("ctrl+w")
        self.run("""
yield from until(lambda: modal() or len(krita.documents()) < number)
if modal():
    kinds = QtWidgets.QMessageBox
    (modal().button(kinds.Discard) or modal().button(kinds.No)).click()
yield from until(lambda: len(krita.documents()) < number)
yield 100
""", number=number)  # fmt: skip

    def undo(self):
        self._travel("ctrl+z", "edit_undo", -1)

    def redo(self):
        self._travel("ctrl+shift+z", "edit_redo", 1)

    def _travel(self, keys, action, way):
        """Go one step through the history.

        Krita leaves out an undo or redo that comes while it draws its thumbnails, which it does a
        second after every change: of 49 pressed in just that moment, with no painting, it left out
        eight. A painter then presses again.
        """
        began = self.run("answer = step_shown()")
        for _ in range(5):
            self._press(keys, action)
            now = self.run("yield from settled()\nyield 300\nreturn step_shown()")
            if now != began:
                break
            self.left_out += 1
        assert now == began + way, f"{keys} led from step {began} to {now}"

    def layer(self, name):
        self._click(f"layer_named({name!r})")

    def stroke(self):
        before = self.state()
        self._keys("b")
        self._drag()
        assert differences(self.state(), before) == ["layers", "seen"]

    def select(self):
        self._keys("ctrl+r")
        self._drag()

    def deselect(self):
        self._press("ctrl+shift+a", "deselect")

    def invert(self):
        self._press("ctrl+i", "krita_filter_invert")
        self.run("yield from settled()")

    def add_layer(self):
        self._press("Insert", "add_new_paint_layer")

    def frame(self, which):
        self._trigger(f"{which}_keyframe")
        self.run("yield 300\nyield from settled()")

    # Impasto ----------------------------------------------------------------------------------

    def hurry(self):
        """Set in "Advanced" that a painting takes a second or two."""
        numbers = {"Iterations": 6, "Working size": 96, "Refinement": 0}
        self._click('named("Advanced…")')
        self.run("yield from until(modal)\nyield 300")
        self._click('named("As the quality says", modal())')
        for name, number in numbers.items():
            self.run("""
spin, = (each for each in modal().findChildren(QtWidgets.QSpinBox)
         if each.accessibleName() == f"Size and steps: {name}")
spin.setFocus()
spin.selectAll()
""", name=name)  # fmt: skip
            self._keys(*str(number))
        self._keys("Return")
        told = self.run(
            "yield from until(lambda: not modal())\nreturn docker.settings().iterations"
        )
        assert told == numbers["Iterations"]

    def quality(self, first_letter):
        box = "docker.controls.quality"
        for _ in range(5):  # Krita may just be giving the keys back to the canvas
            # Letters that come soon after another are one word to Qt.
            self.run(f"yield 500\n{box}.setFocus()")
            self._keys(first_letter)
            if self.run(f"answer = {box}.currentText()").startswith(first_letter):
                return
        raise AssertionError(f"no quality can be chosen with the key {first_letter}")

    def style(self, name):
        self._click(f"style_named({name!r})")
        told = self.run("chosen = docker.styles.chosen\nanswer = chosen and chosen.name")
        assert told == name, told

    def strength(self, presses):
        self.run("docker.controls.strength.bar.setFocus()")
        self._keys(*["Right"] * int(presses))

    def stylise(self):
        self._paint(lambda: self._press("ctrl+alt+shift+y", "impasto_stylise"))

    def button(self):
        self._paint(lambda: self._click('named("Stylise")'))

    def again(self):
        self._paint(lambda: self._trigger("impasto_again"))

    def refused(self, words):
        self._paint(lambda: self._click('named("Stylise")'), expected=words)

    def _begin(self, quality="B"):
        """Something that takes long, until it can be seen."""
        self.quality(quality)
        self._press("ctrl+alt+shift+y", "impasto_stylise")
        self.run("""
yield from until(lambda: docker.painting, 20)
yield from until(lambda: not docker.painting or docker.painting.canvas, 300)
kept["painting"] = docker.painting
yield 300
""")

    def finish(self, quality="B"):
        self._begin(quality)
        self._end()

    def _end(self):
        self._click('named("Finish Now")')
        self._await_end()
        self.run('del kept["painting"]')
        self.quality("A")

    def cancel(self, quality="B", inside="docker"):
        before = self.state()
        self._begin(quality)
        self._click(f'named("Cancel", {inside})')
        self._await_end("The job was cancelled.")
        self.run('yield from ended(kept.pop("painting"))\nyield 400')
        self.quality("A")
        assert not differences(self.state(), before)

    def cancel_below(self):
        """By the button in the status bar."""
        self.cancel(inside="bar()")

    def elsewhere(self):
        """Open another document meanwhile, and come back."""
        self._begin()
        self.open(self._folder / f"{SHEETS[0].name}.{SHEETS[0].suffix}")
        self.stroke()
        self.close()
        self._end()

    # What is looked at ------------------------------------------------------------------------

    def state(self):
        return self.run("return (yield from state())")

    def undo_all(self):
        """Undo as long as there is something: how many steps."""
        count = 0
        while self.run('answer = krita.action("edit_undo").text().strip() != "Undo"'):
            self.undo()
            count += 1
            assert count < 40, "no end of undoing"
        return count


@pytest.fixture(scope="session")
def sheets(krita, pictures, tmp_path_factory):
    """The documents' files, and what Krita has written to its log by then."""
    folder = tmp_path_factory.mktemp("sheets")
    for sheet in SHEETS:
        photo = folder / f"{sheet.name}.png"
        profile = {"icc_profile": wide_profile(sheet.wide)} if sheet.wide else {}
        Image.open(pictures["large"]).resize(sheet.size).save(photo, **profile)
        path = folder / f"{sheet.name}.{sheet.suffix}"
        krita.run(
            DAY + MAKE, piece=sheet.made, is_animated=sheet.animated, space=sheet.space,
            path=path, photo=photo, style=pictures["style"], ASL=ASL,
        )  # fmt: skip
    return folder


def bad_lines(log):
    """What Krita calls bad in its log, without numbers."""
    lines = (re.sub(r"0x[0-9a-f]+|\d+", "#", line) for line in log.splitlines())
    return {line for line in lines if BAD.search(line)}


def slope(values):
    """How much a value grows a step: the median between any two of the second half."""
    values = np.asarray(values[len(values) // 2 :], float)
    one, other = np.triu_indices(len(values), 1)
    return float(np.median((values[other] - values[one]) / (other - one)))


def differences(found, wanted):
    return [name for name in wanted if found[name] != wanted[name]]


def work_on(painter, sheet, path):
    """Do all that is done to a document: what is not as it should be."""
    painter.open(path)
    # The document that was opened again before may have been painted by another.
    painter.quality("A")
    before = painter.state()
    for act in sheet.acts.split("; "):
        name, *rest = act.split(" ", 1)
        getattr(painter, name)(*rest)
    after = painter.state()
    steps = painter.undo_all()
    undone = differences(painter.state(), before)
    for _ in range(steps):
        painter.redo()
    redone = differences(painter.state(), after)
    reopened = []
    if sheet.kept:
        painter.save()
        painter.close()
        painter.open(path)
        reopened = differences(painter.state(), after)
    painter.close()
    painter.undone += steps
    told = {"undone": undone, "redone": redone, "opened again": reopened}
    return [f"{when}: {what} differ" for when, what in told.items() if what]


@pytest.mark.timeout(3600)
def test_a_day_leaves_nothing_behind(krita, krita_daemon, sheets, version):
    krita_daemon.impasto("style", "starter")
    log = krita.folder / "host.log"
    painter, began, faults = Painter(krita, krita_daemon, sheets), time.monotonic(), []
    painter.arrange()
    unpainted = SHEETS[0]._replace(acts="select; add_layer; select; deselect")
    assert not work_on(painter, unpainted, sheets / f"{unpainted.name}.{unpainted.suffix}")
    known = bad_lines(log.read_text())
    for sheet in SHEETS:
        begun = log.stat().st_size
        try:
            found = work_on(painter, sheet, sheets / f"{sheet.name}.{sheet.suffix}")
        except AssertionError as error:
            found = [str(error)]
            krita.picture(f"krita-day-fault-{sheet.name}")
            painter.give_up()
        found += bad_lines(log.read_text()[begun:]) - known
        faults += [f"{sheet.name}: {fault}" for fault in found]
        print(
            f"{sheet.name}: {time.monotonic() - began:.0f} s, {len(painter.memory)} jobs; {found}"
        )
    growth = [slope(held) for held in zip(*painter.memory, strict=True)]
    first, *_, last = ([f"{held:.0f}" for held in job] for job in painter.memory)
    print(f"""
Krita {version}: a day of {(time.monotonic() - began) / 60:.0f} min
documents; steps, {len(SHEETS)}; {painter.steps}
jobs, {len(painter.memory)}
steps undone and redone, {painter.undone}
undos and redos that Krita left out, {painter.left_out}
faults, {len(faults)}
MiB of Krita, of the daemon: after the first job, {"; ".join(first)}
... after the last, {"; ".join(last)}
... more a job, {growth[0]:.1f}; {growth[1]:.1f}
bad lines of the log without a painting, {len(known)}""")
    assert not faults, faults
    assert max(growth) < MOST_MIB_A_JOB
