"""The dialogs themselves: what is seen in them, with which keys, on which screens."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import GRAM
from tests.hosts.conftest import xvfb
from tests.hosts.gimp.test_window import (  # noqa: F401
    BEFORE_DIALOG,
    OPEN_DIALOG,
    SELECT_TWO,
    opened,
    plug_in,
    wait_for,
)

from impasto_daemon.presets.preset_file import Preset, pack
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.messages import PresetDelete, PresetRename, PresetSave, PresetSort, Status
from impasto_protocol.settings import Settings

TITLE = "^Impasto Style Transfer$"

# Larger letters, or larger everything, as the painter has set it for the whole screen.
SCALE = """
import gi
gi.require_version("Gtk", "3.0")
gi.require_version("GdkX11", "3.0")
from gi.repository import Gdk, GdkX11, Gtk
Gtk.init_check([])
Gtk.Settings.get_default().set_property("gtk-xft-dpi", round(96 * 1024 * letters))
Gdk.Display.get_default().set_window_scale(all)
keep = True
"""

# A dialog is looked into. Each step is an expression, tried until it is true; what it is then goes
# into `answer`. `dialog` and `find` are there.
WALK = (
    BEFORE_DIALOG
    + """
for name, value in chosen.items():
    config.set_property(name, Gio.File.new_for_path(value) if name == "style-file" else value)
answer, began, keep = [], time.monotonic(), True
waiting = list(steps)

def walk(widget):
    yield widget
    if isinstance(widget, Gtk.Container):
        inside = []
        widget.forall(inside.append)
        for child in inside:
            yield from walk(child)

def step():
    global began
    dialog = next(w for w in Gtk.Window.list_toplevels() if isinstance(w, GimpUi.ProcedureDialog))
    def find(name):
        return next(w for w in walk(dialog) if w.get_accessible().get_name() == name)
    def texts():
        return [w.get_text() for w in walk(dialog) if isinstance(w, Gtk.Label) and w.get_mapped()]
    try:
        found = eval(waiting[0], {**globals(), "dialog": dialog, "find": find, "texts": texts})
        if not found and time.monotonic() > began + patience_s:
            raise AssertionError(f"{waiting[0]}: {texts()}")
    except Exception:
        dialog.response(Gtk.ResponseType.CANCEL)
        raise
    if found:
        answer.append(found if isinstance(found, (str, int, float, list, dict)) else True)
        waiting.pop(0)
        began = time.monotonic()
    if not waiting:
        dialog.response(Gtk.ResponseType.CANCEL)
    return bool(waiting)
"""
    + OPEN_DIALOG
    + """
assert not waiting, f"{waiting}"
"""
)


@pytest.fixture(scope="module")
def screen():
    """The smallest that painters have."""
    with xvfb("1366x768") as name:
        yield name


@pytest.fixture
def walk(window, opened, plug_in):  # noqa: F811
    """walk(entry, steps, chosen): what each step found in a dialog."""

    def begin(entry, *steps, patience_s=60, draft_iterations=4, **chosen):
        named = {name.replace("_", "-"): value for name, value in chosen.items()}
        return window.begin(
            WALK, entry=entry, steps=steps, chosen=named, plug_in=plug_in, patience_s=patience_s,
            draft_iterations=draft_iterations,
        )  # fmt: skip

    def run(entry, *steps, **options):
        return window.end(begin(entry, *steps, **options))

    run.begin = begin
    return run


@pytest.mark.parametrize("entry", ["stylize", "apply-preset", "save-preset"])
def test_every_control_has_a_name_for_screen_readers_and_a_letter_of_its_own(walk, entry):
    nameless, letters = walk(
        entry,
        """[w.get_path().to_string() for w in walk(dialog) if w.get_can_focus() and w.get_mapped()
            and not isinstance(w, (Gtk.ScrolledWindow, Gtk.Viewport, Gtk.Dialog))
            and not w.get_accessible().get_name() and not (
                isinstance(w, Gtk.Label) and w.get_text())] or 'none'""",
        """[w.get_label()[w.get_label().index('_') + 1].lower() for w in walk(dialog)
            if isinstance(w, (Gtk.Label, Gtk.Button)) and w.get_mapped()
            and getattr(w, 'get_use_underline', bool)() and '_' in (w.get_label() or '')
            and not isinstance(w.get_parent(), Gtk.Button)]""",
    )
    assert nameless == "none"
    assert len(letters) > 5 and len(set(letters)) == len(letters), sorted(letters)


def test_the_painting_that_is_clicked_is_seen(window, opened, plug_in, tmp_path):  # noqa: F811
    visible, named, selected = window.run(
        """
import sys
sys.path[:0] = [plug_in, f"{plug_in}/vendor"]
import gi
gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gdk, GimpUi, GLib, Gtk
import contact_sheet
image = Gimp.get_images()[0]
paintings = []
for number, colour in enumerate(("red", "green", "blue")):
    Gimp.context_set_foreground(Gegl.Color.new(colour))
    layer = Gimp.Layer.new(image, colour, 160, 120, Gimp.ImageType.RGB_IMAGE, 100,
                           Gimp.LayerMode.NORMAL)
    layer.fill(Gimp.FillType.FOREGROUND)
    layer.set_visible(not number)
    image.insert_layer(layer, None, number)
    paintings.append(layer)
image.clean_all()
seen, named = [], []

def walk(widget):
    yield widget
    if isinstance(widget, Gtk.Container):
        for child in widget.get_children():
            yield from walk(child)

def step(number):
    # Those of the tests before may still be there.
    dialog = next(w for w in Gtk.Window.list_toplevels() if w.get_title() == "Impasto: Which One?")
    flow = next(w for w in walk(dialog) if isinstance(w, Gtk.FlowBox))
    if number == 3:
        found = dialog.get_window()
        size = 0, 0, found.get_width(), found.get_height()
        Gdk.pixbuf_get_from_window(found, *size).savev(str(folder / "sheet.png"), "png", [], [])
        dialog.response(Gtk.ResponseType.CLOSE)
        return False
    flow.get_child_at_index((number + 1) % 3).activate()
    seen.append([painting.get_visible() for painting in paintings])
    named[:] = [w.get_text() for w in walk(flow) if isinstance(w, Gtk.Label)]
    return False

for number in range(4):
    GLib.timeout_add(500 + 400 * number, step, number)
contact_sheet.choose(image, paintings)
answer = seen, named, image.get_selected_layers()[0].get_name()
""",
        plug_in=plug_in,
        folder=tmp_path,
    )
    if folder := os.environ.get("IMPASTO_ARTEFACTS"):
        shutil.copy(tmp_path / "sheet.png", Path(folder) / "gimp-contact-sheet.png")
    assert visible == [[False, True, False], [False, False, True], [True, False, False]]
    assert named == ["red", "green", "blue"] and selected == "red"
    window.keys("ctrl+z")  # which takes away what was inserted last
    left = wait_for(window, lambda layers: len(layers) == len(opened) + 2)
    assert [layer["name"] for layer in left[:2]] == ["red", "green"]
    window.keys("ctrl+z", "ctrl+z")
    wait_for(window, lambda layers: layers == opened)


def test_ok_can_be_pressed_once_there_is_a_style(walk, pictures):
    """It closed the dialog with an error."""
    file = f"Gio.File.new_for_path({str(pictures['style'])!r})"
    ok = "dialog.get_widget_for_response(Gtk.ResponseType.OK).get_sensitive()"
    walk(
        "stylize",
        f"not {ok}",
        "any(text.startswith('First choose a picture file') for text in texts())",
        f"config.set_property('style-file', {file}) or {ok}",
        f"config.set_property('style-from', 'preset') or not {ok}",
        "any(text == 'First choose one of the saved styles.' for text in texts())",
    )


def test_variations_can_be_chosen_where_there_are_any(walk):
    variations, steps = (f"find({name!r}).get_sensitive()" for name in ("Variations", "Iterations"))
    walk(
        "stylize",
        f"{variations} and not {steps}",
        f"config.set_property('quality', 'instant') or not {variations}",
        f"config.set_property('quality', 'draft') or {variations}",
        f"config.set_property('quality', 'custom') or {steps}",
        patience_s=5,
    )


def test_what_cannot_be_painted_as_it_is_set_is_told_before_ok(walk, pictures):
    """It was told once the dialog had closed."""
    ok = "dialog.get_widget_for_response(Gtk.ResponseType.OK).get_sensitive()"
    walk(
        "stylize",
        f"layers[0].set_lock_visibility(True) and config.set_property('as-source', False) or {ok}",
        f"config.set_property('as-source', True) or not {ok}",
        "any(text.startswith('The visibility of the layer') for text in texts())",
        f"layers[0].set_lock_visibility(False) and config.set_property('seed', 9) or {ok}",
        style_file=str(pictures["style"]),
    )


def test_each_of_several_layers_is_looked_at_before_ok(window, walk, pictures):
    """Of a second one that was transparent it was told once the dialog had closed."""
    window.run(
        f"""{SELECT_TWO}
second = image.get_selected_layers()[1]
second.add_alpha()
second.edit_clear()
"""
    )
    ok = "dialog.get_widget_for_response(Gtk.ResponseType.OK).get_sensitive()"
    walk(
        "stylize",
        "any('nothing to paint' in text for text in texts())",
        f"not {ok}",
        style_file=str(pictures["style"]),
        patience_s=20,
    )


def test_layer_is_looked_at_when_the_dialog_comes_back_and_not_at_each_change(
    window, walk, pictures
):
    """All its pixels were read, maybe seconds long, whenever a slider was moved."""
    window.run("Gimp.get_images()[0].get_layers()[0].add_alpha()\nkeep = True")
    count = """
rows, read = procedures.layers._rows, []
procedures.layers._rows = lambda *of: read.append(of) or rows(*of)
"""
    back = "dialog.emit('focus-in-event', Gdk.Event.new(Gdk.EventType.FOCUS_CHANGE))"
    change = "[config.set_property('seed', seed) for seed in (1, 2, 3)]"
    walk(
        "stylize",
        f"exec({count!r}, step.__globals__) or True",
        f"(read.clear(), {back}, len(read) == 1)[-1]",
        f"(read.clear(), {change}, not read)[-1]",
        patience_s=5,
        style_file=str(pictures["style"]),
    )


def test_layer_that_is_too_large_to_be_painted_at_once_is_told_before_ok(window, walk, pictures):
    """It was told once the dialog had closed."""
    window.run(
        """
image = Gimp.get_images()[0]
layer = Gimp.Layer.new(image, "Map", 30_000, 24_000, Gimp.ImageType.RGB_IMAGE, 100,
                       Gimp.LayerMode.NORMAL)
image.insert_layer(layer, None, 0)
image.set_selected_layers([layer])
keep = True
"""
    )
    ok = "dialog.get_widget_for_response(Gtk.ResponseType.OK).get_sensitive()"
    select = "image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 20, 20)"
    walk(
        "stylize",
        "any('pixels are too many to be painted at once' in text for text in texts())",
        f"not {ok}",
        f"{select} and (config.set_property('seed', 9) or {ok})",
        style_file=str(pictures["style"]),
    )
    # Or all of it would be looked at before the image is closed.
    window.run(
        """
image = Gimp.get_images()[0]
image.remove_layer(image.get_layers()[0])
keep = True
"""
    )


def test_what_filters_add_to_a_layer_can_be_selected_and_painted(window, walk, pictures):
    """OK waited while only a layer's shadow was selected, which is painted as all that is seen."""
    window.run(
        """
image = Gimp.get_images()[0]
(layer,) = image.get_layers()
layer.add_alpha()
layer.scale(40, 30, False)
layer.set_offsets(0, 0)
layer.append_filter(Gimp.DrawableFilter.new(layer, "gegl:dropshadow", ""))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 45, 35, 10, 8)
"""
    )
    ok = "dialog.get_widget_for_response(Gtk.ResponseType.OK).get_sensitive()"
    walk("stylize", ok, style_file=str(pictures["style"]), patience_s=5)


def test_dialog_can_be_set_as_the_layer_was_painted(window, walk, pictures, tmp_path):
    """Its style is gone meanwhile."""
    style = tmp_path / "swirls.png"
    shutil.copy(pictures["style"], style)
    window.run(
        """
image = Gimp.get_images()[0]
status, _, error = stylize(image, image.get_layers()[0], style, strength=0.9, seed=3,
                           keep_colours=True, style_layers="relu1_1,relu2_1")
assert status == "success", error
keep = True
""",
        style=style,
    )
    style.unlink()
    names = ["quality", "iterations", "strength", "seed", "keep-colours", "style-layers",
             "memory-mib", "style-from"]  # fmt: skip
    *_, values, file = walk(
        "stylize",
        "find('As “swirls 90%” Was Painted').clicked() or True",
        f"[config.get_property(name) for name in {names}]",
        "config.get_property('style-file').get_path()",
    )
    assert values == ["custom", 4, 0.9, 3, True, "relu1_1,relu2_1", 0, "file"]
    assert Path(file).name == "swirls.png"
    assert np.array_equal(Image.open(file), Image.open(pictures["style"]))


@pytest.mark.parametrize("gone", [True, False])
def test_dialog_is_set_as_a_layer_was_painted_in_a_style_that_was_deleted_or_renamed(
    window, walk, styles, pictures, gone
):
    """It was set to a name that there was none of."""
    style = Picture(2, 2, 3, "uint8", bytes(range(12)))
    message = PresetSave(job=new_job_id(), name="Sienna", settings=Settings(), replace=True)
    styles.submit(message, {"style": style}).result()
    window.run(
        """
image = Gimp.get_images()[0]
status, _, error = stylize(image, image.get_layers()[0], style, style_from="preset",
                           style_preset="Sienna")
assert status == "success", error
keep = True
""",
        **pictures,
    )
    if not gone:
        styles.ask(PresetRename(name="Sienna", new_name="Earth"))
    else:
        styles.ask(PresetDelete(name="Sienna"))
    *_, (kind, name), file = walk(
        "stylize",
        f"len(find('Saved styles').get_model()) == {2 + (not gone)}",
        "find('As “Sienna 50%” Was Painted').clicked() or True",
        "[config.get_property(name) for name in ('style-from', 'style-preset')]",
        "(file := config.get_property('style-file')) and file.get_path() or 'none'",
    )
    if gone:
        assert kind == "file" and Path(file).name == "Sienna.png"
    else:
        assert (kind, name) == ("preset", "Earth")
        styles.ask(PresetDelete(name="Earth"))


def test_part_that_was_dragged_out_goes_with_what_was_selected(window, walk, pictures):
    """The draft went on showing it."""
    shape = """(lambda seen: [seen.get_width(), seen.get_height()])(
        find('Preview of the result').get_image().get_pixbuf())"""
    select = "image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 20, 20)"
    window.run("Gimp.Selection.none(Gimp.get_images()[0])\nkeep = True")
    walk(
        "stylize",
        "find('Preview of the result').get_image().get_pixbuf() and True",
        f"{shape}[0] > {shape}[1]",
        "find('The layer').get_parent()._choose(procedures.layers.Box(100, 10, 20, 80)) or True",
        f"{shape}[0] < {shape}[1]",
        f"{select} and (config.set_property('seed', 3) or True)",
        f"{shape}[0] == {shape}[1]",
        patience_s=5,
        style_file=str(pictures["style"]),
    )


def test_what_is_new_in_the_image_is_offered_on_coming_back(walk):
    """It was offered when the dialog was opened anew."""
    masks = "[row[1] for row in find(procedures.recipe.arguments.PLACES[0][2]).get_model()]"
    masks = masks.replace("PLACES[0][2]", "PLACES[0][2].replace('_', '')")
    back = "dialog.emit('focus-in-event', Gdk.Event.new(Gdk.EventType.FOCUS_CHANGE)) or True"
    new = "Gimp.Channel.new(image, 'Sky', 160, 120, 50, Gegl.Color.new('red'))"
    _, before, _, after, _ = walk(
        "stylize",
        f"config.set_property('mask', 'channel:None') or {masks}",
        masks,
        f"image.insert_channel({new}, None, 0) and ({back})",
        f"'channel:Sky' in {masks} and {masks}",
        "config.get_property('mask') == 'channel:None'",
        patience_s=5,
    )
    assert "channel:Sky" not in before and set(after) == {*before, "channel:Sky"}


def test_strength_is_a_slider_in_percent_that_a_double_click_resets(window, walk, tmp_path):
    place = tmp_path / "place"
    begun = walk.begin(
        "stylize",
        "find('Strength').get_value()",
        "find('Strength').set_value(81) or config.get_property('strength')",
        f"""Path({str(place)!r}).write_text(' '.join(str(n) for n in (
            find('Strength').translate_coordinates(dialog, 60, 10))))""",
        "config.get_property('strength') == 0.5",
    )
    window.await_window(TITLE)
    deadline = time.monotonic() + 60
    while not (place.exists() and place.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (dialog, *_) = window.windows(TITLE)
    window.xdotool(
        "mousemove", "--window", dialog, *place.read_text().split(),
        "click", "--repeat", "2", "--delay", "80", "1",
    )  # fmt: skip
    shown, set_to, *_ = window.end(begun, timeout_s=250)
    assert (shown, set_to) == (50.0, 0.81)


def test_draft_of_the_result_grows_and_shows_the_layer_while_pressed(
    window, walk, pictures, gimp_daemon
):
    pixels = "hash(find('Preview of the result').get_image().get_pixbuf().get_pixels())"
    before, first, last, pressed, released, *_, anew = walk(
        "stylize",
        f"find('Preview of the result').get_image().get_pixbuf() and {pixels}",
        f"{pixels} != answer[0] and {pixels}",
        f"any(text == 'A draft of the result' for text in texts()) and {pixels}",
        f"find('Preview of the result').emit('pressed') or {pixels}",
        f"find('Preview of the result').emit('released') or {pixels}",
        "find('Preview').set_active(False) or True",
        f"not any('draft' in text for text in texts()) and {pixels}",
        "find('Preview').set_active(True) or True",
        f"any(text == 'A draft of the result' for text in texts()) and {pixels}",
        patience_s=250,
        draft_iterations=25,  # there is a preview before its end
        style_file=str(pictures["style"]),
        **GRAM,
    )
    assert pressed == before and released == anew == last
    assert len({before, first, last}) == 3


def test_draft_ends_with_the_dialog_and_makes_way_for_a_painting(
    window, walk, pictures, gimp_daemon, tmp_path
):
    def states():
        with gimp_daemon.connect() as client:
            jobs = client.ask(Status())[0].jobs
            return [job.state for job in jobs if job.draft]

    seen = tmp_path / "seen"
    painting = "any(text.startswith('A draft, ') for text in texts())"
    begun = walk.begin(
        "stylize", f"{painting} and Path({str(seen)!r}).write_text('it')",
        "'A painting goes first' in texts()", painting,
        style_file=str(pictures["style"]), seed=5, patience_s=250, draft_iterations=60, **GRAM,
    )  # fmt: skip
    deadline = time.monotonic() + 250
    while not seen.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    grey = Picture(64, 64, 3, "uint8", bytes(64 * 64 * 3))
    with gimp_daemon.connect() as client:
        client.stylise(grey, grey, Settings(iterations=30, tolerance=0.0)).result()
    window.end(begun)
    deadline = time.monotonic() + 60
    while "running" in states() or "queued" in states():
        assert time.monotonic() < deadline
        time.sleep(0.1)


# The smaller ones, at which there is more room, where the pictures are kept for people.
SCALES = [*([(1, 1), (1.5, 1)] if os.environ.get("IMPASTO_ARTEFACTS") else []), (2, 1), (1, 2)]


@pytest.mark.parametrize("letters, everything", SCALES)
@pytest.mark.parametrize("entry", ["stylize", "apply-preset"])
def test_ok_is_on_a_small_screen_at_every_scale(window, walk, entry, letters, everything, tmp_path):
    """OK was pushed below the screen when Advanced was opened."""
    window.run(SCALE, letters=letters, all=everything)
    seen = tmp_path / "seen"
    try:
        steps = [
            """[w.set_expanded(True) for w in walk(dialog) if isinstance(w, Gtk.Expander)] or 1""",
            "exec('sizes = []', step.__globals__) or True",
            "sizes.append(dialog.get_size()) or sizes[-5:] == 5 * sizes[-1:]",
            f"Path({str(seen)!r}).write_text(' ') and 'wait'",
            f"Path({str(seen)!r}).read_text() == 'done'",
            """(lambda ok: [*dialog.get_size(),
                *ok.translate_coordinates(dialog, ok.get_allocated_width(),
                                          ok.get_allocated_height())])(
                dialog.get_widget_for_response(Gtk.ResponseType.OK))""",
        ]
        begun = walk.begin(entry, *steps)
        deadline = time.monotonic() + 60
        while not seen.exists():
            assert time.monotonic() < deadline, window.log()
            time.sleep(0.1)
        window.picture(f"gimp-{entry}-{letters}-{everything}")
        seen.write_text("done")
        width, height, right, bottom = window.end(begun, timeout_s=60)[-1]
    finally:
        window.run(SCALE, letters=1, all=1)
    assert height <= 600 and height * everything <= 768 and width * everything <= 1366
    assert right <= width and bottom <= height


@pytest.fixture
def styles(gimp_daemon):
    """Two saved styles; the second has a tag."""
    grey = Picture(64, 64, 3, "uint8", bytes(64 * 64 * 3))
    with gimp_daemon.connect() as client:
        for name in ("Ochre", "Umber"):
            message = PresetSave(job=new_job_id(), name=name, settings=Settings(), replace=True)
            client.submit(message, {"style": grey}).result()
        client.ask(PresetSort(name="Umber", tags=("calm",)))
        yield client
        for name in ("Ochre", "Umber"):
            client.ask(PresetDelete(name=name))


def test_styles_are_found_among_favourites_and_by_tag_and_words_say_when_none_is(
    window, walk, styles
):
    """GTK complained of what was sought while a style was chosen."""
    log = window.folder / "host.log"
    before = len(log.read_text())
    names = "[row[0] for row in find('Saved styles').get_model()]"
    walk(
        "apply-preset",
        f"{names} == ['Ochre', 'Umber']",
        "find('Folder of styles').set_active_id('favourites') or 1",
        f"{names} == [] and 'No saved style is found here.' in texts()",
        "find('Folder of styles').set_active_id('all') or 1",
        f"{names} == ['Ochre', 'Umber']",
        "find('Saved styles').select_path(Gtk.TreePath('1')) or 1",
        "config.get_property('style-preset') == 'Umber'",
        "find('Favourite').get_sensitive() and (find('Favourite').clicked() or 1)",
        "find('Folder of styles').set_active_id('favourites') or 1",
        f"{names} == ['Umber'] and find('Favourite').get_active()",
        "find('Name or tag of a style').set_text('calm') or 1",
        f"{names} == ['Umber']",
        "find('Folder of styles').set_active_id('all') or 1",
        "find('Name or tag of a style').set_text('och') or 1",
        f"{names} == ['Ochre'] and config.get_property('style-preset') == 'Umber'",
        "find('Name or tag of a style').set_text('') or 1",
        f"{names} == ['Ochre', 'Umber'] and len(find('Saved styles').get_selected_items())",
    )
    assert "CRITICAL" not in log.read_text()[before:]
    assert {info.name: info.tags for info in styles.presets()}["Umber"] == ("calm", "favourite")


def test_style_that_cannot_be_read_does_not_hide_the_others(walk, styles, gimp_daemon):
    large = Picture(256, 256, 3, "uint8", bytes(256 * 256 * 3))  # no thumbnail is
    file = gimp_daemon.home / "data/presets/Alizarin.safetensors"
    file.write_bytes(pack(Preset("Alizarin", Settings(), large, large, "", "0f", {})))
    try:
        walk(
            "apply-preset",
            "[row[0] for row in find('Saved styles').get_model()] == ['Ochre', 'Umber']",
            patience_s=20,
        )
    finally:
        file.unlink()


def test_saved_styles_are_offered_as_more_styles_once_they_are_fetched(walk, styles):
    """They were there when something else had been changed."""
    walk(
        "stylize",
        "{'Ochre', 'Umber'} <= {row[0] for row in find('Style 2').get_model()}",
        more_styles='[{"kind": "file", "name": "/nowhere.png"}]',
        patience_s=20,
    )


def test_style_whose_baking_was_stopped_is_not_called_baked(window, walk, styles, tmp_path):
    seen = tmp_path / "seen"
    job = styles.bake("Umber")
    begun = walk.begin(
        "apply-preset",
        "any(text.startswith('Umber: Baking, ') for text in texts()) and "
        f"Path({str(seen)!r}).write_text('it')",
        "not any('Baking, ' in text for text in texts()) and "
        "[text for text in texts() if 'Umber' in text] + ['.']",
        patience_s=250,
    )
    deadline = time.monotonic() + 100
    while not seen.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    job.cancel()
    assert window.end(begun)[-1] == ["."]


def test_marked_style_is_the_one_that_is_set(walk, styles):
    """Reset left another one marked; a click between the styles marked none."""
    marked = """(lambda view: [view.get_model()[path][0] for path in view.get_selected_items()]
        )(find('Saved styles'))"""
    star = "find('Favourite').get_sensitive()"
    walk(
        "apply-preset",
        "len(find('Saved styles').get_model()) == 2",
        "find('Saved styles').select_path(Gtk.TreePath('1')) or True",
        f"{marked} == ['Umber'] and {star}",
        f"find('Saved styles').unselect_all() or {marked} == ['Umber'] and {star}",
        f"config.set_property('style-preset', 'Ochre') or {marked} == ['Ochre'] and {star}",
        f"config.set_property('style-preset', '') or {marked} == [] and not {star}",
        patience_s=5,
    )


def test_style_is_baked_from_its_menu_and_painted_at_once(window, walk, styles, tmp_path):
    browser = "find('Saved styles')"
    menu = (
        f"[item.get_label() for item in {browser}.get_parent().get_parent()._menu.get_children()]"
    )
    press = (
        f"{browser}.emit('popup-menu') and "
        f"{browser}.get_parent().get_parent()._menu.get_children()[0].activate() or True"
    )
    ok = "dialog.get_widget_for_response(Gtk.ResponseType.OK).get_sensitive()"
    pixels = "hash(find('Preview of the result').get_image().get_pixbuf().get_pixels())"
    draft = "any(text == 'A draft of the result' for text in texts())"
    thumbnail = f"hash({browser}.get_model()[0][1].get_pixels())"
    found = walk(
        "apply-preset",
        f"len({browser}.get_model()) == 2",
        f"{browser}.select_path(Gtk.TreePath('0')) or True",
        "config.set_property('own-settings', False) or True",
        "config.set_property('quality', 'instant') or True",
        f"any('Right click the style' in text for text in texts()) and not {ok}",
        thumbnail,
        f"{press} and {menu}",
        "any(text.startswith('Ochre: Baking, ') for text in texts())",
        f"{thumbnail} != answer[5]",
        f"{press} and {menu}",
        f"any(text == '“Ochre” is baked.' for text in texts()) and {ok}",
        f"{thumbnail} == answer[5]",
        f"{browser}.get_model()[0][2] or False",
        f"{browser}.emit('popup-menu') and {menu}",
        f"config.set_property('strength', 0.2) or {draft} and {pixels}",
        f"config.set_property('strength', 0.9) or {pixels} != answer[-1] and {draft} and {pixels}",
        patience_s=250,
    )
    assert found[6] == ["_Bake It (20 min)"] and found[9] == ["_Stop Baking"]
    assert found[12] == "Baked: the quality Instant paints it at once"
    assert found[13] == ["_Bake It Further (20 min)"]
    assert [info.is_baked for info in styles.presets()] == [True, False]


def test_dialog_opened_anew_tells_how_far_a_style_is_baked_and_stops_it(window, walk, styles):
    browser = "find('Saved styles')"
    menu = f"{browser}.get_parent().get_parent()._menu.get_children()"
    styles.bake("Umber")
    found = walk(
        "apply-preset",
        f"len({browser}.get_model()) == 2",
        f"{browser}.select_path(Gtk.TreePath('1')) or True",
        "any(text.startswith('Umber: Baking, ') for text in texts())",
        f"{browser}.emit('popup-menu') and {menu}[0].get_label()",
        f"{menu}[0].activate() or True",
        "'“Umber” is baked.' in texts()",
        f"{browser}.get_model()[1][2] or False",
        f"{browser}.emit('popup-menu') and {menu}[0].get_label()",
        patience_s=250,
    )
    assert found[3] == "_Stop Baking" and found[7] == "_Bake It Further (20 min)"
    assert found[6] == "Baked: the quality Instant paints it at once"


def test_style_can_be_baked_after_a_baking_that_could_not_be_begun(walk, styles):
    """Its menu had nothing but Stop Baking until the dialog was opened anew."""
    browser = "find('Saved styles')"
    menu = f"{browser}.get_parent().get_parent()._menu.get_children()"
    lost = """
found = sys.modules["impasto_protocol.client"].Client
connect = found.__dict__["connect"]
def lose(**_):
    found.connect = connect
    raise OSError("no daemon")
found.connect = lose
"""
    *_, label = walk(
        "apply-preset",
        f"len({browser}.get_model()) == 2",
        f"{browser}.select_path(Gtk.TreePath('0')) or True",
        f"exec({lost!r}, step.__globals__) or True",
        f"{browser}.emit('popup-menu') and ({menu}[0].activate() or True)",
        "any('no daemon' in text for text in texts())",
        f"{browser}.emit('popup-menu') and {menu}[0].get_label()",
        patience_s=20,
    )
    assert label == "_Bake It (20 min)"
