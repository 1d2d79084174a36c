"""The stand-in for VGG-19's weights: an untrained network from a fixed seed.

Random filters transfer style too, less well (He, Wang and Hopcroft 2016). These are orthogonal,
and each channel is brought to zero mean and unit variance on a made-up picture, layer by layer, so
that no layer and no channel drowns the others.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto_daemon.engine.network import CONVOLUTIONS

SEED = 1
_THRESHOLD = 0.5
"""How far above its mean a channel must be to pass the ReLU, in standard deviations; trained
channels, too, are silent at most positions."""

_POOLED_AFTER = (2, 4, 8, 12)


@torch.no_grad()
def untrained_weights(seed: int = SEED, threshold: float = _THRESHOLD) -> dict[str, Tensor]:
    """Weights by the names and shapes of CONVOLUTIONS; the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}
    x = _made_up_picture(generator)
    names = [name.removesuffix(".weight") for name in CONVOLUTIONS if name.endswith(".weight")]
    for count, name in enumerate(names, start=1):
        filters = torch.empty(CONVOLUTIONS[f"{name}.weight"])
        nn.init.orthogonal_(filters.flatten(1), generator=generator)
        response = functional.conv2d(x, filters, padding=1)
        mean, std = response.mean(dim=(0, 2, 3)), response.std(dim=(0, 2, 3)).clamp_min(1e-6)
        weights[f"{name}.weight"] = filters / std.view(-1, 1, 1, 1)
        weights[f"{name}.bias"] = -mean / std - threshold
        x = functional.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)
        x = functional.relu(x)
        if count in _POOLED_AFTER:
            x = functional.max_pool2d(x, 2)
    return weights


def _made_up_picture(generator: torch.Generator, side_px: int = 192) -> Tensor:
    """Coloured noise with the spectrum of photographs, 1/f: (2, 3, side, side), normalised."""
    noise = torch.fft.rfft2(torch.randn(2, 3, side_px, side_px, generator=generator))
    down = torch.fft.fftfreq(side_px)[:, None]
    across = torch.fft.rfftfreq(side_px)[None, :]
    frequency = (down.square() + across.square()).sqrt().clamp_min(1 / side_px)
    picture: Tensor = torch.fft.irfft2(noise / frequency, s=(side_px, side_px))
    return picture / picture.std()
