"""How fast the engine is, as ratios measured side by side in one run.

    python tests/benchmarks/engine_speed.py

Takes about five minutes on two cores. See inputs.py for the pictures and weights it takes.
"""

from __future__ import annotations

import bisect
import itertools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import torch
from figures import Figure, in_turns, print_table, ratios
from inputs import Inputs, load_inputs, painting, photograph, tensor_of
from plain_loop import Moment, PlainLoop, PlainVgg
from torch import Tensor
from torch.nn import functional

from impasto_daemon.engine.convolutions import CONVOLUTIONS
from impasto_daemon.engine.events import Iteration
from impasto_daemon.engine.network import FeatureNetwork, backpropagate
from impasto_daemon.engine.objective import term_weights
from impasto_daemon.engine.schedule import scale_sizes
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_protocol.settings import CONTENT_LAYERS, LAYER, STYLE_LAYERS, Settings

ROUNDS = 5
AT_ONCE = 2
"""Evaluations in a turn."""

NEARLY = 1.05
"""How near to the plain loop's last loss is as good: its very last share depends on chance."""

LAYERS = STYLE_LAYERS + CONTENT_LAYERS
UNENDING = Settings(
    iterations=100_000, scales=1, tolerance=0, normalisation="relative", style_loss="gram"
)


def main() -> None:
    """Print every table."""
    inputs = load_inputs()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {inputs.network.name}")
    print_table("one evaluation, optimiser included", rates(inputs))
    print_table("floating-point rate of one evaluation at 512 px", shares_of_machine(inputs))
    print_table("parts", [channels_last(inputs), warm_style(inputs)])
    for size_px, evaluations in ((256, 40), (512, 20)):
        title = f"time to the loss of the plain loop's {evaluations}, {size_px} px"
        print_table(title, times_to_loss(inputs, size_px, evaluations))


def rates(inputs: Inputs) -> Iterator[Figure]:
    """Seconds per evaluation of the plain loop and of the engine, and their ratio."""
    for size_px in (256, 512):
        content, style = pictures(size_px)
        plain = plain_loop(content, style, inputs, at_once=AT_ONCE)
        painting = iterations(content, style, inputs, UNENDING)
        slow, fast = in_turns(
            ROUNDS, plain.paint, lambda painting=painting: advance(painting, AT_ONCE)
        )
        yield Figure(f"plain loop at {size_px} px", [t / AT_ONCE for t in slow], "s")
        yield Figure(f"engine at {size_px} px", [t / AT_ONCE for t in fast], "s")
        yield Figure(
            f"plain loop : engine at {size_px} px",
            ratios(slow, fast),
            "times",
            at_least=1.4 if size_px == 512 else None,
        )


def shares_of_machine(inputs: Inputs) -> Iterator[Figure]:
    """The engine's rate, and what share it is of a bare convolution's and matrix product's."""
    picture = pictures(512)[0][None]
    _, _, height, width = picture.shape
    maps = torch.rand(1, 256, height // 4, width // 4).contiguous(memory_format=torch.channels_last)
    filters = torch.rand(256, 256, 3, 3).contiguous(memory_format=torch.channels_last)
    square = torch.rand(2048, 2048)
    work = (
        (2 * convolution_flops(height, width, LAYERS), one_evaluation(inputs.network, picture)),
        (2 * 256 * maps.numel() * 9, lambda: functional.conv2d(maps, filters, padding=1)),
        (2 * 2048**3, lambda: square @ square),
    )
    with_rates = zip(work, in_turns(ROUNDS, *(run for _, run in work)), strict=True)
    engine, convolution, product = (
        [flops / second / 1e9 for second in times] for (flops, _), times in with_rates
    )
    yield Figure("engine: features of every loss, and their gradient", engine, "GFLOP/s")
    yield Figure("bare convolution, 256 to 256 channels, 3 x 3", convolution, "GFLOP/s")
    yield Figure("matrix product, 2048 x 2048", product, "GFLOP/s")
    yield Figure("engine : bare convolution", ratios(engine, convolution))
    yield Figure("engine : matrix product", ratios(engine, product))


def channels_last(inputs: Inputs) -> Figure:
    """What the order of values in memory makes, all else being the plain loop's."""
    picture = pictures(512)[0][None]
    rows, last = (
        PlainVgg(inputs, layout) for layout in (torch.contiguous_format, torch.channels_last)
    )
    slow, fast = in_turns(ROUNDS, with_gradient(rows, picture), with_gradient(last, picture))
    return Figure("rows first : channels last, features and gradient at 512 px", ratios(slow, fast))


def warm_style(inputs: Inputs) -> Figure:
    """What it saves to keep a style's Gram matrices."""
    picture = tensor_of(painting(640))
    style = Style(picture, inputs.network)
    slow, fast = in_turns(
        ROUNDS,
        lambda: Style(picture, inputs.network).statistics(256, STYLE_LAYERS),
        lambda: style.statistics(256, STYLE_LAYERS),
    )
    return Figure("style cold : warm, statistics at 256 px", ratios(slow, fast))


def times_to_loss(inputs: Inputs, size_px: int, evaluations: int) -> Iterator[Figure]:
    """Seconds until a picture is about as good as the plain loop's last.

    Judged, after the clock has stopped, by the plain loop's loss of the pictures as they would be
    saved, which is within [0, 1].
    """
    content, style = pictures(size_px)
    plain = plain_loop(content, style, inputs)

    def judge(picture: Tensor) -> float:
        with torch.no_grad():
            return float(plain.loss(picture.clamp(0, 1).view(1, *content.shape)))

    while len(plain.moments) < evaluations:
        plain.paint()
    goal = NEARLY * judge(plain.moments[-1][1])
    plain_s, count = first_as_low(goal, plain.moments, judge)
    yield Figure(f"plain loop, {count} evaluations", [plain_s], "s")
    for name, scales in (("one scale", 1), ("coarse to fine", 0)):
        # As many at the full size either way: the engine shares them out equally over the scales.
        of = evaluations * len(scale_sizes(*content.shape[1:], scales))
        chosen = replace(UNENDING, scales=scales, iterations=of)
        moments = full_size(iterations(content, style, inputs, chosen))
        found_s, count = first_as_low(goal, moments, judge)
        yield Figure(f"engine, {name}, {count} evaluations of full size", [found_s], "s")
        yield Figure(f"plain loop : engine, {name}", [plain_s / found_s], "times")
        last = judge(moments[-1][1]) / goal * NEARLY
        yield Figure(f"engine, {name}: its last loss as a share of the plain loop's", [last])


def full_size(events: Iterator[Iteration]) -> list[Moment]:
    """Seconds since now, and picture, of each evaluation of the last scale."""
    began = time.perf_counter()
    return [
        (time.perf_counter() - began, event.picture.clone())
        for event in events
        if event.scale == event.scales
    ]


def first_as_low(
    goal: float, moments: Sequence[Moment], judge: Callable[[Tensor], float]
) -> tuple[float, int]:
    """Seconds and evaluations until a picture's loss is at most `goal`; infinity when none is.

    Takes for granted that each picture is better than those before it.
    """
    place = bisect.bisect_left(moments, -goal, key=lambda moment: -judge(moment[1]))
    found = place < len(moments)
    return (moments[place][0], place + 1) if found else (float("inf"), place)


def pictures(size_px: int) -> tuple[Tensor, Tensor]:
    """Content and style, (3, H, W) each."""
    return tensor_of(photograph(size_px)), tensor_of(painting(size_px))


def plain_loop(content: Tensor, style: Tensor, inputs: Inputs, **options: int) -> PlainLoop:
    """The plain loop, with the weights that the engine gives its terms."""
    weights = term_weights(UNENDING)
    return PlainLoop(content, style, inputs, *weights, **options)


def iterations(
    content: Tensor, style: Tensor, inputs: Inputs, settings: Settings
) -> Iterator[Iteration]:
    """The engine's evaluations as they are done."""
    events = stylise(content, Style(style, inputs.network), settings, inputs.network)
    return (event for event in events if isinstance(event, Iteration))


def advance(painting: Iterator[Iteration], evaluations: int) -> None:
    """Let the engine do so many evaluations."""
    for _ in itertools.islice(painting, evaluations):
        pass


def one_evaluation(network: FeatureNetwork, picture: Tensor) -> Callable[[], None]:
    """The engine's features of every loss and their gradient."""

    def run() -> None:
        at = picture.clone().requires_grad_()
        backpropagate(list(network.segments(at, LAYERS)), lambda _, gradient: gradient.add_(1))

    return run


def with_gradient(
    features: Callable[[Tensor], dict[str, Tensor]], picture: Tensor
) -> Callable[[], None]:
    """Features and their gradient, as each evaluation needs them."""

    def run() -> None:
        at = picture.clone().requires_grad_()
        torch.autograd.grad(sum(found.square().mean() for found in features(at).values()), at)

    return run


def convolution_flops(height: int, width: int, layers: Collection[str]) -> int:
    """Additions and multiplications of the convolutions up to the deepest of `layers`, forwards.

    The gradient of the picture takes as many again. Pooling and Gram matrices are not counted.
    """
    shapes = [shape for name, shape in CONVOLUTIONS.items() if name.endswith(".weight")]
    deepest = max(map(LAYER.index, layers))
    total = 0
    for layer, (outputs, inputs, down, across) in list(zip(LAYER, shapes, strict=True))[
        : deepest + 1
    ]:
        halvings = int(layer.removeprefix("relu")[0]) - 1
        positions = (height >> halvings) * (width >> halvings)
        total += 2 * positions * outputs * inputs * down * across
    return total


if __name__ == "__main__":
    main()
