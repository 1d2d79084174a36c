"""A picture cut into tiles, each seen with a margin that covers what its features see.

Losses are sums over positions, so tiles give the same loss and gradient as the whole picture
does, to the rounding, in the memory of one tile.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.convolutions import reach_px, stride_px
from impasto_daemon.engine.padding import mask_padding
from impasto_daemon.engine.schedule import LEAST_PX


@dataclass(frozen=True)
class Span:
    """A tile along one axis, in px: from `begin` to `end`, seen from `first` to `last`.

    All but `last`, which stops at the picture's border, are multiples of 16.
    """

    begin: int
    end: int
    first: int
    last: int


@dataclass(frozen=True)
class Tile:
    """A tile of a picture that is padded to multiples of 16."""

    rows: Span
    columns: Span

    def window(self, plane: Tensor) -> Tensor:
        """What is seen of a plane (…, H, W), as a view."""
        return plane[..., self.rows.first : self.rows.last, self.columns.first : self.columns.last]

    def core(self, features: Tensor, layer: str) -> Tensor:
        """The tile's own part, as a view, of a feature map (…, h, w) of its padded window."""
        stride = stride_px(layer)
        rows, columns = (
            slice((span.begin - span.first) // stride, (span.end - span.first) // stride)
            for span in (self.rows, self.columns)
        )
        return features[..., rows, columns]

    def weights(self, alpha: Tensor, layer: str) -> Tensor:
        """The alpha (1, H, W) as the weight of each position of its own part: (h, w)."""
        window = mask_padding(self.window(alpha))
        return self.core(functional.avg_pool2d(window, stride_px(layer))[0], layer)


def margin_px(layers: Collection[str]) -> int:
    """The margin that covers what the features of `layers` see, a multiple of 16."""
    return _round_up(max(map(reach_px, layers)))


def cut(picture: Tensor, tile_px: int, margin: int) -> list[Tile]:
    """The tiles of a picture (…, H, W), in rows, their sides at most `tile_px`; 0: one tile.

    margin: in px, a multiple of 16.
    """
    height, width = picture.shape[-2:]
    columns = list(_spans(width, tile_px, margin))
    return [Tile(row, column) for row in _spans(height, tile_px, margin) for column in columns]


def _spans(side: int, tile_px: int, margin: int) -> Iterator[Span]:
    """One axis in equal parts, as nearly as multiples of 16 can be."""
    units = math.ceil(side / LEAST_PX)
    count = math.ceil(units / max(1, tile_px // LEAST_PX)) if tile_px else 1
    for index in range(count):
        begin, end = (LEAST_PX * (units * i // count) for i in (index, index + 1))
        yield Span(begin, end, max(0, begin - margin), min(side, end + margin))


def _round_up(px: int) -> int:
    return math.ceil(px / LEAST_PX) * LEAST_PX
