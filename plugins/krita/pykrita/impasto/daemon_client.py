"""The daemon, on Krita's event loop: everything here returns at once and calls back later."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from impasto_protocol.client import Client, Job, stop_daemon
from impasto_protocol.codec import Buffer, Picture
from impasto_protocol.errors import DaemonLost, ImpastoError
from impasto_protocol.messages import JobMessage, Message
from impasto_protocol.translations import _

from .qt import QtCore, guarded

_LOOK_MS = 250
_THREAD_MS = 50

OnAnswer = Callable[[Any, Any], None]
OnError = Callable[[Exception], None]


@dataclass(frozen=True)
class _Callbacks:
    then: OnAnswer
    otherwise: OnError


class DaemonClient:
    """The client of one docker. state: "away", "connecting" or "ready"; error: why away.

    listeners are called whenever these change.
    """

    def __init__(self) -> None:
        self.state, self.error = "away", None
        self.client: Client | None = None
        self.listeners: list[Callable[[], None]] = []
        self._waiting: list[tuple[Callable[[], None], OnError]] = []
        self._asked: dict[int, _Callbacks] = {}
        self._followed: list[tuple[Job, _Callbacks]] = []
        self._arriving: Client | None = None
        self._door = threading.Lock()
        self._looking = self._closed = False
        self._notifier: QtCore.QSocketNotifier | None = None
        self._timer = QtCore.QTimer()
        self._timer.timeout.connect(self._look)
        self._threads, self._done = 0, list[Callable[[], None]]()
        self._thread_timer = QtCore.QTimer()
        self._thread_timer.timeout.connect(self._look_at_threads)

    def open(self, *, restart: bool = False) -> None:
        """Connect, unless that is under way; a daemon is started when none runs, or anew.

        restart: also the one that runs is ended, or was lost and does not answer.
        """
        if self.state == "connecting" or (self.state == "ready" and not restart):
            return
        is_lost = self.state != "ready"
        if restart:
            self._drop(DaemonLost(_("The daemon was started anew.")))
        self._change("connecting")
        self.in_thread(partial(self._connect, restart, is_lost), self._take, self._lose)

    def close(self) -> None:
        """Let go of the daemon, and tell nobody: those who waited are going too."""
        with self._door:
            self._closed = True
        self._thread_timer.stop()
        if self._arriving:
            self._arriving.close()
        self.listeners, self._waiting, self._asked, self._followed = [], [], {}, []
        self._drop(DaemonLost(_("The connection was closed.")))

    def understands(self, kind: type[Message]) -> bool:
        """Whether a daemon is connected, and not too old for such a message."""
        return self.client is not None and kind.type in self.client.welcome.capabilities

    def ask(
        self, message: Message, then: OnAnswer, otherwise: OnError, frames: Sequence[Buffer] = ()
    ) -> None:
        """Have a request answered: `then` gets the answer and its frames."""

        def send() -> None:
            assert self.client
            number = self.client.request(message, frames)
            self._asked[number] = _Callbacks(guarded(otherwise, then), otherwise)

        self._when_ready(send, otherwise)

    def submit(
        self, message: Any, pictures: Mapping[str, Picture], then: OnAnswer, otherwise: OnError
    ) -> None:
        """Have a job done: `then` gets each message about it and its pictures, the end included."""

        def send() -> None:
            assert self.client
            job = self.client.submit(message, pictures)
            self._followed.append((job, _Callbacks(guarded(otherwise, then), otherwise)))

        self._when_ready(send, otherwise)

    def cancel(self, job_id: str, *, keep: bool = False) -> None:
        """Ask for a job to end, also before it could be sent; with `keep` as it stands."""

        def send() -> None:
            assert self.client
            self.client.cancel(job_id, keep=keep)

        if self.state != "away":
            self._when_ready(send, lambda error: None)

    def in_thread(
        self, work: Callable[[], Any], then: Callable[[Any], None], otherwise: OnError
    ) -> None:
        """Have done what may take seconds and touches no widget: `then` gets what comes of it."""

        def run() -> None:
            try:
                self._done.append(partial(guarded(otherwise, then), work()))
            except Exception as error:
                self._done.append(partial(otherwise, error))

        self._threads += 1
        self._thread_timer.start(_THREAD_MS)
        threading.Thread(target=run, daemon=True).start()

    def _look_at_threads(self) -> None:
        while self._done:
            self._threads -= 1
            if not self._threads:
                self._thread_timer.stop()
            self._done.pop(0)()

    # Connecting -------------------------------------------------------------------------------

    def _connect(self, restart: bool, is_lost: bool) -> Client:
        # Another machine's is not ended here, nor the one that would be this machine's.
        restart = restart and not os.environ.get("IMPASTO_CONNECTION")
        if restart and is_lost:
            # Another program may have started one meanwhile, or it has come to itself.
            with contextlib.suppress(DaemonLost):
                return self._arrived(Client.connect(name="Krita"))
        if restart:
            stop_daemon()
        return self._arrived(Client.connect(name="Krita"))

    def _arrived(self, client: Client) -> Client:
        # Either nobody has gone yet, who would then close it, or it is closed here.
        with self._door:
            if self._closed:
                client.close()
            else:
                self._arriving = client
        return client

    def _take(self, client: Client) -> None:
        self.client, self._arriving = client, None
        # Kept, as it ends with its last reference.
        self._notifier = QtCore.QSocketNotifier(client.fd, QtCore.QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._look)
        self._timer.start(_LOOK_MS)
        self._change("ready")
        waiting, self._waiting = self._waiting, []
        for send, otherwise in waiting:
            self._when_ready(send, otherwise)

    def _when_ready(self, send: Callable[[], None], otherwise: OnError) -> None:
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
        # Who hears something may let Krita run its event loop, which would call this again.
        if self.client and not self._looking:
            self._looking = True
            try:
                self._listen(self.client)
            finally:
                self._looking = False

    def _listen(self, client: Client) -> None:
        try:
            client.pump()
        except Exception as error:
            self._lose(error)
        for number, callbacks in list(self._asked.items()):
            if client is self.client:
                self._hear_answer(client, number, callbacks)
        for job, callbacks in list(self._followed):
            if client is self.client:
                self._hear_job(job, callbacks)

    def _hear_answer(self, client: Client, number: int, callbacks: _Callbacks) -> None:
        try:
            answer = client.answer(number)
        except ImpastoError as error:
            del self._asked[number]
            callbacks.otherwise(error)
            return
        if answer:
            del self._asked[number]
            callbacks.then(*answer)

    def _hear_job(self, job: Job, callbacks: _Callbacks) -> None:
        try:
            arrived: list[tuple[JobMessage, list[Picture]]] = job.poll()
        except ImpastoError as error:
            self._followed.remove((job, callbacks))
            callbacks.otherwise(error)
            return
        if job.ended:
            self._followed.remove((job, callbacks))
        for message, pictures in arrived:
            callbacks.then(message, pictures)

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
        waited = [*self._asked.values(), *(callbacks for _, callbacks in self._followed)]
        self._asked, self._followed = {}, []
        if client:
            client.close()
        for otherwise in [*(each[1] for each in waiting), *(each.otherwise for each in waited)]:
            otherwise(error)

    def _change(self, state: str, error: Exception | None = None) -> None:
        self.state, self.error = state, error
        for listener in list(self.listeners):
            listener()
