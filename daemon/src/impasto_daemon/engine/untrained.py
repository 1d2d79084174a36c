"""The stand-in for VGG-19's weights: an untrained network from a fixed seed.

Random filters transfer style too, less well (He, Wang and Hopcroft 2016). What made the most of
them, by eye: smooth and oriented filters instead of noise; every channel brought to zero mean and
unit variance, layer by layer, on a made-up picture with the edges and areas of real ones; average
pooling, as the maximum of noise is more noise; and features counted from their mean, which would
otherwise drown all differences in the Gram matrices. Orthogonal filters and whitening between the
layers were tried and gave speckles instead of dabs.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.network import CONVOLUTIONS, Vgg19
from impasto_daemon.engine.network_name import SEED, UNTRAINED, UNTRAINED_POOLING
from impasto_protocol.settings import LAYER

_CONTENT_FACTOR = 0.3
"""At a low strength an untrained network then changes a photograph about as much as a trained one;
at a high one about half as much, as there is less that it knows of style."""

_PROFILE = (1.0, 0.7, 0.7, 0.3, 0.3, 0.3)
"""How much of each of _filters() a random filter holds on average: mostly smooth ones."""

_POOLED_AFTER = (2, 4, 8, 12)


def untrained_vgg19(
    device: torch.device | str = "cpu", precision: torch.dtype = torch.float32
) -> Vgg19:
    """The untrained network; the same each time. Its pooling is always the average."""
    weights, centres = untrained_weights()
    return Vgg19(
        weights,
        weights_hash=UNTRAINED,
        pooling=UNTRAINED_POOLING,
        device=device,
        centres=centres,
        content_factor=_CONTENT_FACTOR,
        precision=precision,
    )


@torch.no_grad()
def untrained_weights(seed: int = SEED) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Weights by the names and shapes of CONVOLUTIONS, and each layer's mean features, (C,)."""
    generator = torch.Generator().manual_seed(seed)
    filters, profile = _filters(), torch.tensor(_PROFILE)
    weights, centres = {}, {}
    x = _made_up_picture(generator)
    names = [name.removesuffix(".weight") for name in CONVOLUTIONS if name.endswith(".weight")]
    for count, (name, layer) in enumerate(zip(names, LAYER, strict=True), start=1):
        outputs, inputs = CONVOLUTIONS[f"{name}.weight"][:2]
        even = 1 / x.std(dim=(0, 2, 3)).clamp_min(1e-3)
        gains = profile / _responses(x * even.view(1, -1, 1, 1), filters)
        mixture = torch.randn(len(filters), outputs, inputs, generator=generator)
        mixture *= gains.view(-1, 1, 1) * even
        weight = torch.einsum("koi,khw->oihw", mixture, filters)
        response = functional.conv2d(x, weight, padding=1)
        mean, std = response.mean(dim=(0, 2, 3)), response.std(dim=(0, 2, 3)).clamp_min(1e-6)
        weights[f"{name}.weight"] = weight / std.view(-1, 1, 1, 1)
        weights[f"{name}.bias"] = -mean / std
        x = functional.relu((response - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1))
        centres[layer] = x.mean(dim=(0, 2, 3))
        if count in _POOLED_AFTER:
            x = functional.avg_pool2d(x, 2)
    return weights, centres


def _filters() -> Tensor:
    """A smooth filter, its two slopes and its three bends: (6, 3, 3)."""
    smooth = torch.tensor([0.25, 0.5, 0.25])
    slope = torch.tensor([-0.5, 0.0, 0.5])
    bend = torch.tensor([0.5, -1.0, 0.5])
    pairs = [(smooth, smooth), (smooth, slope), (slope, smooth),
             (smooth, bend), (bend, smooth), (slope, slope)]  # fmt: skip
    return torch.stack([torch.outer(down, across) for down, across in pairs])


def _responses(x: Tensor, filters: Tensor) -> Tensor:
    """How strongly x, (B, C, H, W), answers to each filter: (6,)."""
    centred = (x - x.mean(dim=(0, 2, 3), keepdim=True)).flatten(0, 1)[:, None]
    return functional.conv2d(centred, filters[:, None]).std(dim=(0, 2, 3)).clamp_min(1e-6)


def _made_up_picture(generator: torch.Generator, side_px: int = 160) -> Tensor:
    """Leaves of all sizes and colours that lie over each other: (2, 3, side, side), normalised.

    Such pictures have the statistics of photographs (Lee, Mumford and Huang 2001).
    """
    down, across = torch.meshgrid(torch.arange(side_px), torch.arange(side_px), indexing="ij")
    pictures = torch.full((2, 3, side_px, side_px), 0.5)
    for picture in pictures:
        for _ in range(350):
            size, x, y, turn, length, *colour = torch.rand(8, generator=generator).tolist()
            radius, angle = 3 + 30 * size**3, math.pi * turn
            right, below = across - x * side_px, down - y * side_px
            along = (math.cos(angle) * right + math.sin(angle) * below) / (1 + 3 * length)
            aside = math.cos(angle) * below - math.sin(angle) * right
            picture[:, along.square() + aside.square() < radius**2] = (
                0.1 + 0.8 * torch.tensor(colour)[:, None]
            )
    grain = 0.03 * torch.randn(pictures.shape, generator=generator)
    return (pictures + grain - 0.45) / 0.22
