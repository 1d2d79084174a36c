"""What all commands print with: text for people, JSON for scripts, progress for the patient."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from impasto_protocol.fields import to_dict

if TYPE_CHECKING:
    from impasto_protocol.messages import Message

_PIPE_COLUMNS = 10_000


class StandardOutput:
    """Standard output, of which the first refusal is kept, and the rest goes nowhere.

    So that a painting is finished and written also when nobody reads on, or the disk that what is
    printed goes to is full.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.refusal: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text, or drop it."""
        with self._dropping():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        with self._dropping():
            self._stream.flush()

    @contextlib.contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.refusal = self.refusal or error
            # What is still in the buffer would be refused again at the end of the process.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")

# In a pipe nothing is cut to fit a screen that is not there. Names are shown as they are.
console = Console(
    highlight=False,
    markup=False,
    emoji=False,
    soft_wrap=True,
    width=None if sys.stdout and sys.stdout.isatty() else _PIPE_COLUMNS,
)


def print_result(as_json: bool, data: Any, text: str | Callable[[], None]) -> None:
    """Print `data` as JSON, or `text`, or whatever calling it prints."""
    if as_json:
        print(json.dumps(data, indent=1, default=str))
    elif callable(text):
        text()
    else:
        console.print(text)


def answer_as_dict(answer: Message) -> dict[str, Any]:
    """What scripts are told of an answer of the daemon."""
    said = to_dict(answer)
    return {key: said[key] for key in said if key not in ("frames", "request", "job")}


def progress_bar(*, shown: bool, counted: bool = True) -> Progress:
    """A bar with what is done, how much of it if it is `counted`, and a free `note` after it."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *([MofNCompleteColumn()] if counted else []),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=not shown,
    )
