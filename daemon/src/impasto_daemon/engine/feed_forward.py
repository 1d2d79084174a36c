"""A style baked into a small network, which paints at once what the optimisation paints in time.

Johnson et al. 2016, conditioned on the strength as Dumoulin et al. 2017 (*A Learned Representation
for Artistic Style*) condition on the style.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.feed_forward_shapes import (
    REACH_PX,
    RESIDUAL_BLOCKS,
    STRIDE_PX,
    TENSORS,
    TILE_PX,
)
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.sizes import fit

Weights = Mapping[str, Tensor]

LEAST_STRENGTH = 0.2
"""What the network is trained from; a smaller strength lays it on more thinly."""

_COVERING = 0.7
"""The strength from which on nothing of the photograph's own pixels is left."""

_LOOK_PX = 384
"""The long edge of the picture that the instance normalisation's numbers are taken of.

Of one half as large an even skin's features would lie so far from the others that grey is left;
larger ones are no nearer to the style, seen up to 1024 px.
"""

_LEAST_PX = 4 * STRIDE_PX
_EPSILON = 1e-5
_DOUBLED = ("up1", "up2")

_ROWS_OF_HALVES = torch.tensor(
    [[[1.0, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]]
)
"""Which rows of a map its even and odd rows see, once doubled, with each row of a kernel."""

_Layer = Callable[[str, Tensor], Tensor]


def fresh_weights(seed: int = 0) -> dict[str, Tensor]:
    """Weights to begin to bake with."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in TENSORS.items():
        if name.endswith("weight"):
            deviation = math.sqrt(2 / math.prod(shape[1:]))
            weights[name] = torch.randn(shape, generator=generator) * deviation
        else:
            weights[name] = torch.zeros(shape)
            if name.endswith("gain"):
                weights[name][0] = 1
    weights["last.weight"] *= 0.1
    return weights


def paint(picture: Tensor, weights: Weights, strength: float) -> Tensor:
    """A picture as the network paints it, for its training; both (1, 3, H, W), of any numbers.

    The sides must be multiples of 4.
    """

    def layer(name: str, x: Tensor) -> Tensor:
        x = _convolve(_sized(name, x), weights[f"{name}.weight"], stride=_stride(name))
        gain, offset = _condition(weights, name, strength)
        return functional.instance_norm(x, weight=gain, bias=offset, eps=_EPSILON)

    return _through(picture, layer, weights["last.weight"], weights["last.bias"])


@dataclass(frozen=True)
class FeedForward:
    """A network made ready for one picture at one strength.

    The instance normalisation is part of the convolutions, by the mean and deviation that the
    features of the picture made small have: so a tile is painted as the whole is, and no pass
    over the maps is left. look: that small picture painted, (3, h, w) in [0, 1].
    """

    kernels: dict[str, tuple[Tensor, Tensor]]
    strength: float
    look: Tensor

    @classmethod
    def of(
        cls, weights: Weights, picture: Tensor, strength: float, precision: torch.dtype
    ) -> FeedForward:
        """For a picture, (3, H, W); strength in [0, 1]."""
        height, width = picture.shape[-2:]
        small = resize(picture, *fit(height, width, _LOOK_PX))
        given = {name: weights[name].to(picture) for name in TENSORS}
        kernels: dict[str, tuple[Tensor, Tensor]] = {}

        def layer(name: str, x: Tensor) -> Tensor:
            kernel = given[f"{name}.weight"]
            seen = _convolve(_sized(name, x), kernel, stride=_stride(name))
            gain, offset = _condition(given, name, max(strength, LEAST_STRENGTH))
            variance, mean = torch.var_mean(seen, dim=(0, 2, 3), correction=0)
            gain = gain / (variance + _EPSILON).sqrt()
            kernels[name] = kernel * gain.view(-1, 1, 1, 1), offset - mean * gain
            return seen * gain.view(-1, 1, 1) + kernels[name][1].view(-1, 1, 1)

        kernels["last"] = given["last.weight"], given["last.bias"]
        grown = _grown(small[None]).contiguous(memory_format=torch.channels_last)
        look = _through(grown, layer, *kernels["last"])[0, :, : small.shape[-2], : small.shape[-1]]
        for name in _DOUBLED:
            kernels[name] = _of_halves(*kernels[name])
        packed = {
            name: (kernel.to(precision, memory_format=torch.channels_last), bias.to(precision))
            for name, (kernel, bias) in kernels.items()
        }
        return cls(packed, strength, _laid_on(small, look, strength))

    def paint(self, picture: Tensor, between: Callable[[], None] = lambda: None) -> Tensor:
        """A picture painted, (3, H, W) in [0, 1] as it is, tile by tile.

        between: called between two tiles.
        """
        painted = torch.empty_like(picture)
        height, width = picture.shape[-2:]
        for top in range(0, height, TILE_PX):
            for left in range(0, width, TILE_PX):
                if top or left:
                    between()
                first = max(0, top - REACH_PX), max(0, left - REACH_PX)
                window = picture[
                    :, first[0] : top + TILE_PX + REACH_PX, first[1] : left + TILE_PX + REACH_PX
                ]
                core = painted[:, top : top + TILE_PX, left : left + TILE_PX]
                rows, columns = (
                    slice(begin - before, begin - before + side)
                    for begin, before, side in zip((top, left), first, core.shape[-2:], strict=True)
                )
                seen = self._paint_window(window)[:, rows, columns]
                core.copy_(_laid_on(window[:, rows, columns], seen, self.strength))
        return painted

    def _paint_window(self, window: Tensor) -> Tensor:
        def layer(name: str, x: Tensor) -> Tensor:
            kernel, bias = self.kernels[name]
            if name not in _DOUBLED:
                return _convolve(x, kernel, bias, stride=_stride(name))
            padded = functional.pad(x, (1,) * 4, "replicate")
            return functional.pixel_shuffle(functional.conv2d(padded, kernel, bias), 2)

        last, bias = self.kernels["last"]
        grown = _grown(window[None]).to(last.dtype, memory_format=torch.channels_last)
        painted = _through(grown, layer, last, bias)[0].to(window.dtype)
        return painted[:, : window.shape[-2], : window.shape[-1]]


def _laid_on(picture: Tensor, painted: Tensor, strength: float) -> Tensor:
    """A painting in [0, 1] over its picture, as thinly as a small strength has it."""
    return torch.lerp(picture, painted.clamp(0, 1), min(1.0, strength / _COVERING))


def _through(x: Tensor, layer: _Layer, last: Tensor, bias: Tensor) -> Tensor:
    """The network's way; layer: a convolution, by name, with its normalisation."""
    x = layer("down1", x - 0.5).relu_()
    x = layer("down2", x).relu_()
    for number in range(RESIDUAL_BLOCKS):
        x = x + layer(f"block{number}.b", layer(f"block{number}.a", x).relu_())
    for name in _DOUBLED:
        x = layer(name, x).relu_()
    return _convolve(x, last, bias) + 0.5


def _convolve(x: Tensor, kernel: Tensor, bias: Tensor | None = None, *, stride: int = 1) -> Tensor:
    around = kernel.shape[-1] // 2
    return functional.conv2d(functional.pad(x, (around,) * 4, "reflect"), kernel, bias, stride)


def _sized(name: str, x: Tensor) -> Tensor:
    """What a convolution is given.

    Resized and convolved, as a transposed convolution leaves a checkerboard (Odena et al. 2016).
    """
    return functional.interpolate(x, scale_factor=2.0, mode="nearest") if name in _DOUBLED else x


def _of_halves(kernel: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """What makes the four pixels of each that is doubled without doubling it first.

    (O, I, 3, 3) → (4 O, I, 3, 3), in the order of a pixel shuffle.
    """
    rows = _ROWS_OF_HALVES.to(kernel)
    parts = torch.einsum("apd,bqe,oide->oabipq", rows, rows, kernel)
    return parts.reshape(-1, *kernel.shape[1:]), bias.repeat_interleave(4)


def _stride(name: str) -> int:
    return 2 if name.startswith("down") else 1


def _condition(weights: Weights, name: str, strength: float) -> tuple[Tensor, Tensor]:
    gain, offset = (weights[f"{name}.{part}"] for part in ("gain", "offset"))
    return gain[0] + strength * gain[1], offset[0] + strength * offset[1]


def _grown(picture: Tensor) -> Tensor:
    """(1, 3, H, W) grown to the right and below to sides that can be halved twice and mirrored."""
    below, right = (max(_LEAST_PX - side, -side % STRIDE_PX) for side in picture.shape[-2:])
    return functional.pad(picture, (0, right, 0, below), "replicate")
