"""Transparency: pixels that are not there must not be seen by the network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.convolutions import stride_px
from impasto_daemon.engine.padding import mask_padding


def extend_edges(colours: Tensor, alpha: Tensor) -> Tensor:
    """(3, H, W) where every pixel of zero alpha takes its colour from its surroundings.

    alpha: (1, H, W). Averages over ever larger squares fill what has no colour yet, so that
    nothing hidden under the transparency shows and no edge appears. Not finite pixels count as
    transparent. A picture with no opaque pixel at all comes out grey.
    """
    present = alpha > 0
    if bool(present.all()):
        return colours
    if not bool(present.any()):
        return colours.new_tensor(0.5).expand_as(colours)
    return _fill(colours * present, present.to(colours.dtype))


def _fill(sums: Tensor, counts: Tensor) -> Tensor:
    known = sums / counts.clamp_min(1e-12)
    if bool((counts > 0).all()):
        return known
    height, width = counts.shape[-2:]
    pooled = [
        functional.avg_pool2d(item[None], 2, ceil_mode=True, count_include_pad=False)[0]
        for item in (sums, counts)
    ]
    coarse = _fill(*pooled)
    wide = functional.interpolate(coarse[None], size=(height, width), mode="bilinear")[0]
    return torch.where(counts > 0, known, wide)


def layer_masks(masks: Tensor, layer: str) -> Tensor:
    """Masks (R, H, W) as the weight of each position of a layer's feature map: (R, h, w)."""
    return functional.avg_pool2d(mask_padding(masks), stride_px(layer))
