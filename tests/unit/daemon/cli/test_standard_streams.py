"""Standard input and output as pictures, where the disk has no place for them."""

import errno
import io
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from impasto_daemon.cli.output import console
from impasto_daemon.cli.paint import apply
from impasto_daemon.cli.painting_run import OutputFiles
from impasto_daemon.cli.recipe import Recipe
from impasto_daemon.cli.standard_streams import input_file, output_file
from impasto_daemon.images import pictures
from impasto_daemon.images.pictures import write_picture
from impasto_protocol.client import new_job_id
from impasto_protocol.errors import DiskFull, NotWritten, PictureUnreadable
from impasto_protocol.messages import Result
from impasto_protocol.settings import Settings


@pytest.fixture(autouse=True)
def streams(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(bytes(8))))
    monkeypatch.setattr(console, "_file", None)


@pytest.mark.parametrize("file", [input_file, output_file])
def test_missing_folder_of_temporary_files_is_told(tmp_path, monkeypatch, file):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(NotWritten, match="temporary file"), file(Path("-")):
        pass


def test_full_disk_of_temporary_files_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(DiskFull, match="Standard input"), input_file(Path("-")):
        pass
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("fails", [False, True])
def test_painting_for_standard_output_that_is_told_as_kept_is(
    home, tmp_path, monkeypatch, capsysbinary, picture, fails
):
    left = [OSError("no")] * fails

    def write(*arguments, **named):
        if left:
            raise left.pop()
        return write_picture(*arguments, **named)

    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(pictures, "write_picture", write)
    result = Result(job=new_job_id(), steps=1, seconds=1, device="cpu", weights="w", style="s")
    error = None
    with output_file(Path("-")) as file:
        try:
            OutputFiles().write(file, picture(), Recipe(Settings(), (), {}), result)
        except NotWritten as raised:
            error = raised
    kept = [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()]
    assert bool(kept) == fails == (not capsysbinary.readouterr().out)
    if fails:
        assert f"kept as {kept[0]}" in str(error)
        with Image.open(kept[0]) as image:
            assert image.size == (picture().width, picture().height)
    else:
        assert not [*(tmp_path / "tmp").iterdir()]


def test_folder_that_one_is_in_is_no_photo(home, monkeypatch):
    monkeypatch.chdir(home)
    with pytest.raises(PictureUnreadable):
        apply.main([".", "--style", "s.jpg"], standalone_mode=False)
