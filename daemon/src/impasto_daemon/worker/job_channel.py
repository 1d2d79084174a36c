"""One job's end of the pipe to the broker, as the worker holds it: orders in, updates out."""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from multiprocessing.connection import Connection

from impasto_daemon.worker.orders import (
    Alive,
    Interrupt,
    JobUpdate,
    MakeWay,
    Order,
    PutBy,
    Quit,
    Run,
    Stored,
)
from impasto_daemon.worker.pipe import receive, send
from impasto_protocol import messages
from impasto_protocol.codec import Picture
from impasto_protocol.errors import Cancelled, ImpastoError
from impasto_protocol.messages import PresetBake

_PROGRESS_EVERY_S = 0.25
_STALL_S_PER_MEGAPIXEL = 120


class JobChannel:
    """The job at hand. concluding: its owner wants the picture as it stands. quit: all must end.

    making_way: another job waits for this one, which can be put by.
    """

    def __init__(self, order: Run, pipe: Connection, stall_s: float) -> None:
        self.message, self._frames, self._pipe = order.message, order.frames, pipe
        self.concluding = self.making_way = self.quit = False
        self._digests = any(info.digest for info in order.message.frames)
        self._sent_at = float("-inf")
        self._phase = ""
        megapixels = max((i.width * i.height for i in self.message.frames), default=0) / 1e6
        send(pipe, Alive(stall_s + _STALL_S_PER_MEGAPIXEL * megapixels))

    def pictures(self) -> dict[str, list[Picture]]:
        """The frames of each role, in their order. Raises BadImage when a digest does not fit."""
        found = defaultdict[str, list[Picture]](list)
        for info, frame in zip(self.message.frames, self._frames, strict=True):
            found[info.role].append(Picture.received(info, frame))
        return found

    def poll(self) -> None:
        """Take in what the broker has said meanwhile. Raises Cancelled."""
        while self._pipe.poll():
            order: Order = receive(self._pipe)
            if isinstance(order, Interrupt) and order.job == self.message.job:
                if not order.keep:
                    raise Cancelled("The job was cancelled.")
                self.concluding = True
            elif isinstance(order, MakeWay) and order.job == self.message.job:
                self.making_way = True
            elif isinstance(order, Quit):
                self.quit = True
                raise Cancelled("The daemon is ending.")

    @property
    def due(self) -> bool:
        """It is time to send the progress again."""
        return time.monotonic() - self._sent_at >= _PROGRESS_EVERY_S

    def progress(self, phase: str, step: int, of: int) -> None:
        """Send a progress that has no picture, if it is due or the phase is new."""
        if self.due or phase != self._phase:
            self._phase = phase
            self.send(messages.Progress(job=self.message.job, phase=phase, step=step, of=of))

    def send(
        self, message: messages.JobMessage, pictures: dict[str, Picture] | None = None
    ) -> None:
        """Send a message to the job's owner."""
        self._sent_at = time.monotonic()
        self._send(message, pictures or {})

    def stored(self, rest: PresetBake) -> None:
        """Have it begin with what is left of it from now on, here and in any other worker."""
        self.message = rest
        send(self._pipe, Stored(rest.job, rest))

    def put_by(self, rest: PresetBake) -> None:
        """Say what is left of a job that makes way."""
        send(self._pipe, PutBy(self.message.job, rest))

    def fail(self, error: ImpastoError, *, lost: bool = False) -> None:
        """Say why there is no picture."""
        failed = messages.Failed(
            job=self.message.job,
            code=error.code,
            message=str(error)[:2000],
            next_step=error.next_step[:1000],
        )
        self._send(failed, {}, lost=lost)

    def _send(
        self, message: messages.JobMessage, pictures: dict[str, Picture], *, lost: bool = False
    ) -> None:
        infos = tuple(
            picture.info(role, digest=self._digests) for role, picture in pictures.items()
        )
        described = dataclasses.replace(message, frames=infos)
        frames = tuple(memoryview(picture.data) for picture in pictures.values())
        send(self._pipe, JobUpdate(described, frames, lost))
