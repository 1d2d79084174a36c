"""Baking: a network is trained to paint at once what the optimisation of its style is after.

Its loss is the engine's own objective, so a baked style and a painted one have the same taste.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto_daemon.engine.events import read_losses
from impasto_daemon.engine.feed_forward import LEAST_STRENGTH, Weights, fresh_weights, paint
from impasto_daemon.engine.feed_forward_shapes import BAKED_PX
from impasto_daemon.engine.guidance import Guided
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.objective import Objective
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.style import Style
from impasto_protocol.settings import Settings

CROP_PX = 256
_SCALES = (0.35, 0.5, 0.75, 1.0)
"""Sizes of a photograph over the one at which the strokes are in their own size."""

_RATE = 2e-3
_LAST_RATE = 0.05
"""Of the first step size, at the end."""

_WARM_RATE = 0.5
"""Of the first step size where a network is baked further."""


@dataclass(frozen=True)
class Baked:
    """A step is done. spent_s: in all steps so far. losses: of its crop, and their `total`.

    weights: as they are now, float32 on the processor; the next step does not change them.
    preview: a picture, (3, h, w) with sides that are multiples of 4, as it would be painted now
    at a strength.
    """

    step: int
    spent_s: float
    losses: Callable[[], dict[str, float]]
    weights: Callable[[], dict[str, Tensor]]
    preview: Callable[[Tensor, float], Tensor]


def bake(
    style: Style,
    photographs: Sequence[Tensor],
    settings: Settings,
    network: FeatureNetwork,
    *,
    seconds: float,
    start: Weights | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Baked]:
    """Train for so long; an event after every step, between which the time does not count.

    photographs: (3, H, W) in [0, 1], at least one. settings: whose layers, weights and smoothing
    are taken; the strength is drawn anew at each step, and Gram matrices are matched, each relative
    to the style's. start: a network to go on with.
    Closing the generator ends it.
    """
    drawn = torch.Generator().manual_seed(seed)
    weights = {
        name: tensor.to(network.device, torch.float32).clone().requires_grad_()
        for name, tensor in (start or fresh_weights(seed)).items()
    }
    settings = replace(settings, style_scale=1.0, style_loss="gram", normalisation="relative")
    target = Guided(style).target(BAKED_PX, settings)
    optimiser = torch.optim.Adam(weights.values(), lr=_RATE, betas=(0.9, 0.99))
    first_rate = _RATE if start is None else _RATE * _WARM_RATE

    def kept() -> dict[str, Tensor]:
        return {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}

    def preview(picture: Tensor, strength: float) -> Tensor:
        with torch.no_grad():
            seen = paint(picture[None].to(network.device), weights, strength)
        return seen[0].clamp_(0, 1)

    step, spent = 0, 0.0
    while spent < seconds:
        began, share = clock(), spent / seconds
        for group in optimiser.param_groups:
            warming = min(1.0, (step + 1) / 20)
            falling = _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * share)) / 2
            group["lr"] = first_rate * warming * falling
        crop = _crop(photographs, drawn).to(network.device)
        strength = LEAST_STRENGTH + (1 - LEAST_STRENGTH) * _random(drawn)
        objective = Objective(
            MaskedPicture.of(crop), [target], replace(settings, strength=strength), network
        )
        painted = paint(crop[None], weights, strength)
        terms, gradient = objective.evaluate(painted.detach())
        optimiser.zero_grad()
        torch.autograd.backward(painted, gradient)
        optimiser.step()
        step, spent = step + 1, spent + clock() - began
        yield Baked(step, spent, functools.partial(read_losses, terms), kept, preview)


def _crop(photographs: Sequence[Tensor], drawn: torch.Generator) -> Tensor:
    """A square of a photograph at one of the sizes, as it is or mirrored."""
    photograph = photographs[int(_random(drawn) * len(photographs))]
    longest_px = BAKED_PX * _SCALES[int(_random(drawn) * len(_SCALES))]
    height, width = photograph.shape[-2:]
    factor = max(longest_px / max(height, width), CROP_PX / min(height, width))
    sides = [max(CROP_PX, round(side * factor)) for side in (height, width)]
    top, left = (int(_random(drawn) * (side - CROP_PX + 1)) for side in sides)
    scaled = resize(photograph, *sides)
    crop = scaled[:, top : top + CROP_PX, left : left + CROP_PX]
    return crop.flip(-1) if _random(drawn) < 0.5 else crop


def _random(drawn: torch.Generator) -> float:
    return float(torch.rand((), generator=drawn))
