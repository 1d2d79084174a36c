"""A picture cut into tiles, each seen with a margin that covers what its features see.

Losses are sums over positions, so tiles give the same loss and gradient as the whole picture
does, to the rounding, in the memory of one tile. Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from impasto_daemon.engine.convolutions import LEAST_PX, reach_px, stride_px

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Tiling:
    """Into how many rows and columns of tiles a picture is cut, as evenly as 16 px allow.

    keep_targets: the content's feature maps stay in memory; otherwise they are made at each pass.
    """

    rows: int = 1
    columns: int = 1
    keep_targets: bool = True


WHOLE = Tiling()

SHIFT = 4
"""Positions of a layer between the two features of a shifted Gram matrix."""

Place = tuple[slice, slice]
"""Rows and columns of a feature map."""


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
    """A tile of a picture whose sides have grown to multiples of 16."""

    rows: Span
    columns: Span

    def window(self, plane: Tensor) -> Tensor:
        """What is seen of a plane (…, H, W), as a view."""
        return plane[..., self.rows.first : self.rows.last, self.columns.first : self.columns.last]

    def own(self, maps: Tensor, layer: str) -> Tensor:
        """The tile's own part, as a view, of a layer's maps (…, h, w) of the whole picture."""
        rows, columns = self._place(layer, 0, 0)
        return maps[..., rows, columns]

    def core(self, features: Tensor, layer: str) -> Tensor:
        """The tile's own part, as a view, of a feature map (…, h, w) of its window."""
        rows, columns = self.place(layer)
        return features[..., rows, columns]

    def place(self, layer: str) -> Place:
        """Where the tile's own part is in a feature map of its window."""
        return self._place(layer, self.rows.first, self.columns.first)

    def _place(self, layer: str, top: int, left: int) -> Place:
        """The same of maps that begin at that place, in px."""
        stride = stride_px(layer)
        rows, columns = (
            slice((span.begin - first) // stride, (span.end - first) // stride)
            for span, first in ((self.rows, top), (self.columns, left))
        )
        return rows, columns


def margin_px(layers: Collection[str], style_loss: str = "gram") -> int:
    """The margin that covers what the features of `layers` see, a multiple of 16.

    style_loss: as in the settings; of a pair of features, both are to be seen.
    """
    further = SHIFT if style_loss == "shifted" else 0
    farthest = max(reach_px(layer) + further * stride_px(layer) for layer in layers)
    return math.ceil(farthest / LEAST_PX) * LEAST_PX


def cut(height: int, width: int, tiling: Tiling, margin: int) -> list[Tile]:
    """The tiles of a picture, row by row. margin: in px, a multiple of 16."""
    columns = list(spans(width, tiling.columns, margin))
    return [Tile(row, column) for row in spans(height, tiling.rows, margin) for column in columns]


def spans(side: int, count: int, margin: int) -> Iterator[Span]:
    """A side, in px, in so many parts; fewer where these would be under 16 px."""
    count = min(count, math.ceil(side / LEAST_PX))
    return (span(side, count, margin, index) for index in range(count))


def span(side: int, count: int, margin: int, index: int) -> Span:
    """One of so many `spans`."""
    units = math.ceil(side / LEAST_PX)
    begin, end = (LEAST_PX * (units * i // count) for i in (index, index + 1))
    return Span(begin, end, max(0, begin - margin), min(side, end + margin))
