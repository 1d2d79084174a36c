"""The network that a style is baked into, as tensors of a preset's file. Knows no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from impasto_daemon.engine.feed_forward_shapes import TENSORS

_PREFIX = "baked/"


@dataclass(frozen=True)
class BakedNetwork:
    """minutes: how long it was baked. tensors: float16, those of TENSORS."""

    minutes: float
    tensors: Mapping[str, NDArray[Any]]


def pack_network(network: BakedNetwork) -> dict[str, NDArray[Any]]:
    """The tensors for a file."""
    return {f"{_PREFIX}{name}": network.tensors[name].astype(np.float16) for name in TENSORS}


def unpack_network(tensors: dict[str, NDArray[Any]], minutes: float) -> BakedNetwork | None:
    """The network among a file's tensors, which is taken out of them; None: it is not baked.

    Raises ValueError.
    """
    names = [name for name in tensors if name.startswith(_PREFIX)]
    found = {name.removeprefix(_PREFIX): tensors.pop(name) for name in names}
    if bool(found) != (minutes > 0):
        raise ValueError("it says it is baked and is not, or the other way round")
    return _checked(found, minutes) if found else None


def read_network(data: bytes) -> BakedNetwork:
    """A network of its own file, as they come with Impasto. Raises ValueError."""
    length = int.from_bytes(data[:8], "little")
    about = json.loads(data[8 : 8 + length])["__metadata__"]
    return _checked(safetensors.numpy.load(data), float(about["minutes"]))


def write_network(network: BakedNetwork) -> bytes:
    """The content of such a file."""
    return safetensors.numpy.save(
        dict(network.tensors), metadata={"minutes": f"{network.minutes:.1f}"}
    )


def _checked(tensors: Mapping[str, NDArray[Any]], minutes: float) -> BakedNetwork:
    if {name: tensor.shape for name, tensor in tensors.items()} != TENSORS:
        raise ValueError("the network that it is baked into is not one of Impasto's")
    for tensor in tensors.values():
        if tensor.dtype != np.float16 or not np.isfinite(tensor).all():
            raise ValueError("the network that it is baked into is damaged")
    return BakedNetwork(minutes, tensors)
