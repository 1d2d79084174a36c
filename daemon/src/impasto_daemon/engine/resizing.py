"""Pictures at another size."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.padding import replicate_pad

_MOST_SHRUNK = 32
"""By more than about 70 times, the filter of CUDA does not fit into its shared memory."""


def resize(picture: Tensor, height: int, width: int) -> Tensor:
    """(C, h, w) → (C, height, width), smoothly; unchanged when the size is."""
    if picture.shape[-2:] == (height, width):
        return picture
    if not any(picture.stride()[-2:]):  # one value everywhere
        return picture[:, :1, :1].expand(-1, height, width)
    shrunk = max(picture.shape[-2] / height, picture.shape[-1] / width)
    resized = functional.interpolate(
        (picture.cpu() if shrunk > _MOST_SHRUNK else picture)[None],
        size=(height, width),
        mode="bicubic",
        antialias=True,
    )
    return resized[0].to(picture.device).clamp(0, 1)


def enlarge(picture: Tensor, height: int, width: int) -> Tensor:
    """(C, h, w) → (C, height, width), equally soft everywhere, to be painted on.

    Interpolation leaves the rows and columns that meet old ones sharper than those between, and a
    painting makes lines of them across the whole picture. A binomial filter of one pixel's
    deviation takes that away.
    """
    soft = replicate_pad(resize(picture, height, width), 2, 2, 2, 2)
    for axis, side in ((-1, width), (-2, height)):
        one, two, three, four, five = (soft.narrow(axis, at, side) for at in range(5))
        soft = (one + five).add_(two, alpha=4).add_(four, alpha=4).add_(three, alpha=6).div_(16)
    return soft


def turned(planes: Tensor, degrees: float, beyond: str) -> Tensor:
    """(C, H, W) turned to the left, on a square as long as its long edge.

    beyond: what is taken where it is not: "zeros", or the nearest of its "border".
    """
    height, width = planes.shape[-2:]
    side = max(height, width)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    theta = planes.new_tensor(
        [
            [cosine * side / width, -sine * side / width, 0],
            [sine * side / height, cosine * side / height, 0],
        ]
    )
    grid = functional.affine_grid(theta[None], [1, len(planes), side, side], align_corners=False)
    found: Tensor = functional.grid_sample(
        planes[None], grid, padding_mode=beyond, align_corners=False
    )[0]
    return found
