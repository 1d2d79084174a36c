"""A style: a picture, and what was measured of it so far."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import torch
from torch import Tensor

from impasto_daemon.engine.alpha import layer_masks
from impasto_daemon.engine.colour_match import colour_match
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.resizing import resize, turned
from impasto_daemon.engine.statistics import STATISTICS, Statistic
from impasto_daemon.engine.sums import LayerSums, one_thread_if_small, total
from impasto_daemon.engine.tiles import Tiling, cut, margin_px

Moments = dict[tuple[int, str], Tensor]
"""Mean products of features, and of a 1 beside them, (C + 1, C + 1), by size in px and layer."""

_MOMENTS, _GRAM = STATISTICS["wasserstein"][0], STATISTICS["gram"][0]

_SMALLEST_PX = 64
_LARGEST_KEPT_PX = 1024
_TILE_PX = 1024
_OTHERS_BYTES = 128 << 20
"""Of what is measured of a picture turned, or for another loss than Gram's, so much is kept."""
_TURNED_AT = 2
"""A picture is turned so many times as large as it is looked at: turning takes what is finest."""


def preset_sizes_px(long_edge_px: int) -> tuple[int, ...]:
    """The sizes at which a preset keeps the statistics of a picture of that size, in px."""
    top = min(long_edge_px, _LARGEST_KEPT_PX)
    sizes = {_nearest_size_px(round(64 * math.sqrt(2) ** step), long_edge_px) for step in range(9)}
    return tuple(sorted(size for size in sizes if size <= top))


def _nearest_size_px(size_px: float, largest_px: int) -> int:
    """The power of √2 nearest to a size, so that nearby sizes share their statistics."""
    if size_px >= largest_px:
        return largest_px
    step = round(2 * math.log2(max(size_px, _SMALLEST_PX)))
    return min(round(math.sqrt(2) ** step), largest_px)


class Style:
    """The style of a picture, (3 or 4, H, W) float32 in [0, 1], as `network` sees it.

    moments: from an earlier Style of the same picture, part and network; those found anew are added
    to it. Transparent pixels do not count.
    part: (1, H, W) in [0, 1], how much each pixel counts; the others are seen beside it.
    """

    def __init__(
        self,
        picture: Tensor,
        network: FeatureNetwork,
        moments: Moments | None = None,
        part: Tensor | None = None,
    ) -> None:
        self.moments: Moments = {} if moments is None else moments
        self._others: defaultdict[tuple[Statistic, float], Moments] = defaultdict(dict)
        self._without_positions = set[tuple[Statistic, float, int, str]]()
        self._picture, self._network = MaskedPicture.of(picture, part), network

    @property
    def size_bytes(self) -> int:
        """What its picture takes of the memory, with what was measured of it."""
        return self._picture.original.nbytes + _bytes_of(self.moments) + self._others_bytes

    @property
    def _others_bytes(self) -> int:
        return sum(map(_bytes_of, self._others.values()))

    def of_part(self, part: Tensor) -> Style:
        """The style of a part of the same picture, (1, h, w) in [0, 1] of any size."""
        part = resize(part, *self._picture.alpha.shape[-2:])
        return Style(self._picture.original, self._network, part=part)

    @functools.cached_property
    def is_grey(self) -> bool:
        """The picture has no colours."""
        return self._picture.is_grey

    def in_colours_of(self, photograph: MaskedPicture, how: str, mixing: str) -> Style:
        """The style of the same picture in a photograph's colours, or in its "luminance" alone.

        how, mixing: as in `colour_match`.
        """
        own = self._picture.grey(mixing) if how == "luminance" else self._picture
        match = colour_match(
            own.colours,
            own.paint_mask,
            photograph.colours,
            photograph.paint_mask,
            how,
            mixing,
        )
        colours = torch.cat([match(own.colours), own.alpha])
        return Style(colours, self._network, part=own.paint_mask)

    def statistics(self, size_px: float, layers: Collection[str]) -> dict[str, Tensor]:
        """The Gram matrix, (C, C), of each of `layers`, with the picture's long edge at `size_px`.

        The size is rounded to a power of √2, and is never larger than the picture itself.
        """
        grams = self.targets(size_px, layers, "gram")
        return {layer: gram for layer, (gram,) in grams.items() if gram is not None}

    def sizes_px(self, size_px: float, count: int) -> list[int]:
        """At most so many sizes that differ, each half of the one before, from such a size down.

        The first is never larger than the picture.
        """
        largest_px = max(self._picture.alpha.shape)
        first_px = min(size_px, largest_px)
        sizes = (_nearest_size_px(first_px / 2**step, largest_px) for step in range(count))
        return list(dict.fromkeys(sizes))

    def targets(
        self,
        size_px: float,
        layers: Collection[str],
        style_loss: str,
        degrees: float = 0.0,
        between: Callable[[], None] = lambda: None,
    ) -> dict[str, tuple[Tensor | None, ...]]:
        """The means of what is matched in each of `layers`, at such a size.

        style_loss: names the `STATISTICS`; None stands where one is not taken of a layer, or the
        picture is too small for it.
        degrees: by how much the picture is turned to the left.
        between: called before each tile; what it raises ends the look.
        """
        degrees %= 360
        if self._others_bytes > _OTHERS_BYTES:
            self._others.clear()
            self._without_positions.clear()
        size = _nearest_size_px(size_px, max(self._picture.alpha.shape))
        chosen = STATISTICS[style_loss]
        wanted = {layer: [_taken(one) for one in chosen if one.is_of(layer)] for layer in layers}
        missing = {
            layer: found
            for layer, several in wanted.items()
            if (found := [one for one in several if not self._knows(one, degrees, size, layer)])
        }
        if missing:
            self._measure(size, missing, style_loss, degrees, between)
        means = {
            layer: [self._mean(one, degrees, size, layer) for one in chosen] for layer in layers
        }
        return {
            layer: tuple(None if mean is None else mean.to(self._network.device) for mean in found)
            for layer, found in means.items()
        }

    def _knows(self, statistic: Statistic, degrees: float, size_px: int, layer: str) -> bool:
        """Whether that was looked at so far, be it that nothing was there."""
        nothing = (statistic, degrees, size_px, layer) in self._without_positions
        return nothing or (size_px, layer) in self._means(statistic, degrees)

    def _mean(
        self, statistic: Statistic, degrees: float, size_px: int, layer: str
    ) -> Tensor | None:
        found = self._means(_taken(statistic), degrees).get((size_px, layer))
        return found[:-1, :-1] if found is not None and statistic == _GRAM else found

    def _means(self, statistic: Statistic, degrees: float) -> Moments:
        """Those that were found so far of a statistic, with the picture turned."""
        if statistic == _MOMENTS and not degrees:
            return self.moments
        return self._others[statistic, degrees]

    def _scaled(self, size_px: int) -> MaskedPicture:
        """The picture with its long edge at a size."""
        height, width = self._picture.alpha.shape[-2:]
        factor = size_px / max(height, width)
        return self._picture.resized(max(1, round(height * factor)), max(1, round(width * factor)))

    def _turned(self, size_px: int, degrees: float) -> MaskedPicture:
        """The same turned to the left; it is not kept, as it may be large."""
        if not degrees:
            return self._scaled(size_px)
        seen = self._scaled(min(_TURNED_AT * size_px, max(self._picture.alpha.shape)))
        colours, alpha, part = (
            resize(turned(plane, degrees, beyond), size_px, size_px)
            for plane, beyond in (
                (seen.colours, "border"), (seen.alpha, "zeros"), (seen.paint_mask, "zeros"),
            )
        )  # fmt: skip
        return MaskedPicture.of(torch.cat([colours, alpha]), part)

    def _measure(
        self,
        size_px: int,
        wanted: Mapping[str, Sequence[Statistic]],
        style_loss: str,
        degrees: float,
        between: Callable[[], None],
    ) -> None:
        masked = self._turned(size_px, degrees)
        counted = {
            (layer, one): one.counted(mask).to(self._network.device)
            for layer, several in wanted.items()
            for mask in layer_masks(masked.paint_mask, layer)
            for one in several
        }
        sums, margin = LayerSums[tuple[str, Statistic]](), margin_px(wanted, style_loss)
        height, width = masked.alpha.shape[-2:]
        tiling = Tiling(math.ceil(height / _TILE_PX), math.ceil(width / _TILE_PX))
        for tile in cut(height, width, tiling, margin):
            between()
            window = tile.window(masked.colours)[None].to(self._network.device)
            with one_thread_if_small(height, width):
                for segment in self._network.segments(window, wanted):
                    layer, place = segment.layer, tile.place(segment.layer)
                    for one in wanted[layer]:
                        weights = tile.own(counted[layer, one], layer)
                        sums.add((layer, one), one.sums(segment.features, place, weights))
        for (layer, one), found in sums.items():
            count = total(counted[layer, one]).to(found)
            if count > 0:
                mean = (found / count).cpu()
                if one == _MOMENTS:
                    # A file has its upper half alone, by which a painting is to be the same.
                    mean = mean.triu() + mean.triu(1).T
                self._means(one, degrees)[size_px, layer] = mean
            else:
                self._without_positions.add((one, degrees, size_px, layer))


def _taken(statistic: Statistic) -> Statistic:
    """What is taken of a style for a statistic: Gram matrices are a part of the moments."""
    return _MOMENTS if statistic == _GRAM else statistic


def _bytes_of(means: Moments) -> int:
    return sum(mean.nbytes for mean in means.values())
