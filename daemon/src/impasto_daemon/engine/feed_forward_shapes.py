"""The network that a style is baked into, as a table of its tensors. Knows no torch.

An image transformation network as in Johnson et al. 2016, *Perceptual Losses for Real-Time Style
Transfer and Super-Resolution*, narrower: two convolutions that halve, residual blocks, two that
follow a doubling, and one that makes the colours.
"""

from __future__ import annotations

BAKED_PX = 768
"""The long edge at which a network paints the style's strokes in their own size."""

STRIDE_PX = 4
"""Sides must be multiples of it: the picture is halved twice."""

RESIDUAL_BLOCKS = 4
_WIDTHS = (16, 40, 16, 8)
"""Channels after each halving, and after each doubling."""

_BLOCK_CONVOLUTIONS = [
    f"block{number}.{half}" for number in range(RESIDUAL_BLOCKS) for half in "ab"
]


def _convolutions() -> dict[str, tuple[int, int, int]]:
    """(channels out, channels in, side of the kernel) by name, in order."""
    half, quarter, doubled, whole = _WIDTHS
    return {
        "down1": (half, 3, 3),
        "down2": (quarter, half, 3),
        **dict.fromkeys(_BLOCK_CONVOLUTIONS, (quarter, quarter, 3)),
        "up1": (doubled, quarter, 3),
        "up2": (whole, doubled, 3),
        "last": (3, whole, 5),
    }


TENSORS: dict[str, tuple[int, ...]] = {
    **{f"{name}.weight": (out, into, side, side) for name, (out, into, side) in
       _convolutions().items()},
    **{f"{name}.{part}": (2, out) for name, (out, _, _) in _convolutions().items()
       if name != "last" for part in ("gain", "offset")},
    "last.bias": (3,),
}  # fmt: skip
"""Every tensor with its shape. gain, offset: a row for every strength, and one times the strength
(conditional instance normalisation, Dumoulin et al. 2017)."""

REACH_PX = 44
"""How far a painted pixel sees, at most, rounded up to what a window may be moved by."""

TILE_PX = 1024
LARGEST_TILE_PX = (TILE_PX + 2 * REACH_PX) ** 2
"""The side of what is painted together, and the pixels that are looked at for it."""
