"""Pictures on the wire to tensors and back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from impasto_daemon.images.arrays import from_array, to_array
from impasto_protocol.codec import Picture

_LARGEST = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
_BGR = [2, 1, 0, 3]
_LUMA = (0.2126, 0.7152, 0.0722)


def to_tensor(picture: Picture) -> Tensor:
    """(3 or 4, H, W) float32 in [0, 1]; grey becomes RGB."""
    array = to_array(picture)
    # torch will not look at what it may not write to, though it only reads.
    pixels = torch.from_numpy(array if array.flags.writeable else array.copy()).permute(2, 0, 1)
    if picture.order == "bgr" and picture.channels > 2:
        pixels = pixels[_BGR[: picture.channels]]
    planes = torch.empty(pixels.shape).copy_(pixels).div_(_LARGEST[picture.dtype])
    if picture.channels <= 2:
        planes = torch.cat([planes[:1].expand(3, -1, -1), planes[1:]])
    return planes


def to_picture(painted: Tensor, like: Picture, *, cut: Tensor | None = None) -> Picture:
    """A painting (3 or 4, H, W) in [0, 1] in the form of `like`.

    Its alpha, and all that it hides, is that of `like` bit for bit, or with `cut`, (1, H, W) in
    [0, 1], so much of it.
    """
    colours = painted[:3].cpu()
    if like.channels <= 2:
        weights = torch.tensor(_LUMA).view(3, 1, 1)
        colours = (colours * weights).sum(dim=0, keepdim=True)
    elif like.order == "bgr":
        colours = colours.flip(0)
    scaled = (colours * _LARGEST[like.dtype]).permute(1, 2, 0).numpy()
    if like.dtype != "float32":
        scaled = np.rint(scaled)
    pixels = scaled.astype(like.dtype)
    alpha = None
    if like.channels in (2, 4):
        original = to_array(like)
        alpha = original[:, :, -1:]
        pixels = np.where(alpha > 0, pixels, original[:, :, :-1])
    if cut is not None:
        whole = np.float32(_LARGEST[like.dtype]) if alpha is None else alpha
        left = whole * cut.permute(1, 2, 0).numpy()
        alpha = (left if like.dtype == "float32" else np.rint(left)).astype(pixels.dtype)
    if alpha is not None:
        pixels = np.concatenate([pixels, alpha], axis=2)
    return from_array(pixels, like.order)


def to_preview(painted: Tensor, alpha: Tensor | None = None) -> Picture:
    """An 8-bit picture of a tensor (3, H, W) in [0, 1] with an alpha (1, H, W) or none."""
    planes = painted if alpha is None else torch.cat([painted, alpha.to(painted)])
    pixels = (planes.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return from_array(pixels)
