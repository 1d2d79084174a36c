"""The method as it is usually written in PyTorch, which is what the engine's speed is held against.

NCHW, a stack of modules like torchvision's with its parameters frozen, and torch.optim.LBFGS
around a closure. It knows no transparency, no box and no scales. Its losses are the engine's
relative ones, so that both lower the same thing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from inputs import Inputs
from torch import Tensor, nn

from impasto_protocol.settings import CONTENT_LAYERS, LAYER, STYLE_LAYERS

CHANNELS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512)
"""Of each convolution up to relu5_1; 0 is a pooling."""


Moment = tuple[float, Tensor]
"""Seconds since the painting began, and the picture then."""


class PlainVgg(nn.Module):
    """VGG-19 up to relu5_1. memory_format: of its weights and of the pictures it is given."""

    def __init__(
        self, inputs: Inputs, memory_format: torch.memory_format = torch.contiguous_format
    ) -> None:
        super().__init__()
        self.stack = nn.Sequential(*_modules())
        self.stack.load_state_dict(
            {
                name.removeprefix("features."): tensor
                for name, tensor in inputs.weights.items()
                if name.removeprefix("features.") in self.stack.state_dict()
            }
        )
        self.to(memory_format=memory_format).requires_grad_(False)
        self._memory_format = memory_format
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """The feature maps of (1, 3, H, W) that the losses need."""
        found: dict[str, Tensor] = {}
        x = ((picture - self.mean) / self.std).contiguous(memory_format=self._memory_format)
        names = iter(LAYER)
        for module in self.stack:
            x = module(x)
            if isinstance(module, nn.ReLU):
                name = next(names)
                if name in STYLE_LAYERS + CONTENT_LAYERS:
                    found[name] = x
        return found


class PlainLoop:
    """Paints content, (3, H, W), in the style of (3, h, w). alpha, beta: their weights.

    paint: one call of the optimiser, which is `at_once` evaluations.
    moments: of each evaluation.
    """

    def __init__(
        self,
        content: Tensor,
        style: Tensor,
        inputs: Inputs,
        alpha: float,
        beta: float,
        *,
        at_once: int = 20,
    ) -> None:
        self._vgg = PlainVgg(inputs)
        self._alpha, self._beta = alpha, beta
        with torch.no_grad():
            maps = self._vgg(content[None])
            self._content = {layer: maps[layer] for layer in CONTENT_LAYERS}
            maps = self._vgg(style[None])
            self._grams = {layer: gram(maps[layer]) for layer in STYLE_LAYERS}
        self.picture = content[None].clone().requires_grad_()
        # The tolerances, which are meant for larger losses, would end it at once.
        self._optimizer = torch.optim.LBFGS(
            [self.picture],
            max_iter=at_once,
            history_size=100,
            tolerance_grad=-1,
            tolerance_change=-1,
        )
        self._began = 0.0
        self.moments: list[Moment] = []

    def loss(self, picture: Tensor) -> Tensor:
        """The loss of (1, 3, H, W)."""
        maps = self._vgg(picture)
        content = sum(
            (maps[layer] - target).square().sum() / target.square().sum()
            for layer, target in self._content.items()
        )
        style = sum(
            (gram(maps[layer]) - target).square().sum() / target.square().sum()
            for layer, target in self._grams.items()
        )
        across = (picture[..., :, 1:] - picture[..., :, :-1]).square().sum()
        down = (picture[..., 1:, :] - picture[..., :-1, :]).square().sum()
        smoothness = (across + down) / picture.numel()
        return (
            self._alpha * content / len(self._content)
            + self._beta * style / len(self._grams)
            + 4 * smoothness
        )

    def paint(self) -> None:
        """Lower the loss for `at_once` evaluations."""

        def closure() -> Tensor:
            self._optimizer.zero_grad()
            loss = self.loss(self.picture)
            loss.backward()
            at = self.picture.detach().clone()
            self.moments.append((time.perf_counter() - self._began, at))
            return loss

        self._began = self._began or time.perf_counter()
        self._optimizer.step(closure)


def gram(features: Tensor) -> Tensor:
    """(1, C, H, W) → (C, C), per position."""
    rows = features[0].flatten(1)
    return rows @ rows.T / rows.shape[1]


def _modules() -> Iterator[nn.Module]:
    before = 3
    for channels in CHANNELS:
        if channels:
            yield nn.Conv2d(before, channels, 3, padding=1)
            yield nn.ReLU(inplace=False)
            before = channels
        else:
            yield nn.MaxPool2d(2)
