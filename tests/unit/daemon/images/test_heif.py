"""HEIC and AVIF: turned once, their colours as told, their data kept.

The files of `heic/` were written by pillow-heif 1.8.1, which is not installed here.
"""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import ExifTags, Image
from tests.unit.daemon.images import picture_kinds

from impasto_daemon.images.pictures import read_photograph, read_style
from impasto_protocol.errors import PictureUnreadable

HEIC = Path(__file__).with_name("heic")


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def avif(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "AVIF", quality=98, subsampling="4:4:4", **options)
    return file.getvalue()


def told(data, primaries, transfer):
    """An AVIF file whose code points are others."""
    at = data.index(b"colrnclx") + 8
    numbers = primaries.to_bytes(2) + transfer.to_bytes(2)
    return data[:at] + numbers + data[at + 4 :]


def test_lying_heic_is_turned_once_and_keeps_what_belongs_to_it():
    photo, kept = read_photograph(HEIC / "lying.heic")
    assert (photo.width, photo.height) == (32, 64)
    assert array(photo)[10, 24].min() > 250 and array(photo)[50, 24].max() < 5
    assert b"A. Painter" in kept.exif and kept.xmp and kept.dpi == (300, 300) and not kept.notes
    assert array(read_style(HEIC / "lying.heic")[0]).shape == (64, 32, 3)


def test_white_of_a_10_bit_heic_is_white():
    photo, _ = read_photograph(HEIC / "colours-10-bit.heic")
    assert photo.dtype == "uint16" and array(photo).max() == 65535


def test_alpha_of_a_heic_is_kept():
    photo, _ = read_photograph(HEIC / "colours-alpha.heic")
    assert (array(photo)[..., 3] == 128).all()


@pytest.mark.parametrize("length", [40, 200, 380])
def test_cut_heic_is_unreadable(tmp_path, length):
    (tmp_path / "x.heic").write_bytes((HEIC / "colours.heic").read_bytes()[:length])
    with pytest.raises(PictureUnreadable):
        read_photograph(tmp_path / "x.heic")


def test_lying_avif_is_turned_once(tmp_path):
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = 6
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[:, :32] = 255
    (tmp_path / "x.avif").write_bytes(avif(wide, exif=made))
    photo, _ = read_photograph(tmp_path / "x.avif")
    assert (photo.width, photo.height) == (32, 64)
    assert array(photo)[10, 10].min() > 250 and array(photo)[50, 10].max() < 5


def of_grey(tone, bits):
    """An AVIF of one tone of 8 bits, of that depth."""
    pixels = np.full((64, 64, 3), tone, np.uint8)
    return avif(pixels) if bits == 8 else picture_kinds.avif(pixels, bits)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_avif_of_linear_light_is_seen_as_such(tmp_path, bits):
    (tmp_path / "x.avif").write_bytes(told(of_grey(128, bits), 1, 8))
    assert np.abs(array(read_style(tmp_path / "x.avif")[0]).astype(int) - 188).max() <= 3


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_hdr_avif_is_said(tmp_path, bits):
    (tmp_path / "x.avif").write_bytes(told(of_grey(148, bits), 9, 16))
    photo, kept = read_photograph(tmp_path / "x.avif")
    assert array(photo).min() > 65_000 and "HDR (PQ)" in kept.notes[0]


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tones_and_alpha_of_a_deep_avif_reach_from_black_to_white(tmp_path, channels, bits):
    ramp = np.linspace(0, 2**bits - 1, 1024).astype(np.uint16).reshape(4, 256, 1)
    pixels = ramp.repeat(channels, 2) if channels > 1 else ramp[..., 0]
    data = imagecodecs.avif_encode(pixels, level=100, bitspersample=bits)
    (tmp_path / "x.avif").write_bytes(data)
    photo, kept = read_photograph(tmp_path / "x.avif")
    found = array(photo)[..., -1 if channels in (2, 4) else 0]
    assert photo.dtype == "uint16" and photo.channels == (4 if channels in (2, 4) else 3)
    assert np.abs(found / 65535 - ramp[..., 0] / (2**bits - 1)).max() < 0.004 and not kept.notes
    assert found.max() > 65_300 and len(np.unique(found)) > 512


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_avif_is_unreadable(tmp_path, share):
    for bits in (8, 10):
        data = of_grey(128, bits)
        (tmp_path / "x.avif").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(PictureUnreadable):
            read_photograph(tmp_path / "x.avif")
