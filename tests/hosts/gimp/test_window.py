"""The plug-in as a painter meets it: menu, dialog, progress, preview, undo. On a screen."""

import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from tests.hosts.gimp.conftest import plug_in_processes

from impasto_daemon.worker.rates import RATES_FILE, Rate, Rates
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.messages import PresetDelete, PresetSave, PresetSort, Progress, Status
from impasto_protocol.settings import QUALITIES, Settings

OPEN = """
image = load(photo)
Gimp.Display.new(image)
answer = tree(image.get_layers())
keep = True
"""
CLOSE = """
for display in [Gimp.Display.get_by_id(number) for number in range(1, 99)]:
    if display and display.is_valid():
        display.delete()
"""
# In a copy, as GIMP ends a plug-in that reads pixels of a layer that has just gone.
LOOK = """
answer = None
for image in Gimp.get_images()[:1]:
    copy = image.duplicate()
    answer = tree(copy.get_layers())
    copy.delete()
keep = True
"""
# Of the painting's mask: its size and largest value; of two of its rows, whether they are those of
# the layer below it.
MASK = """
painting, layer = Gimp.get_images()[0].get_layers()
mask = painting.get_mask()
rectangle = Gegl.Rectangle.new(0, 0, mask.get_width(), mask.get_height())
data = mask.get_buffer().get(rectangle, 1.0, "Y u8", Gegl.AbyssPolicy.NONE)

def row(drawable, y):
    rectangle = Gegl.Rectangle.new(0, y, drawable.get_width(), 1)
    return drawable.get_buffer().get(rectangle, 1.0, "R'G'B' u8", Gegl.AbyssPolicy.NONE)

answer = [mask.get_width(), mask.get_height(), max(data),
          *(row(painting, y) == row(layer, y) for y in (10, 50))]
keep = True
"""

# Before and after what looks into a dialog by `step`, which is opened in this process. A draft is
# of few evaluations, unless a piece says of how many.
BEFORE_DIALOG = """
import sys, time
sys.path[:0] = [plug_in, f"{plug_in}/vendor"]
import procedures
sys.modules["impasto_protocol.settings"].DRAFT_ITERATIONS = globals().get("draft_iterations", 4)
import gi
gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gdk, GimpUi, GLib, Gtk
from impasto_protocol.errors import Cancelled

image = Gimp.get_images()[0]
procedure = Gimp.get_pdb().lookup_procedure(f"plug-in-impasto-{entry}")
config = procedure.create_config()
"""
OPEN_DIALOG = """
GLib.timeout_add(100, step)
ask = {"stylize": "stylize", "apply-preset": "apply", "save-preset": "save"}[entry]
layers = image.get_selected_layers()
try:
    getattr(procedures, ask)(procedure, Gimp.RunMode.INTERACTIVE, image, layers, config)
except Cancelled:
    pass
"""

# What a dialog shows is read, and it is changed step by step. The line that it opens with is waited
# for as long as `patience_s` says.
DIALOG = (
    BEFORE_DIALOG
    + """
answer, steps, began, before = [], [*steps, "dialog.response(Gtk.ResponseType.CANCEL)"], 0, ""
patience_s = globals().get("patience_s", 20)

def texts(widget):
    if isinstance(widget, Gtk.Label):
        yield widget.get_text()
    elif isinstance(widget, Gtk.Container):
        for child in widget.get_children():
            yield from texts(child)

def step():
    global began, before, patience_s
    found = Gtk.Window.list_toplevels()
    dialog = next(w for w in found if isinstance(w, GimpUi.ProcedureDialog))
    line = next((text for text in texts(dialog) if text.startswith("It ")), "")
    began = began or time.monotonic()
    if line == before and time.monotonic() < began + patience_s:
        return True
    fields = [name for name in ("iterations", "working-px", "refinement")
              if procedure.find_argument(name)]
    answer.append([line, [config.get_property(name) for name in fields]])
    began, before, patience_s = 0, line, 20
    try:
        exec(steps.pop(0), {**globals(), "dialog": dialog})
    except Exception:
        dialog.response(Gtk.ResponseType.CANCEL)
        raise
    return bool(steps)
"""
    + OPEN_DIALOG
    + "keep = True\n"
)
SELECT = "image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 30, 20, 20)\n"


@pytest.fixture
def opened(window, pictures):
    """The layers of the photograph that is open in the window."""
    layers = window.run(OPEN, **pictures)
    window.await_window("GIMP$")
    yield layers
    # Only ever without a job: GIMP 3.0.4 crashed in its own gimp-display-delete while one ran, and
    # when the image went before it had heard of the process's end, which it has when it answers.
    wait_until_over(window)
    window.run(LOOK)
    window.run(CLOSE)


HABITS = """
Gimp.detach_parasite("impasto-habits")
if habits:
    data = json.dumps(habits).encode()
    Gimp.attach_parasite(Gimp.Parasite.new("impasto-habits", Gimp.PARASITE_PERSISTENT, data))
keep = True
"""


@pytest.fixture(scope="module", autouse=True)
def no_previews(window):
    """The dialogs of these tests have none, as each takes seconds of the daemon's."""
    window.run(HABITS, habits={"preview": False})
    yield
    window.run(HABITS, habits=None)


@pytest.fixture
def previews(window):
    """For one test there are."""
    window.run(HABITS, habits=None)
    yield
    window.run(HABITS, habits={"preview": False})


def wait_until_over(window):
    """Wait until no process of the plug-in is left in this GIMP."""
    deadline = time.monotonic() + 200
    while plug_in_processes(window.folder / "profile"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_for(window, is_so, timeout_s=300):
    """The layers, once something is so of them."""
    deadline = time.monotonic() + timeout_s
    while not is_so(layers := window.run(LOOK)):
        assert time.monotonic() < deadline, f"{layers}\n{window.log()}"
        time.sleep(0.1)
    return layers


def begin(window, *keys):
    window.keys("ctrl+alt+y")
    window.await_window("^Impasto Style Transfer$")
    window.keys(*keys, "alt+o", window="^Impasto Style Transfer$")
    window.await_window("^Impasto$")


def test_menu_dialog_preview_result_undo_and_redo(window, previews, opened):
    paths = window.run(
        """
entries = ["stylize", "again", "apply-preset", "save-preset", "work"]
names = [f"plug-in-impasto-{entry}" for entry in entries]
answer = {n: Gimp.get_pdb().lookup_procedure(n).get_menu_paths() for n in names}
keep = True
"""
    )
    assert {name for name, menus in paths.items() if menus == ["<Image>/Filters/Artistic"]} == {
        "plug-in-impasto-stylize", "plug-in-impasto-again", "plug-in-impasto-apply-preset",
        "plug-in-impasto-save-preset",
    }  # fmt: skip
    window.keys("ctrl+alt+y")
    window.await_window("^Impasto Style Transfer$")
    window.picture("gimp-dialog")
    window.keys(
        "alt+i", "ctrl+a", *"9000", "Tab", "alt+o", window="^Impasto Style Transfer$"
    )  # fmt: skip
    window.await_window("^Impasto$")
    seen = set()

    def two_previews(layers):
        if len(layers) == 2 and layers[0]["name"] == "Impasto":
            seen.add(layers[0]["pixels"])
        return len(seen) >= 3  # the empty canvas and two previews

    wait_for(window, two_previews)
    window.picture("gimp-running")
    window.keys("alt+f", window="^Impasto$")
    done = wait_for(window, lambda layers: layers[0]["name"] == "style 50%")
    time.sleep(1)
    window.picture("gimp-result")
    assert done[1:] == opened and not window.windows("^Impasto$")
    window.keys("ctrl+z")
    assert wait_for(window, lambda layers: len(layers) == 1) == opened
    window.keys("ctrl+y")
    assert wait_for(window, lambda layers: len(layers) == 2) == done


DIRTY = "answer = Gimp.get_images()[0].is_dirty()\nkeep = True"
VISIBLE = "answer = [l.get_visible() for l in Gimp.get_images()[0].get_layers()]\nkeep = True"


def test_two_presses_of_undo_take_back_the_painting_and_what_was_done_before_it(window, opened):
    """The second press said "Can't undo Attach Parasite to Item"."""
    window.keys("ctrl+comma")  # fill with the foreground colour
    filled = wait_for(window, lambda layers: layers != opened)
    window.run("Gimp.get_images()[0].clean_all()\nkeep = True")
    begin(window, "alt+i", "ctrl+a", "9", "Tab")
    done = wait_for(window, lambda layers: layers[0]["name"] == "style 50%")
    wait_until_over(window)
    assert window.run(VISIBLE) == [True, False] and window.run(DIRTY)
    window.keys("ctrl+alt+u")
    window.picture("gimp-undo-history")
    window.keys("ctrl+z")
    assert wait_for(window, lambda layers: len(layers) == 1) == filled
    assert window.run(VISIBLE) == [True] and not window.run(DIRTY)
    window.keys("ctrl+z")
    assert wait_for(window, lambda layers: layers != filled) == opened
    window.picture("gimp-undone-twice")
    assert not window.windows("GIMP Message")
    window.keys("ctrl+y", "ctrl+y")
    assert wait_for(window, lambda layers: len(layers) == 2) == done
    assert window.run(VISIBLE) == [True, False]


SELECT_TWO = """
image = Gimp.get_images()[0]
image.insert_layer(image.get_layers()[0].copy(), None, 0)
image.set_selected_layers(image.get_layers())
Gimp.displays_flush()
keep = True
"""


def test_selected_layers_are_painted_from_the_menu_and_undone_at_once(window, opened):
    """The menu entries were grey with more than one."""
    window.run(SELECT_TWO)
    two = wait_for(window, lambda layers: len(layers) == 2)
    begin(window, "alt+i", "ctrl+a", "9", "Tab")
    done = wait_for(window, lambda layers: len(layers) == 4 and "Impasto" not in names(layers))
    assert sorted(names(done)[::2]) == ["style 50%", "style 50% #1"] and done[1::2] == two
    wait_until_over(window)
    window.keys("ctrl+z")
    assert wait_for(window, lambda layers: len(layers) == 2) == two


def names(layers):
    return [layer["name"] for layer in layers]


@pytest.mark.parametrize("how", ["window", "progress bar"])
def test_cancel_ends_the_job_and_leaves_the_image_as_it_was(
    window, opened, gimp_daemon, running_job, how
):
    # More iterations, so that there is something to cancel.
    begin(window, "alt+i", "ctrl+a", "9", "0", "0", "0", "Tab")
    job = running_job(gimp_daemon)
    with gimp_daemon.connect() as client:
        if how == "window":
            window.keys("alt+c", window="^Impasto$")
        else:
            click_cancel(window)
        asked = time.monotonic()
        assert wait_for(window, lambda layers: len(layers) == 1) == opened
        while True:
            states = {found.job: found.state for found in client.ask(Status())[0].jobs}
            if states[job.job] == "cancelled":
                break
            assert time.monotonic() - asked < 200
            time.sleep(0.1)
    assert not window.windows("^Impasto$")
    window.keys("ctrl+z")
    time.sleep(0.5)
    assert window.run(LOOK) == opened


KEPT = "profile/plug-in-settings/GimpProcedureConfigRun-plug-in-impasto-stylize.last"


def test_what_was_chosen_is_there_when_it_could_not_be_painted(window, opened):
    """All of it had to be chosen again."""
    title = "^Impasto Style Transfer$"
    window.keys("ctrl+alt+y")
    window.await_window(title)
    window.keys("alt+i", "ctrl+a", *"8642", "Tab", window=title)
    window.run("Gimp.get_images()[0].get_layers()[0].set_lock_visibility(True)\nkeep = True")
    window.keys("alt+o", window=title)
    window.keys("Escape", window="^Impasto$")  # which says so
    wait_until_over(window)
    assert "(iterations 8642)" in (window.folder / KEPT).read_text()
    assert window.run(LOOK) == opened


def test_what_was_chosen_is_there_when_a_painting_was_cancelled_but_not_when_the_dialog_was(
    window, opened, gimp_daemon, running_job
):
    """All of it had to be chosen again."""
    kept = window.folder / KEPT
    window.run("Gimp.get_images()[0].clean_all()\nkeep = True")
    begin(window, "alt+i", "ctrl+a", *"8765", "Tab")
    running_job(gimp_daemon)
    window.keys("alt+c", window="^Impasto$")
    wait_until_over(window)
    assert "(iterations 8765)" in kept.read_text()
    window.keys("ctrl+alt+y")
    title = "^Impasto Style Transfer$"
    window.await_window(title)
    window.keys("alt+i", "ctrl+a", *"4321", "Tab", "Escape", window=title)
    wait_until_over(window)
    assert "(iterations 8765)" in kept.read_text()
    assert window.run(LOOK) == opened and not window.run(DIRTY)
    window.keys("ctrl+z")
    time.sleep(0.5)
    assert window.run(LOOK) == opened


SAVE = """
file = Gio.File.new_for_path(str(folder / "watched.xcf"))
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file)
image.set_file(file)
image.clean_all()
"""


@pytest.mark.parametrize("done", ["", "image.get_layers()[-1].set_opacity(50)", SAVE])
def test_cancel_does_not_call_saved_what_was_done_meanwhile(window, opened, tmp_path, done):
    """Nor what was saved with half a painting in it."""
    window.run(f"image = Gimp.get_images()[0]\n{SAVE}keep = True", folder=tmp_path)
    begin(window, "alt+i", "ctrl+a", "9", "0", "0", "0", "Tab")
    wait_for(window, lambda layers: len(layers) == 2)
    window.run(f"image = Gimp.get_images()[0]\n{done}\nkeep = True", folder=tmp_path)
    window.keys("alt+c", window="^Impasto$")
    wait_for(window, lambda layers: len(layers) == 1)
    wait_until_over(window)
    assert window.run("answer = Gimp.get_images()[0].is_dirty()\nkeep = True") == bool(done)


def click_cancel(window):
    """Click the button at the end of the bar below the image, the docks being hidden."""
    window.keys("Tab")
    time.sleep(1)
    window.picture("gimp-progress-bar")
    (found, *_) = window.await_window("GIMP$")
    place = dict(line.split("=") for line in window.xdotool("getwindowgeometry", "--shell", found))
    x, y = int(place["WIDTH"]) - 45, int(place["HEIGHT"]) - 17
    window.xdotool("mousemove", str(x), str(y), "click", "1")
    time.sleep(1)
    window.keys("Tab")


def test_image_that_is_closed_ends_its_job(window, opened, gimp_daemon, running_job):
    begin(window, "alt+i", "ctrl+a", "9", "0", "0", "0", "Tab")
    job = running_job(gimp_daemon)
    window.keys("ctrl+w")
    time.sleep(1)
    if window.windows("Close"):  # GIMP 3.2 knows that nothing is changed, and does not ask
        window.keys("ctrl+d", window="Close")
    closed = time.monotonic()
    while plug_in_processes(window.folder / "profile"):
        assert time.monotonic() < closed + 100
        time.sleep(0.1)
    assert not window.windows("^Impasto$")
    with gimp_daemon.connect() as client:
        while True:
            states = {found.job: found.state for found in client.ask(Status())[0].jobs}
            if states[job.job] == "cancelled":
                break
            assert time.monotonic() < closed + 100
            time.sleep(0.1)
    assert window.run(LOOK) is None


def test_again_asks_first_where_the_layer_has_been_changed_since(window, opened):
    begin(window, "alt+i", "ctrl+a", "9", "0", "0", "0", "Tab")
    window.keys("alt+f", window="^Impasto$")
    wait_for(window, lambda layers: layers[0]["name"] == "style 50%")
    wait_until_over(window)
    window.keys("ctrl+alt+g")
    window.await_window("^Impasto$")
    window.picture("gimp-again")
    window.keys("alt+f", window="^Impasto$")
    wait_for(window, lambda layers: len(layers) == 3 and layers[0]["name"].startswith("style"))
    wait_until_over(window)
    window.keys("ctrl+comma")  # fill with the foreground colour
    window.keys("ctrl+alt+g")
    window.await_window("^Impasto$")
    window.picture("gimp-again-asks")
    window.keys("Escape", window="^Impasto$")
    wait_until_over(window)
    assert len(window.run(LOOK)) == 3
    window.keys("ctrl+alt+g")
    window.keys("alt+p", window="^Impasto$")
    wait_for(window, lambda layers: len(layers) == 4)
    window.keys("alt+f", window="^Impasto$")
    wait_for(window, lambda layers: layers[0]["name"].startswith("style"))


def test_stop_and_keep(window, opened):
    begin(window, "alt+i", "ctrl+a", "9", "0", "0", "0", "Tab")
    wait_for(window, lambda layers: len(layers) == 2 and layers[0]["name"] == "Impasto")
    window.await_window("^Impasto$")
    time.sleep(3)
    window.keys("alt+f", window="^Impasto$")
    done = wait_for(window, lambda layers: layers[0]["name"] == "style 50%")
    assert done[1:] == opened and done[0]["pixels"] != opened[0]["pixels"]


def test_finish_now_ends_a_series_and_keeps_what_is_painted(
    window, opened, gimp_daemon, running_job
):
    """The next layer was begun at once."""
    window.run(SELECT_TWO)
    begin(window, "alt+i", "ctrl+a", "9", "0", "0", "0", "Tab")
    running_job(gimp_daemon)
    window.keys("alt+f", window="^Impasto$")
    wait_until_over(window)
    done = wait_for(window, lambda layers: "Impasto" not in names(layers))
    assert sum(name.startswith("style 50%") for name in names(done)) == 1 and len(done) == 3


def test_finish_now_before_there_is_a_picture_waits_for_the_first(window, opened, gimp_daemon):
    """It ended without a layer and without a word."""
    grey = Picture(64, 64, 3, "uint8", bytes(64 * 64 * 3))
    with gimp_daemon.connect() as client:
        other = client.stylise(grey, grey, Settings(iterations=100_000, tolerance=0.0))
        next(message for message, _ in other.events() if isinstance(message, Progress))
        begin(window)
        window.keys("alt+f", window="^Impasto$")
        time.sleep(2)
        window.picture("gimp-finish-waits")
        assert window.windows("^Impasto$")
        other.cancel()
        done = wait_for(window, lambda layers: layers[0]["name"] == "style 50%")
    assert done[1:] == opened


def test_selection_counts_as_it_was_when_the_painting_began(
    window, opened, gimp_daemon, running_job
):
    """The layer has a mask of its own, which the painting gets as well."""
    window.run(
        """
image = Gimp.get_images()[0]
layer = image.get_layers()[0]
layer.add_mask(layer.create_mask(Gimp.AddMaskType.BLACK))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 30, 60, 50)
keep = True
"""
    )
    begin(window, "alt+i", "ctrl+a", "9", "0", "0", "0", "Tab")
    running_job(gimp_daemon)
    window.run("Gimp.Selection.none(Gimp.get_images()[0])\nkeep = True")
    window.keys("alt+f", window="^Impasto$")
    wait_for(window, lambda layers: layers[0]["name"] == "style 50%")
    wait_until_over(window)  # the layer is there a moment before its mask is
    assert window.run(MASK) == [160, 120, 0, True, False]


def test_style_is_kept_found_by_a_tag_and_applied(window, opened, gimp_daemon):
    for name in ("Dawn", "Dusk"):
        window.keys("ctrl+alt+v")
        window.await_window("Save Style")
        window.keys("alt+n", "ctrl+a", *name, "Tab", "alt+o", window="Save Style")
        deadline = time.monotonic() + 120
        with gimp_daemon.connect() as client:
            while name not in [info.name for info in client.presets()]:
                assert time.monotonic() < deadline, window.log()
                time.sleep(0.2)
    with gimp_daemon.connect() as client:
        client.ask(PresetSort(name="Dusk", folder="Evenings", tags=("calm",)))
    window.keys("ctrl+alt+p")
    window.await_window("Apply Preset")
    time.sleep(1)
    window.picture("gimp-presets")
    # Past the folders to the name or tag; then to the thumbnails, the first of them.
    window.keys("Tab", *"calm", window="Apply Preset")
    window.picture("gimp-presets-found")
    window.keys("Tab", "Home", "space", "alt+o", window="Apply Preset")
    window.keys("alt+f", window="^Impasto$")
    wait_for(window, lambda layers: layers[0]["name"] == "Dusk 50%")
    habits = "Gimp.get_parasite('impasto-habits').get_data()"
    recent = window.run(f"answer = json.loads(bytes({habits}))['recent']\nkeep = True")
    assert recent == ["Dusk"]


def test_help_button_shows_impastos_own_page(window, opened):
    """In the browser of the painter's choice, which is a script here."""
    shown = window.folder / "shown"
    applications = window.folder / ".local/share/applications"
    applications.mkdir(parents=True)
    (applications / "browser.desktop").write_text(
        "[Desktop Entry]\nType=Application\nName=Browser\nMimeType=text/html;\n"
        f"Exec=sh -c 'echo \"$0\" > {shown}' %u\n"
    )
    (window.folder / ".config").mkdir(exist_ok=True)
    (window.folder / ".config/mimeapps.list").write_text(
        "[Default Applications]\ntext/html=browser.desktop\n"
    )
    window.keys("ctrl+alt+y")
    window.await_window("^Impasto Style Transfer$")
    window.keys("alt+h", window="^Impasto Style Transfer$")
    deadline = time.monotonic() + 60
    while not (shown.exists() and shown.read_text()):
        assert time.monotonic() < deadline, window.log()
        time.sleep(0.1)
    page = Path(url2pathname(urlsplit(shown.read_text().strip()).path))
    assert page.name == "impasto.html" and "<h1>Impasto</h1>" in page.read_text()
    window.keys("Escape", window="^Impasto Style Transfer$")


def test_dialogs_open_without_a_complaint_of_gimps(window, previews, opened):
    log = window.folder / "host.log"
    before = len(log.read_text())
    titles = {"y": "Impasto Style Transfer", "p": "Apply Preset", "v": "Save Style"}
    for key, title in titles.items():
        window.keys(f"ctrl+alt+{key}")
        window.await_window(title)
        window.keys("Escape", window=title)
    # GIMP may let go of a plug-in before that has said its last, which it then complains of; and
    # what loads its pictures cannot shut itself in here.
    said = "\n".join(
        line
        for line in log.read_text()[before:].splitlines()
        if "Broken pipe" not in line and "Glycin running without sandbox" not in line
    )
    # "no mnemonic" stays: Advanced has more controls than there are letters left.
    assert "CRITICAL" not in said and "WARNING" not in said and "duplicate mnemonic" not in said


@pytest.fixture
def slow(gimp_daemon):
    """The daemon's device takes minutes for the little picture of the tests."""
    file = gimp_daemon.home / "data" / RATES_FILE
    Rates(file).put("auto", Rate(seconds=600.0))
    yield
    file.unlink()


@pytest.fixture
def plug_in(profile):
    """The plug-in's folder, for `DIALOG`."""
    return str(profile / "plug-ins/impasto")


def choose(quality):
    return f"config.set_property('quality', {quality!r})"


def test_line_of_the_dialog_tells_what_the_painting_will_take_as_it_is_set(
    window, opened, slow, plug_in
):
    begun = window.begin(
        DIALOG, entry="stylize", plug_in=plug_in,
        steps=[choose("best"), choose("draft"), "config.set_property('variations', 8)"],
    )  # fmt: skip
    window.await_window("^Impasto Style Transfer$")
    good, best, draft, eight = window.end(begun)
    for line, _ in (good, best, draft, eight):
        assert line.startswith("It takes ") and "GiB of memory." in line
    assert len({line for line, _ in (good, best, draft, eight)}) == 4
    assert good[0].endswith("Quality Draft takes less.")
    assert best[0].endswith("Quality Good takes less.")
    assert not draft[0].endswith("takes less.")


def test_greyed_fields_show_what_the_quality_sets(window, opened, slow, plug_in):
    """A working size of 0 was shown while 768 was used."""
    steps = [
        choose("draft"),
        "config.set_property('quality', 'custom')\nconfig.set_property('iterations', 7)",
        f"{choose('good')}\nconfig.set_property('working-px', 0)",  # as Reset does
    ]
    shown = window.run(DIALOG, entry="stylize", plug_in=plug_in, steps=steps)
    good, draft = (list(QUALITIES[name].values()) for name in ("good", "draft"))
    assert [fields for _, fields in shown] == [good, draft, [7, *draft[1:]], good]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_line_follows_the_selection(window, opened, slow, plug_in, when):
    """The painter may select something else beside the dialog, and comes back to it."""
    title = "^Impasto Style Transfer$"
    if when == "before":
        whole = window.run(DIALOG, entry="stylize", plug_in=plug_in, steps=[])
        window.run(f"image = Gimp.get_images()[0]\n{SELECT}keep = True")
        part = window.run(DIALOG, entry="stylize", plug_in=plug_in, steps=[])
    else:
        begun = window.begin(DIALOG, entry="stylize", plug_in=plug_in, steps=[SELECT])
        window.await_window(title)
        window.keys()
        window.keys(window=title)
        whole, part = ([told] for told in window.end(begun))
    hours_of_whole, hours_of_part = (float(told[0][0].split()[2]) for told in (whole, part))
    assert hours_of_part < hours_of_whole


def test_line_counts_every_selected_layer(window, opened, slow, plug_in):
    """It told the time of one."""
    one = window.run(DIALOG, entry="stylize", plug_in=plug_in, steps=[])
    window.run(SELECT_TWO)
    two = window.run(DIALOG, entry="stylize", plug_in=plug_in, steps=[])
    hours_of_one, hours_of_two = (float(told[0][0].split()[2]) for told in (one, two))
    assert hours_of_two > 1.5 * hours_of_one


def test_line_tells_what_a_saved_style_will_take(window, opened, slow, plug_in, gimp_daemon):
    style = Picture(64, 64, 3, "uint8", bytes(64 * 64 * 3))
    with gimp_daemon.connect() as client:
        message = PresetSave(job=new_job_id(), name="Ochre", settings=Settings())
        client.submit(message, {"style": style}).result()
    steps = ["config.set_property('style-preset', 'Ochre')", choose("best"), choose("draft")]
    nothing, *told = window.run(
        DIALOG, entry="apply-preset", plug_in=plug_in, steps=steps, patience_s=2
    )
    with gimp_daemon.connect() as client:
        client.ask(PresetDelete(name="Ochre"))
    assert nothing[0] == ""
    assert len({line for line, _ in told}) == 3
    assert all(line.startswith("It takes ") for line, _ in told)
