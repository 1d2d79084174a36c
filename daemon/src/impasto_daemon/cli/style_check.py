"""`impasto style check`: which saved styles are as they should be."""

from __future__ import annotations

import os

import click
from rich.table import Table

from impasto_daemon.cli.job_progress import await_result
from impasto_daemon.cli.output import console, json_option, print_result
from impasto_daemon.cli.style_files import connect
from impasto_daemon.config import load_config
from impasto_daemon.paths import Paths
from impasto_daemon.weights import sources
from impasto_protocol.client import Client, new_job_id
from impasto_protocol.errors import Cancelled, DaemonLost, ImpastoError, PresetInvalid
from impasto_protocol.messages import PresetGet, PresetInfo, Presets, PresetSave

_WORDS = {
    "good": "good",
    "unmeasured": "not used yet; --fix takes its statistics now",
    "other_weights": "made with other weights; taken anew when it is used, or now with --fix",
    "older_version": "made by an older version; brought up to date when it is used, or with --fix",
}


@click.command()
@click.argument("names", nargs=-1)
@click.option("--fix", is_flag=True, help="Bring up to date what is not.")
@json_option
def check(names: tuple[str, ...], fix: bool, as_json: bool) -> None:
    """Tell whether the styles NAMES, or all, can be used as they are."""
    with connect() as client:
        rows = [
            _checked(client, name, fix=fix, shown=not as_json) for name in names or _all(client)
        ]

    def table() -> None:
        told = Table(box=None, show_header=False)
        for row in rows:
            told.add_row(row["name"], row["told"])
        console.print(told if rows else "No styles yet: `impasto style add NAME PICTURE`.")

    print_result(as_json, rows, table)


def _checked(client: Client, name: str, *, fix: bool, shown: bool) -> dict[str, str]:
    """What is told of a style, which is mended first if need be and that is wished."""
    try:
        info = _read(client, name)
    except PresetInvalid as error:
        return {"name": name, "state": "damaged", "told": f"{error} {error.next_step}"}
    try:
        if info.state != "good":
            _find_weights(info)
        if fix and info.state != "good":
            _fix(client, info, shown=shown)
            info = _read(client, name)
        told = _WORDS[info.state]
    except (Cancelled, DaemonLost):
        raise
    except ImpastoError as error:
        told = f"{error} {error.next_step}"
    return {"name": info.name, "state": info.state, "told": told}


def _find_weights(info: PresetInfo) -> None:
    """Raise WeightsBad where those are missing that a style is measured with."""
    if not os.environ.get("IMPASTO_CONNECTION"):  # or they are another machine's
        paths = Paths.of()
        named = load_config(paths.config).config.weights
        sources.find(named, paths.data, info.settings.network)


def _all(client: Client) -> list[str]:
    found: dict[str, None] = {}
    for page in client.preset_pages():
        found |= dict.fromkeys((*(info.name for info in page.presets), *page.damaged))
    return sorted(found, key=str.casefold)


def _read(client: Client, name: str) -> PresetInfo:
    """A style that the daemon has read to its end."""
    answer, _ = client.ask(PresetGet(name=name, thumbnail_only=True))
    assert isinstance(answer, Presets)
    return answer.presets[0]


def _fix(client: Client, info: PresetInfo, *, shown: bool) -> None:
    """Have a style saved again from its own picture."""
    _, (_, picture) = client.ask(PresetGet(name=info.name))
    message = PresetSave(job=new_job_id(), name=info.name, settings=info.settings, replace=True)
    await_result(client.submit(message, {"style": picture}), shown=shown)
