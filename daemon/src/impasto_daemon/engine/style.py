"""A style: a picture, and the Gram matrices taken of it so far."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import Tensor

from impasto_daemon.engine.alpha import layer_mask
from impasto_daemon.engine.canvas import Canvas
from impasto_daemon.engine.gram import gram_matrix
from impasto_daemon.engine.network import Vgg19
from impasto_daemon.engine.pyramid import mask_padding, pad_to_network

Known = dict[tuple[int, str], Tensor]

_SMALLEST_PX = 64
_LARGEST_KEPT_PX = 1024


def ladder(long_edge_px: int) -> tuple[int, ...]:
    """The sizes at which a preset keeps the statistics of a picture of that size, in px."""
    top = min(long_edge_px, _LARGEST_KEPT_PX)
    rungs = {_rung(round(64 * math.sqrt(2) ** step), long_edge_px) for step in range(9)}
    return tuple(sorted(size for size in rungs if size <= top))


def _rung(size_px: float, largest_px: int) -> int:
    """The power of √2 nearest to a size, so that nearby sizes share their statistics."""
    if size_px >= largest_px:
        return largest_px
    step = round(2 * math.log2(max(size_px, _SMALLEST_PX)))
    return min(round(math.sqrt(2) ** step), largest_px)


class Style:
    """The style of a picture, (3 or 4, H, W) float32 in [0, 1], as `network` sees it.

    known: Gram matrices by (size in px, layer) from an earlier Style of the same picture and
    network; those found anew are added to it. Transparent pixels do not count.
    """

    def __init__(self, picture: Tensor, network: Vgg19, known: Known | None = None) -> None:
        self.known: Known = {} if known is None else known
        self._canvas, self._network = Canvas.of(picture), network

    def statistics(self, size_px: float, layers: Collection[str]) -> dict[str, Tensor]:
        """The Gram matrix, (C, C), of each of `layers`, with the picture's long edge at `size_px`.

        The size is rounded to a power of √2, and is never larger than the picture itself.
        """
        size = _rung(size_px, max(self._canvas.alpha.shape))
        missing = [layer for layer in layers if (size, layer) not in self.known]
        if missing:
            self._measure(size, missing)
        return {layer: self.known[size, layer].to(self._network.device) for layer in layers}

    @torch.no_grad()
    def _measure(self, size_px: int, layers: Collection[str]) -> None:
        height, width = self._canvas.alpha.shape[-2:]
        factor = size_px / max(height, width)
        canvas = self._canvas.resized(max(1, round(height * factor)), max(1, round(width * factor)))
        colours = pad_to_network(canvas.colours)[None].to(self._network.device)
        mask = mask_padding(canvas.alpha).to(self._network.device)
        features = self._network.features(colours, layers)
        for layer in layers:
            maps = features[layer]
            self.known[size_px, layer] = gram_matrix(maps, layer_mask(mask, maps))
