"""The stages of a painting: from a coarse scale to the working size, and up to the picture's own.

Knows no torch, so that whoever has none may ask what a painting will cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from impasto_daemon.engine.convolutions import LEAST_PX, reach_px
from impasto_daemon.engine.feed_forward_shapes import BAKED_PX
from impasto_daemon.engine.sizes import Borders, fit
from impasto_protocol.networks import NETWORKS
from impasto_protocol.settings import Settings

Size = tuple[int, int]
"""(height, width) in px."""

_COARSEST_PX = 128
_WIDE_BORDER_PX = 16
_BORDER_PX = 8
"""At least so much is painted beyond each side, as what is outermost has strokes of its own: on the
scales below the working size, whose strokes are wide, and where deep layers count as much as the
others; and at that size."""
_BORDERED_PX = 1024
"""The long edge above which two paler pixels are not seen, and more of them cost memory."""
_HARDLY_LARGER = 1.25
"""Up to so many times the working size a picture that is to be refined is painted at its own: where
strokes grow by so little they are blurred, and what is refined of them does not make them sharp."""
_REFINED_REACH_PX = reach_px("relu3_1")
"""Of the deepest layer of a refinement: it sees a stroke, which is no longer a thing."""

_MOST_ENLARGED = 4
"""So many times a small picture is enlarged so that a baked style's strokes have their size."""
_BAKED_GROWTH = 6
"""From one size to the next, at most, where a baked style paints: half of it showed no more."""
_ONE_STEP_MORE = 1.07
"""So many times too large a step may be where that saves one: 768 to 1633 px, 2.13 times instead of
2, is nearer to style and photograph at once than in two."""
_ABOUT_AS_LARGE = 0.5
"""So many doublings make no difference to the eye, and would cost a stage more."""


@dataclass(frozen=True)
class Stage:
    """One size, in px, at which is painted for so many evaluations, with these settings.

    height, width: of the part that is painted. whole_px: the long edge of the whole picture.
    refines: the content is what the stage before it left, and no longer the photograph but for what
    is finer in it, where little of the style is wanted.
    at_once: a baked style paints it, in one go, and where it refines adds what is finer.
    border_px: at least so much is painted beyond each side.
    """

    height: int
    width: int
    whole_px: int
    iterations: int
    settings: Settings
    refines: bool = False
    at_once: bool = False
    border_px: int = 0

    @property
    def size(self) -> Size:
        """(height, width)."""
        return self.height, self.width

    @property
    def borders(self) -> Borders:
        """What is painted as well and left out in the end; with it the sides are multiples of 16.

        On all sides alike: beside what is repeated on one of them alone, a strip is seen.
        """
        if self.at_once:
            return 0, 0, 0, 0
        (above, below), (left, right) = (_borders(side, self.border_px) for side in self.size)
        return above, below, left, right

    @property
    def grown(self) -> Size:
        """(height, width) with the borders."""
        above, below, left, right = self.borders
        return above + self.height + below, left + self.width + right


def schedule(whole: Size, part: Size, settings: Settings) -> list[Stage]:
    """The stages in which a picture of that size, or a part of it, is painted; coarsest first.

    whole, part: (height, width) in px. With no iterations it is painted by a baked style.
    """
    if not settings.iterations:
        return _baked_stages(whole, part, settings)
    at_its_own = settings.refinement and max(whole) <= _HARDLY_LARGER * settings.working_px
    painted_px = 0 if at_its_own else settings.working_px
    sizes = scale_sizes(*fit(*whole, painted_px), settings.scales)
    shares = split_iterations(settings.iterations, len(sizes))
    *coarse, painted = (
        _stage(size, whole, part, share, settings)
        for size, share in zip(sizes, shares, strict=True)
    )
    stages = [
        *(replace(stage, border_px=_WIDE_BORDER_PX) for stage in coarse if stage.iterations),
        painted,
    ]
    if not settings.refinement:
        return stages
    refined = refinement(settings)
    return stages + [
        _stage(size, whole, part, settings.refinement, refined, refines=True)
        for size in sizes_between(sizes[-1], whole)
    ]


def _borders(side: int, least_px: int) -> tuple[int, int]:
    both = 2 * least_px + -(side + 2 * least_px) % LEAST_PX
    return both // 2, both - both // 2


def _baked_stages(whole: Size, part: Size, settings: Settings) -> list[Stage]:
    """Those of a baked style: at the size that gives its strokes theirs, then at larger ones."""
    own_px = max(whole)
    painted_px = (settings.working_px or BAKED_PX) / settings.style_scale
    if abs(math.log2(painted_px / own_px)) < _ABOUT_AS_LARGE:
        painted_px = own_px
    factor = min(painted_px / own_px, _MOST_ENLARGED)
    first = max(1, round(whole[0] * factor)), max(1, round(whole[1] * factor))
    larger = sizes_between(first, whole, _BAKED_GROWTH) if settings.refinement else ()
    return [
        replace(_stage(size, whole, part, 1, settings, refines=size != first), at_once=True)
        for size in (first, *larger)
    ]


def surroundings_px(whole: Size) -> int:
    """How much is looked at around what is painted: at the working size about 64 px."""
    return round(max(whole) / 12)


def _stage(
    size: Size, whole: Size, part: Size, iterations: int, settings: Settings, *,
    refines: bool = False,
) -> Stage:  # fmt: skip
    height, width = (
        max(1, round(px * scaled / full))
        for px, scaled, full in zip(part, size, whole, strict=True)
    )
    border_px = _WIDE_BORDER_PX if settings.normalisation == "even" else _BORDER_PX
    border_px *= max(size) <= _BORDERED_PX
    return Stage(height, width, max(size), iterations, settings, refines, border_px=border_px)


def refinement(settings: Settings) -> Settings:
    """The settings of the stages above the working size."""
    layers = NETWORKS[settings.network].layers
    deepest = [name for name in layers if reach_px(name) <= _REFINED_REACH_PX][-1]
    weights = settings.style_layer_weights or (1.0,) * len(settings.style_layers)
    kept = {
        layer: weight
        for layer, weight in zip(settings.style_layers, weights, strict=True)
        if reach_px(layer) <= _REFINED_REACH_PX and weight
    }
    return replace(
        settings,
        style_layers=tuple(kept) or (deepest,),
        style_layer_weights=tuple(kept.values()),
        # At the start of so few evaluations it would take as long as one or two to measure.
        normalisation="relative" if settings.normalisation == "even" else settings.normalisation,
        content_layers=(deepest,),
        content_layer_weights=(),
        total_variation=0.0,  # the finest differences are what a refinement is for
    )


def scale_sizes(height: int, width: int, scales: int) -> list[Size]:
    """(height, width) of each scale in px, coarsest first; each is half the next.

    scales: how many, or 0 for as many as leave the coarsest long edge at 128 px or more. Never
    so many that a side falls under 16 px.
    """
    sizes = [(height, width)]
    while scales == 0 or len(sizes) < scales:
        smaller = (round(sizes[0][0] / 2), round(sizes[0][1] / 2))
        least = LEAST_PX if scales else _COARSEST_PX
        if max(smaller) < least or min(smaller) < LEAST_PX:
            break
        sizes.insert(0, smaller)
    return sizes


def split_iterations(iterations: int, scales: int) -> list[int]:
    """`iterations` in equal parts, the rest to the finest, so that it never goes without."""
    part, rest = divmod(iterations, scales)
    return [part] * (scales - 1) + [part + rest]


def sizes_between(small: Size, large: Size, most: float = 2) -> Iterator[Size]:
    """The sizes above one up to another of the same shape, in equal steps of about so much."""
    growth = max(large) / max(small)
    steps = math.ceil(math.log(growth / _ONE_STEP_MORE, most))
    for step in range(1, steps + 1):
        factor = growth ** (step / steps - 1)
        yield round(large[0] * factor), round(large[1] * factor)
