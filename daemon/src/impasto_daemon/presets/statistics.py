"""Moments of features as a file's tensors: of each the upper half, which is all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_protocol.networks import LAYERS

Statistics = Mapping[tuple[int, str], NDArray[np.float32]]
"""Mean products of features, and of a 1 beside them, (C + 1, C + 1), by size in px and layer."""


def pack_statistics(statistics: Statistics) -> dict[str, NDArray[np.float32]]:
    """Tensors, ((C + 1) (C + 2) / 2,), by `moments/size/layer`."""
    return {
        f"moments/{size}/{layer}": moments[np.triu_indices(len(moments))]
        for (size, layer), moments in statistics.items()
    }


def packed_bytes(layers: Iterable[str]) -> int:
    """How large the tensors of one size are."""
    return sum(4 * _packed(_side(layer)) for layer in layers)


def unpack_statistics(tensors: Mapping[str, NDArray[Any]]) -> Statistics:
    """The reverse of `pack_statistics`. Raises ValueError for what it cannot have come from.

    Gram matrices, which older versions kept, are left out.
    """
    return dict(
        _unpack(key, packed) for key, packed in tensors.items() if not key.startswith("gram/")
    )


def _unpack(key: str, packed: NDArray[Any]) -> tuple[tuple[int, str], NDArray[np.float32]]:
    kind, size, layer = key.split("/")
    if kind != "moments" or layer not in LAYERS or packed.dtype != np.float32:
        raise ValueError(f"unexpected tensor {key!r}")
    side = _side(layer)
    if packed.shape != (_packed(side),) or not np.isfinite(packed).all():
        raise ValueError(f"{key} is not of moments")
    moments = np.empty((side, side), np.float32)
    upper = np.triu_indices(side)
    moments[upper] = packed
    moments.T[upper] = packed
    return (int(size), layer), moments


def _side(layer: str) -> int:
    return LAYERS[layer].channels + 1


def _packed(side: int) -> int:
    return side * (side + 1) // 2
