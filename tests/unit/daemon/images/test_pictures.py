"""Picture files of every kind a painter may have, to 8-bit RGB or RGBA and back."""

import numpy as np
import pytest
from PIL import Image

from impasto_daemon.images.contact_sheet import make_contact_sheet, make_sheet
from impasto_daemon.images.pictures import read_picture, write_picture
from impasto_protocol.errors import NotWritten, PictureRejected, PictureUnreadable


@pytest.fixture
def gradient():
    return Image.linear_gradient("L").resize((64, 48)).convert("RGB")


def saved(image, path, **options):
    image.save(path, **options)
    return read_picture(path)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "F"])
def test_every_mode_becomes_8_bit_rgb_or_rgba(gradient, tmp_path, mode):
    source = gradient.convert("L").convert(mode) if mode != "LAB" else gradient
    path = tmp_path / ("x.png" if mode in ("1", "L", "LA", "P", "RGB", "RGBA") else "x.tiff")
    found = saved(source, path)
    assert (found.height, found.width, found.dtype) == (48, 64, "uint8")
    assert found.channels == (4 if mode in ("LA", "RGBA") else 3)


def test_16_bit_grey_keeps_its_tones(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, -1).repeat(4, 0)
    found = saved(Image.fromarray(ramp), tmp_path / "x.png")
    assert list(bytes(found.data)[: 256 * 3 : 3]) == [
        round(value / 257) for value in ramp[0].tolist()
    ]


def test_photograph_is_turned_upright(gradient, tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    assert (saved(gradient, tmp_path / "x.jpg", exif=exif).height) == 64


def test_first_frame_of_an_animation_is_taken(gradient, tmp_path):
    other = Image.new("RGB", gradient.size, "red")
    found = saved(gradient, tmp_path / "x.gif", save_all=True, append_images=[other])
    assert found.height == 48


def test_colour_profile_that_is_rubbish_does_no_harm(gradient, tmp_path):
    assert saved(gradient, tmp_path / "x.jpg", icc_profile=b"rubbish" * 100).width == 64


def test_large_picture_is_scaled_to_the_edge_asked_for(gradient, tmp_path):
    gradient.save(tmp_path / "x.png")
    found = read_picture(tmp_path / "x.png", longest_px=16)
    assert (found.width, found.height) == (16, 12)


@pytest.mark.parametrize("ending", [".png", ".webp", ".tiff", ".bmp", ".jpg"])
def test_picture_comes_back_from_its_file(picture, tmp_path, ending):
    path = tmp_path / f"x{ending}"
    assert write_picture(path, picture(20, 30, 3)) == ()
    found = read_picture(path)
    assert (found.height, found.width) == (20, 30)
    if ending in (".png", ".tiff", ".bmp"):
        assert bytes(found.data) == bytes(picture(20, 30, 3).data)


def test_unknown_ending_is_refused_before_anything_is_written(picture, tmp_path):
    with pytest.raises(PictureRejected):
        write_picture(tmp_path / "x.exe", picture())
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_said(picture, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotWritten):
        write_picture(tmp_path / "file" / "x.png", picture())


def test_folder_and_missing_file_are_unreadable(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(PictureUnreadable):
            read_picture(path)


def test_sheet_holds_all_pictures_side_by_side(picture):
    sheet = make_sheet([picture(30, 40), picture(50, 50), picture(60, 80, 4)])
    assert (sheet.height, sheet.width) == (76, 80 + 60 + 80 + 4 * 8)


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def test_contact_sheet_is_a_grid_of_small_pictures_with_labels(picture):
    sheet = make_contact_sheet([picture(480, 960, seed=i) for i in range(5)], list("abcde"))
    assert (sheet.height, sheet.width) == (2 * (240 + 28 + 8) + 8, 3 * (480 + 8) + 8)
    pixels = array(sheet)
    below = [pixels[8 + row * 276 + 240 : 284 + row * 276, 8 + column * 488 : 488 + column * 488]
             for row, column in ((0, 0), (0, 1), (1, 0))]  # fmt: skip
    assert all(label.min() < 50 for label in below)
    assert not np.array_equal(below[0], below[1])
    assert (pixels[284:, 2 * 488 + 8 :] == 255).all(), "the sixth place is empty"


def test_contact_sheet_has_room_for_a_label_wider_than_its_picture(picture):
    sheet = make_contact_sheet([picture(10, 10), picture(10, 10)], ["1: seed 9007199254740992"] * 2)
    assert sheet.width > 2 * 150


def test_picture_that_is_written_anew_stays_as_private_as_it_was(picture, tmp_path):
    (tmp_path / "x.png").touch(0o600)
    write_picture(tmp_path / "x.png", picture())
    assert (tmp_path / "x.png").stat().st_mode & 0o777 == 0o600
