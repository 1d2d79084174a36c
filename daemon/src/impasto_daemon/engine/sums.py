"""Sums that are the same to the last bit whatever the number of threads.

torch cuts a long sum into as many parts as there are threads, and L-BFGS makes a picture's
difference of the last bit within twenty-five steps.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor

_Layer = TypeVar("_Layer", bound=Hashable)

_ROW = 4096
"""So many numbers are always summed by one thread, in one order."""


_BLOCK = 1 << 22
_SMALL_PX = 128 * 128


def total(values: Tensor) -> Tensor:
    """The sum of all, 0-d."""
    flat = values.reshape(-1)
    while len(flat) > _ROW:
        rest = len(flat) % _ROW
        rows = flat[: len(flat) - rest].view(-1, _ROW).sum(dim=1)
        flat = torch.cat([rows, flat[len(flat) - rest :].sum(dim=0, keepdim=True)])
    return flat.sum()


def dot(one: Tensor, other: Tensor) -> Tensor:
    """The sum of the products of two of one shape, 0-d float32 or float64."""
    wide = torch.promote_types(one.dtype, torch.float32)
    parts = [
        total(some.to(wide) * others)
        for some, others in zip(blocks(one), blocks(other), strict=True)
    ]
    return total(torch.stack(parts))


def blocks(values: Tensor) -> Sequence[Tensor]:
    """Views of a contiguous tensor, flat, which what is computed on the way is as small as."""
    return torch.split(values.view(-1), _BLOCK)


@contextmanager
def one_thread_if_small(height: int, width: int) -> Iterator[None]:
    """Compute with one thread while a picture of that size, in px, is looked at, if it is small.

    oneDNN cuts the sum over the channels of a small feature map into as many parts as there are
    threads: seen up to 96 x 96 px, in float32 and with eight of them.
    """
    with one_thread(when=height * width < _SMALL_PX):
        yield


@contextmanager
def one_thread(*, when: bool = True) -> Iterator[None]:
    """Compute with one thread meanwhile."""
    before = torch.get_num_threads()
    if when:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class LayerSums(dict[_Layer, Tensor]):
    """Sums by layer, each in the order in which it is added to."""

    def add(self, layer: _Layer, value: Tensor) -> None:
        """Add to a layer's sum."""
        self[layer] = self[layer] + value if layer in self else value
