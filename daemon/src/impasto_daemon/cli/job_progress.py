"""A job followed at the terminal: a bar, and Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import Progress, TaskID

from impasto_daemon.cli.output import console, progress_bar
from impasto_protocol import messages
from impasto_protocol.client import Job
from impasto_protocol.codec import Picture
from impasto_protocol.descriptions import PHASE_LABELS, describe_progress, describe_seconds


def await_result(
    job: Job,
    *,
    shown: bool,
    on_event: Callable[[messages.JobMessage, list[Picture]], None] = lambda message, pictures: None,
    on_interrupt: Callable[[], None] = lambda: None,
    kept: str = "the picture as it stands; Ctrl-C again discards it",
) -> tuple[messages.Result, list[Picture]]:
    """Wait for a job's end, its progress `shown`. Raises what it ended with instead of a result.

    on_event: called with each message on the way and its pictures. on_interrupt: at the first
    Ctrl-C.
    The first Ctrl-C asks for what there is, `kept` in words; the second cancels the job.
    """
    interrupts = 0
    with progress_bar(shown=shown, counted=False) as bar:
        task = bar.add_task("Waiting", total=None, note="")

        def take(message: messages.JobMessage, pictures: list[Picture]) -> None:
            on_event(message, pictures)
            _show(message, bar, task)

        while True:
            try:
                return job.result(take)
            except KeyboardInterrupt:
                interrupts += 1
                if interrupts == 1:
                    on_interrupt()
                job.cancel(keep=interrupts == 1)
                if shown and interrupts == 1:
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
