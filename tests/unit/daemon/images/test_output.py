"""A place that a painting could not be written to is refused before it is painted."""

from collections import namedtuple
from pathlib import Path

import pytest

from impasto_daemon.files import check_place
from impasto_daemon.images import output
from impasto_daemon.images.output import check_output
from impasto_protocol.errors import DiskFull, NotWritten, PictureRejected

Usage = namedtuple("Usage", "free")


def test_good_place_is_left_as_it_was(tmp_path):
    check_output(tmp_path / "x.png", 100, 100, 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("ending", "free", "fits"), [
    (".png", 0, False), (".png", 20 << 20, True), (".jpg", 1 << 20, True),
    (".tif", 1 << 20, False), (".bmp", 20 << 20, False),
])  # fmt: skip
def test_disk_that_is_too_full_for_any_such_file_is_said(tmp_path, monkeypatch, ending, free, fits):
    monkeypatch.setattr(output.shutil, "disk_usage", lambda path: Usage(free))
    if fits:
        check_output(tmp_path / f"x{ending}", 3000, 4000, 3)
    else:
        with pytest.raises(DiskFull, match="MiB free"):
            check_output(tmp_path / f"x{ending}", 3000, 4000, 3)


@pytest.mark.parametrize(
    ("ending", "side"), [(".webp", 16_384), (".jpg", 65_501), (".gif", 65_536)]
)
def test_picture_too_large_for_its_format_is_refused_with_the_limit(tmp_path, ending, side):
    check_output(tmp_path / f"x{ending}", 2, side - 1, 3)
    with pytest.raises(PictureRejected, match=str(side - 1)):
        check_output(tmp_path / f"x{ending}", side, 2, 3)


def test_folder_that_cannot_be_written_to_is_said():
    """As root nearly any folder can; that of the processes cannot."""
    with pytest.raises(NotWritten, match="cannot be written to"):
        check_place(Path("/proc/x.png"))
