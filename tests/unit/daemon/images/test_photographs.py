"""What a painting keeps of its photograph's file: 16 bits, profile, EXIF data, transparency."""

import functools
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from impasto_daemon.images.metadata import KeptMetadata
from impasto_daemon.images.pictures import read_photograph, read_picture, to_image, write_picture
from impasto_protocol.codec import Picture
from impasto_protocol.errors import PictureUnreadable

KEEPING = [".png", ".jpg", ".webp", ".tiff"]
DEEP = [".png", ".tiff"]


@pytest.fixture
def gradient():
    return Image.linear_gradient("L").resize((64, 48)).convert("RGB")


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def deep(height=30, width=40, channels=3):
    pixels = np.random.default_rng(0).integers(0, 65536, (height, width, channels), np.uint16)
    return Picture(height, width, channels, "uint16", pixels.tobytes())


@functools.cache
def profile(space="sRGB"):
    """One for all, as the second it was made in stands in it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def swapped_profile():
    """An RGB profile whose red and blue are swapped, so that a conversion cannot be missed."""
    return profile().replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")


def exif(**more):
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = more.get("orientation", 1)
    made[ExifTags.Base.Artist] = "A. Painter"
    made[ExifTags.IFD.Exif] = {
        ExifTags.Base.ISOSpeedRatings: 200,
        ExifTags.Base.ExifImageWidth: 9999,
        ExifTags.Base.MakerNote: bytes(more.get("note", 0)),
    }
    made[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    return made.tobytes()


def opened(path):
    with Image.open(path) as image:
        image.load()
        return image


@pytest.mark.parametrize("ending", DEEP)
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_a_channel_come_back_exactly(tmp_path, ending, channels):
    write_picture(
        tmp_path / f"x{ending}", deep(130, 40, channels), kept=KeptMetadata(profile(), exif())
    )
    found, kept = read_photograph(tmp_path / f"x{ending}")
    assert found == deep(130, 40, channels)
    assert kept.icc == profile() and b"A. Painter" in kept.exif and not kept.notes
    # Pillow, which sees the upper bits only, agrees.
    seen = np.asarray(opened(tmp_path / f"x{ending}")).astype(int)
    assert np.abs(seen - array(found) / 257).max() <= 1


@pytest.mark.parametrize("ending", DEEP)
def test_16_bit_grey_photograph_becomes_16_bit_rgb(tmp_path, ending):
    grey = array(deep(channels=1))[..., 0]
    Image.fromarray(grey).save(tmp_path / f"x{ending}")
    found, _ = read_photograph(tmp_path / f"x{ending}")
    assert found.dtype == "uint16" and (array(found) == grey[..., None]).all()
    write_picture(tmp_path / f"y{ending}", deep(channels=1))
    assert np.array_equal(np.asarray(opened(tmp_path / f"y{ending}")), grey)


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_16_bits_become_8_where_the_format_has_no_more(tmp_path, ending):
    smooth = np.linspace(0, 65535, 64 * 64 * 3).astype(np.uint16).reshape(64, 64, 3)
    picture = Picture(64, 64, 3, "uint16", smooth.tobytes())
    write_picture(tmp_path / f"x{ending}", picture)
    found, _ = read_photograph(tmp_path / f"x{ending}")
    assert found.dtype == "uint8" and np.abs(array(found) - smooth / 257).mean() < 2


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_16_bit_tiff_of_other_programs_is_read(tmp_path, compression, planar):
    pixels = array(deep())
    data = imagecodecs.tiff_encode(
        np.moveaxis(pixels, -1, 0) if planar == "separate" else pixels,
        compression=compression, planarconfig=planar, photometric="rgb",
    )  # fmt: skip
    (tmp_path / "x.tiff").write_bytes(data)
    assert np.array_equal(array(read_photograph(tmp_path / "x.tiff")[0]), pixels)


def test_16_bit_tiff_with_premultiplied_alpha_is_made_straight(tmp_path):
    straight = np.full((4, 4, 4), 40_000, np.uint16)
    straight[..., 3] = 32_768
    stored = straight.copy()
    stored[..., :3] = 20_000
    data = imagecodecs.tiff_encode(stored, photometric="rgb", extrasample="assocalpha")
    (tmp_path / "x.tiff").write_bytes(data)
    found = array(read_photograph(tmp_path / "x.tiff")[0]).astype(int)
    assert np.abs(found - straight).max() <= 2


def test_16_bit_photograph_is_scaled_without_losing_bits_or_bleeding(tmp_path):
    pixels = np.full((40, 80, 4), 30_001, np.uint16)
    pixels[:, 40:] = (65_535, 0, 0, 0)
    write_picture(tmp_path / "x.png", Picture(40, 80, 4, "uint16", pixels.tobytes()))
    found = array(read_photograph(tmp_path / "x.png", longest_px=20)[0])
    assert found.shape == (10, 20, 4)
    visible = found[found[..., 3] > 1000][:, :3].astype(int)
    assert np.abs(visible - 30_001).max() < 40
    assert found[0, 0].tolist() == [30_001] * 4 and found[0, -1, 3] == 0


@pytest.mark.parametrize("damage", ["cut", "lied"])
@pytest.mark.parametrize("ending", DEEP)
def test_damaged_16_bit_file_is_unreadable(tmp_path, ending, damage):
    path = tmp_path / f"x{ending}"
    write_picture(path, deep())
    data = bytearray(path.read_bytes())
    if damage == "lied":
        data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    path.write_bytes(data if damage == "lied" else data[: len(data) // 2])
    with pytest.raises(PictureUnreadable):
        read_photograph(path)


@pytest.mark.parametrize("ending", KEEPING)
@pytest.mark.parametrize("source", KEEPING)
def test_profile_and_exif_go_from_any_format_to_any(gradient, tmp_path, source, ending):
    gradient.save(tmp_path / f"in{source}", icc_profile=profile(), exif=exif())
    picture, kept = read_photograph(tmp_path / f"in{source}")
    assert write_picture(tmp_path / f"out{ending}", picture, kept=kept) == ()
    found = opened(tmp_path / f"out{ending}")
    assert found.info["icc_profile"] == profile()
    tags = found.getexif()
    assert tags[ExifTags.Base.Artist] == "A. Painter"
    photo = tags.get_ifd(ExifTags.IFD.Exif)
    assert photo[ExifTags.Base.ISOSpeedRatings] == 200
    assert photo[ExifTags.Base.ExifImageWidth] == 64
    assert tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tiff"])
def test_photograph_lying_in_any_way_is_turned_as_pillow_turns_it(tmp_path, ending, orientation):
    corner = Image.new("RGB", (48, 32), "white")
    corner.paste("black", (0, 0, 16, 16))
    corner.paste("red", (0, 16, 16, 32))
    corner.save(tmp_path / f"x{ending}", exif=exif(orientation=orientation))
    method = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(orientation)
    upright = corner if method is None else corner.transpose(Image.Transpose(method))
    picture, kept = read_photograph(tmp_path / f"x{ending}")
    assert to_image(picture).size == upright.size
    assert np.abs(array(picture).astype(int) - np.asarray(upright)).mean() < 3
    write_picture(tmp_path / f"y{ending}", picture, kept=kept)
    assert opened(tmp_path / f"y{ending}").getexif().get(274, 1) == 1


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("ending", DEEP)
def test_16_bit_photograph_is_turned_upright(tmp_path, ending, orientation):
    write_picture(
        tmp_path / f"x{ending}", deep(), kept=KeptMetadata(b"", exif(orientation=orientation))
    )
    found, _ = read_photograph(tmp_path / f"x{ending}")
    turned = np.rot90(array(deep()), {3: 2, 6: -1}[orientation])
    assert np.array_equal(array(found), turned)


@pytest.mark.parametrize("ending", [".png", ".webp", ".tiff"])
def test_transparency_is_kept(picture, tmp_path, ending):
    write_picture(tmp_path / f"x{ending}", picture(20, 30, 4))
    found, _ = read_photograph(tmp_path / f"x{ending}")
    assert np.array_equal(array(found)[..., 3], array(picture(20, 30, 4))[..., 3])


def test_jpeg_shows_white_and_not_what_hides_under_transparency(tmp_path):
    hidden = np.zeros((16, 16, 4), np.uint8)
    write_picture(tmp_path / "x.jpg", Picture(16, 16, 4, "uint8", hidden.tobytes()))
    assert (array(read_picture(tmp_path / "x.jpg")) == 255).all()


@pytest.mark.parametrize("ending", KEEPING)
def test_rubbish_profile_and_huge_profile_are_dropped_from_every_format(gradient, tmp_path, ending):
    for number, data in enumerate((b"rubbish" * 100, profile() + bytes(5 << 20))):
        path = tmp_path / f"{number}{ending}"
        gradient.save(path, icc_profile=data)
        picture, kept = read_photograph(path)
        assert picture.width == 64 and not kept.icc
        assert len(kept.notes) == 1 and "dropped" in kept.notes[0]


def test_profile_that_is_not_for_such_colours_is_dropped(gradient, tmp_path):
    gradient.save(tmp_path / "x.png", icc_profile=profile("LAB"))
    kept = read_photograph(tmp_path / "x.png")[1]
    assert not kept.icc and "not for colours like these" in kept.notes[0]


def test_photograph_keeps_its_numbers_and_the_style_is_brought_to_its_profile(tmp_path):
    red = Image.new("RGB", (8, 8), "red")
    red.save(tmp_path / "x.png", icc_profile=swapped_profile())
    red.save(tmp_path / "plain.png")
    photograph, kept = read_photograph(tmp_path / "x.png")
    assert array(photograph)[0, 0].tolist() == [255, 0, 0] and kept.icc == swapped_profile()
    swapped = array(read_picture(tmp_path / "plain.png", profile=kept.icc))[0, 0]
    assert swapped[2] > 250 and swapped[:2].max() < 5
    assert array(read_picture(tmp_path / "x.png"))[0, 0, 2] > 250
    assert array(read_picture(tmp_path / "x.png", profile=kept.icc))[0, 0].tolist() == [255, 0, 0]


def test_conversion_keeps_transparency(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 77)).save(
        tmp_path / "x.png", icc_profile=swapped_profile()
    )
    assert array(read_picture(tmp_path / "x.png"))[0, 0, 3] == 77


def test_cmyk_becomes_srgb_and_says_so(gradient, tmp_path):
    gradient.convert("CMYK").save(tmp_path / "x.tiff")
    picture, kept = read_photograph(tmp_path / "x.tiff")
    assert picture.channels == 3 and not kept.icc
    assert kept.notes == ("The photograph's CMYK colours became sRGB.",)


def test_jpeg_leaves_out_the_one_tag_that_it_has_no_room_for(gradient, picture, tmp_path):
    gradient.save(tmp_path / "x.tiff", exif=exif(note=100_000))
    _, kept = read_photograph(tmp_path / "x.tiff")
    assert not kept.notes
    (note,) = write_picture(tmp_path / "y.jpg", picture(), kept=kept)
    assert note == "MakerNote of the EXIF data is too large for a JPEG file and was left out."
    found = opened(tmp_path / "y.jpg").getexif()
    assert found[ExifTags.Base.Artist] == "A. Painter"
    assert found.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] == 200
    assert found.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert write_picture(tmp_path / "y.png", picture(), kept=kept) == ()


def test_adobe_rgb_that_a_camera_names_without_a_profile_is_seen_as_such(tmp_path):
    named = Image.Exif()
    named[ExifTags.IFD.Exif] = {
        ExifTags.Base.ColorSpace: 65535,
        ExifTags.IFD.Interop: {ExifTags.Interop.InteropIndex: "R03"},
    }
    image = Image.new("RGB", (16, 16), (200, 100, 50))
    image.save(tmp_path / "x.jpg", exif=named.tobytes(), quality=98)
    image.save(tmp_path / "adobe.png", icc_profile=imagecodecs.cms_profile("adobergb"))
    expected = array(read_picture(tmp_path / "adobe.png"))[0, 0].astype(int)
    found = array(read_picture(tmp_path / "x.jpg"))[0, 0].astype(int)
    assert np.abs(found - expected).max() <= 2 and expected[0] > 205
    assert read_photograph(tmp_path / "x.jpg")[1].icc


def one_way_profile():
    """A scanner's: a table from its colours to L*a*b*, here those of sRGB, and no way back."""
    corners = np.array(list(np.ndindex(2, 2, 2)), np.uint8)[None] * 255
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(Image.fromarray(corners, "RGB"), to_lab)
    table = np.asarray(lab).copy()
    table[..., 1:] ^= 128
    straight = bytes(range(256)) * 3
    unit = b"".join(struct.pack(">i", 65536 * (at % 4 == 0)) for at in range(9))
    lut = b"mft1" + bytes(4) + b"\3\3\2\0" + unit + straight + table.tobytes() + straight
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"text" + bytes(4) + b"none\0\0\0\0"
    about = b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(78 + 8)
    tags, body, at = [], b"", 128 + 4 + 4 * 12
    for name, content in ((b"A2B0", lut), (b"wtpt", white), (b"cprt", text), (b"desc", about)):
        tags.append(name + struct.pack(">II", at + len(body), len(content)))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I", at + len(body)) + bytes(4) + b"\2\x40\0\0" + b"scnrRGB Lab "
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return head + struct.pack(">I", 4) + b"".join(tags) + body


def test_scanner_s_profile_without_a_way_back_becomes_srgb_and_says_so(tmp_path):
    corners = Image.new("RGB", (8, 8), "red")
    corners.save(tmp_path / "x.png", icc_profile=one_way_profile())
    picture, kept = read_photograph(tmp_path / "x.png")
    assert np.abs(array(picture)[0, 0].astype(int) - (255, 0, 0)).max() < 12
    assert not kept.icc and len(kept.notes) == 1 and "sRGB instead" in kept.notes[0]
