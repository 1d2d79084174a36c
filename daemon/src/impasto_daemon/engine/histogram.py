"""Histograms of features, channel by channel, and what brings one in line with another.

A bin is the exponent of a float32 and the first bits of its mantissa, so that it is as fine for
the values of any network, and found without a search. The first one begins at 0.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.gram import add_block, blocks

_WITHIN_BITS = 19
"""Of the 23 of a mantissa, those that are less than a bin."""

_PARTS = 4
_ALL = 1 - 1e-9
"""Of a histogram, so that by the rounding nothing lies above its last value."""
_EXACT = 2.0**20
"""Weights are rounded to multiples of its inverse, whose sums are the same in any order."""


def _number(values: Tensor) -> Tensor:
    """Which float, of those that begin a bin, is the last one below: an int32 that grows by 1."""
    return values.view(torch.int32) >> _WITHIN_BITS


_LEAST, _MOST = (int(_number(torch.tensor(2.0**power))) for power in (-10, 14))

EDGES = torch.cat(
    [
        torch.zeros(1),
        (torch.arange(_LEAST, _MOST + 1, dtype=torch.int32) << _WITHIN_BITS).view(torch.float32),
    ]
)
"""Where each of the B bins begins, and where the last one ends, (B + 1,)."""

BINS = len(EDGES) - 1


def bin_sum(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """What falls into each bin, (C, B), of a map (1, C, H, W); float64 where there is one.

    mask: (H, W) ≥ 0, what each position counts; None stands for ones.
    """
    channels = features.shape[1]
    wide = torch.float32 if features.device.type == "mps" else torch.float64
    found = features.new_zeros(channels * BINS, dtype=wide)
    for columns, weights, _ in blocks(features, mask, parts=_PARTS):
        counted = None
        if weights is not None:
            exact = (weights.to(wide) * _EXACT).round_().div_(_EXACT)
            counted = exact.expand_as(columns).flatten()
        found += torch.bincount(_places(columns)[0].flatten(), counted, len(found))
    return found.view(channels, BINS)


def add_remapped(gradient: Tensor, features: Tensor, mask: Tensor | None, table: Tensor) -> None:
    """Add what a table has for each feature, weighed.

    table: (2, C, B), where a bin begins and where it ends; straight between them.
    """
    start, rise = table[0].flatten(), table.diff(dim=0).flatten()
    for columns, weights, rows in blocks(features, mask, parts=_PARTS):
        places, within = _places(columns)
        found = start[places].addcmul_(rise[places], within)
        add_block(gradient, found, weights, rows)


def shares_below(histogram: Tensor) -> Tensor:
    """The share of all, of a histogram (C, B), that lies below each of `EDGES`, (C, B + 1)."""
    below = functional.pad(histogram.cumsum(dim=1), (1, 0))
    return below / below[:, -1:].clamp_min(1e-12)


def quantiles(histogram: Tensor, shares: Tensor, *, above: bool) -> Tensor:
    """The values that such shares, (C, n), of a histogram, (C, B), lie below.

    above: where there is a gap in the histogram, the value at its end and not at its start.
    """
    below = shares_below(histogram)
    shares = shares.clamp(max=_ALL).contiguous()
    number = (torch.searchsorted(below, shares, right=above) - 1).clamp(0, BINS - 1)
    begin, held = below.gather(1, number), below.diff(dim=1).gather(1, number)
    within = ((shares - begin) / held.clamp_min(1e-12)).clamp(0, 1)
    edges = EDGES.to(below)
    return edges[number] + within * edges.diff()[number]


def _places(columns: Tensor) -> tuple[Tensor, Tensor]:
    """The bin of each feature, (positions, C), counted through all channels, and where in it."""
    values = columns.float().contiguous()
    number = _number(values).sub_(_LEAST - 1).clamp_(0, BINS - 1)
    within = (values.view(torch.int32) & ((1 << _WITHIN_BITS) - 1)).float()
    within.mul_(2.0**-_WITHIN_BITS).mul_(number > 0)
    channels = torch.arange(columns.shape[1], device=columns.device)
    return number + channels * BINS, within
