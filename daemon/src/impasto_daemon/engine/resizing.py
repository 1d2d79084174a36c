"""Pictures at another size."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def resize(picture: Tensor, height: int, width: int) -> Tensor:
    """(C, h, w) → (C, height, width), smoothly; unchanged when the size is."""
    if picture.shape[-2:] == (height, width):
        return picture
    resized = functional.interpolate(
        picture[None], size=(height, width), mode="bicubic", antialias=True
    )
    return resized[0].clamp(0, 1)
