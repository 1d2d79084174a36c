"""Colours between spaces, beside the formulas written out and beside Little CMS."""

import imagecodecs
import numpy as np
import pytest
import torch

from impasto_daemon.worker.colours import convert, painting_space
from impasto_daemon.worker.tensors import to_picture, to_preview, to_tensor
from impasto_protocol.codec import Picture
from impasto_protocol.colour_space import LINEAR, SRGB, ColourSpace

GAMMA_18 = tuple((step / 64) ** 1.8 for step in range(65))
GAMMA_22 = tuple((step / 64) ** 2.2 for step in range(65))
ADOBE_RGB = ColourSpace((0.64, 0.33, 0.21, 0.71, 0.15, 0.06), GAMMA_22)
SPACES = {
    "sRGB": SRGB,
    "linear sRGB": ColourSpace((), LINEAR),
    "nearly linear sRGB": ColourSpace((), tuple((step / 64) ** 1.2 for step in range(65))),
    "Adobe RGB": ADOBE_RGB,
    "Display P3": ColourSpace((0.680, 0.320, 0.265, 0.690, 0.150, 0.060)),
    "ProPhoto RGB": ColourSpace((0.7351, 0.2611, 0.1383, 0.8775, 0.0686, 0.0138), GAMMA_18),
    "Rec. 2020": ColourSpace((0.708, 0.292, 0.170, 0.797, 0.131, 0.046), GAMMA_22),
    "linear Rec. 2020": ColourSpace((0.708, 0.292, 0.170, 0.797, 0.131, 0.046), LINEAR),
}
LARGEST = {"uint8": 255, "uint16": 65535, "float32": 1}


def test_every_colour_of_srgb_is_where_it_was_after_adobe_rgb_and_back():
    colours = torch.rand(3, 40, 50, generator=torch.Generator().manual_seed(1))
    there = convert(colours, SRGB, ADOBE_RGB)
    assert (there - colours).abs().max() > 0.05
    assert (convert(there, ADOBE_RGB, SRGB) - colours).abs().max() < 1e-4


def test_srgb_in_adobe_rgb_is_what_the_published_formulas_say():
    """Lindbloom's matrices, one pixel after the other."""
    to_adobe = [[0.7152, 0.2848, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0412, 0.9588]]
    rows = np.random.default_rng(2).random((20, 3))
    expected = []
    for colour in rows:
        light = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        adobe = [sum(a * b for a, b in zip(row, light, strict=True)) for row in to_adobe]
        expected.append([channel ** (1 / 2.2) for channel in adobe])
    found = convert(torch.tensor(rows.T[:, None], dtype=torch.float32), SRGB, ADOBE_RGB)
    assert found[:, 0].T.numpy() == pytest.approx(np.array(expected), abs=2e-3)


@pytest.mark.parametrize("name", ["Adobe RGB", "Rec. 2020"])
def test_wide_colours_in_srgb_are_what_little_cms_shows(name):
    space = SPACES[name]
    places = [(x, y) for x, y in zip(space.primaries[::2], space.primaries[1::2], strict=True)]
    profile = imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.329, 1.0], gamma=2.2,
        primaries=[number for x, y in places for number in (x, y, 1.0)],
    )  # fmt: skip
    numbers = np.random.default_rng(3).random((30, 40, 3)).astype(np.float32)
    expected = imagecodecs.cms_transform(
        numbers, profile, imagecodecs.cms_profile("srgb"), colorspace="rgb", outcolorspace="rgb"
    )
    found = convert(torch.tensor(numbers).permute(2, 0, 1), space, SRGB)
    assert np.abs(found.permute(1, 2, 0).numpy() - expected.clip(0, 1)).max() < 0.004


@pytest.mark.parametrize(
    ("name", "curve"),
    [("sRGB", ()), ("linear sRGB", ()), ("nearly linear sRGB", ()), ("Adobe RGB", GAMMA_22),
     ("ProPhoto RGB", GAMMA_18), ("linear Rec. 2020", ())],
)  # fmt: skip
def test_numbers_of_linear_light_are_painted_with_the_curve_of_srgb(name, curve):
    space = painting_space(SPACES[name])
    assert space == ColourSpace(SPACES[name].primaries, curve)


def picture_of(space, dtype, channels=3, order="rgb", seed=0):
    chance = np.random.default_rng(seed)
    numbers = chance.random((30, 40, channels)) * LARGEST[dtype]
    pixels = (numbers if dtype == "float32" else np.rint(numbers)).astype(dtype)
    return Picture(30, 40, channels, dtype, pixels.tobytes(), order, space)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", LARGEST)
@pytest.mark.parametrize("name", SPACES)
def test_unchanged_painting_is_the_stored_numbers(name, dtype, channels):
    order = "bgr" if channels > 2 else "rgb"
    content = picture_of(SPACES[name], dtype, channels, order)
    seen = to_tensor(content, painting_space(content.space))
    assert seen.min() >= 0 and seen.max() <= 1
    painted = to_picture(seen, content, strength=0.0)
    assert (painted.space, painted.order, painted.dtype) == (content.space, order, dtype)
    before, after = (np.frombuffer(p.data, dtype) for p in (content, painted))
    if dtype == "float32":
        assert np.abs(after - before).max() < 1e-6
    else:
        assert np.array_equal(after, before)


def test_every_number_of_16_bits_of_linear_light_comes_back():
    numbers = np.arange(65536, dtype=np.uint16).repeat(3)
    content = Picture(256, 256, 3, "uint16", numbers.tobytes(), space=SPACES["linear Rec. 2020"])
    painted = to_picture(to_tensor(content, painting_space(content.space)), content)
    assert bytes(painted.data) == bytes(content.data)


@pytest.mark.parametrize("name", ["sRGB", "linear Rec. 2020", "Adobe RGB"])
def test_light_beyond_white_and_black_stays_where_nothing_is_painted(name):
    pixels = np.random.default_rng(4).random((30, 40, 3)).astype(np.float32)
    pixels[3, 4], pixels[20, 30], pixels[21, 30] = (8, 0.5, 2), (-0.25, 8, 0.5), np.nan
    pixels[22, 30], pixels[2, 2] = (np.inf, 0.5, 0.5), np.nan
    content = Picture(30, 40, 3, "float32", pixels.tobytes(), space=SPACES[name])
    selection = torch.zeros(1, 30, 40)
    selection[:, 15:] = 0.5
    painted = torch.full((3, 30, 40), 0.4)

    def finished(strength):
        found = to_picture(painted, content, strength=strength, selection=selection)
        return np.frombuffer(found.data, np.float32).reshape(30, 40, 3)

    whole, part, none = finished(1.0), finished(0.75), finished(0.0)
    for found in (whole, part, none):
        assert np.array_equal(found[:15], pixels[:15], equal_nan=True)
        assert np.array_equal(found[21:23, 30], pixels[21:23, 30], equal_nan=True)
        assert np.array_equal(found[20, 30, 2], whole[16, 2, 2])  # of what lies within all is paint
    flat = whole[16, 2, 0]
    assert whole[20, 30] == pytest.approx([flat] * 3)
    assert part[20, 30] == pytest.approx([flat - 0.0625, flat + 1.75, flat], abs=1e-6)
    assert none[20, 30] == pytest.approx([flat - 0.25, flat + 7, flat], abs=1e-6)


def test_light_beyond_white_stays_by_the_map_of_strength():
    pixels = np.full((1, 3, 3), 3, np.float32)
    content = Picture(1, 3, 3, "float32", pixels.tobytes())
    given = torch.tensor([[[0, 0.5, 1]]])
    found = to_picture(torch.full((3, 1, 3), 0.5), content, strength=0.5, given=given)
    assert np.frombuffer(found.data, np.float32)[::3].tolist() == [3, 2, 1.5]


def test_infinite_light_is_no_colour_to_paint_from():
    pixels = np.full((2, 2, 3), 0.5, np.float32)
    pixels[0, 0, 1] = np.inf
    content = Picture(2, 2, 3, "float32", pixels.tobytes(), space=SPACES["linear sRGB"])
    seen = to_tensor(content, painting_space(content.space))
    assert not seen[:, 0, 0].isfinite().all() and seen[:, 1].isfinite().all()


def test_hidden_colours_beyond_white_stay_hidden():
    pixels = np.array([[[8, -1, 3, 0], [8, -1, 0.5, 1]]], np.float32)
    content = Picture(1, 2, 4, "float32", pixels.tobytes())
    found = to_picture(torch.full((4, 1, 2), 0.5), content, strength=0.5)
    assert np.frombuffer(found.data, np.float32).reshape(1, 2, 4).tolist() == [
        [[8, -1, 3, 0], [4, 0, 0.5, 1]]
    ]


@pytest.mark.parametrize("name", ["Adobe RGB", "linear Rec. 2020", "ProPhoto RGB"])
def test_preview_is_srgb(name):
    """Of a colour in the middle, which every space has."""
    colour = torch.tensor([0.6, 0.4, 0.3]).view(3, 1, 1).expand(3, 5, 5)
    inside = convert(colour.contiguous(), SRGB, painting_space(SPACES[name]))
    assert (inside - colour).abs().max() > 0.01
    preview = to_preview(inside, SPACES[name])
    shown = np.frombuffer(preview.data, np.uint8).reshape(-1, 3)
    assert preview.space == SRGB and np.abs(shown - [153, 102, 76.5]).max() <= 1
