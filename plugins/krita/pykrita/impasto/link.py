"""The daemon, on Krita's event loop: everything here returns at once and calls back later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from impasto_protocol.client import Client, Job, stop_daemon
from impasto_protocol.codec import Buffer, Picture
from impasto_protocol.errors import DaemonLost, ImpastoError
from impasto_protocol.messages import JobMessage, Message

from .qt import QtCore, guarded

_LOOK_MS = 250

Then = Callable[[Any, Any], None]
Otherwise = Callable[[Exception], None]


@dataclass(frozen=True)
class _Errand:
    then: Then
    otherwise: Otherwise


class Link:
    """The client of one docker. state: "away", "connecting" or "ready"; error: why away.

    watchers are called whenever these change.
    """

    def __init__(self) -> None:
        self.state, self.error = "away", None
        self.client: Client | None = None
        self.watchers: list[Callable[[], None]] = []
        self._waiting: list[tuple[Callable[[], None], Otherwise]] = []
        self._asked: dict[int, _Errand] = {}
        self._followed: list[tuple[Job, _Errand]] = []
        self._found: list[Client | Exception] = []
        self._closed = False
        self._notifier: QtCore.QSocketNotifier | None = None
        self._timer = QtCore.QTimer()
        self._timer.timeout.connect(self._look)

    def open(self, *, restart: bool = False) -> None:
        """Connect, unless that is under way; a daemon is started when none runs, or anew."""
        if self.state == "connecting" or (self.state == "ready" and not restart):
            return
        if restart:
            self._drop(DaemonLost("The daemon was started anew."))
        self._change("connecting")
        self._timer.start(_LOOK_MS)
        threading.Thread(target=self._connect, args=(restart,), daemon=True).start()

    def close(self) -> None:
        """Let go of the daemon, and tell nobody: those who waited are going too."""
        self._closed = True
        self.watchers, self._waiting, self._asked, self._followed = [], [], {}, []
        self._drop(DaemonLost("The connection was closed."))

    def ask(
        self, message: Message, then: Then, otherwise: Otherwise, frames: Sequence[Buffer] = ()
    ) -> None:
        """Have a request answered: `then` gets the answer and its frames."""

        def send() -> None:
            assert self.client
            number = self.client.request(message, frames)
            self._asked[number] = _Errand(guarded(otherwise, then), otherwise)

        self._when_ready(send, otherwise)

    def submit(
        self, message: Any, pictures: Mapping[str, Picture], then: Then, otherwise: Otherwise
    ) -> None:
        """Have a job done: `then` gets each message about it and its pictures, the end included."""

        def send() -> None:
            assert self.client
            job = self.client.submit(message, pictures)
            self._followed.append((job, _Errand(guarded(otherwise, then), otherwise)))

        self._when_ready(send, otherwise)

    def cancel(self, job_id: str, *, keep: bool = False) -> None:
        """Ask for a job to end, also before it could be sent; with `keep` as it stands."""

        def send() -> None:
            for job, _ in self._followed:
                if job.id == job_id:
                    job.cancel(keep=keep)

        if self.state != "away":
            self._when_ready(send, lambda error: None)

    # Connecting -------------------------------------------------------------------------------

    def _connect(self, restart: bool) -> None:
        # In a thread: it may take seconds, and touches nothing of Qt.
        try:
            if restart:
                stop_daemon()
            client = Client.connect(name="Krita")
        except Exception as error:
            self._found.append(error)
        else:
            client.close() if self._closed else self._found.append(client)

    def _take_found(self) -> None:
        found = self._found.pop()
        if isinstance(found, Exception):
            self._lose(found)
            return
        self.client = found
        # Kept, as it ends with its last reference.
        self._notifier = QtCore.QSocketNotifier(found.fd, QtCore.QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._look)
        self._change("ready")
        waiting, self._waiting = self._waiting, []
        for send, otherwise in waiting:
            self._when_ready(send, otherwise)

    def _when_ready(self, send: Callable[[], None], otherwise: Otherwise) -> None:
        if self.state != "ready":
            self._waiting.append((send, otherwise))
            self.open()
            return
        try:
            send()
        except ImpastoError as error:
            # Later, as everything else that is heard.
            QtCore.QTimer.singleShot(0, partial(otherwise, error))
        # What zmq has to say after sending it says once, and perhaps it has been missed.
        QtCore.QTimer.singleShot(0, self._look)

    # Listening --------------------------------------------------------------------------------

    def _look(self, *_: object) -> None:
        if self._found:
            self._take_found()
        if not self.client:
            return
        try:
            self.client.pump()
        except ImpastoError as error:
            self._lose(error)
            return
        for number, errand in list(self._asked.items()):
            self._hear_answer(number, errand)
        for job, errand in list(self._followed):
            self._hear_job(job, errand)

    def _hear_answer(self, number: int, errand: _Errand) -> None:
        assert self.client
        try:
            answer = self.client.answer(number)
        except ImpastoError as error:
            del self._asked[number]
            errand.otherwise(error)
            return
        if answer:
            del self._asked[number]
            errand.then(*answer)

    def _hear_job(self, job: Job, errand: _Errand) -> None:
        try:
            arrived: list[tuple[JobMessage, list[Picture]]] = job.poll()
        except ImpastoError as error:
            self._followed.remove((job, errand))
            errand.otherwise(error)
            return
        if job.ended:
            self._followed.remove((job, errand))
        for message, pictures in arrived:
            errand.then(message, pictures)

    # Losing -----------------------------------------------------------------------------------

    def _lose(self, error: Exception) -> None:
        self._drop(error)
        self._change("away", error)

    def _drop(self, error: Exception) -> None:
        """Forget the client, and tell everybody who waits for it."""
        self.state, self.client, client = "away", None, self.client
        if self._notifier:
            self._notifier.setEnabled(False)
            self._notifier = None
        self._timer.stop()
        waiting, self._waiting = self._waiting, []
        errands = [*self._asked.values(), *(errand for _, errand in self._followed)]
        self._asked, self._followed = {}, []
        if client:
            client.close()
        for otherwise in [*(o for _, o in waiting), *(errand.otherwise for errand in errands)]:
            otherwise(error)

    def _change(self, state: str, error: Exception | None = None) -> None:
        self.state, self.error = state, error
        for watcher in list(self.watchers):
            watcher()
