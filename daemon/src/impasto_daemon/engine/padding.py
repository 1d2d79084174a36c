"""Borders: pictures grown to sides that the network can halve, and what that adds left out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.convolutions import LEAST_PX
from impasto_daemon.engine.sizes import Borders


def replicate_pad(picture: Tensor, left: int, right: int, top: int, bottom: int) -> Tensor:
    """(…, H, W) with its border repeated outwards by so many pixels.

    Built from copies, as the gradient of torch's own replication is not deterministic on CUDA.
    """
    rows = [picture[..., :1, :].expand(*picture.shape[:-2], top, -1)] if top else []
    rows += [picture]
    rows += [picture[..., -1:, :].expand(*picture.shape[:-2], bottom, -1)] if bottom else []
    tall = torch.cat(rows, dim=-2)
    columns = [tall[..., :1].expand(*tall.shape[:-1], left)] if left else []
    columns += [tall]
    columns += [tall[..., -1:].expand(*tall.shape[:-1], right)] if right else []
    return torch.cat(columns, dim=-1)


def mirror_pad(planes: Tensor, borders: Borders) -> Tensor:
    """(…, H, W) with so many pixels beyond its sides, as mirrors there have them."""
    above, below, left, right = borders
    height, width = planes.shape[-2:]
    if not any(planes.stride()[-2:]):  # one value everywhere
        return planes[..., :1, :1].expand(
            *planes.shape[:-2], above + height + below, left + width + right
        )
    for axis, side, before, after in ((-2, height, above, below), (-1, width, left, right)):
        places = torch.arange(-before, side + after, device=planes.device) % (2 * side)
        planes = planes.index_select(axis, torch.minimum(places, 2 * side - 1 - places))
    return planes


def without_borders(planes: Tensor, borders: Borders) -> Tensor:
    """The same without them, as a view."""
    above, below, left, right = borders
    height, width = planes.shape[-2:]
    return planes[..., above : height - below, left : width - right]


def pad_to_network(picture: Tensor) -> Tensor:
    """(…, H, W) grown to the right and below to sides the network can halve four times."""
    height, width = picture.shape[-2:]
    return replicate_pad(picture, 0, -width % LEAST_PX, 0, -height % LEAST_PX)


def mask_padding(masks: Tensor) -> Tensor:
    """(R, H, W) grown like `pad_to_network`, the added part weighing nothing."""
    height, width = masks.shape[-2:]
    return functional.pad(masks, (0, -width % LEAST_PX, 0, -height % LEAST_PX))
