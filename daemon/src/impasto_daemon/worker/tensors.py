"""Pictures on the wire to tensors and back."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto_daemon.images.arrays import from_array, to_array
from impasto_daemon.worker.colours import convert, painting_space
from impasto_protocol.codec import Picture
from impasto_protocol.colour_space import SRGB, ColourSpace

LARGEST = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
"""The number of white, and of what is opaque."""
_BGR = [2, 1, 0, 3]
_LUMA = (0.2126, 0.7152, 0.0722)


def to_tensor(picture: Picture, space: ColourSpace | None = None) -> Tensor:
    """(3 or 4, H, W) float32; grey becomes RGB.

    space: what its colours are brought to, cut to 0 to 1 on the way; None leaves them as they are.
    """
    array = to_array(picture)
    # torch will not look at what it may not write to, though it only reads.
    pixels = torch.from_numpy(array if array.flags.writeable else array.copy()).permute(2, 0, 1)
    if picture.order == "bgr" and picture.channels > 2:
        pixels = pixels[_BGR[: picture.channels]]
    planes = torch.empty(pixels.shape).copy_(pixels).div_(LARGEST[picture.dtype])
    if picture.channels <= 2:
        planes = torch.cat([planes[:1].expand(3, -1, -1), planes[1:]])
    if space is None or picture.space == space:
        return planes
    if picture.dtype == "float32":
        planes.masked_fill_(planes.isinf(), torch.nan)  # or they would be cut off to numbers
    return convert(planes, picture.space, space)


def to_picture(
    painted: Tensor,
    like: Picture,
    *,
    strength: float = 1.0,
    selection: Tensor | None = None,
    given: Tensor | None = None,
    cut: Tensor | None = None,
) -> Picture:
    """A painting (3 or 4, H, W) in [0, 1], in the painting space of `like`, in its form.

    Its alpha, and all that it hides, is that of `like` bit for bit, or with `cut`, (1, H, W) in
    [0, 1], so much of it. So are floats that are not numbers, or that `selection` or `given`,
    (1, H, W) in [0, 1], leaves out; of what lies beyond 0 and 1 elsewhere the painting keeps
    1 - strength. given: how much of the strength each pixel gets; None: all of it.
    """
    colours = convert(painted[:3].cpu(), painting_space(like.space), like.space)
    if like.channels <= 2:
        weights = torch.tensor(_LUMA).view(3, 1, 1)
        colours = (colours * weights).sum(dim=0, keepdim=True)
    elif like.order == "bgr":
        colours = colours.flip(0)
    scaled = (colours * LARGEST[like.dtype]).permute(1, 2, 0).numpy()
    if like.dtype != "float32":
        scaled = np.rint(scaled)
    pixels = scaled.astype(like.dtype)
    original, alpha = to_array(like), None
    if like.channels in (2, 4):
        original, alpha = original[:, :, :-1], original[:, :, -1:]
    if like.dtype == "float32":
        pixels = _with_what_lies_beyond(pixels, original, strength, selection, given)
    if alpha is not None:
        pixels = np.where(alpha > 0, pixels, original)
    if cut is not None:
        whole = np.float32(LARGEST[like.dtype]) if alpha is None else alpha
        left = whole * cut.permute(1, 2, 0).numpy()
        alpha = (left if like.dtype == "float32" else np.rint(left)).astype(pixels.dtype)
    if alpha is not None:
        pixels = np.concatenate([pixels, alpha], axis=2)
    return from_array(pixels, like.order, like.space)


def _with_what_lies_beyond(
    pixels: NDArray[np.float32], original: NDArray[np.float32], strength: float,
    selection: Tensor | None, given: Tensor | None,
) -> NDArray[np.float32]:  # fmt: skip
    """Colours, (H, W, C), with some of what the original's have below 0 and above 1."""
    gets = torch.ones(1, 1, 1) if given is None else given
    kept = ~np.isfinite(original).all(axis=2, keepdims=True)
    for plane in (selection, gets):
        if plane is not None:
            kept |= plane.permute(1, 2, 0).numpy() <= 0
    share = 1 - np.float32(strength) * gets.permute(1, 2, 0).numpy()
    beyond = np.where(kept, 0, original - original.clip(0, 1))
    return np.where(kept, original, pixels + share * beyond)


def to_preview(painted: Tensor, space: ColourSpace, alpha: Tensor | None = None) -> Picture:
    """An 8-bit sRGB picture of a tensor (3, H, W) in [0, 1], in the painting space of `space`.

    alpha: (1, H, W) or none.
    """
    painted = convert(painted.cpu().clamp(0, 1), painting_space(space), SRGB)
    planes = painted if alpha is None else torch.cat([painted, alpha.to(painted)])
    pixels = (planes.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return from_array(pixels)
