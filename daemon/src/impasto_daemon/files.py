"""The one way Impasto writes a file, whole or not at all, and the one way it opens a stranger's."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from impasto_protocol import connection
from impasto_protocol.errors import DiskFull, NotWritten


def write_file(target: Path, content: bytes) -> Path:
    """Put `content` at `target`, in a folder that is made for it, whole or not at all.

    Raises NotWritten, or DiskFull when that is why; the old file is then untouched.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return connection.write_file(target, content)
    except OSError as error:
        raise not_written(f"{target} could not be written", error) from error


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
