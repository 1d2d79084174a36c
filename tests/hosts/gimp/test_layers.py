"""What becomes of layers, selections and modes, in the real GIMP with the real daemon."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.hosts.profiles import WIDE_PROFILES, wide_profile

from impasto_protocol.codec import digest_of

SIZE = (120, 160)


def raw(path, channels=4, shape=SIZE):
    return np.fromfile(path, np.float32).reshape(*shape, channels)


def test_whole_layer_becomes_a_new_layer_above_and_the_source_stays(gimp, pictures):
    before, after, name, recipe, status = gimp.run(
        """
image = load(photo)
layer = image.get_layers()[0]
before = tree(image.get_layers())
status, painted, _ = stylize(image, layer, style, strength=0.7, seed=5)
recipe = bytes(painted.get_parasite("impasto-recipe").get_data()).decode()
answer = before, tree(image.get_layers()), painted.get_name(), recipe, status
""",
        **pictures,
    )
    assert status == "success"
    assert after[1:] == before and len(after) == 2
    assert after[0]["size"] == [160, 120] and after[0]["offsets"] == [0, 0]
    assert after[0]["pixels"] != before[0]["pixels"]
    assert name == "style 70%"
    settings = json.loads(recipe)["settings"]
    assert (settings["strength"], settings["seed"], settings["iterations"]) == (0.7, 5, 4)


def test_variations_are_a_group_of_which_the_first_is_seen(gimp, pictures):
    status, before, after, visible, name, mode, seeds = gimp.run(
        """
import json
image = load(photo)
layer = image.get_layers()[0]
before = tree(image.get_layers())
status, painted, _ = stylize(image, layer, style, strength=0.7, seed=5, variations=3)
group = painted.get_parent()
children = group.get_children()
visible = [item.get_visible() for item in [*children, layer]]
after = tree(image.get_layers())
seeds = [json.loads(bytes(child.get_parasite("impasto-recipe").get_data()).decode())["settings"]
         for child in children]
seeds = [[settings["seed"], settings["start_noise"]] for settings in seeds]
answer = (status, before, after, visible, painted.get_name(),
          group.get_mode() == Gimp.LayerMode.PASS_THROUGH, seeds)
""",
        **pictures,
    )
    assert status == "success" and mode
    group, source = after
    assert source == before[0] and group["name"] == "style 70%"
    assert [layer["name"] for layer in group["children"]] == [
        "style 70% (5)", "style 70% (6)", "style 70% (7)"
    ]  # fmt: skip
    assert len({layer["pixels"] for layer in group["children"]}) == 3
    assert visible == [True, False, False, False] and name == "style 70% (5)"
    assert seeds == [[5, 0.4], [6, 0.4], [7, 0.4]]


def test_snapshots_lie_hidden_below_the_painting(gimp, pictures):
    """In its group; of a step that is not reached there is none."""
    status, before, after, visible, name = gimp.run(
        """
image = load(photo)
layer = image.get_layers()[0]
image.select_ellipse(Gimp.ChannelOps.REPLACE, 10, 10, 60, 50)
before = tree(image.get_layers())
status, painted, _ = stylize(
    image, layer, style, strength=0.7, quality="custom", iterations=8, snapshots="6, 2,90000")
group = painted.get_parent()
visible = [item.get_visible() for item in [*group.get_children(), layer]]
after = tree(image.get_layers())
answer = (status, before, after, visible, painted.get_name())
""",
        **pictures,
    )
    assert status == "success" and name == "style 70%, finished"
    group, source = after
    assert source == before[0] and group["name"] == "style 70%"
    assert [layer["name"] for layer in group["children"]] == [
        "style 70%, finished", "style 70%, after 2 steps", "style 70%, after 6 steps"
    ]  # fmt: skip
    assert len({layer["pixels"] for layer in group["children"]}) == 3
    assert visible[:3] == [True, False, False]


@pytest.mark.parametrize("becomes", ["alpha", "mask"])
def test_feathered_selection_blends_and_nothing_else_changes(gimp, pictures, tmp_path, becomes):
    """Compared outside GIMP, in linear light, as GIMP composites."""
    found = gimp.run(
        """
image = load(photo)
layer = image.get_layers()[0]
layer.add_alpha()
image.resize(260, 220, 50, 40)
layer.set_offsets(30, 20)
image.select_ellipse(Gimp.ChannelOps.REPLACE, 10, 50, 110, 60)
Gimp.Selection.feather(image, 12)
everything = 0, 0, image.get_width(), image.get_height()
visible = Gimp.Layer.new_from_visible(image, image, "before")
dump(visible, folder / "before", "RGBA float", everything)
dump(image.get_selection(), folder / "selection", "Y float", everything)
status, painted, error = stylize(image, layer, style, selection_as=becomes, context_margin=16)
visible = Gimp.Layer.new_from_visible(image, image, "after")
dump(visible, folder / "after", "RGBA float", everything)
_, x, y = painted.get_offsets()
box = -x, -y, *everything[2:]
dump(painted, folder / "painted", "RGBA float", box)
answer = (status, error, tree(image.get_layers()), [x, y],
          [painted.get_width(), painted.get_height()])
""",
        folder=tmp_path, becomes=becomes, **pictures,
    )  # fmt: skip
    status, error, layers, offsets, size = found
    assert (status, error) == ("success", None)
    shape = (220, 260)
    before, after, painted = (
        raw(tmp_path / name, shape=shape) for name in ("before", "after", "painted")
    )
    selection = raw(tmp_path / "selection", 1, shape)
    # The layer begins at x = 30: what is selected to the left of it is not painted.
    inside = np.zeros(shape, bool)
    inside[offsets[1] : offsets[1] + size[1], offsets[0] : offsets[0] + size[0]] = True
    assert offsets[0] == 30 and size[0] < 110 + 24
    assert np.array_equal(after[~inside], before[~inside])
    unselected = selection[..., 0] == 0
    assert np.array_equal(after[unselected], before[unselected])
    share = selection if becomes == "mask" else painted[..., 3:]
    if becomes == "alpha":
        assert np.abs(painted[inside][:, 3:] - selection[inside]).max() < 1 / 255
    expected = before + (painted - before) * share
    soft = inside & (selection[..., 0] > 0)
    error = np.abs(encode(after[..., :3]) - encode(expected[..., :3]))[soft]
    assert error.max() <= 1 / 255
    assert np.abs(after - before)[selection[..., 0] > 0.9].max() > 0.05
    assert layers[0]["mask"] == (becomes == "mask")


def encode(linear):
    """Linear light to sRGB."""
    return np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )


def test_group_is_painted_as_it_looks_and_the_result_lies_above_it(gimp, pictures, tmp_path):
    before, after, status, child_of = gimp.run(
        """
image = load(photo)
group = Gimp.GroupLayer.new(image, "group")
image.insert_layer(group, None, 0)
inner = Gimp.GroupLayer.new(image, "inner")
image.insert_layer(inner, group, 0)
photo = image.get_layers()[1]
image.reorder_item(photo, inner, 0)
top = photo.copy()
top.set_mode(Gimp.LayerMode.MULTIPLY)
image.insert_layer(top, inner, 0)
before = tree(image.get_layers())
dump(inner, folder / "looks", "R'G'B'A float")
status, painted, _ = stylize(image, inner, style, iterations=1, strength=0.0)
dump(painted, folder / "painted", "R'G'B'A float")
answer = before, tree(image.get_layers()), status, painted.get_parent().get_name()
""",
        folder=tmp_path, **pictures,
    )  # fmt: skip
    assert status == "success" and child_of == "group"
    assert [layer["name"] for layer in after[0]["children"]] == ["style 0%", "inner"]
    assert after[0]["children"][1] == before[0]["children"][0]
    looks, painted = raw(tmp_path / "looks"), raw(tmp_path / "painted")
    assert np.abs(looks - painted).max() <= 1 / 255


def test_mask_of_the_layer_is_given_to_the_painting(gimp, pictures, tmp_path):
    status, layers = gimp.run(
        """
image = load(photo)
layer = image.get_layers()[0]
layer.add_alpha()
image.select_ellipse(Gimp.ChannelOps.REPLACE, 20, 20, 80, 60)
layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
Gimp.Selection.none(image)
status, painted, _ = stylize(image, layer, style)
dump(layer.get_mask(), folder / "mask", "Y float")
dump(painted.get_mask(), folder / "copied", "Y float")
answer = status, tree(image.get_layers())
""",
        folder=tmp_path, **pictures,
    )  # fmt: skip
    assert status == "success" and [layer["mask"] for layer in layers] == [True, True]
    assert np.array_equal(raw(tmp_path / "mask", 1), raw(tmp_path / "copied", 1))


PRECISIONS = [
    f"{depth}_{transfer}"
    for depth in ("U8", "U16", "U32", "HALF", "FLOAT", "DOUBLE")
    for transfer in ("LINEAR", "NON_LINEAR", "PERCEPTUAL")
]


@pytest.mark.parametrize(
    ("base", "alpha", "precisions"),
    [
        ("rgb", True, PRECISIONS),
        ("rgb", False, ["U8_NON_LINEAR", "U16_NON_LINEAR", "FLOAT_LINEAR", "FLOAT_NON_LINEAR"]),
        ("grey", True, ["U8_NON_LINEAR", "U16_NON_LINEAR", "FLOAT_LINEAR", "FLOAT_NON_LINEAR"]),
        ("grey", False, ["U8_NON_LINEAR", "FLOAT_NON_LINEAR"]),
    ],
)
def test_every_mode_and_precision_is_painted_alike(
    gimp, pictures, tmp_path, base, alpha, precisions
):
    statuses = gimp.run(
        """
answer = []
for precision in precisions:
    image = load(photo)
    layer = image.get_layers()[0]
    layer.scale(40, 30, False)
    if base == "grey":
        image.convert_grayscale()
    if alpha:
        layer.add_alpha()
    wanted = getattr(Gimp.Precision, precision)
    if image.get_precision() != wanted:
        image.convert_precision(wanted)
    status, painted, error = stylize(image, layer, style, iterations=2)
    answer.append([status, error])
    dump(painted, folder / precision, "R'G'B' float")
    image.delete()
""",
        folder=tmp_path, precisions=precisions, base=base, alpha=alpha, **pictures,
    )  # fmt: skip
    assert statuses == [["success", None]] * len(precisions)
    painted = {name: raw(tmp_path / name, 3, (30, 40)) for name in precisions}
    same = painted["FLOAT_NON_LINEAR"]
    assert same.std() > 0.05
    for name, picture in painted.items():
        # 8 bits of linear light cannot tell dark tones apart.
        allowed = 0.12 if name == "U8_LINEAR" else 0.03
        assert np.abs(picture - same).max() < allowed, name
        if name in ("U16_NON_LINEAR", "FLOAT_LINEAR"):
            # Not squeezed through 8 bits.
            assert np.abs(picture * 255 - np.rint(picture * 255)).max() > 0.3, name


@pytest.mark.parametrize("made", ["rgb_adobe", "d65_gray_linear"])
def test_picture_is_painted_as_it_looks_whatever_its_profile(gimp, pictures, tmp_path, made):
    answer = gimp.run(
        """
image = load(photo)
image.crop(160, 112, 0, 0)  # nothing is painted beyond it, which would make more of rounding
layer = image.get_layers()[0]
if "gray" in made:
    image.convert_grayscale()
image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
answer = []
for name in ("plain", "profiled"):
    if name == "profiled":
        image.convert_color_profile(
            getattr(Gimp.ColorProfile, f"new_{made}")(),
            Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, True,
        )
    status, painted, error = stylize(image, layer, style)
    answer.append([status, error])
    dump(painted, folder / f"{name} looks", "R'G'B' float")
    dump(painted, folder / f"{name} numbers", None)
""",
        folder=tmp_path, made=made, **pictures,
    )  # fmt: skip
    assert answer == [["success", None]] * 2
    looks, numbers = (
        [np.fromfile(tmp_path / f"{name} {what}", dtype) / full for name in ("plain", "profiled")]
        for what, dtype, full in (("looks", np.float32, 1), ("numbers", np.uint16, 65535))
    )
    apart, raw_apart = (np.abs(plain - profiled).mean() for plain, profiled in (looks, numbers))
    assert apart < 1 / 255
    assert raw_apart > 2 * apart


DEPTHS = {"U8": "u1", "U16": "u2", "U32": "u4", "HALF": "f2", "FLOAT": "f4", "DOUBLE": "f8"}
STORED = {
    "none": ["U8_NON_LINEAR", "U16_LINEAR", "FLOAT_LINEAR"],
    "Adobe RGB": ["U8_NON_LINEAR", "U16_NON_LINEAR", "FLOAT_NON_LINEAR"],
    "Display P3": ["U8_NON_LINEAR", "U16_PERCEPTUAL"],
    "ProPhoto RGB": ["U8_NON_LINEAR", "U16_NON_LINEAR", "U32_LINEAR", "HALF_LINEAR",
                     "FLOAT_NON_LINEAR", "DOUBLE_PERCEPTUAL"],
    "Rec. 2020": ["U8_NON_LINEAR", "U16_NON_LINEAR", "FLOAT_LINEAR"],
    "linear Rec. 2020": ["U16_NON_LINEAR", "FLOAT_NON_LINEAR"],
}  # fmt: skip


def stored_numbers(depth):
    """Pixels of every kind: pure colours, all of the range, and in floats what lies beyond it."""
    colours = np.random.default_rng(7).random((30, 40, 4))
    colours[..., 3] = colours[..., 3].round(1)
    colours[0, :8, :3] = [[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)]
    if DEPTHS[depth][0] == "u":
        largest = np.iinfo(DEPTHS[depth]).max
        return np.rint(colours * largest).astype(DEPTHS[depth])
    colours[1, :3, :3] = [[8, 0.5, 2], [-0.25, 1.5, 0.5], [100, -1, 0]]
    return colours.astype(DEPTHS[depth])


@pytest.mark.parametrize("wide", STORED)
def test_strength_0_gives_the_stored_numbers_back(gimp, pictures, tmp_path, wide):
    precisions = STORED[wide]
    if wide in WIDE_PROFILES:
        (tmp_path / "profile").write_bytes(wide_profile(wide))
    for depth in DEPTHS:
        stored_numbers(depth).tofile(tmp_path / depth)
    answer = gimp.run(
        """
from gi.repository import Babl
answer = []
for precision in precisions:
    image = Gimp.Image.new_with_precision(
        40, 30, Gimp.ImageBaseType.RGB, getattr(Gimp.Precision, precision)
    )
    if wide != "none":
        image.set_color_profile(
            Gimp.ColorProfile.new_from_file(Gio.File.new_for_path(str(folder / "profile")))
        )
    layer = Gimp.Layer.new(
        image, "wide", 40, 30, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(layer, None, 0)
    buffer = layer.get_buffer()
    numbers = (folder / precision.split("_")[0]).read_bytes()
    buffer.set(buffer.get_extent(), Babl.get_name(layer.get_format()), numbers)
    buffer.flush()
    status, painted, error = stylize(image, layer, style, strength=0.0)
    answer.append([status, error])
    dump(painted, folder / f"{precision} painted", None)
    image.delete()
""",
        folder=tmp_path, precisions=precisions, wide=wide, **pictures,
    )  # fmt: skip
    assert answer == [["success", None]] * len(precisions)
    for precision in precisions:
        depth = precision.split("_")[0]
        before = stored_numbers(depth)
        after = np.fromfile(tmp_path / f"{precision} painted", DEPTHS[depth]).reshape(30, 40, 4)
        if depth in ("U8", "U16", "HALF"):
            assert np.array_equal(after, before), precision
        else:  # they travel as floats of 32 bits
            most = 2**32 - 1 if depth == "U32" else 1
            assert np.abs(after / most - before / most).max() < 1e-5, precision


def test_indexed_image_keeps_its_palette(gimp, pictures):
    status, error, indexed = gimp.run(
        """
image = load(photo)
layer = image.get_layers()[0]
image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64,
                      False, False, "")
status, painted, error = stylize(image, layer, style)
answer = status, error, painted.is_indexed()
""",
        **pictures,
    )
    assert (status, error, indexed) == ("success", None, True)


# A small photograph above a larger one; what each name does to it, or to what is painted in its
# place, which is what is left in `layer`.
LOOKS = """
def filtered(drawable, operation, **properties):
    found = Gimp.DrawableFilter.new(drawable, operation, operation)
    for name, value in properties.items():
        found.get_config().set_property(name, value)
    drawable.append_filter(found)

def grouped(layer, *, mode=None, inside=None):
    group = Gimp.GroupLayer.new(image, "group")
    image.insert_layer(group, layer.get_parent(), image.get_item_position(layer))
    image.reorder_item(layer, group, 0)
    if inside:
        inside(layer)
    if mode:
        group.set_mode(mode)
    return group

def masked(layer, *, on=True):
    _, x, y = layer.get_offsets()
    image.select_ellipse(Gimp.ChannelOps.REPLACE, x + 10, y + 8, 50, 40)
    Gimp.Selection.feather(image, 8)
    layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
    Gimp.Selection.none(image)
    layer.set_apply_mask(on)

def semitransparent(layer):
    layer.add_alpha()
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 45, 35, 50, 30)
    Gimp.Selection.feather(image, 10)
    layer.edit_clear()
    Gimp.Selection.none(image)

def look(layer, name):
    Mode, Space = Gimp.LayerMode, Gimp.LayerColorSpace
    if name == "filter":
        filtered(layer, "gegl:invert-gamma")
    elif name == "filter that enlarges, mask, 40 %":
        filtered(layer, "gegl:dropshadow")
        masked(layer)
        layer.set_opacity(40)
    elif name == "filters that are switched off":
        filtered(layer, "gegl:invert-gamma")
        layer.get_filters()[0].set_visible(False)
    elif name == "group that holds a filter":
        return grouped(layer, inside=lambda inner: filtered(inner, "gegl:invert-gamma"))
    elif name == "group with filters, within a group":
        group = grouped(layer, mode=Mode.MULTIPLY)
        filtered(group, "gegl:invert-gamma")
        masked(group)
        group.set_opacity(60)
        group.set_lock_content(True)
        grouped(group)
        return group
    elif name == "group that passes through":
        layer.set_opacity(70)
        group = grouped(layer, mode=Mode.PASS_THROUGH)
        group.set_opacity(50)
        return group
    elif name == "multiply":
        layer.set_mode(Mode.MULTIPLY)
    elif name == "screen, 40 %, perceptual":
        layer.set_mode(Mode.SCREEN)
        layer.set_blend_space(Space.RGB_PERCEPTUAL)
        layer.set_composite_space(Space.RGB_PERCEPTUAL)
        layer.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
        layer.set_opacity(40)
    elif name == "overlay of GIMP 2.8":
        layer.set_mode(Mode.OVERLAY_LEGACY)
    elif name == "40 %":
        layer.set_opacity(40)
    elif name == "semitransparent":
        semitransparent(layer)
    elif name == "mask":
        masked(layer)
    elif name == "mask that is switched off, being edited":
        masked(layer, on=False)
        layer.set_edit_mask(True)
    elif name == "no alpha":
        layer.flatten()
    return layer

def looks_of(layer):
    return [str(layer.get_mode()), round(layer.get_opacity(), 3), str(layer.get_blend_space()),
            str(layer.get_composite_space()), str(layer.get_composite_mode()),
            str(layer.get_color_tag()), layer.get_mask() and layer.get_apply_mask()]

def whole(name):
    visible = Gimp.Layer.new_from_visible(image, image, name)
    dump(visible, folder / name, "RGBA float", (0, 0, image.get_width(), image.get_height()))
"""
LOOK_NAMES = [
    "no alpha", "filter", "filter that enlarges, mask, 40 %", "filters that are switched off",
    "group that holds a filter", "group with filters, within a group", "group that passes through",
    "multiply", "screen, 40 %, perceptual", "overlay of GIMP 2.8", "40 %", "semitransparent",
    "mask", "mask that is switched off, being edited",
]  # fmt: skip
COVERED = {"no alpha", "mask that is switched off, being edited"}
COMPOSITED = [
    "no alpha", "filter that enlarges, mask, 40 %", "group with filters, within a group",
    "group that passes through", "multiply", "screen, 40 %, perceptual", "semitransparent",
    "mask", "mask that is switched off, being edited",
]  # fmt: skip
"""Where a part that is painted is composited otherwise than one of the others."""


@pytest.mark.parametrize("selected", [False, True])
def test_painting_of_strength_0_looks_like_what_was_seen(gimp, pictures, tmp_path, selected):
    """Whatever mode, opacity, mask, filters and group its layer has; and the layer is hidden."""
    names = COMPOSITED if selected else LOOK_NAMES
    answer = gimp.run(
        LOOKS
        + """
answer = {}
for name in names:
    image = load(photo)
    layer = load(photo).get_layers()[0]
    layer = Gimp.Layer.new_from_drawable(layer, image)
    layer.scale(80, 60, False)
    layer.set_offsets(30, 20)
    image.insert_layer(layer, None, 0)
    layer.add_alpha()
    layer.set_color_tag(Gimp.ColorTag.GREEN)
    layer = look(layer, name)
    whole(f"{name} before")
    layer.set_visible(False)
    whole(f"{name} without it")
    layer.set_visible(True)
    if selected:
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 50, 30, 40, 25)
        Gimp.Selection.feather(image, 6)
    before = tree(image.get_layers())
    status, painted, error = stylize(image, layer, style, iterations=1, strength=0.0)
    Gimp.Selection.none(image)
    answer[name] = [status, error]
    if painted:
        whole(f"{name} after")
        answer[name] += [layer.get_visible(), looks_of(painted), looks_of(layer),
                         image.get_item_position(layer) - image.get_item_position(painted)]
    image.delete()
""",
        folder=tmp_path, names=names, selected=selected, **pictures,
    )  # fmt: skip
    assert {name: told[:2] for name, told in answer.items()} == {
        name: ["success", None] for name in names
    }
    for name, (_, _, visible, looks, expected, above) in answer.items():
        before, after, without = (
            encode(raw(tmp_path / f"{name} {when}")) for when in ("before", "after", "without it")
        )
        assert np.abs(before - without).max() > 0.1, name
        assert np.abs(after - before).max() <= 1 / 255, name
        assert above == 1
        assert visible == (selected and name in COVERED), name
        if name == "group that passes through":
            expected[0] = looks[0]
            expected[2:5] = looks[2:5]
        assert looks == expected, name


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("answer = call('save-preset', image, [layer, layer.copy()], name='x')", "one layer"),
        ("image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 10, 10)\n"
         "layer.set_offsets(40, 40)\nanswer = call('stylize', image, [layer], **style)",
         "do not meet"),
        ("image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 50, 50)\n"
         "floating = Gimp.Selection.float(image, [layer], 0, 0)\n"
         "answer = call('stylize', image, [floating], **style)", "floating selection"),
        ("channel = Gimp.Channel.new(image, 'c', 9, 9, 50, Gegl.Color.new('red'))\n"
         "image.insert_channel(channel, None, 0)\n"
         "answer = call('stylize', image, [channel], **style)", "channel cannot be painted"),
        ("answer = call('stylize', image, [layer])", "No style was chosen"),
        ("answer = call('stylize', image, [layer], style_layers='relu9_9', **style)",
         "style_layers"),
        ("Gimp.detach_parasite('impasto-last-recipe')\n"
         "answer = call('again', image, [layer])", "Nothing has been painted yet"),
        ("answer = call('apply-preset', image, [layer], style_preset='nobody')",
         "no style named 'nobody'"),
        ("answer = call('save-preset', image, [layer])", "needs a name"),
        ("answer = call('save-preset', image, [layer], name='../x')", "may not hold"),
    ],
    ids=["several layers", "selection elsewhere", "floating selection", "channel", "no style",
         "unknown layer", "nothing to repeat", "unknown preset", "no name",
         "bad name"],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence_and_nothing_is_left(gimp, pictures, what, words):
    status, error, before, after = gimp.run(
        """
image = load(photo)
layer = image.get_layers()[0]
style = {"style_file": Path(style)}
before = tree(image.get_layers())
"""
        + what
        + """
status, _, error = answer
if "floating" in dir():
    Gimp.floating_sel_anchor(floating)
answer = status, error, before, tree(image.get_layers())
""",
        **pictures,
    )
    assert status == "execution-error" and words in error, error
    assert [layer["name"] for layer in after] == [layer["name"] for layer in before]
    assert "offsets" in after[0] and after[0]["pixels"] == before[0]["pixels"]


REFUSED = {
    "no layer": ("drawables = []", "No layer is selected"),
    "transparent": ("layer.edit_clear()", "nothing to paint"),
    "empty group": ("group = Gimp.GroupLayer.new(image, 'g')\nimage.insert_layer(group, None, 0)\n"
                    "drawables = [group]", "nothing to paint"),
    "selection on an empty part": (
        "image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 30, 30)\nlayer.edit_clear()",
        "nothing to paint"),
    "one of two layers": ("empty = Gimp.Layer.new_from_drawable(layer, image)\n"
                          "image.insert_layer(empty, None, 0)\nempty.edit_clear()\n"
                          "drawables = [layer, empty]", "nothing to paint"),
    "pixels of a group locked": ("grouped(grouped(layer)).set_lock_content(True)",
                                 "pixels of the group 'group"),
    "visibility locked": ("layer.set_lock_visibility(True)", "visibility of the layer"),
    "mask shown": ("masked(layer)\nlayer.set_show_mask(True)", "is shown in its place"),
    "group passes through what changes with what is below": (
        "layer.set_mode(Gimp.LayerMode.MULTIPLY)\n"
        "drawables = [grouped(layer, mode=Gimp.LayerMode.PASS_THROUGH)]", "passes through"),
    "channel beside a layer": (
        "channel = Gimp.Channel.new(image, 'c', 9, 9, 50, Gegl.Color.new('red'))\n"
        "image.insert_channel(channel, None, 0)\ndrawables = [channel]", "channel cannot"),
}  # fmt: skip


def test_what_cannot_be_painted_is_refused_and_the_image_stays_clean(gimp, pictures):
    answer = gimp.run(
        LOOKS
        + """
answer = {}
for name, code in refused.items():
    image = load(photo)
    layer = image.get_layers()[0]
    layer.add_alpha()
    drawables = [layer]
    exec(code)
    image.clean_all()
    before = tree(image.get_layers())
    status, _, error = call("stylize", image, drawables, style_file=Path(style))
    answer[name] = status, error, tree(image.get_layers()) == before, image.is_dirty()
    image.delete()
""",
        refused={name: code for name, (code, _) in REFUSED.items()}, **pictures,
    )  # fmt: skip
    for name, (status, error, same, dirty) in answer.items():
        assert status == "execution-error" and REFUSED[name][1] in error, (name, error)
        assert same and not dirty, name


def test_layer_of_more_than_4_gib_is_refused_before_it_is_read(gimp, pictures):
    """GIMP wrote beyond a buffer of which it had counted the bytes in 32 bits."""
    status, error = gimp.run(
        """
image = Gimp.Image.new(38_000, 38_000, Gimp.ImageBaseType.RGB)
image.undo_disable()
layer = Gimp.Layer.new(image, "vast", 38_000, 38_000, Gimp.ImageType.RGB_IMAGE, 100,
                       Gimp.LayerMode.NORMAL)
image.insert_layer(layer, None, 0)
status, _, error = stylize(image, layer, style)
answer = status, error
""",
        **pictures,
    )
    assert status == "execution-error"
    assert error.startswith("TOO_LARGE: 38000 x 38000 pixels are too many"), error


def test_tall_layer_is_read_and_written_to_its_last_row(gimp, pictures, tmp_path):
    """Bands of rows go one after the other, of the painting, of its layer's rest and mask."""
    status, error = gimp.run(
        LOOKS
        + """
image = load(photo)
image.scale(60, 300)
layer = image.get_layers()[0].copy()
image.insert_layer(layer, None, 0)
layer.set_mode(Gimp.LayerMode.MULTIPLY)
image.select_ellipse(Gimp.ChannelOps.REPLACE, 0, 0, 60, 300)
layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
whole("before")
image.select_rectangle(Gimp.ChannelOps.REPLACE, 5, 20, 50, 270)
Gimp.Selection.feather(image, 6)
status, painted, error = stylize(image, layer, style, iterations=1, strength=0.0)
Gimp.Selection.none(image)
whole("after")
answer = status, error
""",
        folder=tmp_path, **pictures,
    )  # fmt: skip
    assert (status, error) == ("success", None)
    before, after = (encode(raw(tmp_path / name, shape=(300, 60))) for name in ("before", "after"))
    assert np.abs(after - before).max() <= 1 / 255


def test_locks_that_forbid_no_painting_let_it_lie_where_its_layer_does(gimp, pictures):
    """In a group whose position is locked a painting of a selection lay at 0, 0."""
    answer = gimp.run(
        LOOKS
        + """
answer = {}
for lock in ("position", "visibility", "alpha"):
    for locked in ("group", "layer"):
        if (lock, locked) == ("visibility", "layer"):
            continue
        image = load(photo)
        layer = image.get_layers()[0]
        layer.set_opacity(50)
        group = grouped(layer)
        getattr({"group": group, "layer": layer}[locked], f"set_lock_{lock}")(True)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 60, 50, 30, 20)
        found = []
        for as_source in (True, False):
            status, painted, error = stylize(image, layer, style, iterations=1, as_source=as_source)
            (placed,) = tree([painted]) if painted else [{}]
            found.append([status, error, placed.get("offsets"), placed.get("size")])
        answer[f"{lock} of the {locked}"] = found
""",
        **pictures,
    )  # fmt: skip
    for name, (whole, part) in answer.items():
        assert whole == ["success", None, [0, 0], [160, 120]], name
        assert part == ["success", None, [60, 50], [30, 20]], name


def test_painting_that_does_not_take_the_place_of_its_layer_is_normal_above_it(gimp, pictures):
    answer = gimp.run(
        LOOKS
        + """
image = load(photo)
layer = image.get_layers()[0]
layer.set_mode(Gimp.LayerMode.MULTIPLY)
layer.set_opacity(40)
status, painted, error = stylize(image, layer, style, iterations=1, as_source=False)
answer = [layer.get_visible(), str(painted.get_mode() == Gimp.LayerMode.NORMAL),
          painted.get_opacity(), painted.get_name()]
""",
        **pictures,
    )  # fmt: skip
    assert answer == [True, "True", 100, "style 50%"]


def test_several_layers_are_painted_one_after_the_other_or_none(gimp, pictures):
    answer = gimp.run(
        LOOKS
        + """
image = load(photo)
lower = image.get_layers()[0]
upper = Gimp.Layer.new_from_drawable(lower, image)
image.insert_layer(upper, None, 0)
upper.set_name("upper")
upper.scale(60, 40, False)
group = grouped(lower)
names = lambda items: [[item.get_name(), item.get_visible(), names(item.get_children())]
                       if item.is_group() else [item.get_name(), item.get_visible()]
                       for item in items]
quick = {
    "quality": "custom", "iterations": 2, "tolerance": 0.0, "style_file": Path(style), **GRAM
}
status, painted, error = call("stylize", image, [upper, lower], **quick)
answer = [status, error, names(image.get_layers()), painted.get_name(),
          names(image.get_selected_layers()),
          [bool(layer.get_parasite("impasto-recipe")) for layer in image.get_selected_layers()]]
status, again, error = call("again", image, image.get_selected_layers())
answer += [status, error, len(image.get_selected_layers())]
""",
        **pictures,
    )  # fmt: skip
    status, error, names, first, selected, recipes, *again = answer
    assert (status, error) == ("success", None)
    assert [name.rstrip("#12 ") for name, *_ in names] == ["style 50%", "upper", "group"]
    assert names[1][1] is False and names[2][2][1][1] is False
    assert first == names[0][0]
    assert sorted(selected) == sorted([names[0], names[2][2][0]]) and recipes == [True, True]
    assert again == ["success", None, 2]


def test_style_of_a_filtered_layer_or_group_is_that_of_what_is_seen(gimp, pictures):
    answer = gimp.run(
        LOOKS
        + """
image, other = load(photo), load(style)
layer = image.get_layers()[0]
image, painting = other, other.get_layers()[0]
filtered(painting, "gegl:invert-gamma")
group = grouped(painting)
merged = painting.copy()
merged.merge_filters()
other.insert_layer(merged, None, 0)
image = layer.get_image()
answer = []
for source in (painting, group, merged):
    _, painted, error = stylize(image, layer, style, style_from="layer", style_layer=source)
    answer.append([error, tree([painted])[0]["pixels"]])
""",
        **pictures,
    )  # fmt: skip
    assert answer[0] == answer[1] == answer[2]
    assert answer[0][0] is None


NO_PICTURES = {
    "notes.txt": (b"buy milk", "the style notes.txt"),
    "other.kra": (b"PK\3\4 mimetype application/x-krita", "the style other.kra"),
    "text.png": (b"buy milk", "GIMP cannot read the style text.png"),
    "cut.png": ("cut", "GIMP cannot read the style cut.png"),
    "empty.png": (b"", "empty.png is an empty file"),
    "folder.png": ("folder", "folder.png is no file but a folder"),
    "gone.png": ("gone", "There is no picture file gone.png"),
    "hidden.xcf": ("hidden", "Nothing is seen of the style hidden.xcf"),
}


def test_style_file_that_is_no_picture_is_named_with_what_is_wrong(gimp, pictures, tmp_path):
    """By Again, as GIMP itself refuses a script that names a folder, or no file."""
    data = pictures["style"].read_bytes()
    for name, (content, _) in NO_PICTURES.items():
        if content == "folder":
            (tmp_path / name).mkdir()
        elif content not in ("gone", "hidden"):
            (tmp_path / name).write_bytes(data[: len(data) // 2] if content == "cut" else content)
    painted, answer = gimp.run(
        """
hidden = load(style)
hidden.get_layers()[0].set_visible(False)
file = Gio.File.new_for_path(str(folder / "hidden.xcf"))
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, hidden, file, None)
image = load(photo)
status, painted, error = stylize(image, image.get_layers()[0], style, iterations=1)
kept = "impasto-last-recipe"
recipe = json.loads(bytes(Gimp.get_parasite(kept).get_data()))
answer = [status, error], {}
for name in names:
    assert recipe["style"]["from"] == "file"
    recipe["style"]["uri"] = (folder / name).as_uri()
    data = json.dumps(recipe).encode()
    Gimp.attach_parasite(Gimp.Parasite.new(kept, Gimp.PARASITE_PERSISTENT, data))
    Gimp.detach_parasite("impasto-style")  # otherwise the picture that is kept is taken
    image = load(photo)
    status, _, error = call("again", image, image.get_layers())
    answer[1][name] = status, error, len(image.get_layers())
""",
        names=list(NO_PICTURES), folder=tmp_path, **pictures,
    )  # fmt: skip
    assert painted == ["success", None] and list(answer) == list(NO_PICTURES)
    for name, (status, error, layers) in answer.items():
        assert (status, layers) == ("execution-error", 1), name
        assert error.startswith("STYLE_UNREADABLE") and NO_PICTURES[name][1] in error, error
        assert any(word in error for word in ("Choose", "choose", "Open the style picture"))


def test_what_is_transparent_in_a_style_file_is_no_part_of_the_style(gimp, pictures, tmp_path):
    """It was painted in GIMP's background colour, which the draft and open layers were not."""
    colours = np.array(Image.open(pictures["style"]).convert("RGBA"))
    Image.fromarray(colours).save(tmp_path / "opaque.png")
    colours[:, : colours.shape[1] // 2, 3] = 0
    Image.fromarray(colours).save(tmp_path / "cut.png")
    *painted, opaque = gimp.run(
        """
image, other = load(photo), load(folder / "cut.png")
layer = image.get_layers()[0]
layer.scale(48, 36, False)
found = []
for colour in ("red", "blue"):
    Gimp.context_set_background(Gegl.Color.new(colour))
    found.append(stylize(image, layer, folder / "cut.png")[1])
(of_file,) = other.get_layers()
found.append(stylize(image, layer, style, style_from="layer", style_layer=of_file)[1])
opaque = stylize(image, layer, folder / "opaque.png")[1].get_parasite("impasto-recipe")
answer = [tree([painted])[0]["pixels"] for painted in found]
answer.append(json.loads(bytes(opaque.get_data()))["style-hash"])
""",
        folder=tmp_path,
        **pictures,
    )
    assert painted[0] == painted[1] == painted[2]
    assert opaque == digest_of(colours[..., :3].tobytes()).hex()  # as of one without alpha


def test_layer_of_which_gegl_takes_no_preview_is_painted_without(gimp, profile):
    """A watched painting ended with an error."""
    assert gimp.run(
        """
import sys
sys.path[:0] = [plug_in, f"{plug_in}/vendor"]
import procedures
watched, work = [], procedures._work
procedures._work = lambda order, **given: watched.append("canvas" in given)
try:
    for size in [(32_768, 16_384), (8, 8)]:
        image = Gimp.Image.new(*size, Gimp.ImageBaseType.GRAY)
        image.undo_disable()
        layer = Gimp.Layer.new(image, "grey", *size, Gimp.ImageType.GRAY_IMAGE, 100,
                               Gimp.LayerMode.NORMAL)
        image.insert_layer(layer, None, 0)
        procedures._have_painted({"preview": True}, layer, layer, {})
finally:
    procedures._work = work
answer = watched
""",
        plug_in=str(profile / "plug-ins/impasto"),
    ) == [False, True]


def test_style_is_taken_from_a_layer_or_a_pattern(gimp, pictures):
    answer = gimp.run(
        """
image, other = load(photo), load(style)
layer, painting = image.get_layers()[0], other.get_layers()[0]
pattern = Gimp.Pattern.get_by_name("Clipboard Image") or Gimp.context_get_pattern()
answer = []
for arguments in ({"style_from": "file", "style_file": Path(style)},
                  {"style_from": "layer", "style_layer": painting},
                  {"style_from": "pattern", "style_pattern": pattern}):
    status, painted, error = stylize(image, layer, style, **arguments)
    answer.append([status, error, tree([painted])[0] if painted else None])
""",
        **pictures,
    )
    assert [status for status, *_ in answer] == ["success"] * 3, answer
    file, layer, pattern = (layer["pixels"] for *_, layer in answer)
    assert file == layer != pattern


def test_again_repeats_the_last_run_and_the_layers_own(gimp, pictures):
    first, again, other, own = gimp.run(
        """
image = load(photo)
layer = image.get_layers()[0]
layer.scale(48, 36, False)
_, first, _ = stylize(image, layer, style, strength=0.9, seed=3)
_, again, _ = call("again", image, [layer])
_, other, _ = stylize(image, layer, style, strength=0.1)
status, own, error = call("again", image, [first])
answer = [[p.get_name(), tree([p])[0]["pixels"],
           bytes(p.get_parasite("impasto-recipe").get_data()).decode()]
          for p in (first, again, other, own)]
""",
        **pictures,
    )
    assert again[0].startswith("style 90%") and again[1] == first[1] != other[1]
    assert own[0].startswith("style 90%")
    # Tiles, and with them the last bits of a painting, depend on the memory that is free.
    memory = [json.loads(recipe)["settings"]["memory_mib"] for *_, recipe in (first, again, own)]
    assert memory[0] > 0 and set(memory) == {memory[0]}


def test_preset_is_saved_and_applied(gimp, gimp_daemon, pictures):
    answer = gimp.run(
        """
image = load(photo)
layer = image.get_layers()[0]
layer.scale(48, 36, False)
answer = [
    call("save-preset", image, [layer], style_from="file", style_file=Path(style), name="Swirls",
         strength=0.8)[::2],
    call("save-preset", image, [layer], name="Swirls")[::2],
]
status, painted, error = call("apply-preset", image, [layer], style_preset="Swirls",
                              quality="draft")
answer += [[status, error], painted.get_name() if painted else None]
status, painted, error = call("stylize", image, [layer], style_from="preset",
                              style_preset="Swirls", quality="custom", iterations=3, **GRAM)
answer += [[status, error], tree([painted])[0]["pixels"] if painted else None]
""",
        **pictures,
    )
    saved, twice, applied, name, by_name, _ = answer
    assert saved == ["success", None] and applied == by_name == ["success", None], answer
    assert twice[0] == "execution-error" and "There is a style named 'Swirls' already" in twice[1]
    assert name == "Swirls 80%"
    with gimp_daemon.connect() as client:
        assert [info.name for info in client.presets()] == ["Swirls"]
