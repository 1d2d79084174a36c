"""What a painter does to an image while a layer of it is painted: the painting is never lost."""

import contextlib
import os
import time

import numpy as np
import pytest
from tests.hosts.gimp.conftest import plug_in_processes

from impasto_protocol.messages import Cancel, Status

# So little strength gives back about what was read: it is seen whether that lies where it belongs.
PAINT = """
image = load(photo)
layer = image.get_layers()[0]
layer.add_alpha()
layer.scale(40, 30, False)
image.resize(60, 50, 10, 8)
under = layer.copy()
under.set_name("under")
image.insert_layer(under, None, 1)
group = Gimp.GroupLayer.new(image, "group")
image.insert_layer(group, None, 0)
if begun.get("grouped"):
    image.reorder_item(layer, group, 0)
if begun.get("selected"):
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 14, 12, 20, 10)
dump(layer, folder / "then", "R'G'B'A u8")
before = Gimp.get_images()
status, painted, error = stylize(image, layer, style, iterations=100_000, strength=0.01)
if status == "success":
    dump(painted, folder / "painted", "R'G'B'A u8")
if layer.is_valid():
    dump(layer, folder / "now", "R'G'B'A u8")
found = tree([painted])[0] if painted else {}
names = [layer["name"] for layer in tree(image.get_layers())]
answer = {
    "status": status, "error": error, "size": found.get("size"), "offsets": found.get("offsets"),
    "apart": [i.get_id() != image.get_id() for i in Gimp.get_images() if i not in before],
    "now": [layer.get_height(), layer.get_width()] if layer.is_valid() else None,
    "then": list(layer.get_offsets())[1:] if layer.is_valid() else None,
    "parent": painted.get_parent().get_name() if painted and painted.get_parent() else None,
    "layers": names,
    "in": painted.get_image().get_id() == image.get_id() if painted else None,
}
"""
CHANGE = """
image = Gimp.get_images()[0]
def find(name, layers):
    for layer in layers:
        if layer.get_name() == name:
            return layer
        if layer.is_group() and (found := find(name, layer.get_children())):
            return found
canvas, layer, under, group = (
    find(name, image.get_layers()) for name in ("Impasto", "Background", "under", "group")
)
"""


def conclude(daemon, job):
    """Have a job end with its picture as it stands."""
    with daemon.connect() as client:
        client._send(Cancel(job=job.job, keep=True))
        client.ask(Status())


@pytest.fixture
def paint_while(pair, gimp_daemon, pictures, running_job, tmp_path):
    """paint_while(code, **begun): what came of a painting that the code ran beside, its pixels."""

    def run(code, **begun):
        number = pair.begin(PAINT, folder=tmp_path, begun=begun, **pictures)
        job = running_job(gimp_daemon)
        pair.beside(CHANGE + code)
        conclude(gimp_daemon, job)
        return pair.end(number)

    return run


def pixels(path, height, width):
    return np.fromfile(path, np.uint8).reshape(height, width, 4)[..., :3].astype(float)


FOLLOWED = {
    "nothing": "",
    "source moved": "layer.set_offsets(-5, 21)",
    "image resized": "image.resize(90, 80, 20, 25)",
    "image cropped beside it": "image.crop(44, 36, 8, 6)",
    "image mirrored": "image.flip(Gimp.OrientationType.HORIZONTAL)",
    "image upset": "image.flip(Gimp.OrientationType.VERTICAL)",
    "image turned": "image.rotate(Gimp.RotationType.DEGREES180)",
    "image turned right": "image.rotate(Gimp.RotationType.DEGREES90)",
    "image turned and mirrored": "image.rotate(Gimp.RotationType.DEGREES90)\n"
    "image.flip(Gimp.OrientationType.HORIZONTAL)",
    "layer mirrored": "layer.transform_flip_simple(Gimp.OrientationType.HORIZONTAL, True, 0)",
    "grey": "image.convert_grayscale()",
    "float": "image.convert_precision(Gimp.Precision.FLOAT_LINEAR)",
    "another profile": "image.convert_color_profile(Gimp.ColorProfile.new_rgb_adobe(),"
    " Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, True)",
    "preview deleted": "image.remove_layer(canvas)",
    "preview locked": "canvas.set_lock_content(True)\nimport time; time.sleep(1)",
    "preview scaled": "canvas.scale(7, 5, True)\nimport time; time.sleep(1)",
    "preview in a group": "image.reorder_item(canvas, group, 0)",
    "reordered": "image.lower_item_to_bottom(layer)",
}
IN_GROUP = {
    "put into a group": ("image.reorder_item(layer, group, 0)", False),
    "put into a locked group": (
        "image.reorder_item(layer, group, 0)\ngroup.set_lock_content(True)", False),
    "group locked": ("group.set_lock_content(True)\nimport time; time.sleep(1)", True),
    "group locked in place": ("group.set_lock_position(True)", True),
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "selected"),
    [(change, False) for change in FOLLOWED]
    + [(change, True) for change in ("image mirrored", "image turned right", "float")],
)
def test_painting_follows_its_source(paint_while, tmp_path, change, selected):
    told = paint_while(FOLLOWED[change], selected=selected)
    assert (told["status"], told["error"], told["in"]) == ("success", None, True)
    assert told["apart"] == [] and "Impasto" not in told["layers"]
    width, height = told["size"]
    now = pixels(tmp_path / "now", *told["now"])
    x, y = (own - of for own, of in zip(told["offsets"], told["then"], strict=True))
    assert {width, height} == ({20, 10} if selected else {40, 30})
    assert x >= 0 and y >= 0
    painted = pixels(tmp_path / "painted", height, width)
    there = now[y : y + height, x : x + width]
    assert np.abs(painted - there).mean() < min(10, np.abs(painted - there[::-1, ::-1]).mean())


@pytest.mark.parametrize("change", IN_GROUP)
def test_painting_follows_its_source_into_a_group(paint_while, change):
    code, grouped = IN_GROUP[change]
    told = paint_while(code, grouped=grouped)
    assert (told["status"], told["error"], told["in"]) == ("success", None, True)
    assert told["parent"] == "group" and told["offsets"] == told["then"]
    assert "Impasto" not in told["layers"]


GONE = {
    "source deleted": "image.remove_layer(layer)",
    "flattened": "image.flatten()",
    "source merged down": "image.merge_down(layer, Gimp.MergeType.EXPAND_AS_NECESSARY)",
    "preview merged down": "image.merge_down(canvas, Gimp.MergeType.EXPAND_AS_NECESSARY)",
    "all merged": "image.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)",
    "indexed and deleted": "image.convert_indexed(Gimp.ConvertDitherType.NONE,"
    " Gimp.ConvertPaletteType.GENERATE, 64, False, False, '')\nimage.remove_layer(layer)",
    "indexed": "image.convert_indexed(Gimp.ConvertDitherType.NONE,"
    " Gimp.ConvertPaletteType.GENERATE, 64, False, False, '')",
    "layer cropped": "layer.resize(20, 15, 0, 0)",
    "layer turned a little": "layer.transform_rotate(0.3, True, 0, 0)",
}


@pytest.mark.parametrize("change", GONE)
def test_painting_whose_source_is_gone_is_a_layer_in_its_old_place(paint_while, tmp_path, change):
    told = paint_while(GONE[change])
    assert "Impasto" not in told["layers"]
    assert (told["status"], told["error"], told["in"]) == ("success", None, True)
    assert told["size"] == [40, 30] and told["offsets"] == [10, 8]
    painted, then = (pixels(tmp_path / name, 30, 40) for name in ("painted", "then"))
    assert np.abs(painted - then).mean() < 12


def test_painting_outlives_its_process_and_its_layer(
    pair, gimp_daemon, pictures, running_job, tmp_path
):
    """GIMP ends a process that writes a preview into the layer that it is just deleting."""
    number = pair.begin(PAINT, folder=tmp_path, begun={}, **pictures)
    first = running_job(gimp_daemon)
    painting = max(plug_in_processes(pair.folder / "profile"))
    pair.beside(CHANGE + "image.flatten()")
    with contextlib.suppress(ProcessLookupError):  # GIMP has done so itself
        os.kill(painting, 9)
    while (second := running_job(gimp_daemon)).job == first.job:
        time.sleep(0.1)
    conclude(gimp_daemon, second)
    told = pair.end(number)
    assert (told["status"], told["error"], told["in"]) == ("success", None, True)
    assert told["size"] == [40, 30] and told["offsets"] == [10, 8]
    painted, then = (pixels(tmp_path / name, 30, 40) for name in ("painted", "then"))
    assert np.abs(painted - then).mean() < 12


APART = {
    "cropped": "image.crop(30, 20, 15, 12)",
    "scaled": "image.scale(30, 25)",
    "only layer deleted and cropped": "image.remove_layer(layer)\nimage.crop(30, 20, 15, 12)",
}


@pytest.mark.parametrize("change", APART)
def test_painting_that_no_longer_fits_is_an_image_of_its_own(paint_while, tmp_path, change):
    told = paint_while(APART[change])
    assert (told["status"], told["error"], told["in"]) == ("success", None, False)
    assert told["apart"] == [True] and told["size"] == [40, 30]
    painted, then = (pixels(tmp_path / name, 30, 40) for name in ("painted", "then"))
    assert np.abs(painted - then).mean() < 10


SERIES = """
image = load(photo)
layer = image.get_layers()[0]
layer.scale(40, 30, False)
under = layer.copy()
under.set_name("under")
image.insert_layer(under, None, 1)
if begun.get("strength_mask"):
    under.add_mask(under.create_mask(Gimp.AddMaskType.WHITE))
sky = Gimp.Channel.new(image, "Sky", image.get_width(), image.get_height(), 50,
                       Gegl.Color.new("red"))
sky.fill(Gimp.FillType.WHITE)
image.insert_channel(sky, None, 0)
own = Path(os.environ["IMPASTO_TEST_FOLDER"]) / "style.png"
own.write_bytes(Path(style).read_bytes())
if begun.pop("by_layer", False):
    begun.update(style_from="layer", style_layer=under)
if begun.pop("by_other_image", False):
    other = load(style)
    other.attach_parasite(Gimp.Parasite.new("of-the-style", 0, b" "))
    begun.update(style_from="layer", style_layer=other.get_layers()[0])
if begun.pop("selected", False):
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 14, 12, 20, 10)
sources = [layer, under] if begun.pop("both", False) else [layer]
image.set_selected_layers(sources)
status, painted, error = call(
    "stylize", image, sources, style_file=own, quality="custom", iterations=100_000,
    tolerance=0.0, **begun)
def every(layers):
    for layer in layers:
        yield from every(layer.get_children()) if layer.is_group() else [layer]
answer = status, error, [
    [found.get_width(), found.get_height(), *found.get_offsets()[1:]]
    for found in every(image.get_layers()) if found.get_parasite("impasto-recipe")
]
"""


@pytest.fixture
def paint_several(pair, gimp_daemon, pictures, running_job):
    """paint_several(codes, **begun): what came of it, and what each code gave that ran beside."""

    def run(codes, **begun):
        number, last, answers = pair.begin(SERIES, begun=begun, **pictures), "", []
        for code in codes:
            while (job := running_job(gimp_daemon)).job == last:
                time.sleep(0.1)
            answers.append(pair.beside(CHANGE + code))
            conclude(gimp_daemon, job)
            last = job.job
        return pair.end(number), answers

    return run


WHOLE, PART = [40, 30, 0, 0], [20, 10, 14, 12]
NO_SELECTION = "Gimp.Selection.none(image)"
CHANGES = {
    "flattened between variations": ("image.flatten()", {"variations": 2}, 2, [WHOLE, WHOLE]),
    "flattened between layers": ("image.flatten()", {"both": True}, 1, [WHOLE]),
    "nothing selected any more": (
        NO_SELECTION, {"variations": 2, "selected": True}, 2, [PART, PART]),
    "nothing selected in the second": (
        NO_SELECTION, {"both": True, "selected": True}, 2, [PART, PART]),
    "the second fails": (
        '(Path(os.environ["IMPASTO_TEST_FOLDER"]) / "style.png").unlink()', {"variations": 2},
        1, [WHOLE]),
    "mask that was the selection": (
        NO_SELECTION, {"variations": 2, "selected": True, "mask": "selection"}, 2, [PART, PART]),
    "mask of a layer": (
        "under.remove_mask(Gimp.MaskApplyMode.DISCARD)",
        {"variations": 2, "strength_mask": "mask:under"}, 2, [WHOLE, WHOLE]),
    "mask that was a layer": (
        "image.flatten()", {"variations": 2, "mask": "layer:under"}, 2, [WHOLE, WHOLE]),
    "styles that were layers": (
        "image.remove_channel(image.get_channels()[0])\nimage.remove_layer(under)",
        {"variations": 2, "by_layer": True,
         "more_styles": '[{"kind": "layer", "name": "under", "mask": "channel:Sky"}]'},
        2, [WHOLE, WHOLE]),
    "image of the style closed": (
        "(other,) = (i for i in Gimp.get_images() if i.get_parasite('of-the-style'))\n"
        "other.delete()",
        {"variations": 2, "by_other_image": True}, 2, [WHOLE, WHOLE]),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_done_during_one_of_several_loses_no_painting(paint_several, change):
    """All were lost, or each had another place."""
    code, begun, jobs, expected = CHANGES[change]
    told, _ = paint_several([code, ""][:jobs], **begun)
    assert told == ["success", None, expected]


def test_selected_layer_stays_the_painters_while_others_are_painted(paint_several):
    """The canvas took its place, and then the one that had been selected at first."""
    selected = "answer = [layer.get_name() for layer in image.get_selected_layers()]\n"
    codes = [f"{selected}image.set_selected_layers([under])", selected]
    _, found = paint_several(codes, variations=2)
    assert found == [["Background"], ["under"]]


def test_selected_channel_stays_the_painters_while_layers_are_painted(paint_several):
    """As the quick mask; a layer was selected in its place."""
    selected = "answer = [channel.get_name() for channel in image.get_selected_channels()]\n"
    codes = ["image.set_selected_channels(image.get_channels())", selected]
    _, found = paint_several(codes, variations=2)
    assert found == [None, ["Sky"]]
