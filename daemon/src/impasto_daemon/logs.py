"""The log file, which rotates and, where the disk refuses, falls silent."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import shutil
from logging.handlers import WatchedFileHandler
from pathlib import Path

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


def tail(file: Path, lines: int) -> list[str]:
    """The last lines of the log."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return [line.rstrip("\n") for line in opened][-lines:]
    except OSError:
        return []
