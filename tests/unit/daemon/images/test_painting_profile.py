"""A photograph of linear light, or grey in RGB's profile, is painted as it is seen."""

import io
import itertools

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from tests.unit.daemon.images.picture_kinds import COLOURS, GREY, GREYS, RGB, curved, deep

from impasto_daemon.images.painting_profile import colour_space
from impasto_daemon.images.pictures import read_photograph, read_picture, read_style, write_picture
from impasto_protocol.colour_space import SRGB as SRGB_SPACE

SRGB = (0.64, 0.33, 1, 0.30, 0.60, 1, 0.15, 0.06, 1)
REC_2020 = (0.708, 0.292, 1, 0.170, 0.797, 1, 0.131, 0.046, 1)
PROPHOTO = (0.7347, 0.2653, 1, 0.1596, 0.8404, 1, 0.0366, 0.0001, 1)
D65, D50 = (0.3127, 0.3290, 1), (0.3457, 0.3585, 1)
SRGB_TO_REC_2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)
PROFILES = {
    "sRGB": (SRGB, D65, np.eye(3)),
    "Rec. 2020": (REC_2020, D65, SRGB_TO_REC_2020),
}


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def profile(primaries, white, gamma):
    return bytes(imagecodecs.cms_profile("rgb", primaries=primaries, whitepoint=white, gamma=gamma))


def tiff_of(pixels, icc):
    photometric = "rgb" if pixels.ndim == 3 else "minisblack"
    return bytes(imagecodecs.tiff_encode(pixels, photometric=photometric, iccprofile=icc))


def middles(pixels):
    return pixels[16::32, 16::32, :3].astype(int)


@pytest.mark.parametrize("ending", [".png", ".tif", ".jpg", ".bmp"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", PROFILES)
def test_photo_of_linear_light_is_painted_with_the_curve_that_the_network_knows(
    tmp_path, name, bits, ending
):
    primaries, white, matrix = PROFILES[name]
    light = np.rint((curved(RGB) @ matrix.T).clip(0, 65535)).astype("u2")
    stored = light if bits == 16 else np.rint(light / 257).astype("u1")
    (tmp_path / "x.tif").write_bytes(tiff_of(stored, profile(primaries, white, 1.0)))
    photo, kept = read_photograph(tmp_path / "x.tif")
    assert photo.dtype == "uint16" and "linear light" in kept.notes[0] and len(kept.notes) == 1
    numbers = middles(array(photo) / 257)
    assert abs(numbers[1, 0].mean() - COLOURS[1, 0].mean()) < 10, "no numbers of linear light"
    assert (not kept.icc) == (name == "sRGB")
    write_picture(tmp_path / f"painting{ending}", photo, kept=kept)
    seen = middles(array(read_picture(tmp_path / f"painting{ending}")))
    assert np.abs(seen - COLOURS).max() <= (8 if ending == ".jpg" else 3)


@pytest.mark.parametrize("name", PROFILES)
def test_style_has_the_numbers_of_the_photo_s_painting(tmp_path, name):
    primaries, white, matrix = PROFILES[name]
    light = np.rint((curved(RGB) @ matrix.T).clip(0, 65535)).astype("u2")
    (tmp_path / "x.tif").write_bytes(tiff_of(light, profile(primaries, white, 1.0)))
    Image.fromarray(RGB).save(tmp_path / "style.png")
    photo, kept = read_photograph(tmp_path / "x.tif")
    style, _ = read_style(tmp_path / "style.png", profile=kept.icc)
    assert np.abs(middles(array(style)) - middles(array(photo) / 257)).max() <= 2


def test_dark_tones_of_8_linear_bits_stay_apart(tmp_path):
    dark = np.arange(24, dtype=np.uint8).repeat(3).reshape(1, 24, 3)
    (tmp_path / "x.tif").write_bytes(tiff_of(dark, profile(SRGB, D65, 1.0)))
    photo, _ = read_photograph(tmp_path / "x.tif")
    assert len(set(array(photo)[0, :, 0].tolist())) == 24


@pytest.mark.parametrize(
    ("primaries", "white", "gamma"), [(PROPHOTO, D50, 1.8), (REC_2020, D65, 2.4), (SRGB, D65, 2.2)]
)
def test_profile_of_a_usual_curve_stays_with_its_numbers(tmp_path, primaries, white, gamma):
    icc = profile(primaries, white, gamma)
    (tmp_path / "x.tif").write_bytes(tiff_of(RGB.copy(), icc))
    photo, kept = read_photograph(tmp_path / "x.tif")
    assert kept.icc == icc and np.array_equal(array(photo), RGB) and not kept.notes


@pytest.mark.parametrize(
    ("ending", "bits", "alpha"),
    [(".jpg", 8, False), (".webp", 8, False),
     *itertools.product([".png", ".tif"], [8, 16], [False, True])],
)  # fmt: skip
def test_grey_in_a_profile_of_rgb_is_seen_by_it(tmp_path, ending, bits, alpha):
    icc = profile(SRGB, D65, 1.5)
    grey = np.dstack([GREY, np.full_like(GREY, 255)]) if alpha else GREY
    if bits == 16 and ending == ".tif":
        extra = {"extrasample": "unassalpha"} if alpha else {}
        (tmp_path / "x.tif").write_bytes(
            imagecodecs.tiff_encode(deep(grey), photometric="minisblack", iccprofile=icc, **extra)
        )
    elif bits == 16:
        file = io.BytesIO()
        Image.new("L", (1, 1)).save(file, "PNG", icc_profile=icc)
        chunk = file.getvalue()[33:]
        chunk = chunk[: chunk.index(b"IDAT") - 4]
        made = bytes(imagecodecs.png_encode(deep(grey)))
        (tmp_path / "x.png").write_bytes(made[:33] + chunk + made[33:])
    else:
        Image.fromarray(grey).save(tmp_path / f"x{ending}", icc_profile=icc)
    photo, kept = read_photograph(tmp_path / f"x{ending}")
    style, notes = read_style(tmp_path / f"x{ending}")
    shown = (GREYS / 255.0) ** 1.5
    shown = np.where(shown < 0.0031308, shown * 12.92, 1.055 * shown ** (1 / 2.4) - 0.055) * 255
    assert kept.icc == icc and not kept.notes and not notes and photo.dtype == f"uint{bits}"
    assert np.abs(middles(array(style)) - shown).max() <= 3
    write_picture(tmp_path / "painting.png", photo, kept=kept)
    assert np.abs(middles(array(read_picture(tmp_path / "painting.png"))) - shown).max() <= 3


@pytest.mark.parametrize(
    ("primaries", "white", "gamma", "told"),
    [
        (REC_2020, D65, 2.2, (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)),
        # Bradford's adaptation of its primaries to D65.
        (PROPHOTO, D50, 1.8, (0.7351, 0.2611, 0.1383, 0.8775, 0.0686, 0.0138)),
    ],
    ids=["Rec. 2020", "ProPhoto"],
)
def test_photo_and_style_say_their_primaries(tmp_path, primaries, white, gamma, told):
    """So that a saved style has its own colours on them."""
    icc = profile(primaries, white, gamma)
    (tmp_path / "x.tif").write_bytes(tiff_of(curved(RGB).astype("u2"), icc))
    photo, kept = read_photograph(tmp_path / "x.tif")
    style, _ = read_style(tmp_path / "x.tif", profile=kept.icc)
    assert photo.space == style.space
    assert photo.space.primaries == pytest.approx(told, abs=1e-3)
    lights = [(step / 64) ** gamma for step in range(65)]
    assert photo.space.transfer == pytest.approx(lights, abs=1e-3)
    assert read_style(tmp_path / "x.tif")[0].space == SRGB_SPACE


def test_photo_in_srgb_says_nothing_of_it(tmp_path):
    icc = bytes(imagecodecs.cms_profile("srgb"))
    (tmp_path / "x.tif").write_bytes(tiff_of(curved(RGB).astype("u2"), icc))
    photo, kept = read_photograph(tmp_path / "x.tif")
    assert kept.icc == icc and photo.space == SRGB_SPACE


def test_profile_that_is_more_than_primaries_and_a_curve_has_none():
    """As of a scanner: it stays with its numbers, and the style is brought to it by the profile."""
    steps = np.linspace(0, 1, 256)
    curves = np.rint(np.stack([steps**2.2, steps**1.2, steps**1.8]) * 65535).astype(np.uint16)
    icc = imagecodecs.cms_profile(
        "rgb", primaries=REC_2020, whitepoint=D65, transferfunction=curves
    )
    assert colour_space(bytes(icc)) == SRGB_SPACE
