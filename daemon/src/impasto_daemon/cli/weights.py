"""`impasto weights`: the trained network's file."""

from __future__ import annotations

from pathlib import Path

import click

from impasto_daemon.cli.output import json_option, print_result, progress_bar
from impasto_daemon.config import load_config
from impasto_daemon.paths import Paths
from impasto_daemon.weights import store as files


@click.group()
def weights() -> None:
    """See, download or choose the weights of VGG-19."""


@weights.command()
@json_option
def status(as_json: bool) -> None:
    """Say which weights are used, and check them."""
    paths = Paths.of()
    configured = load_config(paths.config)
    found = files.find(configured.config.weights, paths.data)
    if found is None:
        text = "No weights: pictures are painted with an untrained network, which looks poorer.\n"
        text += "Get them with `impasto weights fetch`."
        print_result(as_json, {"path": None, "origin": None, "sha256": None}, text)
        return
    named = bool(configured.config.weights)
    origin = configured.origin["weights"] if named else "the data folder"
    _, digest = files.load(found)
    data = {"path": str(found), "origin": origin, "sha256": digest}
    print_result(as_json, data, f"{found} (from {origin})\nVGG-19, sha256 {digest}")


@weights.command()
@json_option
def fetch(as_json: bool) -> None:
    """Download the weights (550 MB, of which 80 are kept); an interrupted download resumes."""
    from impasto_daemon.weights.download import fetch as download

    with progress_bar(shown=not as_json) as bar:
        task = bar.add_task("Downloading MiB", total=None, note="")
        path = download(
            Paths.of().data,
            lambda done, total: bar.update(task, completed=done >> 20, total=(total >> 20) or None),
        )
    print_result(as_json, {"path": str(path)}, f"The weights are in {path}")


@weights.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def use(file: Path, as_json: bool) -> None:
    """Copy FILE to where the daemon looks: safetensors, or torchvision's own download."""
    path = files.adopt(file, Paths.of().data)
    print_result(as_json, {"path": str(path)}, f"The weights are in {path}")
