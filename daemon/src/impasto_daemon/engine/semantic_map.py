"""Maps of flat colours: what of a picture is to be painted like what of a style.

Champandard 2016, *Semantic Style Transfer and Turning Two-Bit Doodles into Fine Artworks*.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.alpha import extend_edges
from impasto_protocol.settings import MAP_COLOURS

_APART = 40 / 255
_NEAR = 20 / 255
"""How far, in any channel, two colours are at least apart, and what is yet taken for one."""
_AROUND = 5
_LEAST_SHARE = 1 / 500
"""Of what is even of a map: less is a slip."""
_LEVELS = 32
_LOOKED_AT_PX = 1024


class NoSuchColour(ValueError):
    """The style's map lacks a colour, (3,) in [0, 1], of the picture's."""

    def __init__(self, colour: Tensor) -> None:
        red, green, blue = (colour * 255).round().int().tolist()
        self.name = f"#{red:02x}{green:02x}{blue:02x}"
        super().__init__(self.name)


def regions(picture_map: Tensor, style_map: Tensor) -> tuple[Tensor, Tensor]:
    """Masks of each colour of two maps, (3, H, W) and (3, h, w): (R, H, W) and (R, h, w).

    Only of what the picture's map has. What lies between two colours along an edge is shared out.
    Raises NoSuchColour; ValueError for more than MAP_COLOURS, or none.
    """
    wanted, there = colours_of(picture_map), colours_of(style_map)
    same = [min(there, key=functools.partial(_distance, colour)) for colour in wanted]
    for colour, other in zip(wanted, same, strict=True):
        if _distance(colour, other) > _APART:
            raise NoSuchColour(colour)
    others = [colour for colour in there if not any(colour is known for known in same)]
    return masks_of(picture_map, wanted), masks_of(style_map, [*same, *others])[: len(wanted)]


def colours_of(flat: Tensor) -> list[Tensor]:
    """The colours of a map, each (3,), by how much of it they cover. Raises ValueError."""
    step = max(1, max(flat.shape) // _LOOKED_AT_PX)
    seen = flat[:, ::step, ::step]
    even = _spread(seen) <= _NEAR  # or along an edge there would be its mixtures
    pixels = (seen[:, even] if bool(even.any()) else seen).reshape(3, -1)
    bins = (pixels * (_LEVELS - 1)).round().long()
    keys = (bins[0] * _LEVELS + bins[1]) * _LEVELS + bins[2]
    counts = torch.bincount(keys, minlength=_LEVELS**3)
    least = max(1.0, _LEAST_SHARE * pixels.shape[1])
    found: list[Tensor] = []
    for key in counts.argsort(descending=True, stable=True)[: 64 * MAP_COLOURS].tolist():
        if counts[key] < least:
            break
        colour = pixels[:, keys == key].median(dim=1).values
        if all(_distance(colour, other) > _APART for other in found):
            found.append(colour)
        if len(found) > MAP_COLOURS:
            raise ValueError(f"A map of more than {MAP_COLOURS} colours.")
    if not found:
        raise ValueError("A map without flat colours.")
    return found


def _spread(picture: Tensor) -> Tensor:
    """How far the colours around each pixel lie apart, (H, W)."""
    most, least = (
        functional.max_pool2d(plane[None], _AROUND, 1, _AROUND // 2)[0]
        for plane in (picture, -picture)
    )
    return (most + least).amax(dim=0)


def masks_of(flat: Tensor, colours: Sequence[Tensor]) -> Tensor:
    """How much of each of R colours, (3,), every pixel of a map is, (R, H, W)."""
    near = torch.stack([(flat - c.view(3, 1, 1)).abs().amax(dim=0) <= _NEAR for c in colours])
    known = near.any(dim=0, keepdim=True)
    return extend_edges(near.to(flat), known.to(flat))


def _distance(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().amax())
