"""What a painting takes in memory and arithmetic, and how it is cut to fit. Knows no torch.

The constants were measured on a CPU, float32 and bfloat16, at 512 to 2048 px.
"""

from __future__ import annotations

import bisect
import functools
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace

from impasto_daemon.engine.convolutions import LEAST_PX, stride_px
from impasto_daemon.engine.feed_forward_shapes import LARGEST_TILE_PX
from impasto_daemon.engine.schedule import Size, Stage, schedule
from impasto_daemon.engine.tiles import Tiling, margin_px, span
from impasto_protocol.networks import LAYERS, NETWORKS
from impasto_protocol.settings import Settings

_BYTES_PER_PX = {2: 950, 4: 1450}
"""One evaluation with its gradient, by bytes of a number of the feature maps."""

_BESIDE_BYTES = 230 << 20
_BESIDE_TILES_BYTES = 330 << 20
"""What the convolutions take beside their maps; more when tile follows tile."""

_USABLE = 0.93
"""Of the budget: what is freed does not all go back to the system at once."""

_PICTURE_BYTES_PER_PX = 24
"""The content as it came, as numbers and as it was sent."""

_VECTOR = 12
"""Bytes a pixel of three float32."""

_VECTORS = 6
"""The content at that size, the picture, its trial, two gradients, and what comes and goes."""
_ADAM_VECTORS = 2
"""More: it has two moments and a sum, but one gradient (2000 x 3000 px, a CPU)."""

_PLANE_BYTES_PER_PX = 8
_SCALED_PLANE_BYTES_PER_PX = 10
"""Of a mask: as it came and among the others; at a size, with that of each layer."""

_FLOPS_PER_LOOK = 185_000
_FLOPS_PER_PX = 70_000
_FLOPS_PER_PAIR = {False: 9_000, True: 40_000}
_FLOPS_PER_EVALUATION = 3e10
"""As much as the deep convolutions could do in the time of everything else.

Of a look at a pixel, whose shallow convolutions wait for memory; of a pixel for the optimiser; of
its pairs, also short ones; and whatever the size.
"""

_MATCHED = {"histogram": 1.27, "shifted": 1.27}
_FLOPS_PER_CUBE = 175
"""Where a style is matched by more than Gram matrices, so many times as much (512 px); where by
Gaussians, for the cube of each layer's channels, whatever the size (320 and 512 px)."""

_EVENING_OUT = 2.3
"""So many evaluations it takes, once a size, to have all style layers count alike."""

_SAVED = {256: 1.5, 512: 2.3}
"""So many times as fast `winograd.py` makes a convolution with so many channels to make."""

_AT_ONCE_FLOPS_PER_PX = 100_000
_AT_ONCE_BYTES_PER_PX = 230
_AT_ONCE_VECTORS = 3
"""Of a pixel that a baked style paints, which waits for memory, and of one of a tile of it."""

_MOST_TILES = 64
_REFINING_WINDOW_PX = 320**2
"""Of a refinement on a processor, whose margins cost little.

The maps of larger windows are asked of the system anew each time, which takes up to half as long
again as all else (1500 x 2000 px, two cores).
"""

_REFINING_HISTORY = 5


@dataclass(frozen=True)
class DeviceKind:
    """What of a device decides on the tiles. number_bytes: of a number of the feature maps.

    gpu: it has a memory of its own. apple: a GPU that has none.
    """

    number_bytes: int
    gpu: bool = False
    apple: bool = False

    @property
    def saves_products(self) -> bool:
        """Whether its convolutions with many channels are those of `winograd.py`."""
        return self.number_bytes == 4 and not self.gpu and not self.apple


@dataclass(frozen=True)
class Plan:
    """How a stage is painted in the memory there is.

    device: what it was made for. history: pairs of L-BFGS. short_pairs: they are kept as
    bfloat16. peak_bytes: at most.
    """

    device: DeviceKind
    tiling: Tiling
    history: int
    short_pairs: bool
    peak_bytes: int


def make_plan(
    stage: Stage, picture_px: int, device: DeviceKind, budget_bytes: int, planes: int = 0
) -> Plan:
    """The fastest way to paint a stage that fits; the most frugal one where none does.

    picture_px: pixels of the whole picture. planes: how many masks come with it.
    """
    picture_bytes = picture_px * (_PICTURE_BYTES_PER_PX + _PLANE_BYTES_PER_PX * planes)
    if stage.at_once:
        pixels = math.prod(stage.size)
        taken = picture_bytes + _AT_ONCE_VECTORS * _VECTOR * pixels
        taken += _SCALED_PLANE_BYTES_PER_PX * planes * pixels
        tile = _AT_ONCE_BYTES_PER_PX * min(pixels, LARGEST_TILE_PX)
        return Plan(device, Tiling(), 0, short_pairs=False, peak_bytes=taken + tile)
    scaled_bytes = _SCALED_PLANE_BYTES_PER_PX * planes * math.prod(stage.grown)
    ways = list(_ways(stage, picture_bytes + scaled_bytes, device))
    usable_bytes = int(budget_bytes * _USABLE)
    most_px = math.prod(stage.grown)
    if stage.refines and not device.gpu:
        most_px = min(most_px, _REFINING_WINDOW_PX)
    for least_px, choice in (
        (most_px, ways[:2]), (1024**2, ways[:4]), (512**2, ways), (256**2, ways)
    ):  # fmt: skip
        for way in choice:
            room = usable_bytes - way.peak_bytes - _BESIDE_TILES_BYTES
            window_px = room // _BYTES_PER_PX[device.number_bytes]
            if window_px < least_px:
                continue
            found = _cut(way, stage, min(window_px, most_px))
            if found.peak_bytes <= usable_bytes:
                return found
    frugal = ways[-1]
    leanest = _cut(frugal, stage, 0), _take(frugal, stage)
    return min(leanest, key=lambda plan: plan.peak_bytes)


def plan_painting(
    whole: Size,
    part: Size,
    settings: Settings,
    device: DeviceKind,
    budget_bytes: int,
    planes: int = 0,
) -> list[tuple[Stage, Plan]]:
    """The stages of a painting and how each is painted.

    whole, part: (height, width) in px of a picture and of what is painted of it. planes: how many
    masks come with it.
    """
    return [
        (stage, make_plan(stage, math.prod(whole), device, budget_bytes, planes))
        for stage in schedule(whole, part, settings)
    ]


def peak_mib(planned: list[tuple[Stage, Plan]]) -> int:
    """What a painting takes at most, in MiB, beside the network itself."""
    return max(plan.peak_bytes for _, plan in planned) >> 20


def painting_work(planned: list[tuple[Stage, Plan]]) -> float:
    """What a painting costs, in the unit of `evaluation_work`."""
    return sum(evaluations_left(stage) * evaluation_work(stage, plan) for stage, plan in planned)


def evaluations_left(stage: Stage, done: int = 0) -> float:
    """How many evaluations of a stage are left; what its first has more to do counts as some."""
    settings = stage.settings
    evens_out = settings.normalisation == "even" and len(settings.style_layers) > 1
    if not evens_out or done or stage.at_once or not stage.iterations:
        return stage.iterations - done
    return stage.iterations + _EVENING_OUT


def evaluation_flops(stage: Stage, tiling: Tiling, *, saved: bool = False) -> int:
    """Floating-point operations of one evaluation: all its convolutions, there and back.

    saved: those that `winograd.py` makes count by what they take.
    """
    (looks, contents), settings = _looked_at_px(stage, tiling), stage.settings
    return looks * _flops_per_px(settings.network, _layers(settings), saved) + (
        contents * _flops_per_px(settings.network, settings.content_layers, saved)
    )


def evaluation_work(stage: Stage, plan: Plan) -> float:
    """What an evaluation costs, in floating-point operations of the convolutions.

    Beside these it counts what goes over every pixel, and what every evaluation has.
    """
    if stage.at_once:
        return float(math.prod(stage.size) * _AT_ONCE_FLOPS_PER_PX)
    around = (
        sum(_looked_at_px(stage, plan.tiling)) * _FLOPS_PER_LOOK
        + math.prod(stage.grown)
        * (_FLOPS_PER_PX + _FLOPS_PER_PAIR[plan.short_pairs] * plan.history)
    )  # fmt: skip
    flops = evaluation_flops(stage, plan.tiling, saved=plan.device.saves_products)
    style_loss = stage.settings.style_loss
    work = (flops + around + _FLOPS_PER_EVALUATION) * _MATCHED.get(style_loss, 1)
    if style_loss == "wasserstein":
        cubes = (LAYERS[layer].channels ** 3 for layer in stage.settings.style_layers)
        work += _FLOPS_PER_CUBE * sum(cubes)
    return work


def _looked_at_px(stage: Stage, tiling: Tiling) -> tuple[int, int]:
    """Pixels that go through the network in an evaluation, there or back: painting's, content's."""
    windows = _Windows.of(stage, tiling)
    # The last tile's maps are still there when its gradient is wanted.
    looks = 3 * windows.total_px - windows.last_px
    return looks, 0 if tiling.keep_targets else 2 * windows.total_px


def _ways(stage: Stage, picture_bytes: int, device: DeviceKind) -> Iterator[Plan]:
    """How a stage may be painted, fastest first, with what each takes beside its tiles."""
    settings, pixels = stage.settings, math.prod(stage.grown)
    most = min(settings.history, _REFINING_HISTORY) if stage.refines else settings.history
    targets = sum(
        LAYERS[layer].channels * device.number_bytes * pixels // stride_px(layer) ** 2
        for layer in settings.content_layers
    )
    fixed = picture_bytes + _VECTORS * _VECTOR * pixels
    for pairs, short, kept in (
        (most, False, True), (most, True, True), (min(most, 4), True, True),
        (min(most, 3), True, False), (min(most, 2), True, False), (1, True, False),
    ):  # fmt: skip
        vectors = pairs if short else 2 * pairs
        if settings.optimiser == "adam":
            pairs, short, vectors = 0, False, _ADAM_VECTORS
        taken = fixed + vectors * pixels * _VECTOR + targets * kept
        yield Plan(device, Tiling(keep_targets=kept), pairs, short, taken)


def _cut(way: Plan, stage: Stage, window_px: int) -> Plan:
    """A way with the tiles that cost least, none of whose windows has more pixels than that."""
    rows, columns = map(_counts, stage.grown)
    down, across = (
        [_extents(side, count, _margin_px(stage))[1] for count in counts]
        for side, counts in zip(stage.grown, (rows, columns), strict=True)
    )
    tilings = []
    for row, height in zip(rows, down, strict=True):
        # The fewest columns that are narrow enough: more of them cost more.
        enough = bisect.bisect_left(across, -(window_px // height), key=operator.neg)
        column = columns[min(enough, len(columns) - 1)]
        tilings.append(replace(way.tiling, rows=row, columns=column))
    best = min(
        tilings,
        key=lambda tiling: (
            max(0, _Windows.of(stage, tiling).largest_px - window_px),
            evaluation_flops(stage, tiling),
        ),
    )
    return _take(replace(way, tiling=best), stage)


def _take(way: Plan, stage: Stage) -> Plan:
    """A way with what it takes, its tiles included."""
    tiling = way.tiling
    maps = _Windows.of(stage, tiling).largest_px * _BYTES_PER_PX[way.device.number_bytes]
    beside = min(_BESIDE_BYTES, (70 << 20) + maps * 2 // 5)  # less with a small picture
    if tiling.rows * tiling.columns > 1:
        beside = _BESIDE_TILES_BYTES
    return replace(way, peak_bytes=way.peak_bytes + maps + beside)


def _counts(side: int) -> range:
    """Into how many parts a side may be cut: none under 256 px."""
    return range(1, max(1, min(_MOST_TILES, side // 256)) + 1)


@dataclass(frozen=True)
class _Windows:
    """Pixels of the tiles of a stage with their margins: of all, of the largest, of the last."""

    total_px: int
    largest_px: int
    last_px: int

    @classmethod
    def of(cls, stage: Stage, tiling: Tiling) -> _Windows:
        sides = [
            _extents(side, count, _margin_px(stage))
            for side, count in zip(stage.grown, (tiling.rows, tiling.columns), strict=True)
        ]
        return cls(*(down * across for down, across in zip(*sides, strict=True)))


@functools.lru_cache(maxsize=4096)
def _extents(side: int, count: int, margin: int) -> tuple[int, int, int]:
    """Of a side's spans: their sum, the largest, at most 16 px too much, and the last, in px.

    Those between the ones near the borders have the whole margin on both sides.
    """
    units = math.ceil(side / LEAST_PX)
    count = min(count, units)
    near = min(count, math.ceil((margin + LEAST_PX) / (LEAST_PX * (units // count))))
    last = max(near, count - near)
    looked_at = [span(side, count, margin, index) for index in (*range(near), *range(last, count))]
    extents = [one.last - one.first for one in looked_at]
    total, largest = sum(extents), max(extents)
    if last > near:
        between = looked_at[near].begin - looked_at[near - 1].end
        total += between + 2 * margin * (last - near)
        largest = max(largest, LEAST_PX * math.ceil(units / count) + 2 * margin)
    return total, largest, extents[-1]


def _margin_px(stage: Stage) -> int:
    return _margin_of(_layers(stage.settings), stage.settings.style_loss)


@functools.lru_cache(maxsize=256)
def _margin_of(layers: tuple[str, ...], style_loss: str) -> int:
    return margin_px(layers, style_loss)


def _layers(settings: Settings) -> tuple[str, ...]:
    return (*settings.style_layers, *settings.content_layers)


@functools.lru_cache(maxsize=256)
def _flops_per_px(network: str, layers: tuple[str, ...], saved: bool) -> int:
    """Of the convolutions up to the deepest of `layers`, one way."""
    shape = NETWORKS[network]
    deepest = max((shape.layers[name] for name in layers), key=lambda layer: layer.flops)
    if not saved or not shape.blocks:
        return round(deepest.flops)
    found = before = 0.0
    for layer in shape.layers.values():  # each has one convolution more
        if layer.flops <= deepest.flops:
            found += (layer.flops - before) / _SAVED.get(layer.channels, 1)
            before = layer.flops
    return round(found)
