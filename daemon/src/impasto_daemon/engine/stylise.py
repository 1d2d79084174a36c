"""The painting itself: Gatys' loss, lowered from a coarse scale to the full one."""

from __future__ import annotations

import functools
import operator
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto_daemon.engine.budget import Plan, evaluation_work, evaluations_left, plan_painting
from impasto_daemon.engine.colour_match import colour_match, luminance
from impasto_daemon.engine.events import (
    Event,
    Finished,
    Iteration,
    ScaleStarted,
    Snapshot,
    read_losses,
)
from impasto_daemon.engine.feed_forward import FeedForward
from impasto_daemon.engine.guidance import Guided, blended, guides_of, in_colours_of
from impasto_daemon.engine.masked_picture import MaskedPicture, make_grey
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.objective import Objective
from impasto_daemon.engine.optimise import LBFGS, Adam
from impasto_daemon.engine.padding import mirror_pad, without_borders
from impasto_daemon.engine.replay import Evaluation, Replayed, cuda_graph
from impasto_daemon.engine.resizing import enlarge, resize
from impasto_daemon.engine.schedule import Size, Stage, surroundings_px
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.tiles import Tiling
from impasto_protocol.settings import Settings

CHECK_EVERY = 25
"""Evaluations between looks at the loss: for convergence and for numbers that are not finite."""

_FAILURES = 5
_COVERING = 0.25
"""The strength from which on a painting shows nothing of the photograph's own pixels."""


def stylise(
    content: Tensor,
    style: Style | Sequence[Guided],
    settings: Settings,
    network: FeatureNetwork,
    *,
    start: Tensor | None = None,
    selection: Tensor | None = None,
    strength: Tensor | None = None,
    memory_mib: int | None = None,
    conclude: Callable[[], bool] = lambda: False,
    between: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Paint `content` in `style`; an Iteration after each evaluation, Finished last.

    content: (3 or 4, H, W) float32 in [0, 1], of any size; a fourth channel is alpha, which stays
    as it is. start: a picture to begin with instead of the content, brought to its size.
    selection: (1, H, W) in [0, 1], what is to be painted; the rest stays, and is only looked at.
    strength: (1, H, W) in [0, 1], how much of the strength each pixel gets; what gets none stays.
    style: several, each with its weight and place, or the one that it is painted in everywhere.
    memory_mib: what it may take beside the network, which decides how it is cut into tiles; None
    sets no bound.
    conclude: asked between evaluations; True ends the painting with the picture as it stands.
    between: called between two tiles, the styles' too; what it raises ends the painting.
    A picture without colours in a style without colours gets none: their Gram matrices alone would
    let some in. At strength 0, with no weights, start or noise of its own, it is the content.
    Closing the generator cancels. Raises ValueError without iterations and with a style not baked.
    Same picture, settings, seed, memory and machine: same bytes.
    """
    styles = [Guided(style)] if isinstance(style, Style) else style
    if not settings.iterations and any(guided.baked is None for guided in styles):
        raise ValueError("This style is not baked.")
    guides, strength = guides_of(styles, strength, fill=settings.uncovered == "style")
    styles = [replace(guided, mask=None) for guided in styles]  # which takes no memory twice
    masked = MaskedPicture.of(
        content.to(network.device),
        *(
            None if plane is None else plane.to(network.device)
            for plane in (selection, strength, guides)
        ),
    )
    if masked.empty or (start is None and _keeps_content(settings)):
        yield Finished(masked.original, 0, True, {})
        return
    seen = masked.grey(settings.colour_mixing) if settings.colours == "luminance" else masked
    if settings.colours != "style":
        styles = in_colours_of(seen, styles, settings.colours, settings.colour_mixing)
    first = seen.colours
    if start is not None:
        # To its size first: a device may have no room for it as it came.
        start = resize(MaskedPicture.of(start).colours, *first.shape[-2:])
        first = start.to(network.device)
    rows, columns = _surroundings(masked.paint_mask)
    grey = all(guided.style.is_grey for guided in styles) and seen.is_grey
    painter = _Painter(
        masked, seen, rows, columns, grey, styles, settings, network, memory_mib, conclude, between,
        clock,
    )  # fmt: skip
    paint = painter.paint if settings.iterations else painter.paint_at_once
    yield from paint(first[:, rows, columns])


def _keeps_content(settings: Settings) -> bool:
    # By its weight alone the style would still show: its smallest is a tenth of the content's.
    return settings.strength == 0 and _weighs_by_strength(settings) and not settings.start_noise


def _weighs_by_strength(settings: Settings) -> bool:
    return (settings.content_weight, settings.style_weight) == (None, None)


def _surroundings(paint_mask: Tensor) -> tuple[slice, slice]:
    """The rows and columns that a painting of what is to be painted has to look at."""
    height, width = paint_mask.shape[-2:]
    around = surroundings_px((height, width))
    found = []
    for axis, side in ((-1, height), (-2, width)):
        places = (paint_mask[0] > 0).any(dim=axis).nonzero().flatten()
        found.append(
            slice(max(0, int(places[0]) - around), min(side, int(places[-1]) + around + 1))
        )
    return found[0], found[1]


@dataclass
class _Painter:
    masked: MaskedPicture
    seen: MaskedPicture
    """What is painted: the same, or its lightness alone."""
    rows: slice
    columns: slice
    grey: bool
    styles: Sequence[Guided]
    settings: Settings
    network: FeatureNetwork
    memory_mib: int | None
    conclude: Callable[[], bool]
    between: Callable[[], None]
    clock: Callable[[], float]
    _small: MaskedPicture | None = None
    """The masked picture at the size of the last preview."""

    def paint(self, picture: Tensor) -> Iterator[Event]:
        """Every scale in turn, each beginning with what the one before it left."""
        settings = self.settings
        part = self.seen.part(self.rows, self.columns)
        planned = self._plan(part)
        evaluations = sum(stage.iterations for stage, _ in planned)
        estimate = _TimeEstimate(planned, self.clock)
        step, settled, stopped, lost, terms = 0, False, False, False, dict[str, Tensor]()
        for scale, (stage, plan) in enumerate(planned, start=1):
            yield ScaleStarted(scale, len(planned), *stage.size)
            content = part.resized(*stage.size)
            if stage.refines:
                content = replace(content, colours=self._enlarged(picture, part, content))
            content = content.grown(stage.borders)
            start = content.colours
            if not stage.refines:
                start = resize(picture, *stage.size)
                if scale == 1:
                    start = self._blend_noise(start)
                start = mirror_pad(start, stage.borders)
            objective = self._objective(content, stage, plan.tiling)
            optimiser = _optimiser(start[None], stage.settings, plan)
            del start, content
            evaluate: Callable[[], Evaluation] = functools.partial(
                objective.evaluate, optimiser.trial, self.between
            )
            if objective.is_replayable:
                evaluate = Replayed(evaluate, cuda_graph)
            convergence = _ConvergenceTest(settings.tolerance)
            for count in range(1, stage.iterations + 1):
                terms, gradient = evaluate()
                if self.grey:
                    make_grey(gradient)
                optimiser.step(torch.stack(list(terms.values())), gradient)
                terms = dict(zip(terms, optimiser.terms, strict=True))
                del gradient
                step, picture = step + 1, without_borders(optimiser.picture[0], stage.borders)
                share, left = estimate.look(scale - 1, count)
                preview = functools.partial(self._preview, picture)
                yield Iteration(
                    step, evaluations, scale, len(planned), share, left, terms, picture, preview
                )
                if step in settings.snapshots:
                    yield Snapshot(step, self._finish(picture))
                if count % CHECK_EVERY == 0:
                    lost = bool(optimiser.failures >= _FAILURES)
                    settled = convergence.settled(float(optimiser.loss))
                stopped = self.conclude()
                if settled or stopped or lost:
                    break
            lost = lost or not bool(optimiser.loss.isfinite())
            del objective, optimiser, evaluate
            if stopped or lost:
                break
        settled = settled and not lost
        yield Finished(
            self._finish(picture), step, settled, read_losses(terms), lost, estimate.done
        )

    def _blend_noise(self, start: Tensor) -> Tensor:
        """What is begun with, at the first size: a larger picture's noise would even out there."""
        share = self.settings.start_noise
        if share:
            # Drawn on the CPU, whose generator gives the same numbers on every machine.
            drawn = torch.Generator().manual_seed(self.settings.seed)
            start = torch.lerp(start, torch.rand(start.shape, generator=drawn).to(start), share)
        return make_grey(start.clone()) if self.grey else start

    def _enlarged(self, picture: Tensor, part: MaskedPicture, content: MaskedPicture) -> Tensor:
        """What a stage left, as large as the content of the next one, to be refined.

        Where little of the style is wanted it has what is finer in the photograph, too.
        """
        settings, size = self.settings, _size(content)
        enlarged = enlarge(picture, *size)
        covered = (settings.strength if _weighs_by_strength(settings) else 1) / _COVERING
        if content.strength is None and covered >= 1:
            return enlarged
        strength = 1.0 if content.strength is None else content.strength
        finer = content.colours - enlarge(resize(part.colours, *_size_of(picture)), *size)
        if self.grey:
            make_grey(finer)
        kept = torch.as_tensor(1 - covered * strength).clamp(0, 1)
        return finer.mul_(kept).add_(enlarged).clamp_(0, 1)

    def paint_at_once(self, photograph: Tensor) -> Iterator[Event]:
        """Every size in turn, by the networks that styles are baked into; step 0 is a first look.

        Each larger one adds what is finer than the one before it could show: painted over, things
        would dissolve in strokes.
        """
        part = self.seen.part(self.rows, self.columns)
        planned = self._plan(part)
        estimate, stages = _TimeEstimate(planned, self.clock), len(planned)
        strength, precision = self.settings.strength, self.network.precision
        with torch.no_grad():
            networks = [
                FeedForward.of(guided.baked or {}, self.seen.colours, strength, precision)
                for guided in self.styles
            ]
        look = blended((n.look for n in networks), self.styles, self.seen.guides)
        down, across = self._spans(*_size_of(look))
        look = look[:, down, across]
        match = self._match(part.resized(*_size_of(look)), look)
        look = match(look)
        preview = functools.partial(self._preview, look)
        yield Iteration(0, stages, 1, stages, 0.0, 0.0, {}, look, preview)
        picture, done = photograph, 0
        for stage, _ in planned:
            yield ScaleStarted(done + 1, stages, *stage.size)
            with torch.no_grad():
                small = resize(photograph, *stage.size)
                paintings = (network.paint(small, self.between) for network in networks)
                painted = blended(paintings, self.styles, part.guides)
                del small
                if stage.refines:
                    coarser = resize(painted, *picture.shape[-2:])
                    # Halved about a grey: what is resized lies in [0, 1].
                    lacking = enlarge((picture - coarser) / 2 + 0.5, *stage.size)
                    painted.add_(lacking.sub_(0.5), alpha=2).clamp_(0, 1)
                picture, matched = painted, match(painted)
            share, left = estimate.look(done, 1)
            done += 1
            preview = functools.partial(self._preview, matched)
            yield Iteration(done, stages, done, stages, share, left, {}, matched, preview)
            if self.conclude():
                break
        work = estimate.done * len(self.styles)
        yield Finished(self._finish(matched), done, False, {}, work=work)

    def _match(self, part: MaskedPicture, look: Tensor) -> Callable[[Tensor], Tensor]:
        """What gives a painting, of which there is a look, the colours that are wanted."""
        how, mixing = self.settings.colours, self.settings.colour_mixing
        if how == "style":
            return make_grey if self.grey else lambda painting: painting

        def seen(painting: Tensor) -> Tensor:
            if how == "luminance":
                return luminance(painting, mixing).expand(3, -1, -1)
            return painting

        mask = part.paint_mask
        matched = colour_match(seen(look), mask, part.colours, mask, how, mixing)

        def match(painting: Tensor) -> Tensor:
            found = matched(seen(painting))
            return make_grey(found) if self.grey else found

        return match

    def _plan(self, part: MaskedPicture) -> list[tuple[Stage, Plan]]:
        return plan_painting(
            _size(self.masked),
            _size(part),
            self.settings,
            self.network.kind,
            sys.maxsize if self.memory_mib is None else self.memory_mib << 20,
            sum(len(plane) for plane in (part.strength, part.guides) if plane is not None),
        )

    def _preview(self, picture: Tensor, height: int, width: int) -> Tensor:
        if self._small is None or _size(self._small) != (height, width):
            self._small = self.masked.resized(height, width)
        whole = self._small
        down, across = self._spans(height, width)
        part = whole.part(down, across)
        seen = resize(picture, *_size(part))
        seen = part.laid_on(
            seen, self._colour_strength, self.settings.colour_mixing, self._covering
        )
        shown = whole.colours.clone()
        shown[:, down, across] = torch.where(part.paint_mask > 0, seen, part.colours)
        return shown

    @property
    def _colour_strength(self) -> float:
        settings = self.settings
        kept = settings.keep_colours or settings.colours == "luminance"
        return 0.0 if kept else settings.colour_strength

    @property
    def _covering(self) -> float:
        """The share of the strength from which on nothing of the photograph's pixels is left."""
        # What is painted at once has the same strength everywhere.
        return _COVERING if self.settings.iterations else 1.0

    def _spans(self, height: int, width: int) -> tuple[slice, slice]:
        """The rows and columns that are painted, of the whole picture at another size."""
        down, across = (
            slice(span.start * to // of, -(-span.stop * to // of))
            for span, to, of in zip(
                (self.rows, self.columns), (height, width), _size(self.masked), strict=True
            )
        )
        return down, across

    def _finish(self, picture: Tensor) -> Tensor:
        part = self.masked.part(self.rows, self.columns)
        painted = part.finish(
            picture, self._colour_strength, self.settings.colour_mixing, self._covering
        )
        if part.original.shape == self.masked.original.shape:
            return painted
        whole = self.masked.original.clone()
        whole[:, self.rows, self.columns] = painted
        return whole

    def _objective(self, masked: MaskedPicture, stage: Stage, tiling: Tiling) -> Objective:
        targets = [
            guided.target(stage.whole_px, stage.settings, self.between) for guided in self.styles
        ]
        return Objective(masked, targets, stage.settings, self.network, tiling)


class _ConvergenceTest:
    """Convergence: CHECK_EVERY evaluations lowered the loss by less than `tolerance` of it."""

    def __init__(self, tolerance: float) -> None:
        self._tolerance, self._before = tolerance, float("inf")

    def settled(self, loss: float) -> bool:
        gained, self._before = self._before - loss, loss
        return self._tolerance > 0 and gained < self._tolerance * abs(loss)


class _TimeEstimate:
    """How far a painting is, on the understanding that time goes with the work."""

    def __init__(self, planned: list[tuple[Stage, Plan]], clock: Callable[[], float]) -> None:
        self._stages = [stage for stage, _ in planned]
        self._works = [evaluation_work(stage, plan) for stage, plan in planned]
        self._counts = list(map(evaluations_left, self._stages))
        self._all: float = sum(map(operator.mul, self._works, self._counts))
        self._clock, self._began = clock, clock()
        self.done = 0.0

    def look(self, scale: int, count: int) -> tuple[float, float]:
        """The share that is behind it, what was left out included, and seconds left."""
        before, left = (evaluations_left(self._stages[scale], n) for n in (count - 1, count))
        self.done += self._works[scale] * (before - left)
        rest = [left, *self._counts[scale + 1 :]]
        ahead: float = sum(map(operator.mul, self._works[scale:], rest))
        return 1 - ahead / self._all, (self._clock() - self._began) * (ahead / self.done)


def _size(masked: MaskedPicture) -> Size:
    return _size_of(masked.alpha)


def _size_of(picture: Tensor) -> Size:
    height, width = picture.shape[-2:]
    return height, width


def _optimiser(start: Tensor, settings: Settings, plan: Plan) -> LBFGS | Adam:
    if settings.optimiser == "lbfgs":
        pairs = torch.bfloat16 if plan.short_pairs else None
        return LBFGS(start, history=plan.history, box=settings.box, pairs=pairs)
    return Adam(
        start,
        learning_rate=settings.learning_rate,
        averaging=settings.averaging,
        box=settings.box,
    )
