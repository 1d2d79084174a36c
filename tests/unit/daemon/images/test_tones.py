"""Tones come out as an editor shows them, of every kind of number that a file can hold."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from tests.unit.daemon.images.picture_kinds import light, psd

from impasto_daemon.images.pictures import read_photograph, read_picture, read_style
from impasto_protocol.errors import PictureRejected, StyleRejected

RAMP = np.linspace(0, 1, 4096).reshape(64, 64)


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def read_both(path):
    """The photo of 0 to 1, the style of 0 to 255, and the notes of both."""
    photo, kept = read_photograph(path)
    style, notes = read_style(path)
    own = [note for note in kept.notes if "became sRGB" not in note]
    assert style.dtype == "uint8" and len(notes) == len(own)
    largest = np.iinfo(photo.dtype).max
    return array(photo) / largest, array(style).astype(int), kept.notes


def numbers(kind):
    return (RAMP * (np.iinfo(kind).max if kind[0] == "u" else 1)).astype(kind)


def raw_tiff(pixels, width, height, bits, photometric, **more):
    """A TIFF of numbers as they are to lie there; more: tags by name."""
    tags = ImageFileDirectory_v2()
    tags[256], tags[257], tags[258], tags[262] = width, height, bits, photometric
    tags[277], tags[278], tags[259] = len(bits), height, 1
    tags[339] = (more.get("sample_format", 1),) * len(bits)
    tags[273], tags[279] = (0,), (len(pixels),)
    for tag, value in more.get("tags", {}).items():
        tags[tag] = value
    file = io.BytesIO()
    tags.save(file)
    return file.getvalue() + pixels


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "u1", "u2", "u4"])
@pytest.mark.parametrize(
    ("channels", "white"),
    [(1, "most"), (2, "most"), (3, "most"), (4, "most"), (1, "zero"), (2, "zero")],
)
def test_ramp_of_a_tiff_is_even(tmp_path, kind, channels, white):
    ramp = numbers(kind)
    largest = 1 if kind[0] == "f" else np.iinfo(kind).max
    if white == "zero":
        ramp = (largest - ramp).astype(kind)
    pixels = np.stack([ramp] * channels, axis=2)
    if channels in (2, 4):
        pixels[..., -1] = largest
    data = imagecodecs.tiff_encode(
        pixels[..., 0] if channels == 1 else pixels,
        photometric="rgb" if channels > 2 else "minisblack",
        extrasample="unassalpha" if channels in (2, 4) else None,
    )
    path = tmp_path / "x.tif"
    path.write_bytes(white_is_zero(data) if white == "zero" else data)
    photo, style, notes = read_both(path)
    assert photo.shape[2] == (4 if channels in (2, 4) else 3)
    assert np.abs(photo[..., :3] - RAMP[..., None]).max() < (0.005 if kind == "u1" else 0.0006)
    assert np.abs(style[..., :3] - RAMP[..., None] * 255).max() <= 1
    assert (photo[..., 3:] == 1).all() and not notes
    assert kind == "u1" or read_photograph(path)[0].dtype == "uint16"


def white_is_zero(data):
    """The file with its PhotometricInterpretation changed from 1 to 0."""
    was = (262).to_bytes(2, "little") + b"\3\0\1\0\0\0\1\0\0\0"
    assert data.count(was) == 1
    return data.replace(was, was[:8] + bytes(4))


def test_floats_as_pillow_saves_them_are_no_black_picture(tmp_path):
    Image.fromarray(RAMP.astype("f4")).save(tmp_path / "f.tif")
    photo, _, notes = read_both(tmp_path / "f.tif")
    assert np.abs(photo - RAMP[..., None]).max() < 1e-4 and not notes


def test_floats_outside_of_black_and_white_are_cut_off_and_said(tmp_path):
    Image.fromarray((RAMP * 3 - 1).astype("f4")).save(tmp_path / "f.tif")
    photo, _, notes = read_both(tmp_path / "f.tif")
    assert np.abs(photo[..., 0] - (RAMP * 3 - 1).clip(0, 1)).max() < 1e-4
    assert len(notes) == 1 and "cut off" in notes[0]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_that_are_not_numbers_become_transparent_and_are_said(tmp_path, channels):
    pixels = np.full((8, 8, channels), 0.5, "f4")
    pixels[..., 3:] = 1
    pixels[2, 3, 0] = np.nan
    photometric = "rgb" if channels > 1 else "minisblack"
    alpha = "unassalpha" if channels == 4 else None
    (tmp_path / "f.tif").write_bytes(
        imagecodecs.tiff_encode(
            pixels if channels > 1 else pixels[..., 0], photometric=photometric, extrasample=alpha
        )
    )
    photo, style, notes = read_both(tmp_path / "f.tif")
    assert photo.shape[2] == style.shape[2] == 4
    assert photo[2, 3, 3] == 0 and photo[..., 3].sum() == 63 and photo[0, 0, 0] > 0.49
    assert len(notes) == 1 and "NaN" in notes[0]


def test_odd_numbers_far_down_a_tall_picture_are_found(tmp_path):
    tall = np.linspace(0, 1, 700, dtype="f4").reshape(700, 1).repeat(4, 1)
    tall[600, 2], tall[300, 1] = np.nan, 3
    (tmp_path / "f.tif").write_bytes(imagecodecs.tiff_encode(tall, photometric="minisblack"))
    photo, _, notes = read_both(tmp_path / "f.tif")
    assert photo.shape == (700, 4, 4) and photo[600, 2, 3] == 0 and photo[..., 3].sum() == 2799
    assert photo[300, 1, 0] == 1 and np.abs(photo[:, 0, 0] - tall[:, 0]).max() < 1e-4
    assert len(notes) == 2


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "u8"])
def test_integers_of_which_nothing_says_what_is_white_are_refused_by_name(tmp_path, kind):
    data = imagecodecs.tiff_encode((RAMP * 100).astype(kind), photometric="minisblack")
    (tmp_path / "i.tif").write_bytes(data)
    bits = int(kind[1]) * 8
    with pytest.raises(PictureRejected, match=f"The photo i.tif holds .*{bits}-bit integers"):
        read_photograph(tmp_path / "i.tif")
    with pytest.raises(StyleRejected, match=f"The style picture i.tif holds .*{bits}-bit integer"):
        read_style(tmp_path / "i.tif")


@pytest.mark.parametrize("bits", [2, 4, 10, 12, 14, 24])
def test_numbers_of_odd_sizes_reach_white(tmp_path, bits):
    (tmp_path / "x.tif").write_bytes(raw_tiff(bytes([255]) * 24, 8, 1, (bits,), 1))
    photo, style, _ = read_both(tmp_path / "x.tif")
    assert (photo == 1).all() and (style == 255).all()


@pytest.mark.parametrize(
    ("photometric", "bits", "whose"),
    [
        (32803, (16,), "raw data"),
        (34892, (16, 16, 16), "raw data"),
        (32845, (16, 16, 16), "LogLuv"),
        (3, (16,), "palette of 16 bits"),
    ],
)
def test_colours_that_are_not_read_are_named(tmp_path, photometric, bits, whose):
    (tmp_path / "x.tif").write_bytes(raw_tiff(bytes(600), 8, 8, bits, photometric))
    with pytest.raises(PictureRejected, match=whose):
        read_photograph(tmp_path / "x.tif")


@pytest.mark.parametrize("photometric", [8, 9])
@pytest.mark.parametrize("bits", [8, 16])
def test_lab_colours_come_out_as_little_cms_has_them(tmp_path, photometric, bits):
    lab = np.array([[[100, 0, 0], [50, 0, 0], [60, 40, -20], [50, 20, 30], [80, -20, 10]]], float)
    unit = 1 if bits == 8 else 256
    white = 255 if photometric == 9 or bits == 8 else 65535 / 256
    stored = np.stack([lab[..., 0] * white / 100, lab[..., 1], lab[..., 2]], 2)
    if photometric == 9:
        stored[..., 1:] += 128
    stored = np.rint(stored * unit).astype(np.int64).astype("u1" if bits == 8 else "<u2")
    (tmp_path / "x.tif").write_bytes(raw_tiff(stored.tobytes(), 5, 1, (bits,) * 3, photometric))
    seen = np.stack([lab[..., 0] * 2.55, lab[..., 1], lab[..., 2]], 2)
    seen = np.rint(seen).astype(np.int64).astype("u1")
    image = Image.frombytes("LAB", (5, 1), seen.tobytes())
    to_srgb = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    expected = np.asarray(ImageCms.applyTransform(image, to_srgb)).astype(int)
    _, style, _ = read_both(tmp_path / "x.tif")
    assert np.abs(style - expected).max() <= 2


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_grey_with_a_grey_profile_is_managed_at_8_and_at_16_bits(tmp_path, ending, bits):
    linear = imagecodecs.cms_profile("gray", gamma=1.0)
    grey = np.full((8, 8), 230 if bits == 8 else 230 * 257, f"u{bits // 8}")
    Image.fromarray(grey).save(tmp_path / f"x{ending}", icc_profile=linear)
    photo, style, notes = read_both(tmp_path / f"x{ending}")
    assert np.abs(photo * 255 - 244).max() < 0.7 and np.abs(style - 244).max() <= 1 and not notes
    assert read_photograph(tmp_path / f"x{ending}")[0].dtype == f"uint{bits}"


def linear_rgb():
    """An RGB profile of linear light with the primaries of sRGB."""
    return imagecodecs.cms_profile(
        "rgb", gamma=1.0, whitepoint=(0.3127, 0.329, 1.0),
        primaries=(0.64, 0.33, 1, 0.3, 0.6, 1, 0.15, 0.06, 1),
    )  # fmt: skip


def test_16_bit_style_in_another_profile_is_managed_without_steps(tmp_path):
    dark = np.linspace(0, 655, 64).astype("u2").repeat(3).reshape(1, 64, 3)
    data = imagecodecs.tiff_encode(dark, photometric="rgb", iccprofile=linear_rgb())
    (tmp_path / "x.tif").write_bytes(data)
    found = array(read_picture(tmp_path / "x.tif"))[0, :, 0]
    assert len(set(found.tolist())) > 20, "8 bits of linear light would have three tones here"


@pytest.mark.parametrize("stored", ["cmyk", "ycck"])
def test_jpeg_of_inks_is_no_negative(tmp_path, stored):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[..., 1:3] = 255
    data = imagecodecs.jpeg8_encode(255 - inks, 95, colorspace="cmyk", outcolorspace=stored)
    (tmp_path / "x.jpg").write_bytes(data)
    photo = array(read_photograph(tmp_path / "x.jpg")[0])
    assert photo[..., 0].min() > 240 and photo[..., 1:].max() < 15
    assert np.array_equal(array(read_picture(tmp_path / "x.jpg")), photo)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize(("bits", "block"), [(8, b""), (16, b""), (16, b"Lr16"), (32, b"Lr32")])
@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_psd_is_not_paler_for_the_white_beneath_it(
    tmp_path, channels, bits, block, large
):
    # Black at half of alpha, as GIMP 3.0.4 exports it: laid on white.
    stored = np.full((8, 8, channels), 127, np.uint8)
    stored[..., -1] = 128
    stored = {8: stored, 16: stored.astype(np.uint16) * 257, 32: (stored / 255).astype("f4")}[bits]
    mode = 3 if channels == 4 else 1
    (tmp_path / "x.psd").write_bytes(psd(stored, mode, layers=-1, block=block, large=large))
    photo, style, notes = read_both(tmp_path / "x.psd")
    assert style[..., :3].max() == 0 and (style[..., 3] == 128).all() and not notes
    assert np.abs(photo[..., 3] - 128 / 255).max() < 0.001


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("packed", ["raw", "bits", "zip"])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_psd_and_psb_packed_in_any_way_come_out_the_same(tmp_path, bits, packed, large):
    ramp = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8, 1).repeat(3, 2)
    stored = {8: ramp, 16: ramp.astype(np.uint16) * 257, 32: light(ramp)}[bits]
    (tmp_path / "x.psd").write_bytes(psd(stored, packed=packed, large=large))
    _, style, notes = read_both(tmp_path / "x.psd")
    assert np.abs(style - ramp).max() <= 1 and not notes


def test_psd_of_light_above_white_is_cut_off_and_said(tmp_path):
    (tmp_path / "x.psd").write_bytes(psd(np.full((8, 8, 3), 5, "f4")))
    _, style, notes = read_both(tmp_path / "x.psd")
    assert (style == 255).all() and "cut off" in notes[0]


@pytest.mark.parametrize("kind", [".tif", ".psd"])
def test_inks_of_16_bits_make_no_steps(tmp_path, kind):
    ramp = np.linspace(0, 6553, 256).astype(np.uint16).reshape(1, -1, 1).repeat(4, 2)
    ramp[..., 1:3] = 0
    data = (
        psd(65535 - ramp, 4)
        if kind == ".psd"
        else imagecodecs.tiff_encode(ramp, photometric="separated")
    )
    (tmp_path / f"x{kind}").write_bytes(data)
    photo, _, notes = read_both(tmp_path / f"x{kind}")
    assert len(set(photo[0, :, 0].tolist())) > 200 and "CMYK" in notes[0]
