"""`impasto` itself: its subcommands, and the border where errors become words and exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from typing import TextIO, cast

import click
from rich.console import Console

from impasto_daemon import __version__
from impasto_daemon.cli.bridge import bridge
from impasto_daemon.cli.config import config
from impasto_daemon.cli.daemon import daemon
from impasto_daemon.cli.doctor import doctor
from impasto_daemon.cli.output import StandardOutput
from impasto_daemon.cli.paint import apply, demo
from impasto_daemon.cli.style import style
from impasto_daemon.cli.weights import weights
from impasto_daemon.files import not_written
from impasto_protocol.errors import AlreadyRunning, Cancelled, ImpastoError

_EXIT_CODES = {AlreadyRunning: 3, Cancelled: 130}
_EPILOG = (
    "Exit codes: 0 done; 1 an error, told on standard error, or with --json on standard output; "
    "2 wrong usage; 3 `daemon run` found a daemon running; 130 cancelled with Ctrl-C."
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.version_option(__version__)
def impasto() -> None:
    """Paint photographs in the style of a picture."""


for command in (apply, bridge, config, daemon, demo, doctor, style, weights):
    impasto.add_command(command)


def main() -> None:
    """Run the command line; exit 0, 1 for an error, 2 for wrong usage, 3 or 130 as errors say."""
    try:
        with _heard():
            impasto.main(prog_name="impasto", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _show_usage(error)
        sys.exit(error.exit_code)
    except ImpastoError as error:
        _show(error)
        sys.exit(_EXIT_CODES.get(type(error), 1))


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """Say at the end that what was printed could not be; that nobody reads it is no error."""
    if sys.stdout is None:
        yield
        return
    if isinstance(sys.stdout, io.TextIOWrapper):  # not every encoding has every name
        sys.stdout.reconfigure(errors="backslashreplace")
    output = StandardOutput(sys.stdout)
    with contextlib.redirect_stdout(cast(TextIO, output)):
        yield
        output.flush()
    if output.refusal and not isinstance(output.refusal, BrokenPipeError):
        raise not_written("What was to be printed could not be written", output.refusal)


def _show_usage(error: click.ClickException) -> None:
    if "--json" not in sys.argv:
        error.show()
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "impasto"
    told = {
        "code": "USAGE",
        "message": error.format_message(),
        "next_step": f"Run `{command} --help`.",
    }
    print(json.dumps({"error": told}))


def _show(error: ImpastoError) -> None:
    if "--json" in sys.argv:
        told = {"code": error.code, "message": str(error), "next_step": error.next_step}
        print(json.dumps({"error": told}))
        return
    console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(error.code, style="bold red", end=" ")
    console.print(f"{error}\n{error.next_step}")
