"""The one way Impasto writes a file, whole or not at all, and the one way it opens a stranger's."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import stat
import tempfile
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path

from impasto_protocol import connection
from impasto_protocol.errors import DiskFull, NotWritten


def write_file(target: Path, content: bytes, mode: int | None = 0o644) -> Path:
    """Put `content` at `target`, in a folder that is made for it alone, whole or not at all.

    mode: as `connection.write_file` has it. A link is replaced. Raises NotWritten, or DiskFull when
    that is why; the old file is then untouched.
    """
    try:
        connection.make_folders(target.parent)
        return connection.write_file(target, content, mode)
    except OSError as error:
        raise not_written(f"{target} could not be written", error) from error


def clear_temporary(folder: Path, before: float = math.inf) -> None:
    """Remove what processes that were killed in `write_file` have left in a folder.

    before: what was written to since, in seconds of the clock, may be another's and stays.
    """
    for left in folder.glob(f"{connection.TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < before:
                left.unlink()


def write_named(target: Path, content: bytes) -> Path:
    """As `write_file`, where a person names `target`: as any program writes it, through a link."""
    return write_file(check_file(target), content, mode=None)


def check_file(target: Path) -> Path:
    """The file to write where a person names `target`: a link of theirs is followed.

    Raises NotWritten when something is there that is not to be replaced.
    """
    file = Path(os.path.realpath(target))
    try:
        mode = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return file
    except OSError as error:
        raise not_written(f"{target} could not be written", error) from error
    if stat.S_ISDIR(mode):
        raise NotWritten(f"{target} is a folder.", next_step="Name a file in it.")
    if not stat.S_ISREG(mode):
        raise NotWritten(
            f"{target} is a pipe or a device, not a file.", next_step="Choose another name."
        )
    if not os.access(file, os.W_OK):
        raise NotWritten(
            f"{target} is write-protected.",
            next_step="Choose another name, or take the protection off.",
        )
    return file


def check_place(path: Path, missing_folder: str = "Correct its name, or make it.") -> Path:
    """The folder of `path`, a link followed, to which some file can be written.

    Raises NotWritten, DiskFull. missing_folder: the next step where there is none.
    """
    folder = check_file(path).parent
    if not folder.is_dir():
        raise NotWritten(f"There is no folder {folder}.", next_step=missing_folder)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=connection.TEMPORARY):
            pass
    except OSError as error:
        raise not_written(f"{folder} cannot be written to", error) from error
    return folder


def check_apart(output: Path, inputs: Iterable[Path]) -> None:
    """Make sure that a file that nobody named exactly replaces none of `inputs`.

    Raises NotWritten.
    """
    for path in inputs:
        with contextlib.suppress(OSError):  # one of them is not there
            if output.samefile(path):
                raise NotWritten(
                    f"{output} would be replaced, which it is painted from.",
                    next_step="Name another file with -o.",
                )


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it is in. Raises NotWritten."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(f"{folder} could not be made", error) from error


def not_written(words: str, error: OSError) -> NotWritten:
    """The error for a file that could not be written, as `error` says why."""
    full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return (DiskFull if full else NotWritten)(f"{words}: {error.strerror or error}.")


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading, but no folder, and no pipe or device that one could wait on.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file")
    return os.fdopen(descriptor, "rb")
