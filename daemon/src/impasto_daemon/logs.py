"""The log file, which rotates and, where the disk refuses, falls silent."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import os
import shutil
from collections.abc import Iterator
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import BinaryIO

from impasto_protocol.connection import make_folders

_LARGEST_BYTES = 2 << 20
_KEPT = 3


class _Log(WatchedFileHandler):
    def emit(self, record: logging.LogRecord) -> None:
        """Nor may a folder that is gone, which it would else say of each record."""
        with contextlib.suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A disk that is full must not take the daemon with it."""


def log_to(file: Path, level: str) -> None:
    """Write this process's log to `file`, from `level` up. Several processes may share it."""
    handler: logging.Handler
    try:
        make_folders(file.parent)
        handler = _Log(file, encoding="utf-8", delay=False)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def rotate(file: Path) -> None:
    """Put a log that has grown past 2 MiB aside, and drop the oldest of three."""
    try:
        if file.stat().st_size < _LARGEST_BYTES:
            return
        kept = [file.with_name(f"{file.name}.{number}") for number in range(_KEPT + 1)]
        _put_aside(file, kept[0])
        for newer, older in reversed(list(itertools.pairwise(kept))):
            if newer.exists():
                newer.replace(older)
    except OSError:
        return


def _put_aside(file: Path, place: Path) -> None:
    try:
        file.replace(place)
    except PermissionError:  # Windows renames no file that a process has open
        shutil.copyfile(file, place)
        os.truncate(file, 0)


def written(file: Path, lines: int) -> Iterator[str]:
    """The last lines of the log, then each time what has been added, also across `rotate`."""
    opened: BinaryIO = io.BytesIO()  # until there is one
    try:
        while True:
            newer = _newer(file, opened)
            text = opened.read()
            if newer:
                opened.close()
                opened = newer
                text += opened.read()
            if lines:
                text = b"".join(text.splitlines(keepends=True)[-lines:])
                lines = 0
            yield text.decode(errors="replace")
    finally:
        opened.close()


def _newer(file: Path, opened: BinaryIO) -> BinaryIO | None:
    """The log, where it is another file than the one that is open, or has been cut short."""
    try:
        newer = file.open("rb")
    except OSError:
        return None
    with contextlib.suppress(OSError):  # nothing is open yet
        now, then = os.fstat(newer.fileno()), os.fstat(opened.fileno())
        if os.path.samestat(now, then) and now.st_size >= opened.tell():
            newer.close()
            return None
    return newer
