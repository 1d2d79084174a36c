"""`impasto config`: what the daemon is set to."""

from __future__ import annotations

import click
from rich.table import Table

from impasto_daemon.cli.output import console, json_option, print_result
from impasto_daemon.config import load_config
from impasto_daemon.paths import Paths
from impasto_protocol.fields import to_dict


@click.group()
def config() -> None:
    """Show the daemon's configuration."""


@config.command()
@click.option("--origin", is_flag=True, help="Also where each value comes from.")
@json_option
def show(origin: bool, as_json: bool) -> None:
    """Show what the next daemon is set to, and the file to change it in.

    Each is a line like `memory_mib = 8000` there, or a variable like IMPASTO_MEMORY_MIB; `impasto
    daemon run --help` says what it means. One that runs stays as it is until `impasto daemon stop`.
    """
    paths = Paths.of()
    found = load_config(paths.config)
    values = to_dict(found.config)
    data = {
        name: {"value": value, "origin": found.origin[name]} if origin else value
        for name, value in values.items()
    }

    def table() -> None:
        rows = Table("setting", "value", *(["from"] if origin else []), box=None)
        for name, value in values.items():
            rows.add_row(name, str(value), *([found.origin[name]] if origin else []))
        console.print(rows)
        console.print(f"\nFile: {paths.config}")

    print_result(as_json, data, table)
