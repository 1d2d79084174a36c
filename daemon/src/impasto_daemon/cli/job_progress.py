"""A job followed at the terminal: a bar, and Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from rich.progress import Progress, TaskID

from impasto_daemon.cli.output import console, progress_bar
from impasto_protocol import messages
from impasto_protocol.client import Job
from impasto_protocol.codec import Picture
from impasto_protocol.descriptions import PHASE_LABELS, describe_progress, describe_seconds


@dataclass
class Interrupts:
    """How often Ctrl-C came while a job was waited for, in a `with` until its result is written.

    Once the result is there the first one is only counted: it asks for no more than that. The
    second raises KeyboardInterrupt.
    """

    shown: bool = False
    count: int = 0
    is_finished: bool = False

    def __enter__(self) -> Interrupts:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if self.count or not self.is_finished:
            raise KeyboardInterrupt
        self.count += 1
        if self.shown:
            with contextlib.suppress(RuntimeError):  # in the middle of another line
                console.print("Writing it; Ctrl-C again discards it.")


def await_result(
    job: Job,
    *,
    shown: bool,
    on_event: Callable[[messages.JobMessage, list[Picture]], None] = lambda message, pictures: None,
    interrupts: Interrupts | None = None,
    kept: str = "the picture as it stands; Ctrl-C again discards it",
) -> tuple[messages.Result, list[Picture]]:
    """Wait for a job's end, its progress `shown`. Raises what it ended with instead of a result.

    on_event: called with each message on the way and its pictures.
    The first Ctrl-C asks for what there is, `kept` in words; the second cancels the job.
    """
    interrupts = interrupts or Interrupts()
    interrupts.is_finished = False
    if interrupts.count:  # it came between two
        job.cancel(keep=True)
    with progress_bar(shown=shown, counted=False) as bar:
        task = bar.add_task("Waiting", total=None, note="")

        def take(message: messages.JobMessage, pictures: list[Picture]) -> None:
            interrupts.is_finished = isinstance(message, messages.Result)
            on_event(message, pictures)
            _show(message, bar, task)

        while True:
            try:
                return job.result(take)
            except KeyboardInterrupt:
                interrupts.count += 1
                job.cancel(keep=interrupts.count == 1)
                if shown and interrupts.count == 1:
                    console.print(f"Ending with {kept}.")


def _show(message: messages.JobMessage, bar: Progress, task: TaskID) -> None:
    if isinstance(message, messages.Progress):
        left, share = message.seconds_left, describe_progress(message)[1]
        counted = [f"{message.step}/{message.of}"] if message.of else []
        notes = counted + ([f"{describe_seconds(left)} left"] if left and left >= 1 else [])
        bar.update(
            task, description=PHASE_LABELS[message.phase], completed=share or 0,
            total=None if share is None else 1, note=", ".join(notes),
        )  # fmt: skip
