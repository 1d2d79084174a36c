"""Whose weights a network has: of VGG-19 Oxford's, torchvision's, or those of a file, of any other
torchvision's; what they are called, without torch.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from impasto_daemon.config import WEIGHTS_SOURCES
from impasto_daemon.files import write_file
from impasto_daemon.weights import oxford, store
from impasto_protocol.errors import NotWritten, WeightsBad
from impasto_protocol.networks import NETWORKS
from impasto_protocol.settings import VGG19

if TYPE_CHECKING:
    from torch import Tensor

OXFORD, TORCHVISION, OWN = SOURCES = WEIGHTS_SOURCES
_NAMED = (
    "Correct or remove the setting `weights` (`impasto config show --origin` tells where it is), "
    "then run `impasto daemon stop`."
)
"""What helps where a setting names the file: it comes before `impasto weights use`."""


@dataclass(frozen=True)
class Identity:
    """What a network is called: by its tensors, and by its file, as older versions called it."""

    hash: str
    formerly: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All that it is or was called."""
        return self.formerly | {self.hash}


@dataclass(frozen=True)
class Network:
    """A network's tensors by name. label: the source, or a file's name, for people."""

    tensors: Mapping[str, Tensor]
    identity: Identity
    label: str


def chosen(named: str, data_dir: Path) -> str:
    """One of SOURCES, or a path: what was `named`, else what was chosen, else Oxford's.

    Weights that were put into the data folder before there was a choice are still used.
    """
    if named:
        return named
    with contextlib.suppress(OSError):
        choice = _choice_file(data_dir).read_text(encoding="utf-8").strip()
        if choice in SOURCES:
            return choice
    return OWN if store.own_file(data_dir).is_file() else OXFORD


def choose(source: str, data_dir: Path) -> None:
    """Use one of SOURCES from now on. Raises WeightsBad when it is not there, NotWritten."""
    find(source, data_dir)
    write_file(_choice_file(data_dir), source.encode())


def find(named: str, data_dir: Path, network: str = VGG19) -> Path:
    """The file of the network to be used; Oxford's may not have been unpacked yet.

    named: as in the settings, of VGG-19.
    Raises WeightsBad when it is not there: nothing else is quietly taken instead.
    """
    if network != VGG19:
        path = store.torchvision_file(data_dir, network)
        if not path.is_file():
            label = NETWORKS[network].label
            raise WeightsBad(
                f"The weights of {label} are not here yet.",
                next_step=f"Run `impasto weights fetch {network}`, or paint with VGG-19.",
            )
        return path
    source = chosen(named, data_dir)
    if source == OXFORD:
        return data_dir / "weights" / "oxford.safetensors"
    path = _file(source, data_dir)
    if not path.is_file():
        raise WeightsBad(
            f"The weights file {path} is not there.", next_step=_next_step(named, source)
        )
    return path


def open_network(named: str, data_dir: Path, network: str = VGG19) -> Network:
    """The network to be used, checked. Oxford's is unpacked when it is first used.

    Raises WeightsBad.
    """
    if network != VGG19:
        path = find(named, data_dir, network)
        identity = identify(named, data_dir, network)
        return Network(store.load(path, network, data_dir), identity, NETWORKS[network].label)
    source, path = chosen(named, data_dir), find(named, data_dir)
    label = source if source in (OXFORD, TORCHVISION) else path.name
    if source == OXFORD:
        return Network(_open_oxford(path, data_dir), Identity(oxford.TENSORS_HASH), label)
    try:
        return Network(store.load(path, network, data_dir), identify(named, data_dir), label)
    except WeightsBad as error:
        if not named:
            raise
        raise WeightsBad(str(error), next_step=_NAMED) from error


def identify(named: str, data_dir: Path, network: str = VGG19) -> Identity:
    """What the network to be used is called; an empty name when it cannot be used."""
    with contextlib.suppress(OSError, WeightsBad):
        path = find(named, data_dir, network)
        if network == VGG19 and chosen(named, data_dir) == OXFORD:
            return Identity(oxford.TENSORS_HASH)
        return _identify(path, network, path.stat().st_mtime_ns, path.stat().st_size)
    return Identity("")


@lru_cache(maxsize=8)
def _identify(path: Path, network: str, changed: int, size: int) -> Identity:
    data = store.read(path)
    name = store.hash_tensors(store.arrays(data, path, network))
    formerly = {hashlib.sha256(each).hexdigest() for each in (data, store.reordered(data))}
    return Identity(name, frozenset(formerly))


def _open_oxford(path: Path, data_dir: Path) -> Mapping[str, Tensor]:
    """Oxford's tensors, from the file where they were unpacked, or anew from the package."""
    with contextlib.suppress(WeightsBad):
        return store.load(path, data_dir=data_dir)
    tensors = oxford.unpack()
    with contextlib.suppress(NotWritten):
        store.keep(tensors, path)
    return tensors


def _file(source: str, data_dir: Path) -> Path:
    places = {TORCHVISION: store.torchvision_file(data_dir), OWN: store.own_file(data_dir)}
    return places.get(source) or Path(source)


def _next_step(named: str, source: str) -> str:
    if source == TORCHVISION:
        return "Run `impasto weights fetch torchvision`, or `impasto weights use oxford`."
    return _NAMED if named else "Correct its path, or run `impasto weights use oxford`."


def _choice_file(data_dir: Path) -> Path:
    return data_dir / "weights" / "chosen"
