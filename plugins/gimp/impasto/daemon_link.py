"""A dialog's link to a daemon that runs, on GLib's main loop; nothing here waits or starts one."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from gi.repository import GLib

if TYPE_CHECKING:
    from impasto_protocol.client import Client

NAME = "GIMP preview"
_LOOK_MS = 100
_AGAIN_S = 1.0


class Follower(Protocol):
    """Whoever talks to the daemon, a little at each look."""

    def exchange(self, client: Client) -> None:
        """Send what is to be sent, and take what has arrived; without waiting."""

    def lose(self) -> None:
        """There is no daemon any more, or none yet."""

    def leave(self, client: Client) -> None:
        """Ask for no more: the link is being closed."""


class DaemonLink:
    """Connects its followers with a daemon whenever one runs, until it is closed."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._followers = followers
        self._client: Client | None = None
        self._door, self._closed = threading.Lock(), False
        self._connect()
        self._timer = GLib.timeout_add(_LOOK_MS, self._look)

    def close(self) -> None:
        """Let go of the daemon."""
        GLib.source_remove(self._timer)
        with self._door:
            self._closed = True
        if self._client:
            with contextlib.suppress(Exception):
                for follower in self._followers:
                    follower.leave(self._client)
            self._client.close()

    def _connect(self) -> None:
        threading.Thread(target=self._find_daemon, daemon=True).start()

    def _find_daemon(self) -> None:
        """Look for a daemon until one runs: connecting to it may take seconds."""
        from impasto_protocol.client import Client

        while not self._closed:
            with contextlib.suppress(Exception):
                client = Client.connect(name=NAME, start=False)
                with self._door:
                    if not self._closed:
                        self._client = client
                        return
                client.close()
            time.sleep(_AGAIN_S)

    def _look(self) -> bool:
        if self._client:
            try:
                self._client.pump()
                for follower in self._followers:
                    follower.exchange(self._client)
            except Exception:  # it is GLib that calls, and the dialog goes on without a daemon
                self._client.close()
                self._client = None
                for follower in self._followers:
                    follower.lose()
                self._connect()
        return GLib.SOURCE_CONTINUE
