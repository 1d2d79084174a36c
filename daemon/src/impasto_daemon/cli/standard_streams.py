"""`-` for a picture: standard input read and standard output written as if they were files."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from impasto_daemon.cli.output import console
from impasto_daemon.cli.painting_run import kept_elsewhere
from impasto_daemon.files import not_written, write_file
from impasto_protocol.errors import NotWritten, PictureUnreadable

_INPUT = {"-", "/dev/stdin", "/dev/fd/0"}
_OUTPUT = {"-", "/dev/stdout", "/dev/fd/1"}


def is_input(path: Path | None) -> bool:
    """Whether a path names standard input."""
    return str(path) in _INPUT


def is_output(path: Path | None) -> bool:
    """Whether a path names standard output."""
    return str(path) in _OUTPUT


@contextmanager
def input_file(path: Path) -> Iterator[Path]:
    """The path, or a file with all of standard input if that is what it names."""
    if not is_input(path):
        yield path
        return
    if sys.stdin is None:
        raise PictureUnreadable(
            "There is no standard input.", next_step="Name the file of the picture."
        )
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="impasto-"))
            file = Path(folder) / "standard input"
            with file.open("wb") as opened:
                shutil.copyfileobj(sys.stdin.buffer, opened)
        except OSError as error:
            words = "Standard input could not be put into a temporary file"
            raise not_written(words, error) from error
        yield file


@contextmanager
def output_file(path: Path) -> Iterator[Path]:
    """The path, or a file that goes to standard output, as PNG, if that is what it names.

    What people are told then goes to standard error.
    """
    if not is_output(path):
        yield path
        return
    if sys.stdout is None:
        raise NotWritten("There is no standard output.", next_step="Name a file with --output.")
    console.file = sys.stderr
    try:
        folder = Path(tempfile.mkdtemp(prefix="impasto-"))
    except OSError as error:
        raise not_written("There is no place for temporary files", error) from error
    file = folder / "painting.png"
    try:
        yield file
        if file.exists():  # or it was not painted
            _write(file)
    finally:
        file.unlink(missing_ok=True)
        with suppress(OSError):  # a painting that could not be written otherwise is kept there
            folder.rmdir()


def _write(file: Path) -> None:
    """Write the painting to standard output. Raises NotWritten, and says where it is instead."""
    try:
        with file.open("rb") as opened:
            shutil.copyfileobj(opened, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as error:
        sys.stdout.flush()  # to what drops the rest
        refusal = not_written("Standard output could not be written to", error)
        content = file.read_bytes()
        raise kept_elsewhere(refusal, file.stem, [], lambda to: write_file(to, content)) from error
