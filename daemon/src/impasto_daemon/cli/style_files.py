"""`impasto style export`, `import` and `starter`: styles that go out and come in."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from impasto_daemon.cli.output import json_option, print_result
from impasto_daemon.files import check_place, open_regular, write_named
from impasto_daemon.presets.preset_file import SUFFIX, pack
from impasto_protocol.client import Client
from impasto_protocol.errors import PresetExists, PresetInvalid
from impasto_protocol.limits import FRAME_BYTES

_PATH = click.Path(path_type=Path)


def connect() -> Client:
    """A client for the commands of `impasto style`."""
    return Client.connect(name="impasto style")


@click.command("export")
@click.argument("names", nargs=-1, required=True)
@click.option("-o", "--output", type=_PATH, required=True,
              help="Where to put it; several styles make a pack, which ends in .zip.")  # fmt: skip
@json_option
def export_styles(names: tuple[str, ...], output: Path, as_json: bool) -> None:
    """Write styles to a file, which `impasto style import` takes."""
    ending = output.suffix.lower()
    if ending != ".zip" and (len(names) > 1 or ending != SUFFIX):
        raise click.UsageError(
            f"Let the file's name end in {SUFFIX} for one style, in .zip for several."
        )
    check_place(output)
    with connect() as client:
        write_named(output, client.export_presets(names, pack=ending == ".zip"))
    print_result(as_json, {"names": names, "output": output.resolve()}, f"{output.resolve()}")


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--replace", is_flag=True, help="Replace styles of the same names.")
@json_option
def import_styles(files: tuple[Path, ...], replace: bool, as_json: bool) -> None:
    """Keep the styles in FILES.

    Each is a style or a pack, as `impasto style export` writes them. A style is called what its
    file is called. When a file cannot be used, nothing of it is kept.
    """
    names: list[str] = []
    with connect() as client:
        for file in files:
            names += client.import_presets(_read(file), name=file.stem, replace=replace)
    print_result(as_json, {"names": names}, "\n".join(f"{name} is kept." for name in names))


@click.command()
@json_option
def starter(as_json: bool) -> None:
    """Bring back the styles that come with Impasto.

    Those that are there stay as they are.
    """
    from impasto_daemon.presets.starter_presets import starter_presets

    names: list[str] = []
    with connect() as client:
        for preset in starter_presets():
            with contextlib.suppress(PresetExists):
                names += client.import_presets(pack(preset), name=preset.name)
    print_result(as_json, {"names": names}, ", ".join(names) or "They are all there.")


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(FRAME_BYTES + 1)
    except OSError as error:
        raise PresetInvalid(
            f"{path} cannot be read: {error.strerror}.", next_step="Choose another file."
        ) from error
