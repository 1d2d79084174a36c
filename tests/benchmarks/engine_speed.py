"""How fast the engine is, as ratios measured side by side in one run.

    python tests/benchmarks/engine_speed.py

Takes the weights that IMPASTO_WEIGHTS names, or the untrained network.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from impasto_daemon.engine import pyramid
from impasto_daemon.engine.events import Iteration
from impasto_daemon.engine.network import Vgg19
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.engine.untrained import untrained_vgg19
from impasto_protocol.settings import STYLE_LAYERS, Settings

ROUNDS = 5


def load(name: str, longest_px: int) -> Tensor:
    """A picture of the demo, (3, H, W)."""
    with (files("impasto_daemon") / "demo" / name).open("rb") as file:
        image = Image.open(file).convert("RGB")
        image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def load_network() -> Vgg19:
    """The network that the daemon would use."""
    if path := os.environ.get("IMPASTO_WEIGHTS"):
        from safetensors.torch import load_file

        return Vgg19(load_file(path), identity="real")
    return untrained_vgg19()


def ratio(slow: Callable[[], object], fast: Callable[[], object]) -> tuple[float, float]:
    """How many times longer `slow` takes than `fast`, taken in turns: median and spread."""
    found = []
    for _ in range(ROUNDS):
        times = []
        for run in (slow, fast):
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
        found.append(times[0] / times[1])
    return statistics.median(found), max(found) - min(found)


def one_evaluation(network: Vgg19, picture: Tensor) -> Callable[[], object]:
    """Features and their gradient, as each step needs them."""

    def run() -> None:
        at = picture[None].clone().requires_grad_()
        maps = network.features(at, STYLE_LAYERS)
        torch.autograd.grad(sum(found.square().mean() for found in maps.values()), at)

    return run


def seconds_to(loss: float, content: Tensor, style: Style, chosen: Settings, net: Vgg19) -> float:
    """Time until the full scale's loss is that low; infinity when it never is."""
    began = time.perf_counter()
    for event in stylise(content, style, chosen, net):
        last = isinstance(event, Iteration) and event.scale == event.scales
        if last and event.losses["total"] <= loss:
            return time.perf_counter() - began
    return float("inf")


def main() -> None:
    """Print every ratio."""
    network, content = load_network(), pyramid.pad_to_network(load("photograph.jpg", 256))
    painting = load("painting.jpg", 640)
    rows = Vgg19.__new__(Vgg19)
    rows.__dict__ = network.__dict__ | {"_layout": torch.contiguous_format}
    rows._steps = [(module.to(memory_format=torch.contiguous_format), name)
                   for module, name in _copies(network)]  # fmt: skip
    gain, spread = ratio(one_evaluation(rows, content), one_evaluation(network, content))
    print(
        f"rows first : channels last, one evaluation at 256 px     {gain:.2f} (spread {spread:.2f})"
    )

    style = Style(painting, network)
    style.statistics(256, STYLE_LAYERS)

    def cold() -> None:
        Style(painting, network).statistics(256, STYLE_LAYERS)

    gain, spread = ratio(cold, lambda: style.statistics(256, STYLE_LAYERS))
    print(
        f"style cold : warm, statistics at 256 px                  {gain:.0f} (spread {spread:.0f})"
    )

    single = Settings(iterations=100, scales=1, tolerance=0)
    *_, last = stylise(content, style, single, network)
    goal = last.losses["total"] * 1.1
    times = []
    for scales in (1, 2):
        chosen = Settings(iterations=150, scales=scales, tolerance=0)
        times.append(seconds_to(goal, content, style, chosen, network))
    print(f"one scale : coarse to fine, time to the same loss        {times[0] / times[1]:.2f}")


def _copies(network: Vgg19) -> list[tuple[torch.nn.Module, str]]:
    import copy

    return [(copy.deepcopy(module), name) for module, name in network._steps]


if __name__ == "__main__":
    main()
