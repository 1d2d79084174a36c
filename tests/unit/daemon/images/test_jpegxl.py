"""JPEG XL files of colours, orientations and wrappings that imagecodecs cannot write."""

import functools
import io

import imagecodecs
import numpy as np
import pytest
from PIL import ExifTags, Image

from impasto_daemon.images.boxes import boxes
from impasto_daemon.images.jpegxl_header import read_header
from impasto_daemon.images.pictures import read_photograph, read_style
from impasto_protocol.errors import PictureRejected, PictureUnreadable

WIDE = np.zeros((32, 64, 3), np.uint8)
WIDE[:16, :16] = 255
WIDE[16:] = 128
PATCHES = np.array([[[200, 100, 50], [60, 120, 180]]], np.uint8).repeat(32, 0).repeat(32, 1)
SRGB = "1"
"""`all_default` of the colours."""


def bits_of(data):
    return "".join(f"{byte:08b}"[::-1] for byte in data)


def bytes_of(bits):
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


def number(value, count):
    return f"{value:0{count}b}"[::-1]


def enum(value):
    """As ISO/IEC 18181-1 writes Enum."""
    if value < 2:
        return number(value, 2)
    return (
        number(2, 2) + number(value - 2, 4) if value < 18 else number(3, 2) + number(value - 18, 6)
    )


def colours(*, white=1, primaries=1, transfer=13, icc=False):
    """A colour encoding that is written out."""
    if icc:
        return "0" + "1" + enum(0)
    return "00" + enum(0) + enum(white) + enum(primaries) + "0" + enum(transfer) + enum(0)


def taken_apart(data):
    """The bits of the size, those of the header behind it, and the bytes of the frames."""
    bits = bits_of(data[2:40])
    # Size (small, of a ratio or not), then not `all_default`, then no extra fields.
    at = 1 + (5 if bits[0] == "1" else 2 + (9, 13, 18, 30)[int(bits[1:3][::-1], 2)])
    at += 3 if bits[at : at + 3] != "000" else 8 if bits[0] == "1" else 14
    size, rest, end = bits[:at], bits[at:], 10 + 3
    if rest[0] == "1":
        # What all default stands for, and the default transform.
        rest, end = "00000100" + "11" + "001", 2
    return size, rest, data[2 + (at + end + 7) // 8 :]


def rewritten(pixels, told=SRGB, orientation=None, distance=0.0):
    """The codestream of 8-bit pixels with another header; annex D of the standard."""
    data = imagecodecs.jpegxl_encode(
        pixels, lossless=not distance, distance=distance or None, usecontainer=False
    )
    size, rest, body = taken_apart(data)
    # Not all default, no extra fields, 8 bits of no floats, 16-bit buffers, no channel, XYB or not.
    assert rest[:5] == "00000" and rest[6:8] == "00" and rest[9] == "1"
    assert rest[8] == ("1" if distance else "0")
    extra = "0" if orientation is None else "1" + number(orientation - 1, 3) + "000"
    header = size + "0" + extra + rest[2:9] + told
    header += ("" if orientation is None else "1") + rest[10:13]
    return data[:2] + bytes_of(header) + body


def from_jpeg(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95, subsampling=0, **options)
    parts = boxes(imagecodecs.jpegxl_encode_jpeg(file.getvalue()))
    return b"".join({b"jxlc": part, b"jxlp": part[4:]}.get(kind, b"") for kind, part in parts)


def with_profile(pixels, profile, distance=0.0):
    """The codestream of 8-bit pixels with an ICC profile, which lies as a JPEG's does."""
    data, plain = from_jpeg(pixels, icc_profile=profile), from_jpeg(pixels)
    same = next(at for at in range(1, len(plain)) if data[-at] != plain[-at]) - 1
    size, rest, _ = taken_apart(data)
    # XYB or not, then colours that are not default, ICC, of RGB, no extensions, default transform.
    assert rest[8:16] == "00100001"
    bits = list(bits_of(data[2 : len(data) - same]))
    bits[len(size) + 8] = "1" if distance else "0"
    encoded = imagecodecs.jpegxl_encode(
        pixels, lossless=not distance, distance=distance or None, usecontainer=False
    )
    return data[:2] + bytes_of("".join(bits)) + taken_apart(encoded)[2]


def box(kind, content):
    return (8 + len(content)).to_bytes(4) + kind + content


def contained(codestream, *more, parts=1):
    size = -(-len(codestream) // parts)
    pieces = [codestream[at : at + size] for at in range(0, len(codestream), size)]
    if parts == 1:
        made = [box(b"jxlc", codestream)]
    else:
        last = 0x80000000
        made = [
            box(b"jxlp", (at | (last if at == parts - 1 else 0)).to_bytes(4) + piece)
            for at, piece in enumerate(pieces)
        ]
    start = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    return start + b"".join(more) + b"".join(made)


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def read(folder, data):
    (folder / "x.jxl").write_bytes(data)
    photo, kept = read_photograph(folder / "x.jxl")
    return array(photo), array(read_style(folder / "x.jxl")[0]), kept


@pytest.mark.parametrize("shape", [(32, 64), (48, 48), (100, 37), (300, 20)])
def test_header_tells_the_size(shape):
    pixels = np.zeros((*shape, 3), np.uint8)
    header = read_header(imagecodecs.jpegxl_encode(pixels, lossless=True))
    assert (header.height, header.width) == shape and header.largest == 255


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("kind", "bits"), [("u1", 8), ("u2", 10), ("u2", 16), ("f4", 0)])
def test_header_tells_the_numbers_and_the_alpha(channels, kind, bits):
    pixels = np.zeros((8, 8, channels), kind)
    data = imagecodecs.jpegxl_encode(pixels, lossless=True, bitspersample=bits or None)
    header = read_header(dict(boxes(data)).get(b"jxlc", data))
    assert header.largest == 2**bits - 1
    assert header.alpha == (channels in (2, 4)) and header.grey == (channels < 3)
    assert not header.has_icc and not header.animated


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_lying_by_its_header_is_turned_once(tmp_path, orientation):
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = orientation
    exif = box(b"Exif", bytes(4) + made.tobytes().removeprefix(b"Exif\0\0"))
    data = contained(rewritten(WIDE, orientation=orientation), exif)
    method = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(orientation)
    image = Image.fromarray(WIDE)
    upright = image if method is None else image.transpose(Image.Transpose(method))
    photo, style, _ = read(tmp_path, data)
    assert np.array_equal(photo, np.asarray(upright)) and np.array_equal(style, photo)


@pytest.mark.parametrize("parts", [1, 3])
def test_exif_and_xmp_of_a_container_are_kept(tmp_path, parts):
    made = Image.Exif()
    made[ExifTags.Base.Artist] = "A. Painter"
    made[ExifTags.Base.XResolution] = made[ExifTags.Base.YResolution] = 300
    exif = box(b"Exif", bytes(4) + made.tobytes().removeprefix(b"Exif\0\0"))
    data = contained(rewritten(WIDE), exif, box(b"xml ", b"<x:xmpmeta/>"), parts=parts)
    photo, _, kept = read(tmp_path, data)
    assert np.array_equal(photo, WIDE) and kept.dpi == (300, 300)
    assert b"A. Painter" in kept.exif and kept.xmp == b"<x:xmpmeta/>"


def test_linear_light_is_seen_as_such(tmp_path):
    _, style, _ = read(tmp_path, rewritten(WIDE, colours(transfer=8)))
    assert abs(int(style[20, 20, 0]) - 188) <= 1


def test_wide_colours_keep_their_numbers_and_say_whose_they_are(tmp_path):
    photo, style, kept = read(
        tmp_path, rewritten(WIDE + np.uint8([90, 0, 0]), colours(primaries=11))
    )
    assert photo[20, 20].tolist() == [218, 128, 128] and kept.icc
    assert style[20, 20, 0] > 222 and style[20, 20, 1] < 128


@pytest.mark.parametrize("told", [SRGB, colours(transfer=8), colours(primaries=11)])
def test_lossy_picture_looks_the_same_whatever_colours_it_is_handed_over_in(tmp_path, told):
    # Such a picture lies there in XYB, which is of no RGB: the header tells what comes out.
    _, style, _ = read(tmp_path, rewritten(PATCHES, told, distance=0.5))
    assert np.abs(style[8:24, 8::32].astype(int) - PATCHES[8:24, 8::32]).max() <= 4


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_said(tmp_path, transfer, name):
    _, style, kept = read(tmp_path, rewritten(WIDE, colours(primaries=9, transfer=transfer)))
    assert style.max() == 255 and f"HDR ({name})" in kept.notes[0]


@functools.cache
def swapped_profile():
    """Of RGB with red and blue swapped, and a curve that no number tells."""
    primaries = (0.15, 0.06, 1, 0.30, 0.60, 1, 0.64, 0.33, 1)
    curve = np.rint(np.linspace(0, 1, 256) ** 1.9 * 65535).astype(np.uint16)
    return bytes(
        imagecodecs.cms_profile(
            "rgb", primaries=primaries, whitepoint=(0.3127, 0.329, 1), transferfunction=curve
        )
    )


@pytest.mark.parametrize("parts", [0, 1, 3])
def test_profile_of_its_own_is_honoured(tmp_path, parts):
    data = with_profile(PATCHES, swapped_profile())
    photo, style, kept = read(tmp_path, contained(data, parts=parts) if parts else data)
    assert np.array_equal(photo, PATCHES) and kept.icc == swapped_profile() and not kept.notes
    Image.fromarray(PATCHES).save(tmp_path / "x.png", icc_profile=swapped_profile())
    assert np.array_equal(style, array(read_style(tmp_path / "x.png")[0]))


@pytest.mark.parametrize("parts", [0, 1, 3])
def test_lossy_picture_with_a_profile_of_its_own_looks_as_before(tmp_path, parts):
    # It lies there in XYB, and is handed over in linear light.
    data = with_profile(PATCHES, swapped_profile(), distance=0.5)
    _, style, _ = read(tmp_path, contained(data, parts=parts) if parts else data)
    assert np.abs(style[8:24, 8::32].astype(int) - PATCHES[8:24, 8::32]).max() <= 4


def test_dark_tones_of_a_lossy_picture_with_a_profile_make_no_steps(tmp_path):
    ramp = np.linspace(0, 30, 64).astype(np.uint8)[None, :, None].repeat(32, 0).repeat(3, 2)
    _, style, _ = read(tmp_path, with_profile(ramp, swapped_profile(), distance=0.1))
    assert np.abs(style.astype(int) - ramp).max() <= 3 and len(np.unique(style[16, :, 0])) > 20


def test_picture_made_of_a_jpeg_with_a_profile_is_seen_by_it(tmp_path):
    photo, style, kept = read(tmp_path, from_jpeg(PATCHES, icc_profile=swapped_profile()))
    assert np.abs(photo.astype(int) - PATCHES).max() <= 8 and kept.icc == swapped_profile()
    assert style[5, 5, 2] > style[5, 5, 0] and style[5, 50, 0] > style[5, 50, 2]


def test_colours_told_by_numbers_of_their_own_are_seen_by_them(tmp_path):
    gamma = "00" + enum(0) + enum(1) + enum(1) + "1" + number(10_000_000, 24) + enum(0)
    _, style, kept = read(tmp_path, rewritten(WIDE, gamma))
    assert abs(int(style[20, 20, 0]) - 188) <= 1 and "linear light" in kept.notes[0]


def test_white_of_its_own_is_white(tmp_path):
    _, style, _ = read(tmp_path, rewritten(WIDE, colours(white=10)))
    assert style[5, 5].min() >= 254


def test_picture_of_inks_is_refused_by_name(tmp_path):
    black = number(1, 2) + "0" + enum(4) + "000" + "00" + "00"
    header = bits_of(rewritten(WIDE)[2:])[:9] + "00" + "000" + "1" + black + "0" + SRGB
    with pytest.raises(PictureRejected, match="JPEG XL of inks"):
        read(tmp_path, b"\xff\x0a" + bytes_of(header) + bytes(100))


def test_frames_that_are_left_are_said(tmp_path):
    frames = np.stack([WIDE, 255 - WIDE])
    photo, _, kept = read(tmp_path, imagecodecs.jpegxl_encode(frames, lossless=True))
    assert np.array_equal(photo, WIDE) and "several frames" in kept.notes[0]


def test_picture_of_a_thousand_megapixels_is_refused_before_it_is_decoded(tmp_path):
    huge = "0" + number(3, 2) + number(2**30 - 1, 30) + number(1, 3)
    with pytest.raises(PictureRejected, match="1073741824 pixels"):
        read(tmp_path, b"\xff\x0a" + bytes_of(huge + "1") + bytes(100))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
def test_cut_file_is_unreadable(tmp_path, share):
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    data = imagecodecs.jpegxl_encode(noise, lossless=True)
    with pytest.raises(PictureUnreadable):
        read(tmp_path, data[: int(len(data) * share)])
