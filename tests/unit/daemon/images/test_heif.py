"""HEIC and AVIF: turned once, their colours as told, their data kept.

The files of `heic/` were written by pillow-heif 1.8.1, which is not installed here.
"""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

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


def test_avif_of_linear_light_is_seen_as_such(tmp_path):
    (tmp_path / "x.avif").write_bytes(told(avif(np.full((64, 64, 3), 128, np.uint8)), 1, 8))
    assert np.abs(array(read_style(tmp_path / "x.avif")[0]).astype(int) - 188).max() <= 3


def test_hdr_avif_is_said(tmp_path):
    (tmp_path / "x.avif").write_bytes(told(avif(np.full((64, 64, 3), 148, np.uint8)), 9, 16))
    photo, kept = read_photograph(tmp_path / "x.avif")
    assert array(photo).min() > 65_000 and "HDR (PQ)" in kept.notes[0]
