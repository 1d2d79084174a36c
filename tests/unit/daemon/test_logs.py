"""The log rotates, and a disk that refuses it does not matter."""

import logging
import shutil
from pathlib import Path

import pytest

from impasto_daemon.logs import log_to, rotate, written


@pytest.fixture(autouse=True)
def own_logging():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = before, level


@pytest.fixture(params=["renamed", "copied"])
def moved(request, monkeypatch):
    """As elsewhere, and as on Windows, where nothing that is open is renamed."""
    replace = Path.replace

    def refuse(self, to):
        if self.suffix == ".log":
            raise PermissionError
        return replace(self, to)

    if request.param == "copied":
        monkeypatch.setattr(Path, "replace", refuse)


@pytest.mark.usefixtures("moved")
def test_log_that_has_grown_is_put_aside_and_three_are_kept(tmp_path):
    file = tmp_path / "log" / "daemon.log"
    log_to(file, "info")
    for number in range(6):
        file.write_bytes(b"x" * (3 << 20) + b"%d" % number)
        rotate(file)
        logging.getLogger("test").info("line %d", number)
    assert sorted(path.name for path in file.parent.iterdir()) == [
        "daemon.log", "daemon.log.1", "daemon.log.2", "daemon.log.3",
    ]  # fmt: skip
    assert next(written(file, 5)).endswith("line 5\n")
    kept = [file.with_name(f"daemon.log.{number}").read_text()[-1] for number in (1, 2, 3)]
    assert kept == ["5", "4", "3"]


@pytest.mark.usefixtures("moved")
def test_log_that_is_followed_says_each_line_once_also_across_a_rotation(tmp_path):
    file = tmp_path / "daemon.log"
    assert next(written(file, 2)) == ""
    pieces = written(file, 2)
    file.write_text("a\nsame\nb\nsame\n")
    assert next(pieces) == "b\nsame\n"
    assert next(pieces) == ""
    log_to(file, "info")
    file.write_bytes(file.read_bytes() + b"x" * (3 << 20) + b"\nsame\n")
    assert next(pieces).endswith("x\nsame\n")
    with file.open("a") as opened:
        opened.write("last\n")
    at_once = next(pieces)
    rotate(file)
    logging.getLogger("test").info("first")
    assert at_once + next(pieces).split(" ")[-1] == "last\nfirst\n"
    assert next(pieces) == ""


def test_last_lines_before_a_rotation_are_said_though_nobody_looked_in_between(tmp_path):
    file = tmp_path / "daemon.log"
    file.write_bytes(b"x" * (3 << 20) + b"\n")
    pieces = written(file, 1)
    next(pieces)
    with file.open("a") as opened:
        opened.write("last\n")
    rotate(file)
    file.write_text("first\n")
    assert next(pieces) == "last\nfirst\n"


def test_small_log_stays(tmp_path):
    file = tmp_path / "daemon.log"
    file.write_text("one\ntwo\nthree\n")
    rotate(file)
    assert next(written(file, 2)) == "two\nthree\n"


def test_folder_that_cannot_be_made_silences_the_log(tmp_path):
    (tmp_path / "file").touch()
    log_to(tmp_path / "file" / "daemon.log", "info")
    logging.getLogger("test").error("nobody hears this")
    assert next(written(tmp_path / "file" / "daemon.log", 3)) == ""


@pytest.mark.parametrize("damage", ["gone", "a file"])
def test_log_whose_folder_goes_falls_silent_and_comes_back(tmp_path, damage):
    file = tmp_path / "log" / "daemon.log"
    log_to(file, "info")
    shutil.rmtree(file.parent)
    if damage == "a file":
        file.parent.touch()
    for number in range(3):
        logging.getLogger("test").info("nobody hears of %d", number)
    file.parent.unlink(missing_ok=True)
    file.parent.mkdir()
    logging.getLogger("test").info("heard again")
    assert next(written(file, 5)).endswith("heard again\n")
