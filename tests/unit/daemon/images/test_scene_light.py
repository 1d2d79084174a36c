"""OpenEXR and Radiance HDR: light of a scene comes out as an editor shows it."""

import io

import imagecodecs
import numpy as np
import OpenEXR
import pytest
from tests.unit.daemon.images.picture_kinds import COLOURS, RGB, exr, light, radiance

from impasto_daemon.images import exr as exr_files
from impasto_daemon.images.cicp import srgb_to_linear
from impasto_daemon.images.pictures import read_photograph, read_style
from impasto_protocol.errors import PictureRejected, PictureUnreadable

PATCHES = COLOURS.astype(int)
REC_2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
ACES_AP0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, 0.32168, 0.33767)
SRGB_TO_REC_2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)
"""ITU-R BT.2087, table 2."""


def array(picture):
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def read(folder, data, ending=".exr"):
    """The photo of 0 to 1, the style of 0 to 255, and what the photo's painting keeps."""
    (folder / f"x{ending}").write_bytes(data)
    photo, kept = read_photograph(folder / f"x{ending}")
    style, notes = read_style(folder / f"x{ending}")
    assert photo.dtype == "uint16" and len(notes) == len(kept.notes)
    return array(photo) / 65535, array(style).astype(int), kept


def test_exr_shows_half_its_light_as_188(tmp_path):
    photo, style, kept = read(tmp_path, exr({"RGB": np.full((4, 6, 3), 0.5, "f4")}))
    assert photo.shape == (4, 6, 3) and np.abs(photo * 255 - 187.5).max() < 0.1
    assert (style == 188).all() and kept.icc == b"" and not kept.notes


def test_exr_wider_than_srgb_keeps_its_colours_and_says_whose_they_are(tmp_path):
    wide = (light(RGB).astype(float) @ SRGB_TO_REC_2020.T).astype("f4")
    photo, style, kept = read(tmp_path, exr({"RGB": wide}, chromaticities=REC_2020))
    assert np.abs(style[16::32, 16::32] - PATCHES).max() <= 1 and kept.icc
    assert np.abs(photo[16::32, 16::32] * 255 - PATCHES).max() > 5, "other numbers"


def test_exr_of_aces_has_white_as_white(tmp_path):
    _, style, kept = read(tmp_path, exr({"RGB": np.ones((4, 4, 3), "f4")}, chromaticities=ACES_AP0))
    assert style.min() >= 254 and kept.icc


def test_exr_of_chromaticities_that_make_no_sense_is_taken_for_srgb_and_said(tmp_path):
    data = exr({"RGB": light(RGB)}, chromaticities=(0.3,) * 8)
    _, style, kept = read(tmp_path, data)
    assert np.abs(style[16::32, 16::32] - PATCHES).max() <= 1
    assert not kept.icc and "makes no sense" in kept.notes[0]


def test_exr_s_colours_are_divided_by_their_alpha(tmp_path):
    half = np.full((4, 4, 4), 0.25, "f4")
    half[..., 3] = 0.5
    half[0, 0] = 0
    photo, style, kept = read(tmp_path, exr({"RGBA": half}))
    assert (style[1, 1] == [188, 188, 188, 128]).all() and style[0, 0, 3] == 0 and not kept.notes
    assert np.abs(photo[1, 1, :3] * 255 - 187.5).max() < 0.1


@pytest.mark.parametrize("alpha", ["f2", "f4"])
def test_exr_of_channels_of_several_types_is_read(tmp_path, alpha):
    channels = {name: np.full((4, 4), 0.5, "f2") for name in "RGB"}
    _, style, _ = read(tmp_path, exr({**channels, "A": np.ones((4, 4), alpha)}))
    assert (style[0, 0] == [188, 188, 188, 255]).all()


def test_exr_s_tones_outside_are_cut_off_and_said_and_what_is_no_number_becomes_transparent(
    tmp_path,
):
    odd = np.full((4, 4, 3), 0.5, "f4")
    odd[0, :3] = [[7, -1, 0.5], [np.inf, -np.inf, 0.5], [np.nan, 0, 0]]
    _, style, kept = read(tmp_path, exr({"RGB": odd}))
    assert style[0, :2, :3].tolist() == [[255, 0, 188]] * 2
    assert style[0, 2, 3] == 0 and style[1:, :, 3].min() == 255
    assert "NaN" in kept.notes[0] and "cut off" in kept.notes[1] and len(kept.notes) == 2


@pytest.mark.parametrize("others", [("a.", "z."), ("View.AO.", "View.Normal.")])
@pytest.mark.parametrize("main", ["", "View.Combined."])
def test_exr_s_main_layer_is_taken_and_the_others_are_said(tmp_path, main, others):
    black = {prefix + name: np.zeros((4, 4), "f4") for prefix in others for name in "RGBXYZ"}
    white = {main + name: np.ones((4, 4), "f4") for name in "RGBA"}
    _, style, kept = read(tmp_path, exr({**black, **white}))
    assert (style == 255).all() and style.shape[2] == 4
    assert kept.notes == ("The file has 3 layers; one was taken.",)


def two_parts(*tones):
    def part(number, tone):
        header = {"name": str(number), "type": OpenEXR.scanlineimage}
        return OpenEXR.Part(header, {"RGB": np.full((4, 4, 3), tone, "f4")})

    file = io.BytesIO()
    OpenEXR.File([part(*each) for each in enumerate(tones)]).write(file)
    return file.getvalue()


def test_exr_of_several_parts_has_its_main_one_taken(tmp_path):
    _, style, kept = read(tmp_path, two_parts(1, 0))
    assert (style == 255).all() and kept.notes == ("The file has 2 layers; one was taken.",)


def test_exr_of_several_parts_one_of_which_is_damaged_does_not_give_another(tmp_path):
    data = two_parts(0.75, 0)
    # The bytes of the first part's only chunk, behind its numbers of part, line and length.
    offsets = data.rindex(b"type\0string\0")
    at = next(place for place in range(offsets, len(data) - 8)
              if data[place : place + 8] == bytes(8)
              and 0 < int.from_bytes(data[place + 8 : place + 12], "little") < 200)  # fmt: skip
    with pytest.raises(PictureUnreadable):
        read(tmp_path, data[: at + 12] + b"\xff" * 8 + data[at + 20 :])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_exr_and_radiance_are_unreadable(tmp_path, share):
    noise = np.random.default_rng(0).random((64, 64, 3)).astype("f4")
    for data in (exr({"RGB": noise}), bytes(imagecodecs.rgbe_encode(noise))):
        with pytest.raises(PictureUnreadable):
            read(tmp_path, data[: int(len(data) * share)])


def test_exr_of_a_thousand_megapixels_is_refused_before_it_is_decoded(tmp_path):
    data = exr({"RGB": np.zeros((4, 4, 3), "f4")})
    at = data.index(b"dataWindow\0box2i\0") + len("dataWindow\0box2i\0") + 4
    large = (1 << 15).to_bytes(4, "little")
    with pytest.raises(PictureRejected, match="32769 x 32769 pixels"):
        read(tmp_path, data[: at + 8] + large * 2 + data[at + 16 :])


def test_exr_of_more_layers_than_memory_is_made_for_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(exr_files, "_MOST_NUMBERS", 47)
    with pytest.raises(PictureRejected, match="too many layers"):
        read(tmp_path, exr({"RGB": np.zeros((4, 4, 3), "f4")}))


@pytest.mark.parametrize("order", ["-Y +X", "-Y -X", "+Y +X", "+Y -X",
                                   "+X -Y", "-X -Y", "+X +Y", "-X +Y"])  # fmt: skip
def test_radiance_of_any_order_of_rows_is_upright(tmp_path, order):
    tones = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "f4")
    outer, inner = order.split()
    stored = tones[:: -1 if "+Y" in order else 1, :: -1 if "-X" in order else 1]
    stored = stored.T if outer[1] == "X" else stored
    data = bytes(imagecodecs.rgbe_encode(np.ascontiguousarray(stored[..., None].repeat(3, 2))))
    size = f"\n{outer} {stored.shape[0]} {inner} {stored.shape[1]}\n".encode()
    first = data.index(b"\n-Y")
    data = data[:first] + size + data[data.index(b"\n", first + 1) + 1 :]
    photo, _, kept = read(tmp_path, data, ".hdr")
    assert np.abs(srgb_to_linear(photo[..., 0]) - tones).max() < 0.005 and not kept.notes


def test_radiance_of_other_programs_headers_is_read(tmp_path):
    data = radiance(RGB)
    told = b"#?RGBE\n# a note\nEXPOSURE=1.0\nPRIMARIES=0.64 0.33 0.3 0.6 0.15 0.06 0.3127 0.329\n\n"
    _, style, kept = read(tmp_path, told + data[data.index(b"-Y") :], ".hdr")
    assert np.abs(style[16::32, 16::32] - PATCHES).max() <= 2 and not kept.notes and not kept.icc


def test_radiance_brighter_than_white_is_cut_off_and_said(tmp_path):
    _, style, kept = read(tmp_path, bytes(imagecodecs.rgbe_encode(np.full((4, 4, 3), 9, "f4"))))
    assert (style == 255).all() and "cut off" in kept.notes[0]
