"""`impasto apply` and `impasto demo`: a picture goes to the daemon and comes back painted."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import click

from impasto_daemon.cli.follow import follow
from impasto_daemon.cli.options import given, options_of
from impasto_daemon.cli.show import console, json_option, tell
from impasto_protocol.client import Client
from impasto_protocol.codec import Picture
from impasto_protocol.errors import BadField
from impasto_protocol.fields import build, plain
from impasto_protocol.messages import PresetGet, Presets, Result
from impasto_protocol.settings import Settings

_PATH = click.Path(path_type=Path)

size_option = click.option(
    "--size", "size_px", type=click.IntRange(0), help="Scale the picture to this long edge first."
)


@click.command()
@click.argument("picture", type=_PATH)
@click.option("--style", "style_file", type=_PATH, help="The picture whose style to paint in.")
@click.option("--preset", help="A saved style, instead of --style.")
@click.option("--start", "start_file", type=_PATH, help="A picture to begin with instead.")
@click.option("-o", "--output", type=_PATH, help="Where to put it [default: NAME-painted.png].")
@size_option
@json_option
@options_of(Settings)
def apply(
    picture: Path,
    style_file: Path | None,
    preset: str | None,
    start_file: Path | None,
    output: Path | None,
    size_px: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Paint PICTURE in the style of another picture, or of a saved style.

    Ctrl-C ends it with the picture as it stands, a second Ctrl-C without one.
    """
    if (style_file is None) == (preset is None):
        raise click.UsageError("Give either --style FILE or --preset NAME.")
    from impasto_daemon.pictures import read_picture

    output = output or picture.with_name(f"{picture.stem}-painted.png")
    content = read_picture(picture, longest_px=size_px or 0)
    start = read_picture(start_file) if start_file else None
    with Client.connect(name="impasto apply") as client:
        style = read_picture(style_file) if style_file else str(preset)
        base = _preset_settings(client, preset) if preset else {}
        settings = build(Settings, base | given(options), known_only=True)
        job = client.stylise(content, style, settings, start=start)
        snapshots: dict[Path, Picture] = {}

        def keep(step: int, snapshot: Picture) -> None:
            snapshots[output.with_stem(f"{output.stem}-{step}")] = snapshot

        result, (painted,) = follow(job, shown=not as_json, on_snapshot=keep)
    paths = {**snapshots, output: painted}
    for path, found in paths.items():
        _write(path, found, settings, result)
    data = {"output": str(output), "snapshots": [str(path) for path in snapshots]}
    tell(as_json, data | _summary(result), lambda: _say(result, list(paths)))


@click.command()
@click.option("--folder", type=_PATH, default="impasto-demo", show_default=True,
              help="Where to put the pictures.")  # fmt: skip
@size_option
@json_option
@options_of(Settings, only=("strength", "iterations"))
def demo(folder: Path, size_px: int | None, as_json: bool, **options: Any) -> None:
    """Paint the photograph that comes with Impasto, to see that all works."""
    from impasto_daemon.pictures import read_picture
    from impasto_daemon.sheet import make_sheet

    pictures = files("impasto_daemon") / "demo"
    with (
        as_file(pictures / "photograph.jpg") as photograph,
        as_file(pictures / "painting.jpg") as painting,
    ):
        content = read_picture(photograph, longest_px=size_px or 320)
        style = read_picture(painting)
    settings = build(Settings, {"iterations": 150} | given(options))
    with Client.connect(name="impasto demo") as client:
        result, (painted,) = follow(client.stylise(content, style, settings), shown=not as_json)
    paths = [folder / "painted.png", folder / "before-style-after.png"]
    _write(paths[0], painted, settings, result)
    _write(paths[1], make_sheet([content, style, painted]), settings, result)
    data = {"output": str(paths[0]), "sheet": str(paths[1]), **_summary(result)}
    tell(as_json, data, lambda: _say(result, paths))


def _preset_settings(client: Client, name: str) -> dict[str, Any]:
    answer, _ = client.ask(PresetGet(name=name))
    if not isinstance(answer, Presets):
        raise BadField("The daemon's answer was not a preset.", field="presets")
    return plain(answer.presets[0].settings)


def _write(path: Path, picture: Picture, settings: Settings, result: Result) -> None:
    from impasto_daemon.pictures import write_picture

    recipe = {"settings": plain(settings), "style": result.style, "weights": result.weights}
    write_picture(path, picture, info={"impasto": json.dumps(recipe)})


def _summary(result: Result) -> dict[str, Any]:
    said = plain(result)
    return {key: said[key] for key in said if key not in ("frames", "request", "job")}


def _say(result: Result, paths: list[Path]) -> None:
    why = ", as it no longer changed" if result.converged else ""
    console.print(f"Painted in {result.seconds:.0f} s, {result.steps} steps{why}, {result.device}.")
    for note in result.notes:
        console.print(f"Note: {note}", style="yellow", markup=False)
    for path in paths:
        console.print(str(path.resolve()), style="bold", markup=False)
