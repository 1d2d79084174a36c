"""`impasto weights`: the trained network that is used."""

from __future__ import annotations

from pathlib import Path

import click

from impasto_daemon.cli.output import json_option, print_result, progress_bar
from impasto_daemon.config import load_config
from impasto_daemon.paths import Paths
from impasto_daemon.weights import sources, store


@click.group()
def weights() -> None:
    """See or choose the trained network, VGG-19.

    There is Oxford's own, which comes with Impasto and is used unless you choose another;
    torchvision's, which is downloaded; or one from a file.
    """


@weights.command()
@json_option
def status(as_json: bool) -> None:
    """Say which network is used, and check it."""
    paths = Paths.of()
    configured = load_config(paths.config)
    named = configured.config.weights
    network = sources.open_network(named, paths.data)
    path = sources.find(named, paths.data)
    origin = configured.origin["weights"] if named else "`impasto weights use`, or the usual one"
    data = {
        "source": network.label, "path": path, "origin": origin, "name": network.identity.hash,
    }  # fmt: skip
    text = f"{network.label} (from {origin})\n{path}\nVGG-19, {network.identity.hash}"
    print_result(as_json, data, text)


@weights.command()
@click.argument("source", type=click.Choice([sources.TORCHVISION]), default=sources.TORCHVISION)
@json_option
def fetch(source: str, as_json: bool) -> None:
    """Download torchvision's network (550 MB, of which 80 are kept).

    An interrupted download resumes. `impasto weights use torchvision` then uses it.
    """
    path = _download(shown=not as_json)
    text = f"It is in {path}\nUse it with `impasto weights use {source}`."
    print_result(as_json, {"path": path}, text)


@weights.command()
@click.argument("network")
@json_option
def use(network: str, as_json: bool) -> None:
    """Use NETWORK from now on: oxford, torchvision, or a file.

    torchvision is downloaded if it is not there yet. A file, safetensors or torchvision's own
    download, is copied.
    """
    data_dir = Paths.of().data
    if network == sources.TORCHVISION and not store.torchvision_file(data_dir).is_file():
        _download(shown=not as_json)
    source = network
    if network not in (sources.OXFORD, sources.TORCHVISION):
        own = store.adopt(Path(network), data_dir) == store.own_file(data_dir)
        source = sources.OWN if own else sources.TORCHVISION
    sources.choose(source, data_dir)
    path = sources.find(source, data_dir)
    text = f"{network} is used from the next picture on."
    print_result(as_json, {"source": source, "path": path}, text)


def _download(*, shown: bool) -> Path:
    from impasto_daemon.weights.download import fetch

    with progress_bar(shown=shown) as bar:
        task = bar.add_task("Downloading MiB", total=None, note="")
        return fetch(
            Paths.of().data,
            lambda done, total: bar.update(task, completed=done >> 20, total=(total >> 20) or None),
        )
