"""The painting itself: Gatys' loss, lowered from a coarse scale to the full one."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto_daemon.engine.events import (
    Event,
    Finished,
    Iteration,
    ScaleStarted,
    Snapshot,
    read_losses,
)
from impasto_daemon.engine.masked_picture import MaskedPicture, transfer_luminance
from impasto_daemon.engine.network import Vgg19
from impasto_daemon.engine.objective import Objective
from impasto_daemon.engine.optimise import LBFGS, Adam
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.schedule import Stage, stages
from impasto_daemon.engine.style import Style
from impasto_protocol.settings import Settings

CHECK_EVERY = 25
"""Evaluations between looks at the loss: for convergence and for numbers that are not finite."""

_FAILURES = 5


def stylise(
    content: Tensor,
    style: Style,
    settings: Settings,
    network: Vgg19,
    *,
    start: Tensor | None = None,
    selection: Tensor | None = None,
    conclude: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Paint `content` in `style`; an Iteration after each evaluation, Finished last.

    content: (3 or 4, H, W) float32 in [0, 1], of any size; a fourth channel is alpha, which stays
    as it is. start: a picture like it to begin with instead of the content. selection: (1, H, W)
    in [0, 1], what is to be painted; the rest stays, and is only looked at.
    conclude: asked between evaluations; True ends the painting with the picture as it stands.
    Closing the generator cancels. Same picture, settings, seed and machine: same bytes.
    """
    masked = MaskedPicture.of(
        content.to(network.device), None if selection is None else selection.to(network.device)
    )
    if masked.empty:
        yield Finished(masked.original, 0, True, {})
        return
    first = masked.colours if start is None else MaskedPicture.of(start.to(network.device)).colours
    painter = _Painter(masked, style, settings, network, conclude, clock)
    yield from painter.paint(_blend_noise(first, settings))


def _blend_noise(picture: Tensor, settings: Settings) -> Tensor:
    if not settings.start_noise:
        return picture
    # Drawn on the CPU, whose generator gives the same numbers on every machine.
    noise = torch.rand(picture.shape, generator=torch.Generator().manual_seed(settings.seed))
    return torch.lerp(picture, noise.to(picture), settings.start_noise)


@dataclass
class _Painter:
    masked: MaskedPicture
    style: Style
    settings: Settings
    network: Vgg19
    conclude: Callable[[], bool]
    clock: Callable[[], float]

    def paint(self, picture: Tensor) -> Iterator[Event]:
        """Every scale in turn, each beginning with what the one before it left."""
        settings = self.settings
        height, width = self.masked.alpha.shape[-2:]
        plan = stages(height, width, settings)
        evaluations = sum(stage.iterations for stage in plan)
        estimate = _TimeEstimate(plan, self.clock)
        step, settled, stopped, lost, terms = 0, False, False, False, dict[str, Tensor]()
        for scale, stage in enumerate(plan, start=1):
            yield ScaleStarted(scale, len(plan), *stage.size)
            start = resize(picture, *stage.size)
            scaled = self.masked.resized(*stage.size)
            if stage.refines:
                scaled = replace(scaled, colours=start)
            objective = self._objective(scaled, stage)
            optimiser = _optimiser(start[None], stage.settings)
            del start
            convergence = _ConvergenceTest(settings.tolerance)
            for count in range(1, stage.iterations + 1):
                terms, gradient = objective.evaluate(optimiser.trial)
                optimiser.step(torch.stack(list(terms.values())).sum(), gradient)
                del gradient
                step, picture = step + 1, optimiser.picture[0]
                left = estimate.left_s(scale - 1, count)
                shown = (
                    transfer_luminance(scaled.colours, picture)
                    if settings.keep_colours
                    else picture
                )
                yield Iteration(step, evaluations, scale, len(plan), left, terms, shown)
                if step in settings.snapshots:
                    yield Snapshot(step, self._finish(picture))
                if count % CHECK_EVERY == 0:
                    lost = bool(optimiser.failures >= _FAILURES)
                    settled = convergence.settled(float(optimiser.loss))
                stopped = self.conclude()
                if settled or stopped or lost:
                    break
            if stopped or lost:
                break
        lost = lost or not bool(optimiser.loss.isfinite())
        settled = settled and not lost
        yield Finished(self._finish(picture), step, settled, read_losses(terms), lost)

    def _finish(self, picture: Tensor) -> Tensor:
        return self.masked.finish(picture, keep_colours=self.settings.keep_colours)

    def _objective(self, masked: MaskedPicture, stage: Stage) -> Objective:
        size_px = max(stage.size) * stage.settings.style_scale
        grams = self.style.statistics(size_px, stage.settings.style_layers)
        return Objective(masked, grams, stage.settings, self.network)


class _ConvergenceTest:
    """Convergence: CHECK_EVERY evaluations lowered the loss by less than `tolerance` of it."""

    def __init__(self, tolerance: float) -> None:
        self._tolerance, self._before = tolerance, float("inf")

    def settled(self, loss: float) -> bool:
        gained, self._before = self._before - loss, loss
        return self._tolerance > 0 and gained < self._tolerance * abs(loss)


class _TimeEstimate:
    """Seconds left, on the understanding that an evaluation costs as much as it has pixels."""

    def __init__(self, plan: list[Stage], clock: Callable[[], float]) -> None:
        self._pixels = [stage.height * stage.width for stage in plan]
        self._shares = [stage.iterations for stage in plan]
        self._clock, self._began = clock, clock()

    def left_s(self, scale: int, count: int) -> float:
        costs: list[int] = list(map(operator.mul, self._pixels, self._shares))
        done = sum(costs[:scale]) + self._pixels[scale] * count
        return (self._clock() - self._began) * ((sum(costs) - done) / done)


def _optimiser(start: Tensor, settings: Settings) -> LBFGS | Adam:
    if settings.optimiser == "lbfgs":
        return LBFGS(start, history=settings.history, box=settings.box)
    return Adam(
        start,
        learning_rate=settings.learning_rate,
        averaging=settings.averaging,
        box=settings.box,
    )
