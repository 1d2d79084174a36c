"""What all commands print with: text for people, JSON for scripts, progress for the patient."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

_PIPE_COLUMNS = 10_000

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")

# In a pipe nothing is cut to fit a screen that is not there.
console = Console(
    highlight=False,
    soft_wrap=True,
    width=None if sys.stdout and sys.stdout.isatty() else _PIPE_COLUMNS,
)


def print_result(as_json: bool, data: Any, text: str | Callable[[], None]) -> None:
    """Print `data` as JSON, or `text`, or whatever calling it prints."""
    if as_json:
        print(json.dumps(data, indent=1, ensure_ascii=False, default=str))
    elif callable(text):
        text()
    else:
        console.print(text, markup=False)


def progress_bar(*, shown: bool) -> Progress:
    """A bar with what is done, how much of it, and a free `note` after it."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=not shown,
    )
