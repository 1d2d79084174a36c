"""What belongs to a picture stays with its painting: resolution, orientation, EXIF, XMP."""

import functools
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from tests.unit.daemon.images.picture_kinds import psd

from impasto_daemon.images.metadata import KeptMetadata
from impasto_daemon.images.pictures import read_photograph, read_picture, write_picture
from impasto_protocol.codec import Picture

DESCRIBING = [".png", ".jpg", ".webp", ".tif"]
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" '
    b'dc:title="A title \xc3\xa4"/></x:xmpmeta>'
)


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


@functools.cache
def profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile():
    """An RGB profile whose red and blue are swapped, so that a conversion cannot be missed."""
    return profile().replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")


def exif(orientation=1):
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = orientation
    made[ExifTags.Base.Artist] = "A. Painter"
    return made.tobytes()


def opened(path):
    with Image.open(path) as image:
        image.load()
        return image


def deep(picture):
    pixels = array(picture).astype(np.uint16) * 257
    return Picture(picture.height, picture.width, picture.channels, "uint16", pixels.tobytes())


def resolution_of(path):
    """As other programs find it: in the place of the format, or in a WebP in its EXIF data."""
    image = opened(path)
    if image.format != "WEBP":
        return [float(each) for each in image.info["dpi"]]
    tags = image.getexif()
    assert tags[ExifTags.Base.ResolutionUnit] == 2
    return [float(tags[ExifTags.Base.XResolution]), float(tags[ExifTags.Base.YResolution])]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", [*DESCRIBING, ".bmp"])
@pytest.mark.parametrize("source", [".png", ".jpg", ".tif", ".bmp"])
def test_300_dots_per_inch_go_from_any_format_to_any(tmp_path, picture, source, ending, bits):
    Image.new("RGB", (64, 48)).save(tmp_path / f"in{source}", dpi=(300, 150))
    _, kept = read_photograph(tmp_path / f"in{source}")
    painted = picture() if bits == 8 else deep(picture())
    assert write_picture(tmp_path / f"out{ending}", painted, kept=kept) == ()
    assert np.abs(np.subtract(resolution_of(tmp_path / f"out{ending}"), (300, 150))).max() < 0.05


def test_resolution_in_the_exif_data_alone_is_found(tmp_path):
    made = Image.Exif()
    made[ExifTags.Base.XResolution] = made[ExifTags.Base.YResolution] = 118.11
    made[ExifTags.Base.ResolutionUnit] = 3
    Image.new("RGB", (8, 8)).save(tmp_path / "x.webp", exif=made)
    assert read_photograph(tmp_path / "x.webp")[1].dpi == pytest.approx((300, 300), abs=0.05)


@pytest.mark.parametrize("ending", DESCRIBING)
def test_picture_without_a_resolution_gets_none(tmp_path, picture, ending):
    Image.new("RGB", (8, 8)).save(tmp_path / f"in{ending}", exif=exif())
    _, kept = read_photograph(tmp_path / f"in{ending}")
    assert kept.dpi is None
    write_picture(tmp_path / f"out{ending}", picture(), kept=kept)
    assert ExifTags.Base.XResolution not in opened(tmp_path / f"out{ending}").getexif()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", DESCRIBING)
@pytest.mark.parametrize("source", DESCRIBING)
def test_xmp_goes_from_any_format_to_any_and_says_upright(tmp_path, picture, source, ending, bits):
    write_picture(tmp_path / f"in{source}", picture(30, 40), kept=KeptMetadata(xmp=XMP))
    photo, kept = read_photograph(tmp_path / f"in{source}")
    assert (photo.height, photo.width) == (40, 30), "XMP's orientation counts where EXIF has none"
    upright = [XMP.replace(b'"6"', b'"1"'), XMP.replace(b'tiff:Orientation="6"', b"")]
    assert kept.xmp in upright and not kept.notes
    painted = picture() if bits == 8 else deep(picture())
    assert write_picture(tmp_path / f"out{ending}", painted, kept=kept) == ()
    found = opened(tmp_path / f"out{ending}").info["xmp"]
    assert (found.encode() if isinstance(found, str) else found) == kept.xmp


def test_jpeg_leaves_out_xmp_that_it_has_no_room_for(tmp_path, picture):
    kept = KeptMetadata(xmp=XMP + b" " * 70_000)
    (note,) = write_picture(tmp_path / "x.jpg", picture(), kept=kept)
    assert "XMP data is too large" in note and "xmp" not in opened(tmp_path / "x.jpg").info


@pytest.mark.parametrize("xmp", [b"\xff\xfe rubbish", b"x" * (5 << 20)], ids=["rubbish", "huge"])
def test_xmp_that_is_rubbish_or_huge_is_dropped_with_a_note(tmp_path, xmp):
    Image.new("RGB", (8, 8)).save(tmp_path / "x.webp", xmp=xmp)
    _, kept = read_photograph(tmp_path / "x.webp")
    assert not kept.xmp and len(kept.notes) == 1 and "XMP" in kept.notes[0]


@pytest.mark.parametrize("ending", [".bmp", ".gif"])
def test_format_without_room_for_metadata_says_so(tmp_path, picture, ending):
    assert write_picture(tmp_path / f"x{ending}", picture()) == ()
    kept = KeptMetadata(exif=exif(), xmp=XMP)
    (note,) = write_picture(tmp_path / f"x{ending}", picture(), kept=kept)
    assert "no room for the EXIF data and the XMP data" in note


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", [".bmp", ".gif"])
def test_format_without_room_for_a_profile_gets_srgb(tmp_path, ending, bits):
    red = np.zeros((8, 8, 4), np.uint8)
    red[..., 0] = red[..., 3] = 255
    painted = Picture(8, 8, 4, "uint8", red.tobytes())
    kept = KeptMetadata(swapped_profile())
    (note,) = write_picture(
        tmp_path / f"x{ending}", painted if bits == 8 else deep(painted), kept=kept
    )
    assert "became sRGB" in note
    seen = np.asarray(opened(tmp_path / f"x{ending}").convert("RGB"))[0, 0]
    assert seen[2] > 250 and seen[:2].max() < 5


def png_with(chunk, kind, bits=8, **more):
    buffer = io.BytesIO()
    image = Image.new("RGB", (8, 6), "red")
    if bits == 16:
        image = Image.fromarray(np.full((6, 8), 40_000, np.uint16))
    image.save(buffer, "PNG", **more)
    data = buffer.getvalue()
    body = kind + chunk
    whole = len(chunk).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    return data[:33] + whole + data[33:]


@pytest.mark.parametrize(
    ("chunk", "kind"),
    [
        (b"icc\0\0" + zlib.compress(profile() + bytes(3 << 20)), b"iCCP"),
        (b"icc\0\0" + zlib.compress(b"rubbish" * 100), b"iCCP"),
        (b"note\0\0" + zlib.compress(bytes(80 << 20)), b"zTXt"),
        (b"rubbish" * 10, b"eXIf"),
        (exif() + bytes(5 << 20), b"eXIf"),
    ],
    ids=["huge profile", "rubbish profile", "text bomb", "rubbish exif", "huge exif"],
)
def test_bad_metadata_is_dropped_with_a_note_and_the_picture_read(tmp_path, chunk, kind):
    (tmp_path / "x.png").write_bytes(png_with(chunk, kind))
    picture, kept = read_photograph(tmp_path / "x.png")
    assert (picture.width, picture.height) == (8, 6)
    assert not kept.icc and not kept.exif
    assert len(kept.notes) == 1 and "dropped" in kept.notes[0]
    assert read_picture(tmp_path / "x.png") == picture


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("chunk", "kind", "named"),
    [
        (b"note\0\0" + zlib.compress(bytes(2 << 20)), b"zTXt", "text"),
        (b"note\0\1\0\0\0" + zlib.compress(bytes(2 << 20)), b"iTXt", "text"),
        (b"icc\0\0" + zlib.compress(profile() + bytes(3 << 20)), b"iCCP", "colour profile"),
        (b"\0", b"pHYs", "resolution"),
        (b"\0", b"gAMA", "other data"),
    ],
    ids=["huge zTXt", "huge iTXt", "huge profile", "cut pHYs", "cut gAMA"],
)
def test_one_bad_chunk_of_a_png_does_not_take_the_others_with_it(
    tmp_path, chunk, kind, named, bits
):
    more = {} if kind == b"iCCP" or bits == 16 else {"icc_profile": swapped_profile()}
    data = png_with(chunk, kind, bits, exif=exif(orientation=6), **more)
    (tmp_path / "x.png").write_bytes(data)
    photo, kept = read_photograph(tmp_path / "x.png")
    assert (photo.height, photo.width) == (8, 6), "upright"
    assert kept.icc == more.get("icc_profile", b"") and kept.exif
    assert kept.notes == (f"The {named} in the file, damaged or far too long, was dropped.",)
    assert read_picture(tmp_path / "x.png").height == 8


def test_png_of_very_many_bad_chunks_is_read_within_a_second(tmp_path):
    bad = png_with(b"\0", b"gAMA")
    chunk = bad[33 : bad.index(b"IDAT") - 4]
    (tmp_path / "x.png").write_bytes(bad[:33] + chunk * 100_000 + bad[33:])
    assert read_photograph(tmp_path / "x.png")[0].width == 8


def test_psd_s_profile_resolution_exif_and_xmp_are_kept(tmp_path):
    resolution = struct.pack(">IHHIHH", 300 << 16, 1, 1, 150 << 16, 1, 1)
    told = exif(orientation=6).removeprefix(b"Exif\0\0")
    blocks = [(1005, resolution), (1039, profile()), (1058, told), (1060, XMP), (2000, b"odd")]
    (tmp_path / "x.psd").write_bytes(psd(np.zeros((8, 6, 3), np.uint8), resources=blocks))
    photo, kept = read_photograph(tmp_path / "x.psd")
    assert (photo.height, photo.width) == (8, 6), "Photoshop has turned what it saves"
    assert kept.icc == profile() and kept.dpi == (300, 150) and not kept.notes
    assert b"A. Painter" in kept.exif and b"A title" in kept.xmp


@pytest.mark.parametrize("order", [b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"])
def test_exif_data_without_a_tag_is_not_called_damaged(tmp_path, order):
    (tmp_path / "x.png").write_bytes(png_with(order + bytes(6), b"eXIf"))
    assert read_photograph(tmp_path / "x.png")[1].notes == ()


def test_xmp_that_goes_on_elsewhere_does_not_point_to_what_is_gone(tmp_path):
    xmp = XMP.replace(b"dc:title", b'xmpNote:HasExtendedXMP="0123" dc:title')
    Image.new("RGB", (8, 8)).save(tmp_path / "x.jpg", xmp=xmp)
    _, kept = read_photograph(tmp_path / "x.jpg")
    assert b"Extended" not in kept.xmp and b"A title" in kept.xmp
    assert len(kept.notes) == 1 and "second place" in kept.notes[0]
