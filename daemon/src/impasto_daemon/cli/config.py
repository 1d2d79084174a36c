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
    """Show every setting of the daemon and the file they are read from."""
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
