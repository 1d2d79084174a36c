"""What a painting would take, asked of a daemon that runs; nothing here waits or starts one."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gi.repository import GLib

from impasto_protocol.messages import Estimate, Estimated

if TYPE_CHECKING:
    from impasto_protocol.client import Client

_LOOK_MS = 100
_AGAIN_S = 1.0


class Estimates:
    """Answers what was asked last, on GLib's main loop, until it is closed.

    show: called with each answer, and with None while there is none.
    """

    def __init__(self, show: Callable[[Estimated | None], None]) -> None:
        self._show = show
        self._wanted: Estimate | None = None
        self._asked: Estimate | None = None
        self._number: int | None = None
        self._client: Client | None = None
        self._door, self._closed = threading.Lock(), False
        self._connect()
        self._timer = GLib.timeout_add(_LOOK_MS, self._look)

    def ask(self, message: Estimate | None) -> None:
        """Have this answered instead of what was asked before; None: nothing."""
        self._wanted = message

    def close(self) -> None:
        """Ask no more, and let go of the daemon."""
        GLib.source_remove(self._timer)
        with self._door:
            self._closed = True
        if self._client:
            self._client.close()

    def _connect(self) -> None:
        threading.Thread(target=self._find_daemon, daemon=True).start()

    def _find_daemon(self) -> None:
        """Look for a daemon until one runs: connecting to it may take seconds."""
        from impasto_protocol.client import Client

        while not self._closed:
            with contextlib.suppress(Exception):
                client = Client.connect(name="GIMP", start=False)
                with self._door:
                    if not self._closed:
                        self._client = client
                        return
                client.close()
            time.sleep(_AGAIN_S)

    def _look(self) -> bool:
        if self._client:
            try:
                self._exchange(self._client)
            except Exception:  # it is GLib that calls, and the dialog goes on without a daemon
                self._client.close()
                self._client = self._asked = self._number = None
                self._show(None)
                self._connect()
        return GLib.SOURCE_CONTINUE

    def _exchange(self, client: Client) -> None:
        client.pump()
        if self._number is not None:
            if not (answered := client.answer(self._number)):
                return
            self._number = None
            if isinstance(answered[0], Estimated) and self._wanted == self._asked:
                self._show(answered[0])
        if self._wanted == self._asked:
            return
        self._asked = self._wanted
        if self._asked and Estimate.type in client.welcome.capabilities:
            self._number = client.request(self._asked)
        else:
            self._show(None)
