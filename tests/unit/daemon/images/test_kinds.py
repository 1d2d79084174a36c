"""Which picture of a file is taken, and what a painter hears of a file that is not read."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from tests.unit.daemon.images.picture_kinds import psd, tiff

from impasto_daemon.images.kinds import name_kind
from impasto_daemon.images.pictures import read_photograph, read_picture, read_style
from impasto_daemon.images.tiff import _Page, _with_tag
from impasto_protocol.errors import (
    PictureRejected,
    PictureUnreadable,
    StyleRejected,
    StyleUnreadable,
)


def pages(*pictures, folder, ending=".tif"):
    """A TIFF of pages, each an array and its NewSubfileType."""
    path = folder / f"x{ending}"
    for number, (pixels, kind) in enumerate(pictures):
        photometric = "rgb" if pixels.ndim == 3 else "minisblack"
        data = imagecodecs.tiff_encode(
            pixels, photometric=photometric, subfiletype=kind,
            **({"appendto": path.read_bytes()} if number else {}),
        )  # fmt: skip
        path.write_bytes(data)
    return path


THUMBNAIL = np.zeros((16, 24, 3), np.uint8)
PICTURE = np.full((48, 64, 3), 200, np.uint8)


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("before", [1, 2])
def test_thumbnail_before_the_picture_is_not_what_is_painted(tmp_path, kind, before):
    picture = (PICTURE / 255).astype("f4") if kind == "f4" else PICTURE.astype(kind)
    picture = picture * 257 if kind == "u2" else picture
    path = pages(*[(THUMBNAIL, 1)] * before, (picture, 0), folder=tmp_path)
    photo, kept = read_photograph(path)
    assert (photo.width, photo.height) == (64, 48) and not kept.notes
    assert bytes(read_style(path)[0].data) == PICTURE.tobytes()


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_tiff_of_either_byte_order_and_of_64_bits_is_read(tmp_path, kind, big, order):
    picture = (PICTURE / 255).astype("f4") if kind == "f4" else PICTURE.astype(kind)
    picture = picture * 257 if kind == "u2" else picture
    data = b""
    for pixels, reduced in ((THUMBNAIL, 1), (picture, 0)):
        # A copy, as imagecodecs swaps the bytes of the array itself.
        data = imagecodecs.tiff_encode(
            pixels.copy(), photometric="rgb", bigtiff=big, byteorder=order, subfiletype=reduced,
            **({"appendto": data} if data else {}),
        )  # fmt: skip
    (tmp_path / "x.tif").write_bytes(data)
    assert (b"+" in data[2:4]) == big and (data[:1] == b"I") == (order == "<")
    photo, kept = read_photograph(tmp_path / "x.tif")
    assert (photo.width, photo.height) == (64, 48) and not kept.notes
    assert bytes(read_style(tmp_path / "x.tif")[0].data) == PICTURE.tobytes()


@pytest.mark.parametrize("photometric", ["rgb", "palette", "minisblack", "miniswhite"])
@pytest.mark.parametrize("order", ["little", "big"])
def test_bigtiff_of_any_colours_is_read_with_what_it_says(tmp_path, photometric, order):
    tones = np.linspace(0, 255, 48 * 64).astype(np.uint8).reshape(48, 64)
    more = {}
    if photometric == "palette":
        more["colormap"] = np.arange(256, dtype="u2").repeat(3).reshape(256, 3).T * 257
    stored = {"rgb": tones[..., None].repeat(3, 2), "miniswhite": 255 - tones}
    data = imagecodecs.tiff_encode(
        stored.get(photometric, tones).copy(), photometric=photometric, bigtiff=True,
        byteorder={"big": ">", "little": "<"}[order], resolution=(300, 300), subfiletype=2, **more,
    )  # fmt: skip
    # An orientation in the place of NewSubfileType, which makes no difference here.
    was, now = (
        b"".join(number.to_bytes(size, order) for number, size in entry)
        for entry in (
            ((254, 2), (4, 2), (1, 8), (2, 4)),
            ((274, 2), (3, 2), (1, 8), (6, 2), (0, 2)),
        )
    )
    assert data.count(was) == 1
    (tmp_path / "x.tif").write_bytes(data.replace(was, now))
    photo, kept = read_photograph(tmp_path / "x.tif")
    assert (photo.width, photo.height, photo.dtype) == (48, 64, "uint8")
    pixels = np.frombuffer(photo.data, np.uint8).reshape(64, 48, 3)
    assert np.array_equal(pixels[..., 0], np.rot90(tones, -1))
    assert kept.dpi == (300, 300) and not kept.notes


def test_thumbnail_and_mask_after_the_picture_are_no_pages(tmp_path):
    path = pages((PICTURE, 0), (THUMBNAIL, 1), (THUMBNAIL, 4), folder=tmp_path)
    photo, kept = read_photograph(path)
    assert photo.width == 64 and not kept.notes


def test_file_with_a_thumbnail_only_is_refused(tmp_path):
    with pytest.raises(PictureRejected, match="thumbnail only"):
        read_photograph(pages((THUMBNAIL, 1), folder=tmp_path))


def test_pages_of_a_tiff_that_are_left_are_said(tmp_path):
    path = pages((PICTURE, 0), (THUMBNAIL, 0), (PICTURE, 0), folder=tmp_path)
    photo, kept = read_photograph(path)
    assert photo.width == 64
    assert kept.notes == ("The file has 3 pages; the first was taken.",)
    assert read_style(path)[1] == ("Style picture: The file has 3 pages; the first was taken.",)


def test_pages_that_lead_to_each_other_end(tmp_path):
    path = pages((PICTURE, 0), (PICTURE, 0), folder=tmp_path)
    data = path.read_bytes()
    first = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[first : first + 2], "little")
    at = first + 2 + count * 12
    path.write_bytes(data[:at] + data[4:8] + data[at + 4 :])
    assert read_photograph(path)[0].width == 64


@pytest.mark.parametrize("ending", [".gif", ".webp", ".png"])
def test_frames_that_are_left_are_said(tmp_path, ending):
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / f"x{ending}", save_all=True, append_images=frames[1:])
    photo, kept = read_photograph(tmp_path / f"x{ending}")
    red = np.frombuffer(photo.data, np.uint8)[:3].tolist()
    assert red[0] > 240 and max(red[1:]) < 15
    assert kept.notes == ("The file has 3 frames; the first was taken.",)
    assert len(read_style(tmp_path / f"x{ending}")[1]) == 1


def file_box(brand, *more):
    brands = brand + b"\0\0\0\0" + b"".join(more)
    return (8 + len(brands)).to_bytes(4) + b"ftyp" + brands + bytes(200)


UNREAD = {
    "raw photograph (CR3)": file_box(b"crx "),
    "film (MP4, QuickTime)": file_box(b"isom", b"avc1"),
    "XCF (GIMP)": b"gimp xcf v011" + bytes(100),
    "Krita": b"PK\3\4" + bytes(26) + b"mimetypeapplication/x-krita" + bytes(100),
    "SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "web page": b"<!DOCTYPE html><html>",
    "PDF": b"%PDF-1.7\n",
    "icon (ICO)": b"\0\0\1\0\1\0" + bytes(40),
    "text": b"not a picture",
}


@pytest.mark.parametrize("kind", UNREAD)
def test_file_that_is_not_read_is_called_by_its_kind_whatever_its_name(tmp_path, kind):
    (tmp_path / "x.jpg").write_bytes(UNREAD[kind])
    with pytest.raises(PictureRejected) as found:
        read_photograph(tmp_path / "x.jpg")
    assert str(found.value) == f"The photo x.jpg is of a kind that is not read: {kind}."
    assert "photo" in found.value.next_step and found.value.code == "PICTURE_REJECTED"
    with pytest.raises(StyleRejected) as found:
        read_style(tmp_path / "x.jpg")
    assert "style picture x.jpg" in str(found.value) and kind in str(found.value)
    assert "style picture" in found.value.next_step


@pytest.mark.parametrize(
    ("kind", "helps"),
    [
        ("raw photograph (CR3)", "darktable"),
        ("film (MP4, QuickTime)", "frame"),
        ("XCF (GIMP)", "in GIMP"),
        ("Krita", "in Krita"),
        ("SVG", "as large as"),
        ("web page", "itself"),
        ("PDF", "page"),
        ("icon (ICO)", "in an editor"),
    ],
)
def test_next_step_helps_for_that_kind(tmp_path, kind, helps):
    (tmp_path / "x.jpg").write_bytes(UNREAD[kind])
    with pytest.raises(PictureRejected) as found:
        read_photograph(tmp_path / "x.jpg")
    assert helps in found.value.next_step and "{" not in found.value.next_step


@pytest.mark.parametrize(
    ("data", "helps"), [(b"", "Copy the photo"), (b"P5 1 1 255 1", "editor"), (b"\x89P", "editor")]
)
def test_next_step_helps_for_a_file_of_nothing_known(tmp_path, data, helps):
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(PictureRejected) as found:
        read_photograph(tmp_path / "x.png")
    assert helps in found.value.next_step


def test_picture_of_too_many_pixels_is_to_be_scaled_down(tmp_path):
    Image.new("1", (20_100, 10_000)).save(tmp_path / "x.png")
    with pytest.raises(PictureRejected, match="200 megapixels") as found:
        read_photograph(tmp_path / "x.png")
    assert found.value.next_step == "Scale the photo down in an editor first."


@pytest.mark.parametrize(
    "tags", [{"t50706": b"\1\4\0\0"}, {"t262": 32803}, {"t254": 1, "t330": (8,)}]
)
def test_raw_photograph_in_a_tiff_is_to_be_developed(tmp_path, tags):
    photometric = tags.pop("t262", 1)
    (tmp_path / "x.tif").write_bytes(tiff(np.zeros((8, 8), np.uint16), photometric, **tags))
    with pytest.raises(StyleRejected, match="raw") as found:
        read_style(tmp_path / "x.tif")
    assert "Develop the style picture" in found.value.next_step


@pytest.mark.parametrize("brands", [(b"heic", b"mif1"), (b"mif1", b"heic"), (b"mif1", b"MiHB")])
def test_heic_is_known_by_any_of_its_brands(brands):
    assert name_kind(file_box(*brands)) in ("HEIC", "HEIF")


@pytest.mark.parametrize(("data", "said"), [(b"", "is empty"), (bytes(99), "of a known kind")])
def test_file_of_nothing_known_is_said_to_be_that(tmp_path, data, said):
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(PictureRejected, match=said):
        read_photograph(tmp_path / "x.png")


def test_file_that_does_not_exist_is_said_to_be_that(tmp_path):
    with pytest.raises(PictureUnreadable, match=r"There is no file .*none\.jpg") as found:
        read_photograph(tmp_path / "none.jpg")
    assert "save" not in found.value.next_step and not isinstance(found.value, StyleUnreadable)
    with pytest.raises(StyleUnreadable, match=r"There is no file .*the style picture"):
        read_style(tmp_path / "none.jpg")
    with pytest.raises(PictureUnreadable, match="There is no file"):
        read_picture(tmp_path / "folder" / "none.jpg")


def test_damaged_photo_is_not_called_a_style(tmp_path):
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, "PNG")
    (tmp_path / "x.png").write_bytes(buffer.getvalue()[:1000])
    with pytest.raises(PictureUnreadable, match=r"The photo x\.png is damaged"):
        read_photograph(tmp_path / "x.png")
    with pytest.raises(StyleUnreadable, match=r"The style picture x\.png is damaged"):
        read_style(tmp_path / "x.png")


def test_picture_without_a_pixel_is_damaged_however_wide_it_is_said_to_be(tmp_path):
    (tmp_path / "x.psd").write_bytes(psd(np.zeros((0, 1 << 20, 3), np.uint16)))
    with pytest.raises(PictureUnreadable, match="damaged"):
        read_photograph(tmp_path / "x.psd")


def test_page_that_is_said_to_have_endless_tags_is_read_to_the_end_of_the_file(tmp_path):
    """A camera's, so that its orientation is looked for among them."""
    data = bytearray(imagecodecs.tiff_encode(PICTURE, photometric="rgb", bigtiff=True))
    first = int.from_bytes(data[8:16], "little")
    assert _with_tag(bytes(data), _Page(first, {}), 60000, 1) == data
    data[first : first + 8] = b"\xff" * 8
    assert _with_tag(bytes(data), _Page(first, {}), 60000, 1) == data


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".bmp", ".gif", ".tif", ".avif"])
def test_pictures_under_a_wrong_name_are_read_by_their_first_bytes(tmp_path, ending):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, Image.registered_extensions()[ending])
    assert name_kind(buffer.getvalue()).lower()[:3] in ending.replace("jpg", "jpeg")
    (tmp_path / "x.dat").write_bytes(buffer.getvalue())
    assert read_picture(tmp_path / "x.dat").width == 8


def test_picture_that_takes_more_memory_than_there_is_is_not_called_damaged(tmp_path, monkeypatch):
    def decode(data, ending):
        raise MemoryError

    monkeypatch.setattr("impasto_daemon.images.pictures.decode", decode)
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")
    with pytest.raises(PictureRejected, match="more memory than there is"):
        read_photograph(tmp_path / "x.png")
