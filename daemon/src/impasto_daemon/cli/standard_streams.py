"""`-` for a picture: standard input read and standard output written as if they were files."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from impasto_daemon.cli.output import console

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
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        file = Path(folder) / "standard input"
        with file.open("wb") as opened:
            shutil.copyfileobj(sys.stdin.buffer, opened)
        yield file


@contextmanager
def output_file(path: Path) -> Iterator[Path]:
    """The path, or a file that goes to standard output, as PNG, if that is what it names.

    What people are told then goes to standard error.
    """
    if not is_output(path):
        yield path
        return
    console.file = sys.stderr
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        file = Path(folder) / "painting.png"
        yield file
        if file.exists():  # or it was not painted
            with file.open("rb") as opened:
                shutil.copyfileobj(opened, sys.stdout.buffer)
            sys.stdout.buffer.flush()
