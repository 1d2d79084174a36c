"""Sizes: the coarse-to-fine scales of a painting, and resizing between them."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.alpha import replicate_pad
from impasto_daemon.engine.network import LEAST_PX

_COARSEST_PX = 128


def scale_sizes(height: int, width: int, scales: int) -> list[tuple[int, int]]:
    """(height, width) of each scale in px, coarsest first; each is half the next.

    scales: how many, or 0 for as many as leave the coarsest long edge at 128 px or more. Never
    so many that a side falls under 16 px.
    """
    sizes = [(height, width)]
    while scales == 0 or len(sizes) < scales:
        smaller = (round(sizes[0][0] / 2), round(sizes[0][1] / 2))
        least = LEAST_PX if scales else _COARSEST_PX
        if max(smaller) < least or min(smaller) < LEAST_PX:
            break
        sizes.insert(0, smaller)
    return sizes


def share_out(iterations: int, scales: int) -> list[int]:
    """`iterations` in equal parts, the rest to the finest, so that it never goes without."""
    part, rest = divmod(iterations, scales)
    return [part] * (scales - 1) + [part + rest]


def resize(picture: Tensor, height: int, width: int) -> Tensor:
    """(C, h, w) → (C, height, width), smoothly; unchanged when the size is."""
    if picture.shape[-2:] == (height, width):
        return picture
    resized = functional.interpolate(
        picture[None], size=(height, width), mode="bicubic", antialias=True
    )
    return resized[0].clamp(0, 1)


def pad_to_network(picture: Tensor) -> Tensor:
    """(…, H, W) grown to the right and below to sides the network can halve four times."""
    height, width = picture.shape[-2:]
    return replicate_pad(picture, 0, -width % LEAST_PX, 0, -height % LEAST_PX)


def mask_padding(alpha: Tensor) -> Tensor:
    """(1, H, W) grown like `pad_to_network`, the added part weighing nothing."""
    height, width = alpha.shape[-2:]
    return functional.pad(alpha, (0, -width % LEAST_PX, 0, -height % LEAST_PX))
