"""3 x 3 convolutions with a quarter of the products, for processors without short floats.

Winograd's minimal filtering F(4 x 4, 3 x 3) as in Lavin and Gray 2016, *Fast Algorithms for
Convolutional Neural Networks*, with every step a product of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEAST_CHANNELS = 256
"""With fewer to make, what comes before and after the products takes longer than they save."""

_LEAST_PX = 16
_STEP_PX, _SEEN_PX = 4, 6
"""The sides of what is made of a tile, and of what is looked at for it."""

_BAND = 1 << 21
"""So many transformed numbers are computed at a time."""

_INPUT = torch.tensor([
    [4.0, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
])  # fmt: skip
_KERNEL = torch.tensor([
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
])  # fmt: skip
_OUTPUT = torch.tensor([
    [1.0, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
])  # fmt: skip
_INPUTS, _KERNELS, _OUTPUTS = (torch.kron(one, one) for one in (_INPUT, _KERNEL, _OUTPUT))


def saves_time(convolution: nn.Conv2d) -> bool:
    """Whether a 3 x 3 convolution is done sooner as a WinogradConvolution."""
    weight = convolution.weight
    cpu_floats = weight.device.type == "cpu" and weight.dtype == torch.float32
    return cpu_floats and convolution.out_channels >= _LEAST_CHANNELS


class WinogradConvolution(nn.Module):
    """A fixed 3 x 3 convolution that pads with zeros, in float32, of channels-last maps.

    direct: the same as torch does it, for maps so small that it is no slower.
    """

    def __init__(self, direct: nn.Conv2d) -> None:
        super().__init__()
        self._direct = direct
        out, into = direct.weight.shape[:2]
        places = direct.weight.permute(2, 3, 1, 0).reshape(-1, into * out)
        self._kernels = (_KERNELS @ places).view(-1, into, out)

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, H, W) → (1, O, H, W)."""
        if min(x.shape[-2:]) < _LEAST_PX:
            return self._direct(x)  # type: ignore[no-any-return]
        return _Convolve.apply(x, self._kernels, self._direct.bias)  # type: ignore[no-any-return]


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
        ctx.kernels = kernels
        height, width = x.shape[-2:]
        below, right = -height % _STEP_PX, -width % _STEP_PX
        seen = functional.pad(x[0].permute(1, 2, 0), (0, 0, 1, 1 + right, 1, 1 + below))
        made = x.new_empty(height + below, width + right, kernels.shape[2])
        for band, workspace in _bands(made, kernels):
            workspace.transform(_tiles(_around(seen, band), _SEEN_PX), _INPUTS)
            workspace.multiply(kernels)
            _tiles(made[band], _STEP_PX).copy_(workspace.transform_back(_OUTPUTS))
        return _map(made[:height, :width]) + bias.view(-1, 1, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """The same steps transposed, from the last to the first."""
        kernels = ctx.kernels.transpose(1, 2)
        height, width = gradient.shape[-2:]
        below, right = -height % _STEP_PX, -width % _STEP_PX
        made = functional.pad(gradient[0].permute(1, 2, 0), (0, 0, 0, right, 0, below))
        seen = made.new_zeros(height + below + 2, width + right + 2, kernels.shape[2])
        for band, workspace in _bands(made, kernels):
            workspace.transform(_tiles(made[band], _STEP_PX), _OUTPUTS.T)
            workspace.multiply(kernels)
            parts = workspace.transform_back(_INPUTS.T)
            tiles = _tiles(_around(seen, band), _SEEN_PX)
            for y in range(_SEEN_PX):
                for x in range(_SEEN_PX):
                    tiles[:, :, y, x] += parts[:, :, y, x]
        inner = _map(seen[1 : height + 1, 1 : width + 1])
        return inner.contiguous(memory_format=torch.channels_last), None, None


class _Workspace:
    """Memory for what is computed of a band of tiles, which the next one makes use of again.

    Fresh memory would cost more than what is computed in it.
    """

    def __init__(self, kernels: Tensor, tall: int, wide: int) -> None:
        places, into, out = kernels.shape
        tiles = tall * wide
        self._shape = tall, wide
        self._gathered = kernels.new_empty(tiles * places * max(into, out))
        self._transformed = kernels.new_empty(tiles, places, into)
        self._products = kernels.new_empty(places, tiles, out)

    def transform(self, tiles: Tensor, matrix: Tensor) -> None:
        """Take in tiles, (H', W', side, side, C)."""
        gathered = self._gathered[: tiles.numel()].view(tiles.shape)
        gathered.copy_(tiles)
        _each_by(matrix, gathered.view(-1, matrix.shape[1], tiles.shape[-1]), self._transformed)

    def multiply(self, kernels: Tensor) -> None:
        """The convolution, place by place; kernels: (places, C, O)."""
        torch.bmm(self._transformed.transpose(0, 1), kernels, out=self._products)

    def transform_back(self, matrix: Tensor) -> Tensor:
        """What was made, (H', W', side, side, O); it lasts until the next tiles come."""
        products = self._products.transpose(0, 1)
        tiles, _, channels = products.shape
        made = self._gathered[: tiles * len(matrix) * channels].view(tiles, -1, channels)
        _each_by(matrix, products, made)
        side = math.isqrt(len(matrix))
        return made.view(*self._shape, side, side, channels)


def _each_by(matrix: Tensor, tiles: Tensor, made: Tensor) -> None:
    """The places of every tile transformed: (tiles, places, C) → (tiles, places', C)."""
    torch.bmm(matrix.expand(len(tiles), -1, -1), tiles, out=made)


def _bands(made: Tensor, kernels: Tensor) -> Iterator[tuple[slice, _Workspace]]:
    """Rows of what is made, (H, W, O), and the workspace for their tiles."""
    tall, wide = (side // _STEP_PX for side in made.shape[:2])
    rows = max(1, _BAND // (len(kernels) * wide * max(kernels.shape[1:])))
    workspace = None
    for top in range(0, tall, rows):
        here = min(rows, tall - top)
        if workspace is None or here < rows:
            workspace = _Workspace(kernels, here, wide)
        yield slice(top * _STEP_PX, (top + here) * _STEP_PX), workspace


def _around(seen: Tensor, band: slice) -> Tensor:
    """The rows that are seen for a band."""
    return seen[band.start : band.stop + _SEEN_PX - _STEP_PX]


def _tiles(pixels: Tensor, side: int) -> Tensor:
    """(H, W, C) as what is seen in each tile at each of its places: (H', W', side, side, C)."""
    return pixels.unfold(0, side, _STEP_PX).unfold(1, side, _STEP_PX).permute(0, 1, 3, 4, 2)


def _map(pixels: Tensor) -> Tensor:
    """(H, W, C) → (1, C, H, W)."""
    return pixels.permute(2, 0, 1)[None]
