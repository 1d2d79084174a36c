"""What only newer GIMPs have: links to files, vector layers, texts with outlines."""

import numpy as np
import pytest
from PIL import Image
from tests.hosts.gimp.conftest import Gimp
from tests.hosts.gimp.test_layers import LOOKS, encode, raw


class WithFonts(Gimp):
    """A GIMP without a window in which there can be text."""

    command = ("gimp-console", "-id")


# What a name's first word is lies above the photograph; what its others say is done to it.
NEW_KINDS = (
    LOOKS
    + """
def link(image):
    layer = Gimp.LinkLayer.new(image, Gio.File.new_for_path(str(linked)))
    image.insert_layer(layer, None, 0)
    layer.set_offsets(30, 20)
    return layer

def star(image):
    path = Gimp.Path.new(image, "star")
    image.insert_path(path, None, 0)
    stroke = path.bezier_stroke_new_moveto(40, 25)
    for x, y in ((110, 40), (90, 90), (50, 70)):
        path.bezier_stroke_cubicto(stroke, x - 20, y - 10, x + 9, y - 15, x, y)
    path.stroke_close(stroke)
    layer = Gimp.VectorLayer.new(image, path)
    image.insert_layer(layer, None, 0)
    layer.set_enable_fill(True)
    layer.set_fill_color(Gegl.Color.new("#e08020"))
    layer.set_enable_stroke(True)
    layer.set_stroke_color(Gegl.Color.new("#101060"))
    layer.set_stroke_width(6)
    layer.refresh()
    return layer

def text(image):
    layer = Gimp.TextLayer.new(image, "Dusk", Gimp.fonts_get_list("")[0], 48,
                               Gimp.Unit.pixel())
    image.insert_layer(layer, None, 0)
    layer.set_color(Gegl.Color.new("#e08020"))
    layer.set_outline(Gimp.TextOutline.STROKE_FILL)
    layer.set_outline_color(Gegl.Color.new("#101060"))
    layer.set_outline_width(5, Gimp.Unit.pixel())
    layer.set_outline_direction(Gimp.TextOutlineDirection.OUTER)
    layer.set_offsets(20, 30)
    return layer

def made(image, name):
    kind, *more = name.split(", ")
    layer = {"link": link, "vector": star, "text": text}[kind](image)
    for what in more:
        if what == "filter":
            filtered(layer, "gegl:invert-gamma")
        elif what == "filter that enlarges":
            filtered(layer, "gegl:dropshadow")
        elif what == "mask":
            masked(layer)
        elif what == "rasterized":
            layer.rasterize()
        elif what == "in a group":
            layer = grouped(layer)
    return layer

def drawn(layer):
    inside = layer.get_children()[0] if layer.is_group() else layer
    return [type(inside).__name__, inside.is_rasterized()]
"""
)
NAMES = [
    "link", "link, filter", "link, mask", "link, rasterized", "link, in a group, filter",
    "vector", "vector, filter that enlarges", "vector, in a group",
    "text", "text, filter", "text, in a group, filter",
]  # fmt: skip


@pytest.fixture
def gimp_with_fonts(tree, profile, gimp_daemon, tmp_path):
    folder = tmp_path / "gimp"
    folder.mkdir()
    environment = {"GIMP3_DIRECTORY": str(profile), "IMPASTO_HOME": str(gimp_daemon.home)}
    running = WithFonts(tree, folder, environment)
    yield running
    running.close()


@pytest.mark.parametrize("version", ["3.2"], indirect=True)
def test_layers_that_gimp_draws_itself_are_painted_as_they_look(
    gimp_with_fonts, pictures, tmp_path
):
    """Links to files, vector layers and outlined texts stay what they are, and are hidden."""
    linked = tmp_path / "linked.png"
    Image.open(pictures["style"]).crop((40, 40, 120, 100)).save(linked)
    number = gimp_with_fonts.begin(
        NEW_KINDS
        + """
answer = {}
for name in names:
    image = load(photo)
    layer = made(image, name)
    whole(f"{name} before")
    layer.set_visible(False)
    whole(f"{name} without it")
    layer.set_visible(True)
    before = drawn(layer)
    status, painted, error = stylize(image, layer, style, iterations=1, strength=0.0)
    whole(f"{name} after")
    answer[name] = [status, error, before, drawn(layer), layer.get_visible(),
                    image.get_item_position(layer), looks_of(painted) == looks_of(layer)]
    image.delete()
""",
        folder=tmp_path, names=NAMES, linked=linked, **pictures,
    )  # fmt: skip
    answer = gimp_with_fonts.end(number, timeout_s=500)
    classes = {"link": "LinkLayer", "vector": "VectorLayer", "text": "TextLayer"}
    for name, told in answer.items():
        is_so = [classes[name.partition(",")[0]], "rasterized" in name]
        assert told == ["success", None, is_so, is_so, False, 1, True], name
        before, after, without = (
            encode(raw(tmp_path / f"{name} {when}")) for when in ("before", "after", "without it")
        )
        assert np.abs(before - without).max() > 0.1, name
        # A filter's float pixels become 8-bit ones.
        assert np.abs(after - before).max() <= 2.5 / 255, name
    assert list(answer) == NAMES
