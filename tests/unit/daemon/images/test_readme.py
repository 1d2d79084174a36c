"""Every kind of picture comes out as an editor shows it, and the README's table says how."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from tests.unit.daemon.images.picture_kinds import (
    BY_COLOUR,
    BY_GREY,
    COLOURS,
    EDGE_PX,
    GREYS,
    REFUSED,
)

from impasto_daemon.images.pictures import read_photograph, read_picture, read_style, write_picture
from impasto_protocol.errors import PictureRejected, StyleRejected

README = Path(__file__).parents[4] / "daemon" / "README.md"
HEADING = "## Pictures that are read\n\n"
INTRODUCTION = """\
By their first bytes, whatever their names end in (only a TGA without a footer needs its `.tga`).
`tests/unit/daemon/images/test_readme.py` makes one of each, reads it as photo and as style, and
writes this table when it is run as a program: `PYTHONPATH=. uv run python` and its path.
"""


def quarters(picture):
    """(2, 2, 3) the colours in the middle of each quarter, without alpha."""
    pixels = np.frombuffer(picture.data, picture.dtype)
    pixels = pixels.reshape(picture.height, picture.width, picture.channels)
    middle = slice(EDGE_PX // 4, None, EDGE_PX // 2)
    scale = 255 / np.iinfo(pixels.dtype).max
    return pixels[middle, middle, :3] * scale


def put(folder, name, made):
    path = folder / ("x.tga" if name == "TGA" else "x.jpg")
    path.write_bytes(made[name]())
    return path


def table():
    lines = ["| file | as photo | said |", "|-|-|-|"]
    with tempfile.TemporaryDirectory() as folder:
        for name in BY_COLOUR | BY_GREY:
            picture, kept = read_photograph(put(Path(folder), name, BY_COLOUR | BY_GREY))
            bits = {"uint8": 8, "uint16": 16}[picture.dtype]
            alpha = " with alpha" if picture.channels == 4 else ""
            lines.append(f"| {name} | {bits} bits{alpha} | {' '.join(kept.notes)} |")
        for name in REFUSED:
            with pytest.raises(PictureRejected) as found:
                read_photograph(put(Path(folder), name, REFUSED))
            lines.append(f"| {name} | refused | {found.value} |")
    return "\n".join(lines)


@pytest.mark.parametrize("name", BY_COLOUR | BY_GREY)
def test_four_colours_of_every_kind_come_out_as_they_are_shown(tmp_path, name):
    path = put(tmp_path, name, BY_COLOUR | BY_GREY)
    expected = (COLOURS if name in BY_COLOUR else GREYS).astype(int)
    photo, kept = read_photograph(path)
    write_picture(tmp_path / "painting.png", photo, kept=kept)
    style, notes = read_style(path)
    assert np.abs(quarters(style) - expected).max() <= 3
    assert np.abs(quarters(read_picture(tmp_path / "painting.png")) - expected).max() <= 3
    assert {note.removeprefix("Style picture: ") for note in notes} <= set(kept.notes)


@pytest.mark.parametrize("name", REFUSED)
def test_kind_that_is_not_read_is_named_for_photo_and_style(tmp_path, name):
    path = put(tmp_path, name, REFUSED)
    with pytest.raises(PictureRejected, match="The photo x"):
        read_photograph(path)
    with pytest.raises(StyleRejected, match="The style picture x"):
        read_style(path)


def test_table_of_kinds_is_what_the_code_does():
    _, found = README.read_text(encoding="utf-8").split(HEADING)
    expected = f"{INTRODUCTION}\n{table()}"
    assert found.strip() == expected, "run this file as a program to write the table anew"


if __name__ == "__main__":
    before, _ = README.read_text(encoding="utf-8").split(HEADING)
    README.write_text(f"{before}{HEADING}{INTRODUCTION}\n{table()}\n", encoding="utf-8")
