"""Gram matrices: which features of a picture occur together, wherever they occur."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

_BLOCK = 1 << 22
"""So many numbers of a feature map are looked at together: a copy of all of it would be large."""
_ONE_THREADS = 512
_CHANNELS = 256


def gram_sum(
    features: Tensor, mask: Tensor | None = None, *, other: Tensor | None = None, ones: bool = False
) -> Tensor:
    """Σ_k m_k F_ik F_jk over the positions k of a feature map, Gatys et al. 2016 eq. 3.

    features: (1, C, H, W) of any float type → (C, C) float32, or float64 of float64.
    mask: (H, W) ≥ 0, the weight m of each position; None stands for ones.
    other: takes the place of the second F. ones: F has a channel of ones beside its own, so that
    the last row has the sums of each, and of m.
    """
    wide, sides = torch.promote_types(features.dtype, torch.float32), features.shape[1] + ones
    found = features.new_zeros(sides, sides, dtype=wide)
    others = None if other is None else blocks(other)
    for columns, weights, _ in blocks(features, mask):
        columns = columns.to(wide)
        if ones:
            columns = functional.pad(columns, (0, 1), value=1)
        second = columns if others is None else next(others)[0].to(wide)
        found += _product(columns if weights is None else columns * weights, second)
    return found


def _product(one: Tensor, other: Tensor) -> Tensor:
    """Σ_k of one's row k times other's, in parts so short that one thread takes each.

    A longer sum is cut into as many parts as there are threads, and rounded otherwise with each.
    """
    whole = len(one) // _ONE_THREADS * _ONE_THREADS
    parts, others = (x[:whole].view(-1, _ONE_THREADS, x.shape[1]) for x in (one, other))
    return (parts.mT @ others).sum(dim=0).addmm_(one[whole:].T, other[whole:])


def _times(columns: Tensor, slope: Tensor) -> Tensor:
    """`columns @ slope`, the sum over the channels in parts that oneDNN leaves to one thread.

    Of 512 channels in bfloat16 it makes as many parts as there are threads.
    """
    parts = zip(torch.split(columns, _CHANNELS, dim=1), torch.split(slope, _CHANNELS), strict=True)
    product: Tensor = functools.reduce(operator.iadd, (some @ rows for some, rows in parts))
    return product


def add_gram_gradient(
    gradient: Tensor, features: Tensor, mask: Tensor | None, slope: Tensor
) -> None:
    """Add to `gradient` the derivative by F of a loss that has that derivative by `gram_sum`.

    slope: (C, C), symmetric; with a row and a column more where there were ones. Gatys et al.
    2016, eq. 6. gradient: shaped like `features`.
    """
    slope, channels = (2 * slope).to(features.dtype), features.shape[1]
    for columns, weights, rows in blocks(features, mask):
        product = _times(columns, slope[:channels, :channels])
        if len(slope) > channels:
            product += slope[channels, :channels]
        add_block(gradient, product, weights, rows)


def add_pair_gradient(
    gradients: tuple[Tensor, Tensor],
    maps: tuple[Tensor, Tensor],
    mask: Tensor | None,
    slope: Tensor,
) -> None:
    """The same by both of two maps, of a loss that has that derivative by their `gram_sum`."""
    slope = slope.to(maps[0].dtype)
    for gradient, seen, factor in zip(gradients, reversed(maps), (slope.T, slope), strict=True):
        for columns, weights, rows in blocks(seen, mask):
            add_block(gradient, _times(columns, factor), weights, rows)


def add_block(gradient: Tensor, found: Tensor, weights: Tensor | None, rows: slice) -> None:
    """Add what was found for a block, (positions, C), weighed, to its rows of a gradient."""
    if weights is not None:
        found *= weights
    own = gradient[0, :, rows].permute(1, 2, 0)
    own += found.view(own.shape)


def blocks(
    features: Tensor, mask: Tensor | None = None, *, parts: int = 1
) -> Iterator[tuple[Tensor, Tensor | None, slice]]:
    """Some rows of a feature map at a time: (positions, C), their weights (positions, 1), where.

    parts: so many times smaller ones.
    """
    _, channels, height, width = features.shape
    step = max(1, _BLOCK // parts // max(1, channels * width))
    for top in range(0, height, step):
        rows = slice(top, top + step)
        columns = features[0, :, rows].permute(1, 2, 0).reshape(-1, channels)
        weights = None if mask is None else mask[rows].reshape(-1, 1)
        yield columns, weights, rows
