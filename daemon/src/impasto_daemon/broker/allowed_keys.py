"""Whose keys are let in: the daemon's own user's, and those of the configuration as it is now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from impasto_daemon.config import Config
from impasto_protocol.errors import ConfigInvalid

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int] | None

_NEVER = 0, 0, 0


class AllowedKeys:
    """own: the key of the daemon's own user. others: to begin with.

    file: that of the configuration, which `read` reads anew.
    """

    def __init__(
        self, own: str, others: Iterable[str], file: Path, read: Callable[[], Config]
    ) -> None:
        self._own, self._file, self._read = own, file, read
        self._seen = _stamp(file)
        # It may have changed since the others were read of it.
        self._read_at: Stamp = _NEVER
        self.others = frozenset(others)

    def __contains__(self, key: object) -> bool:
        return key == self._own or key in self.others

    def withdrawn(self) -> frozenset[str]:
        """Read them anew if the file has changed; those that are no longer among them."""
        seen, before = _stamp(self._file), self._seen
        self._seen = seen
        # An editor may be in the middle of writing it: it must have been so at the last look too.
        if seen == self._read_at or seen != before:
            return frozenset()
        self._read_at, known = seen, self.others
        try:
            self.others = frozenset(self._read().allowed_keys)
        except ConfigInvalid as error:
            log.warning("the allowed keys stay as they are: %s", error)
        return known - self.others


def _stamp(file: Path) -> Stamp:
    """What differs once the file is another one; None without a file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
