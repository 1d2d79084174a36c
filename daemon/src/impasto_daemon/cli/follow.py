"""A job followed at the terminal: a bar, and Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import Progress, TaskID

from impasto_daemon.cli.show import console, progress_bar
from impasto_protocol import messages
from impasto_protocol.client import Job
from impasto_protocol.codec import Picture

_PHASES = {
    "starting": "Starting",
    "weights": "Downloading weights, MiB",
    "style": "Studying the style",
    "painting": "Painting",
}


def follow(
    job: Job,
    *,
    shown: bool,
    on_snapshot: Callable[[int, Picture], None] = lambda step, picture: None,
) -> tuple[messages.Result, list[Picture]]:
    """Wait for a job's end, its progress `shown`. Raises what it ended with instead of a result.

    on_snapshot: called with the step and the picture of each snapshot.
    The first Ctrl-C asks for the picture as it stands, the second cancels the job.
    """
    interrupts = 0
    with progress_bar(shown=shown) as bar:
        task = bar.add_task("Waiting", total=None, note="")

        def on_event(message: messages.JobMessage, pictures: list[Picture]) -> None:
            if isinstance(message, messages.Snapshot):
                on_snapshot(message.step, pictures[0])
            _show(message, bar, task)

        while True:
            try:
                return job.result(on_event)
            except KeyboardInterrupt:
                interrupts += 1
                job.cancel(keep=interrupts == 1)
                if shown and interrupts == 1:
                    console.print("Ending with the picture as it stands; Ctrl-C again discards it.")


def _show(message: messages.JobMessage, bar: Progress, task: TaskID) -> None:
    if isinstance(message, messages.Progress):
        left = message.seconds_left
        note = f"about {left:.0f} s left" if left is not None and left >= 1 else ""
        bar.update(
            task, description=_PHASES[message.phase], completed=message.step,
            total=message.of or None, note=note,
        )  # fmt: skip
