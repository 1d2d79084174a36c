"""Sums that are the same to the last bit whatever the number of threads.

torch cuts a long sum into as many parts as there are threads, and L-BFGS makes a picture's
difference of the last bit within twenty-five steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ROW = 4096
"""So many numbers are always summed by one thread, in one order."""


def total(values: Tensor) -> Tensor:
    """The sum of all, 0-d."""
    flat = values.reshape(-1)
    while len(flat) > _ROW:
        rest = len(flat) % _ROW
        rows = flat[: len(flat) - rest].view(-1, _ROW).sum(dim=1)
        flat = torch.cat([rows, flat[len(flat) - rest :].sum(dim=0, keepdim=True)])
    return flat.sum()


def dot(one: Tensor, other: Tensor) -> Tensor:
    """The sum of the products of two of one shape, 0-d."""
    return total(one * other)
