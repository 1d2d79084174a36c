"""Several styles in one painting, each where a mask is, in the real GIMP with the real daemon."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.hosts.gimp.test_dialog import screen, walk  # noqa: F401
from tests.hosts.gimp.test_layers import LOOKS, raw
from tests.hosts.gimp.test_window import opened, plug_in  # noqa: F401

SCENE = """
def scene():
    image = load(photo)
    layer = image.get_layers()[0]
    layer.add_alpha()
    image.resize(260, 220, 50, 40)
    layer.set_offsets(30, 20)
    for name, box in (("Left", (0, 0, 70, 220)), ("Right", (150, 0, 110, 220))):
        image.select_rectangle(Gimp.ChannelOps.REPLACE, *box)
        Gimp.Selection.save(image).set_name(name)
        Gimp.Selection.none(image)
    strength = Gimp.Layer.new(image, "Strength", 260, 100, Gimp.ImageType.RGBA_IMAGE, 100,
                              Gimp.LayerMode.NORMAL)
    image.insert_layer(strength, None, 0)
    strength.fill(Gimp.FillType.TRANSPARENT)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 40, 260, 60)
    strength.edit_fill(Gimp.FillType.WHITE)
    Gimp.Selection.none(image)
    strength.set_visible(False)
    strength.set_offsets(0, 10)
    return image, layer
"""


@pytest.fixture
def styles(pictures, tmp_path):
    """Another style beside that of `pictures`, and what says so."""
    other = tmp_path / "turned.png"
    with Image.open(pictures["style"]) as style:
        style.rotate(90).save(other)
    return json.dumps([{"kind": "file", "name": str(other), "mask": "channel:Right",
                        "weight": 2, "layers": "fine"}])  # fmt: skip


def test_each_style_goes_where_its_channel_is_white_and_black_strength_keeps_the_layer(
    gimp, pictures, styles, tmp_path
):
    told, error, name, again = gimp.run(
        SCENE
        + """
image, layer = scene()
box = 0, 0, layer.get_width(), layer.get_height()
dump(layer, folder / "before", "R'G'B'A float", box)
status, painted, error = stylize(
    image, layer, style, mask="channel:Left", more_styles=styles, uncovered="photograph",
    strength_mask="layer:Strength", strength=0.8,
)
dump(painted, folder / "after", "R'G'B'A float", box)
first, name = tree([painted])[0]["pixels"], painted.get_name()
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(folder / "a.xcf")))
image.delete()
image = load(folder / "a.xcf")
_strength, painted, layer = image.get_layers()
image.remove_layer(painted)
_, painted, _ = call("again", image, [layer])
answer = status, error, name, [first, tree([painted])[0]["pixels"]]
""",
        styles=styles,
        folder=tmp_path,
        **pictures,
    )
    assert (told, error) == ("success", None)
    assert name == "style + turned 80%"
    assert again[0] == again[1]
    changed = np.abs(raw(tmp_path / "after") - raw(tmp_path / "before"))[..., :3].max(axis=2)
    # The layer begins at (30, 20): strength from row 30 to 90, the channels to 40 and from 120.
    assert changed[:29].max() == 0 and changed[91:].max() == 0
    assert changed[32:88, 42:118].max() == 0
    assert changed[32:88, :38].mean() > 0.005 and changed[32:88, 122:].mean() > 0.005


MAPPED = """
image = load(photo)
image.scale(80, 60)
layer = image.get_layers()[0]
width, height = layer.get_width(), layer.get_height()
flat = Gimp.Layer.new(image, "Doodle", width, height, Gimp.ImageType.RGBA_IMAGE, 100,
                      Gimp.LayerMode.NORMAL)
image.insert_layer(flat, None, 0)
for colour, x in (("red", 0), ("blue", width // 2)):
    Gimp.context_set_foreground(Gegl.Color.new(colour))
    image.select_rectangle(Gimp.ChannelOps.REPLACE, x, 0, width - x, height)
    flat.edit_fill(Gimp.FillType.FOREGROUND)
Gimp.Selection.none(image)
flat.set_visible(False)
"""


def test_what_has_a_colour_is_painted_like_what_has_it_in_the_styles_map(gimp, pictures, tmp_path):
    """The style's left is orange, its right green; so the painting becomes, or the other way."""
    Image.new("RGB", (200, 150), "orange").save(tmp_path / "two.png")
    two = Image.open(tmp_path / "two.png")
    two.paste((20, 120, 60), (100, 0, 200, 150))
    noise = np.random.default_rng(0).integers(-20, 20, (150, 200, 3))
    Image.fromarray((np.array(two) + noise).clip(0, 255).astype(np.uint8)).save(
        tmp_path / "two.png"
    )
    for name, left, right in (("same", "red", "blue"), ("other", "blue", "red")):
        colours = Image.new("RGB", (200, 150), left)
        colours.paste(right, (100, 0, 200, 150))
        colours.save(tmp_path / f"{name}.png")
    told = gimp.run(
        MAPPED
        + """
answer = []
for name in ("same", "other"):
    status, painted, error = stylize(
        image, layer, folder / "two.png", map="layer:Doodle", style_map=f"file:{folder}/{name}.png",
        content_weight=0.0, iterations=35)
    dump(painted, folder / name, "R'G'B'A float", (0, 0, width, height))
    layer.set_visible(True)
    answer.append(error)
status, _, error = stylize(image, layer, style, map="layer:Doodle")
answer.append(error)
status, _, error = stylize(image, layer, style, map="layer:Doodle", style_map="layer:Nowhere")
answer.append(error)
""",
        folder=tmp_path,
        **pictures,
    )
    assert told[:2] == [None, None]
    assert "go together" in told[2] and "Nowhere" in told[3]
    red = []
    for name in ("same", "other"):
        painted = raw(tmp_path / name, shape=(60, 80))
        red += [painted[:, :30, 0].mean() - painted[:, 50:, 0].mean()]
    assert red[0] > red[1] + 0.2, red


def test_masks_and_maps_are_layers_as_they_are_seen(gimp, pictures, tmp_path):
    """They were read without their filters."""
    colours = Image.new("RGB", (200, 150), "cyan")
    colours.paste("yellow", (100, 0, 200, 150))
    colours.save(tmp_path / "map.png")
    masked, mapped = gimp.run(
        LOOKS
        + SCENE
        + f"def doodle():{MAPPED}".replace("\n", "\n    ")
        + """return image, layer, flat

def painted(drawable, name, **arguments):
    merged = drawable.copy()
    merged.merge_filters()
    merged.set_name("Merged")
    image.insert_layer(merged, None, 0)
    found = []
    for key in (f"layer:{drawable.get_name()}", "layer:Merged"):
        _, layer_above, error = stylize(image, layer, style, **{name: key}, **arguments)
        found.append(tree([layer_above])[0]["pixels"] if layer_above else error)
        layer.set_visible(True)
    return found

image, layer = scene()
strength = image.get_layers()[0]
filtered(strength, "gegl:invert-gamma")
filtered(strength, "gegl:dropshadow")
answer = [painted(strength, "strength_mask")]
image, layer, flat = doodle()
filtered(flat, "gegl:invert-gamma")
answer.append(painted(flat, "map", style_map=f"file:{folder}/map.png"))
""",
        folder=tmp_path,
        **pictures,
    )
    assert masked[0] == masked[1] and len(masked[0]) == 64
    assert mapped[0] == mapped[1] and len(mapped[0]) == 64


@pytest.mark.parametrize("mask", ["channel:Nowhere", "selection"])
def test_mask_that_is_not_there_is_named_before_anything_is_painted(gimp, pictures, mask):
    status, error, layers = gimp.run(
        SCENE
        + """
image, layer = scene()
status, _, error = stylize(image, layer, style, mask=mask)
answer = status, error, len(image.get_layers())
""",
        mask=mask,
        **pictures,
    )
    assert status == "execution-error" and mask in error and layers == 2


def test_styles_and_masks_are_chosen_in_the_dialog(walk, pictures):  # noqa: F811
    file = str(pictures["style"])
    more = "json.loads(config.get_property('more-styles') or '[]')"
    walk(
        "stylize",
        "layers[0].get_image().insert_channel(Gimp.Channel.new(layers[0].get_image(), 'Sky', "
        "160, 120, 100, Gegl.Color.new('black')), None, 0)",
        "layers[0].get_image().set_selected_layers(layers)",
        style_file=file,
    )
    found = walk(
        "stylize",
        "exec('import json', globals()) or True",
        "[w for w in walk(dialog) if isinstance(w, Gtk.Expander)][0].set_expanded(True) or True",
        "find('Add a Style').get_sensitive()",
        "find('Add a Style').clicked() or True",
        "find('Where style 2 goes').set_active_id('channel:Sky')",
        "find('Weight of style 2').set_value(50) or True",
        "find('Stroke size of style 2').set_value(150) or True",
        "find('What is taken of style 2').set_active_id('fine')",
        "find('The style goes').set_active_id('mask:none') or True",
        "find('Strength mask').get_mapped()",
        more,
        "find('Without style 2').get_mapped()",
        style_file=file,
    )
    (style,) = next(item for item in found if isinstance(item, list))
    assert (style["mask"], style["layers"]) == ("channel:Sky", "fine")
    assert (style["weight"], style["scale"]) == (0.5, 1.5)


def test_draft_has_the_other_styles_and_the_masks(walk, pictures, styles):  # noqa: F811
    """Where the channel is black, the layer stays; beside that every style changes it."""
    helper = """
def halves(shown):
    pixbuf = shown.get_image().get_pixbuf()
    data, width = pixbuf.get_pixels(), 3 * (pixbuf.get_width() // 2 - 8)
    rows = range(0, len(data) - pixbuf.get_rowstride(), pixbuf.get_rowstride())
    ends = [(0, width), (3 * pixbuf.get_width() - width, 3 * pixbuf.get_width())]
    return [hash(b"".join(data[row + begin:row + end] for row in rows)) for begin, end in ends]
image = Gimp.get_images()[0]
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, image.get_width() // 2, image.get_height())
Gimp.Selection.save(image).set_name("Half")
Gimp.Selection.none(image)
"""
    preview = "find('Preview of the result')"
    draft = f"'A draft of the result' in texts() and halves({preview})"
    named = styles.replace("channel:Right", "channel:Half")
    layer, whole, masked, both = (
        found
        for found in walk(
            "stylize",
            f"exec({helper!r}, step.__globals__) or True",
            f"{preview}.get_image().get_pixbuf() and halves({preview})",
            f"{draft} != answer[1] and {draft}",
            "config.set_property('strength-mask', 'channel:Half') or True",
            f"{draft} not in (False, answer[2]) and {draft}",
            f"config.set_property('more-styles', {named!r}) or True",
            f"{draft} not in (False, answer[4]) and {draft}",
            style_file=str(pictures["style"]),
            patience_s=250,
        )
        if isinstance(found, list)
    )
    assert layer[1] == masked[1] == both[1] != whole[1]
    assert len({layer[0], masked[0], both[0]}) == 3
