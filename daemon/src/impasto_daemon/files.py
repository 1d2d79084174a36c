"""The one way Impasto writes a file, whole or not at all, and the one way it opens a stranger's."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from impasto_protocol.errors import DiskFull


def write_file(target: Path, content: bytes | Callable[[BinaryIO], object]) -> Path:
    """Put `content`, or what a function writes, at `target`, replacing what is there.

    A reader finds the old file or the new one, never a part. Raises DiskFull when the disk is
    full or the folder cannot be written to; the old file is then untouched.
    """
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}-")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content) if isinstance(content, bytes) else content(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        raise DiskFull(f"{target} could not be written: {error.strerror or error}.") from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                temporary.unlink()
    return target


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading, but no folder, and no pipe or device that one could wait on.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file")
    return os.fdopen(descriptor, "rb")
