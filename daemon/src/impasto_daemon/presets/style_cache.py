"""Statistics of the styles used last, on disk, so that a new worker need not take them again.

Nothing here fails: what cannot be read is removed, what cannot be written is not kept.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

import safetensors.numpy

from impasto_daemon.files import open_regular, write_file
from impasto_daemon.presets.statistics import Statistics, pack_statistics, unpack_statistics
from impasto_protocol.codec import digest_of
from impasto_protocol.errors import NotWritten
from impasto_protocol.limits import DIGEST_BYTES

log = logging.getLogger(__name__)


class StyleCache:
    """At most `limit_mib` of files in a folder; those used longest ago go first.

    A file is a digest and then safetensors.
    """

    def __init__(self, folder: Path, limit_mib: int) -> None:
        self._folder, self._limit_bytes = folder, limit_mib << 20

    def get(self, name: str) -> Statistics:
        """What was put under that name, or nothing."""
        path = self._folder / name
        try:
            with open_regular(path) as file:
                digest, packed = file.read(DIGEST_BYTES), file.read(self._limit_bytes)
            if digest_of(packed) != digest:
                raise ValueError("it does not have its digest")
            found = unpack_statistics(safetensors.numpy.load(packed))
            os.utime(path)
        except FileNotFoundError:
            return {}
        # safetensors' own errors share no base class but Exception.
        except Exception as error:
            log.warning("%s is dropped: %s", path, error)
            _remove(path)
            return {}
        return found

    def put(self, name: str, statistics: Statistics) -> None:
        """Keep statistics under that name."""
        packed = safetensors.numpy.save(pack_statistics(statistics))
        try:
            write_file(self._folder / name, digest_of(packed) + packed)
            self._make_room()
        except (NotWritten, OSError) as error:
            log.warning("a style is not kept: %s", error)

    def _make_room(self) -> None:
        # Another worker may remove the same.
        files = {}
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                files[path] = path.stat()
        taken = sum(about.st_size for about in files.values())
        for path in sorted(files, key=lambda path: files[path].st_mtime_ns):
            if taken <= self._limit_bytes:
                return
            taken -= files[path].st_size
            _remove(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
