"""What `stylise` tells its caller as it paints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ScaleStarted:
    """A coarse-to-fine step begins: `scale` of `scales`, counted from 1, at that size in px."""

    scale: int
    scales: int
    height: int
    width: int


@dataclass(frozen=True)
class Iteration:
    """One evaluation is done; everything in it waits on the device until it is asked for.

    terms: of the loss, at the last step that was not taken back.
    step: counted from 1; 0 is a first look at what will be painted at once.
    picture: (3, h, w), what is painted, at the stage's size; the next evaluation changes it.
    preview: the whole picture so far, (3, height, width), at a size in px.
    share: of all work, in 0 to 1, what is behind it; an evaluation at a large size is much of it.
    """

    step: int
    of: int
    scale: int
    scales: int
    share: float
    seconds_left: float
    terms: dict[str, Tensor]
    picture: Tensor
    preview: Callable[[int, int], Tensor]

    @property
    def losses(self) -> dict[str, float]:
        """Each weighted term of the loss and their `total`; waits for the device."""
        return read_losses(self.terms)


@dataclass(frozen=True)
class Snapshot:
    """The picture so far, (C, H, W) like the content, after a step that was asked for."""

    step: int
    picture: Tensor


@dataclass(frozen=True)
class Finished:
    """The painting: (C, H, W) float32 in [0, 1], channels, size and alpha those of the content.

    diverged: the loss stayed infinite or undefined; the picture is the last good one.
    work: what it has cost, in floating-point operations.
    """

    picture: Tensor
    steps: int
    converged: bool
    losses: dict[str, float]
    diverged: bool = False
    work: float = 0.0


Event = ScaleStarted | Iteration | Snapshot | Finished


def read_losses(terms: dict[str, Tensor]) -> dict[str, float]:
    """Terms as numbers, with their sum as `total`; one wait for the device."""
    if not terms:
        return {}
    values = torch.stack(list(terms.values())).tolist()
    return {**dict(zip(terms, values, strict=True)), "total": sum(values)}
