"""A PNG's colours are what its chunks say, in the order of the third edition."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from impasto_daemon.images.metadata import KeptMetadata
from impasto_daemon.images.pictures import read_photograph, read_picture, read_style, write_picture

LINEAR = struct.pack(">I", 100_000)
LIKE_SRGB = struct.pack(">I", 45_455)
ADOBE = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
SRGB = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def png(folder, pixels, *chunks, **more):
    """A PNG file of pixels, with chunks of (kind, content) before them."""
    buffer = io.BytesIO()
    if pixels.dtype == np.uint16:
        buffer.write(imagecodecs.png_encode(pixels))
    else:
        Image.fromarray(pixels).save(buffer, "PNG", **more)
    data = buffer.getvalue()
    made = [
        len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
        for kind, content in chunks
    ]
    path = folder / "x.png"
    path.write_bytes(data[:33] + b"".join(made) + data[33:])
    return path


def flat(value, channels=3, bits=8):
    shape = (8, 8) if channels == 1 else (8, 8, channels)
    return np.full(shape, value if bits == 8 else value * 257, f"u{bits // 8}")


def seen(path):
    """The colour of 0 to 255 in sRGB, as style, and as a painting of the photo that is shown."""
    photo, kept = read_photograph(path)
    write_picture(path.with_name("painting.png"), photo, kept=kept)
    style = array(read_style(path)[0])[0, 0].astype(int)
    shown = array(read_picture(path.with_name("painting.png")))[0, 0].astype(int)
    assert np.abs(style - shown).max() <= 1
    return style[:3].tolist()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_128_of_linear_light_is_188(tmp_path, channels, bits):
    found = seen(png(tmp_path, flat(128, channels, bits), (b"gAMA", LINEAR)))
    assert np.abs(np.array(found) - 188).max() <= 1


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([(b"gAMA", LIKE_SRGB)], 128),
        ([(b"gAMA", LIKE_SRGB), (b"cHRM", SRGB)], 128),
        ([(b"cHRM", SRGB)], 128),
        ([(b"gAMA", bytes(4))], 128),
        ([(b"gAMA", LINEAR), (b"sRGB", b"\0")], 128),
        ([(b"gAMA", LINEAR), (b"cICP", b"\1\15\0\1")], 128),
        ([(b"cICP", b"\1\10\0\1"), (b"gAMA", LIKE_SRGB)], 188),
        ([(b"cICP", b"\1\10\0\1"), (b"sRGB", b"\0")], 188),
        ([(b"cICP", b"\11\10\0\1")], 188),
    ],
)
def test_chunks_count_in_their_order(tmp_path, chunks, expected):
    found = seen(png(tmp_path, flat(128), *chunks))
    assert np.abs(np.array(found) - expected).max() <= 1


def test_profile_counts_before_gamma_and_after_code_points(tmp_path):
    linear = imagecodecs.cms_profile(
        "rgb", gamma=1.0, whitepoint=(0.3127, 0.329, 1.0),
        primaries=(0.64, 0.33, 1, 0.3, 0.6, 1, 0.15, 0.06, 1),
    )  # fmt: skip
    path = png(tmp_path, flat(128), (b"gAMA", LIKE_SRGB), icc_profile=linear)
    assert abs(seen(path)[0] - 188) <= 1
    path = png(tmp_path, flat(128), (b"cICP", b"\1\15\0\1"), icc_profile=linear)
    assert seen(path)[0] == 128


def test_photo_of_wide_colours_keeps_its_numbers_and_says_whose_they_are(tmp_path):
    gamma = struct.pack(">I", 45_470)
    path = png(tmp_path, flat(0) + np.uint8([200, 100, 50]), (b"gAMA", gamma), (b"cHRM", ADOBE))
    photo, kept = read_photograph(path)
    assert array(photo)[0, 0].tolist() == [200, 100, 50] and not kept.notes
    adobe = imagecodecs.cms_profile("adobergb")
    write_picture(tmp_path / "adobe.png", photo, kept=KeptMetadata(adobe))
    expected = array(read_picture(tmp_path / "adobe.png"))[0, 0].astype(int)
    assert np.abs(np.array(seen(path)) - expected).max() <= 1 and expected[0] > 205


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("transfer", "name", "signal", "expected"),
    [
        # BT.2408, table 1: white paper of 203 cd/m² is 58 % of PQ and 75 % of HLG.
        (16, "PQ", 0.5807, 255),
        (16, "PQ", 0.9, 255),
        (16, "PQ", 0.0, 0),
        # 26 cd/m², 18 % grey of the same table: 38 % of PQ and of HLG.
        (16, "PQ", 0.38, 100),
        (18, "HLG", 0.75, 255),
        (18, "HLG", 0.38, 100),
    ],
)
def test_hdr_screenshot_has_white_where_paper_has_it_and_says_so(
    tmp_path, transfer, name, signal, expected, bits
):
    value = round(signal * (255 if bits == 8 else 65535))
    pixels = np.full((8, 8, 3), value, f"u{bits // 8}")
    path = png(tmp_path, pixels, (b"cICP", bytes([9, transfer, 0, 1])))
    assert np.abs(np.array(seen(path)) - expected).max() <= 3
    _, kept = read_photograph(path)
    assert len(kept.notes) == 1 and f"HDR ({name})" in kept.notes[0]


def test_hdr_keeps_transparency(tmp_path):
    path = png(tmp_path, flat(77, 4), (b"cICP", bytes([9, 16, 0, 1])))
    assert array(read_style(path)[0])[0, 0, 3] == 77


@pytest.mark.parametrize("chunk", [b"\1\15\1\1", b"\1\15\0\0", b"\77\15\0\1", b"\1\77\0\1"])
def test_code_points_that_are_not_known_are_said(tmp_path, chunk):
    path = png(tmp_path, flat(128), (b"cICP", chunk))
    assert seen(path) == [128, 128, 128]
    assert "not read" in read_photograph(path)[1].notes[0]


def test_chromaticities_that_make_no_sense_do_no_harm(tmp_path):
    chunk = struct.pack(">8I", *[1] * 8)
    path = png(tmp_path, flat(128), (b"cHRM", chunk))
    assert seen(path) == [128, 128, 128]
    assert "no sense" in read_photograph(path)[1].notes[0]
