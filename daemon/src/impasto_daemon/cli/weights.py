"""`impasto weights`: the trained network that is used."""

from __future__ import annotations

from pathlib import Path

import click

from impasto_daemon.cli.output import json_option, print_result, progress_bar
from impasto_daemon.config import load_config
from impasto_daemon.paths import Paths
from impasto_daemon.weights import sources, store
from impasto_protocol.errors import ConfigInvalid
from impasto_protocol.networks import NETWORKS
from impasto_protocol.settings import VGG19

_OTHERS = tuple(name for name in NETWORKS if name != VGG19)


@click.group()
def weights() -> None:
    """See or choose the weights of the trained network, VGG-19, and get those of others.

    There are Oxford's own, which come with Impasto and are used unless you choose others;
    torchvision's, which are downloaded; or those of a file. `impasto apply --network` paints with
    another network, whose weights `fetch` gets.
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
    others = [each for each in _OTHERS if store.torchvision_file(paths.data, each).is_file()]
    data = {
        "source": network.label, "path": path, "origin": origin, "name": network.identity.hash,
        "others": others,
    }  # fmt: skip
    text = f"{network.label} (from {origin})\n{path}\nVGG-19, {network.identity.hash}"
    if others:
        text += f"\nAlso here: {', '.join(NETWORKS[each].label for each in others)}"
    print_result(as_json, data, text)


@weights.command()
@click.argument(
    "what", type=click.Choice([sources.TORCHVISION, *_OTHERS]), default=sources.TORCHVISION
)
@click.option(
    "--file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take torchvision's download, or its tensors as safetensors, from here instead.",
)  # fmt: skip
@json_option
def fetch(what: str, file: Path | None, as_json: bool) -> None:
    """Download torchvision's VGG-19 (550 MB, of which 80 are kept), or another network.

    vgg16 has 530 MB, googlenet 50, resnet50 100; a part of each is kept. An interrupted download
    resumes. `impasto weights use torchvision` then uses the VGG-19, `impasto apply --network` one
    of the others.
    """
    network = VGG19 if what == sources.TORCHVISION else what
    if file:
        path = store.adopt(file, Paths.of().data, network)
    else:
        path = _download(network, shown=not as_json)
    use_it = f"impasto apply --network {network}"
    if network == VGG19:
        use_it = f"impasto weights use {_source(path)}"
    text = f"It is in {path}\nUse it with `{use_it}`."
    print_result(as_json, {"path": path}, text)


@weights.command()
@click.argument("network")
@json_option
def use(network: str, as_json: bool) -> None:
    """Use NETWORK from now on: oxford, torchvision, own, or a file.

    torchvision is downloaded if it is not there yet. A file, safetensors or torchvision's own
    download, is copied, and called own or torchvision.
    """
    if network in _OTHERS:
        raise click.UsageError(
            f"VGG-19's are chosen here; use `impasto apply --network {network}`."
        )
    paths = Paths.of()
    data_dir, configured = paths.data, load_config(paths.config)
    if configured.config.weights:
        raise ConfigInvalid(
            f"The setting `weights` comes first: {configured.config.weights}.",
            next_step="Remove it; `impasto config show --origin` tells where it is.",
        )
    if network == sources.TORCHVISION and not store.torchvision_file(data_dir).is_file():
        _download(VGG19, shown=not as_json)
    source = network
    if network not in sources.SOURCES:
        source = _source(store.adopt(Path(network), data_dir))
    sources.choose(source, data_dir)
    path = sources.find(source, data_dir)
    text = f"{network} is used from the next picture on."
    print_result(as_json, {"source": source, "path": path}, text)


def _source(adopted: Path) -> str:
    """What a file of VGG-19's weights is called, by where it was put."""
    return sources.OWN if adopted == store.own_file(Paths.of().data) else sources.TORCHVISION


def _download(network: str, *, shown: bool) -> Path:
    from impasto_daemon.weights.download import fetch

    with progress_bar(shown=shown) as bar:
        task = bar.add_task("Downloading MiB", total=None, note="")
        return fetch(
            Paths.of().data,
            lambda done, total: bar.update(task, completed=done >> 20, total=(total >> 20) or None),
            network=network,
        )
