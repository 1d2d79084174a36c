"""`impasto style`: styles kept by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from impasto_daemon.cli.job_progress import await_result
from impasto_daemon.cli.options import options_of, settings_from
from impasto_daemon.cli.output import console, json_option, print_result
from impasto_daemon.cli.style_bake import bake
from impasto_daemon.cli.style_check import check
from impasto_daemon.cli.style_files import connect, export_styles, import_styles, starter
from impasto_daemon.files import check_place
from impasto_protocol.client import new_job_id
from impasto_protocol.fields import to_dict
from impasto_protocol.messages import (
    PresetDelete,
    PresetGet,
    PresetInfo,
    PresetRename,
    Presets,
    PresetSave,
    PresetSort,
)
from impasto_protocol.settings import Settings

_PATH = click.Path(path_type=Path)


@click.group()
def style() -> None:
    """Keep styles under names, for `impasto apply --preset NAME` and the editors."""


@style.command()
@click.argument("name")
@click.argument("picture", type=_PATH)
@click.option("--replace", is_flag=True, help="Replace the style of that name.")
@json_option
@options_of(Settings)
def add(name: str, picture: Path, replace: bool, as_json: bool, **options: Any) -> None:
    """Keep the style of PICTURE under NAME, with the settings given."""
    from impasto_daemon.images.pictures import read_style
    from impasto_daemon.presets.preset_file import check_name

    check_name(name)
    pixels, notes = read_style(picture)
    message = PresetSave(
        job=new_job_id(),
        name=name,
        settings=settings_from(options),
        replace=replace,
    )
    with connect() as client:
        result, _ = await_result(client.submit(message, {"style": pixels}), shown=not as_json)
    data = {"name": name, "style": result.style, "seconds": result.seconds, "notes": notes}
    text = [f"Note: {note}" for note in notes]
    text.append(f"Kept. Use it with `impasto apply PICTURE --preset '{name}'`.")
    print_result(as_json, data, "\n".join(text))


@style.command("list")
@click.option("--folder", help="Only those in this folder.")
@click.option("--tag", help="Only those with this tag.")
@json_option
def list_styles(folder: str | None, tag: str | None, as_json: bool) -> None:
    """List the styles there are."""
    with connect() as client:
        found = [
            info
            for info in client.presets()
            if folder in (None, info.folder) and (tag is None or tag in info.tags)
        ]

    def table() -> None:
        rows = Table("style", "folder", "tags", "picture", "strength", "baked", "MiB", box=None)
        for info in found:
            rows.add_row(
                info.name, info.folder, ", ".join(info.tags), f"{info.width} x {info.height}",
                f"{info.settings.strength}", _baked(info), f"{info.size_bytes / 2**20:.1f}",
            )  # fmt: skip
        console.print(rows if found else "No such styles: `impasto style add NAME PICTURE`.")

    print_result(as_json, [to_dict(info) for info in found], table)


@style.command()
@click.argument("name")
@click.option("-o", "--output", type=_PATH, help="Also write its picture to this file.")
@json_option
def show(name: str, output: Path | None, as_json: bool) -> None:
    """Show what is kept under NAME."""
    from impasto_daemon.images.pictures import write_picture

    if output:
        check_place(output)
    with connect() as client:
        answer, pictures = client.ask(PresetGet(name=name))
    assert isinstance(answer, Presets)
    if output:
        write_picture(output, pictures[-1])
    info = to_dict(answer.presets[0])

    def table() -> None:
        rows = Table(box=None, show_header=False)
        for key, value in {**info.pop("settings"), **info}.items():
            rows.add_row(key, str(value))
        console.print(rows)

    print_result(as_json, info, table)


@style.command()
@click.argument("name")
@click.argument("new_name")
@json_option
def rename(name: str, new_name: str, as_json: bool) -> None:
    """Give the style NAME another name."""
    with connect() as client:
        client.ask(PresetRename(name=name, new_name=new_name))
    print_result(as_json, {"name": new_name}, f"It is called {new_name} now.")


@style.command()
@click.argument("name")
@click.argument("folder", default="")
@json_option
def move(name: str, folder: str, as_json: bool) -> None:
    """Put the style NAME into FOLDER, or into none."""
    with connect() as client:
        client.ask(PresetSort(name=name, folder=folder))
    where = f"in {folder}" if folder else "in no folder"
    print_result(as_json, {"name": name, "folder": folder}, f"{name} is {where} now.")


@style.command()
@click.argument("name")
@click.argument("tags", nargs=-1)
@json_option
def tag(name: str, tags: tuple[str, ...], as_json: bool) -> None:
    """Give the style NAME these TAGS, and no others."""
    with connect() as client:
        client.ask(PresetSort(name=name, tags=tags))
    text = f"{name} is tagged {', '.join(tags)}." if tags else f"{name} has no tags."
    print_result(as_json, {"name": name, "tags": tags}, text)


@style.command()
@click.argument("name")
@click.option("-o", "--output", type=_PATH, required=True, help="Where to put it.")
@json_option
def thumbnail(name: str, output: Path, as_json: bool) -> None:
    """Write the small picture of the style NAME to a file."""
    from impasto_daemon.images.pictures import write_picture

    check_place(output)
    with connect() as client:
        _, (picture,) = client.ask(PresetGet(name=name, thumbnail_only=True))
    write_picture(output, picture)
    print_result(as_json, {"name": name, "output": output.resolve()}, f"{output.resolve()}")


@style.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Delete the style NAME."""
    with connect() as client:
        client.ask(PresetDelete(name=name))
    print_result(as_json, {"removed": name}, f"{name} is removed.")


def _baked(info: PresetInfo) -> str:
    return f"{info.baked_minutes:.0f} min" if info.is_baked else ""


for command in (bake, check, export_styles, import_styles, starter):
    style.add_command(command)
