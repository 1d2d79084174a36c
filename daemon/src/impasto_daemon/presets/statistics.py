"""Gram matrices as a file's tensors: of each the upper half, which is all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_protocol.networks import LAYERS

Statistics = Mapping[tuple[int, str], NDArray[np.float32]]
"""Gram matrices, (C, C), by size in px and layer."""


def pack_statistics(statistics: Statistics) -> dict[str, NDArray[np.float32]]:
    """Tensors, (C (C + 1) / 2,), by `gram/size/layer`."""
    return {
        f"gram/{size}/{layer}": gram[np.triu_indices(len(gram))]
        for (size, layer), gram in statistics.items()
    }


def packed_bytes(layers: Iterable[str]) -> int:
    """How large the tensors of one size are."""
    channels = (LAYERS[layer].channels for layer in layers)
    return sum(4 * count * (count + 1) // 2 for count in channels)


def unpack_statistics(tensors: Mapping[str, NDArray[Any]]) -> Statistics:
    """The reverse of `pack_statistics`. Raises ValueError for what it cannot have come from."""
    return dict(_unpack(key, packed) for key, packed in tensors.items())


def _unpack(key: str, packed: NDArray[Any]) -> tuple[tuple[int, str], NDArray[np.float32]]:
    kind, size, layer = key.split("/")
    if kind != "gram" or layer not in LAYERS or packed.dtype != np.float32:
        raise ValueError(f"unexpected tensor {key!r}")
    channels = LAYERS[layer].channels
    if packed.shape != (channels * (channels + 1) // 2,) or not np.isfinite(packed).all():
        raise ValueError(f"{key} is not a Gram matrix")
    gram = np.empty((channels, channels), np.float32)
    upper = np.triu_indices(channels)
    gram[upper] = packed
    gram.T[upper] = packed
    return (int(size), layer), gram
