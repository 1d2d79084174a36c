"""What becomes of layers, selections and modes, in the real GIMP with the real daemon."""

import json

import numpy as np
import pytest

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
    assert np.abs(looks - painted).mean() < 0.03


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
    assert raw_apart > 5 * apart


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


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("answer = call('stylize', image, [layer, layer.copy()], **style)", "One layer is painted"),
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
                              style_preset="Swirls", quality="custom", iterations=3)
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
