"""Pictures at another size."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

_MOST_SHRUNK = 32
"""By more than about 70 times, the filter of CUDA does not fit into its shared memory."""


def resize(picture: Tensor, height: int, width: int) -> Tensor:
    """(C, h, w) → (C, height, width), smoothly; unchanged when the size is."""
    if picture.shape[-2:] == (height, width):
        return picture
    shrunk = max(picture.shape[-2] / height, picture.shape[-1] / width)
    resized = functional.interpolate(
        (picture.cpu() if shrunk > _MOST_SHRUNK else picture)[None],
        size=(height, width),
        mode="bicubic",
        antialias=True,
    )
    return resized[0].to(picture.device).clamp(0, 1)
