"""Seconds until ours is as good as another program's finished painting.

    python tests/benchmarks/time_to_quality.py [--neural-style-pt CHECKOUT] [--crowsonkb CHECKOUT]
        [--size 512] [--peers-steps 500] [--curve CURVE.png]

CHECKOUT: of ProGamerGov/neural-style-pt and crowsonkb/style-transfer-pytorch. Both paint the same
two pictures at the same size with the same network; the second, whose weights of the terms were
chosen for another training, gets it scaled to a mean activation of 1, as Gatys et al. have it.
The network of `plain_loop.py` judges them all: a picture is as good when both its style distance
and its content error are no larger. Loading is not counted, of nobody. At 256 px about an hour on
two cores, at 512 px about two hours. `--curve` needs matplotlib: `uv run --with matplotlib …`.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from figures import Figure, print_table
from inputs import Inputs, image_of, load_inputs, painting, photograph, tensor_of
from instant import content_error, seen, style_distance
from PIL import Image
from plain_loop import PlainVgg
from torch import Tensor

from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.objective import term_weights
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_protocol.settings import QUALITIES, Settings

BUDGETS = (10, 20, 30, 60, 100, 150, 200, 300, 400, 600, 800, 1000, 1500, 2000)
"""Evaluations that ours is given, in turn, until it is as good as every other."""
STRENGTHS = (0.5, 0.4, 0.3)
"""The default, and less, for those that keep more of the photograph."""

PROGRESS = "painted"

NEURAL_STYLE_PT = """
import builtins, runpy, sys
def tell(*words, **options):
    show(*words, **options)
    if str(words[0]).startswith("Running optimization"):
        show("painted", flush=True)
show, builtins.print = builtins.print, tell
from PIL import Image
save = Image.Image.save
def saved(image, name, *words, **options):
    save(image, name, *words, **options)
    show("painted", name, flush=True)
Image.Image.save = saved
sys.path.insert(0, sys.argv[1])
script = sys.argv[1] + "/neural_style.py"
sys.argv = [script, *sys.argv[2:]]
runpy.run_path(script, run_name="__main__")
"""

CROWSONKB = """
import sys, types
checkout, weights, photo, style, folder, size, iterations = sys.argv[1:]
sys.path.insert(0, checkout)
import torch
from PIL import Image
from torchvision import models
vgg19 = models.vgg19
def with_weights(weights=None):
    with torch.device("meta"):
        features = vgg19().features
    features.load_state_dict(torch.load(path), assign=True)
    return types.SimpleNamespace(features=features)
path, models.vgg19 = weights, with_weights
from style_transfer import StyleTransfer
peer, steps = StyleTransfer(), 0
def look(step):
    global steps
    steps += 1
    if steps % 50 == 0 or step.i == step.i_max:
        name = f"{folder}/peer_{steps}.png"
        peer.get_image().save(name)
        print("painted", name, flush=True)
print("painted", flush=True)
open_image = lambda name: Image.open(name).convert("RGB")
peer.stylize(open_image(photo), [open_image(style)], end_scale=int(size),
             iterations=int(iterations), initial_iterations=2 * int(iterations), callback=look)
"""


@dataclass(frozen=True)
class Seen:
    """A picture on the way, as the judge sees it. strength, evaluations: of ours."""

    seconds: float
    style: float
    content: float
    strength: float = 0.0
    evaluations: int = 0

    @property
    def loss(self) -> float:
        """What ours lowers, but for its smoothing."""
        alpha, beta = term_weights(Settings())
        return alpha * self.content + beta * self.style

    def is_as_good_as(self, other: Seen) -> bool:
        """In both."""
        return self.style <= other.style and self.content <= other.content


def main() -> None:
    """Print the table; draw the curve if asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--neural-style-pt", type=Path)
    parser.add_argument("--crowsonkb", type=Path)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--peers-steps", type=int, default=500)
    parser.add_argument("--curve", type=Path)
    arguments = parser.parse_args()
    inputs, size_px = load_inputs(), arguments.size
    photo, style = photograph(size_px), painting(size_px)
    judge = judge_of(inputs, photo, style)
    curves: dict[str, list[Seen]] = {}
    with tempfile.TemporaryDirectory(prefix="impasto-") as name:
        folder = Path(name)
        photo.save(folder / "photo.png")
        style.save(folder / "style.png")
        for peer, checkout, command in (
            ("neural-style-pt", arguments.neural_style_pt, neural_style_pt),
            ("crowsonkb's", arguments.crowsonkb, crowsonkb),
        ):
            if checkout:
                words = command(checkout, folder, inputs, size_px, arguments.peers_steps)
                pictures = painted_by(words)
                curves[peer] = [
                    Seen(seconds, *judge(Image.open(file).convert("RGB").resize(photo.size)))
                    for seconds, file in pictures
                ]
                print_table(f"{peer}, {size_px} px", described(peer, curves[peer]))
    goals = {peer: curve[-1] for peer, curve in curves.items()}
    mine = ours(inputs, photo, style, judge, goals)
    print_table(f"ours, {size_px} px", described("ours", mine))
    print_table("time of the finished painting : time until ours is as good", compared(goals, mine))
    curves |= {f"ours at {strength}": [point for point in mine if point.strength == strength]
               for strength in STRENGTHS}  # fmt: skip
    if arguments.curve:
        draw(curves, arguments.curve)


def judge_of(
    inputs: Inputs, photo: Image.Image, style: Image.Image
) -> Callable[[Image.Image], tuple[float, float]]:
    """What gives a picture's style distance and content error."""
    network = PlainVgg(inputs)
    wanted, kept = seen(network, tensor_of(style)), seen(network, tensor_of(photo))

    def judge(picture: Image.Image) -> tuple[float, float]:
        found = seen(network, tensor_of(picture))
        return style_distance(found, wanted), content_error(found, kept)

    return judge


def neural_style_pt(
    checkout: Path, folder: Path, inputs: Inputs, size_px: int, steps: int
) -> list[str]:
    """Its command. It takes the network as Caffe has it: BGR, 0 to 255."""
    weights = dict(inputs.weights)
    first, std = weights["features.0.weight"], torch.tensor([0.229, 0.224, 0.225])
    weights["features.0.weight"] = (first / (255 * std.view(1, 3, 1, 1))).flip(1)
    # Its mean is another than the one that ours subtracts, by half a level.
    torch.save(weights, folder / "vgg19-caffe.pth")
    return [
        sys.executable, "-c", NEURAL_STYLE_PT, str(checkout.resolve()),
        "-gpu", "c", "-backend", "mkl", "-disable_check", "-init", "image", "-seed", "0",
        "-model_file", str(folder / "vgg19-caffe.pth"), "-image_size", str(size_px),
        "-content_image", str(folder / "photo.png"), "-style_image", str(folder / "style.png"),
        "-output_image", str(folder / "caffe.png"),
        "-num_iterations", str(steps), "-save_iter", "25",
    ]  # fmt: skip


def crowsonkb(checkout: Path, folder: Path, inputs: Inputs, size_px: int, steps: int) -> list[str]:
    """Its command."""
    torch.save(of_mean_1(inputs), folder / "vgg19.pth")
    return [
        "uv", "run", "--with", "aiohttp", "python", "-c", CROWSONKB, str(checkout.resolve()),
        *(str(folder / name) for name in ("vgg19.pth", "photo.png", "style.png")),
        str(folder), str(size_px), str(steps),
    ]  # fmt: skip


@torch.no_grad()
def of_mean_1(inputs: Inputs) -> dict[str, Tensor]:
    """The weights, each layer's mean activation on the photograph made 1; names without the part.

    The picture of features is the same but for a factor for each layer.
    """
    found, x, before = {}, tensor_of(photograph(256))[None], 1.0
    stack = PlainVgg(inputs).stack
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 1, 3, 1, 1)
    x = (x - mean) / std
    for key, module in stack.named_children():
        x = module(x)
        if isinstance(module, torch.nn.Conv2d):
            size = x.relu().mean()
            found[f"{key}.weight"] = module.weight * (before / size)
            found[f"{key}.bias"] = module.bias / size
            before = size
    # What lies deeper is loaded, and not asked for.
    deeper = {name.removeprefix("features."): value for name, value in inputs.weights.items()}
    return deeper | found


def painted_by(command: list[str]) -> Iterator[tuple[float, Path]]:
    """Seconds since it began to paint, and the file, of each picture that a peer saves."""
    began = 0.0
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith(PROGRESS):
                began = began or time.perf_counter()
                file = line.removeprefix(PROGRESS).strip()
                if file:
                    yield time.perf_counter() - began, Path(file)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}.")


def ours(
    inputs: Inputs,
    photo: Image.Image,
    style: Image.Image,
    judge: Callable[[Image.Image], tuple[float, float]],
    goals: dict[str, Seen],
) -> list[Seen]:
    """Finished paintings by what the others match, and more and more evaluations."""
    curve: list[Seen] = []
    for evaluations, strength in ((1, 0.5), *itertools.product(BUDGETS, STRENGTHS)):
        settings = Settings(**(QUALITIES["good"] | {"iterations": evaluations}), strength=strength,
                            tolerance=0, normalisation="relative", style_loss="gram")  # fmt: skip
        began = time.perf_counter()
        *_, end = stylise(tensor_of(photo), Style(tensor_of(style), inputs.network), settings,
                          inputs.network)  # fmt: skip
        seconds = time.perf_counter() - began
        assert isinstance(end, Finished)
        if evaluations == 1:  # to warm up, as the daemon is
            continue
        curve.append(Seen(seconds, *judge(image_of(end.picture)), strength, evaluations))
        if goals and all(any(point.is_as_good_as(goal) for point in curve)
                         for goal in goals.values()):  # fmt: skip
            break
    return curve


def described(name: str, curve: list[Seen]) -> Iterator[Figure]:
    """Each picture of ours, the last of a peer's."""
    for point in curve if name == "ours" else curve[-1:]:
        what = f"{point.evaluations} at {point.strength}" if point.evaluations else "finished"
        yield Figure(f"{what}: style distance", [point.style])
        yield Figure(f"{what}: content error", [point.content])
        yield Figure(f"{what}: time", [point.seconds], "s")


def compared(goals: dict[str, Seen], curve: list[Seen]) -> Iterator[Figure]:
    """How many times as long each peer takes."""
    for peer, goal in goals.items():
        found = next((point for point in curve if point.is_as_good_as(goal)), None)
        times = goal.seconds / found.seconds if found else 0.0
        limit = 10 if peer == "neural-style-pt" else 5
        yield Figure(peer, [times], "times", at_least=limit)


def draw(curves: dict[str, list[Seen]], file: Path) -> None:
    """Style distance, content error and loss against seconds."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    for plane, what in zip(axes, ("style distance", "content error", "loss"), strict=True):
        values = {"style distance": "style", "content error": "content"}.get(what, what)
        for name, curve in curves.items():
            marker = "o-" if name.startswith("ours") else "-"
            plane.plot([p.seconds for p in curve], [getattr(p, values) for p in curve], marker,
                       label=name, markersize=4)  # fmt: skip
        plane.set(xlabel="seconds", title=what, xscale="log",
                  yscale="linear" if what == "content error" else "log")  # fmt: skip
        plane.grid(alpha=0.3, which="both")
    axes[0].legend()
    figure.savefig(file, dpi=80)


if __name__ == "__main__":
    main()
