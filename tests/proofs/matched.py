"""What of a style is matched, and how its layers are weighed: figures, sheets, long runs.

    python tests/proofs/matched.py
    python tests/proofs/matched.py --sheets FOLDER [--px 1024] [--evaluations 300]
        [--neural-style-pt CHECKOUT] [--crowsonkb CHECKOUT] [--peers-steps 500]
    python tests/proofs/matched.py --long [--evaluations 10000]

Without an option: what an evaluation of each way takes beside Gram matrices, in turns, two minutes
on two cores. With sheets: twelve pairs in each of the eight ways, in an order of its own in every
row, which `key.json` tells: judge first; style distances and content errors by a network that
shares no code with the engine; with checkouts of other programs theirs beside the default way
alone. With long runs: what a painting loses of its range and its colours.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import torch
from figures import Figure, in_turns, print_table, ratios
from inputs import Inputs, image_of, load_inputs, painting, photograph, tensor_of
from instant import content_error, seen, style_distance
from PIL import Image, ImageDraw
from plain_loop import PlainVgg
from time_to_quality import crowsonkb, neural_style_pt, painted_by
from torch import Tensor

from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.sizes import fit
from impasto_daemon.engine.statistics import STATISTICS
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.presets.starter_presets import baking_photographs, starter_presets
from impasto_daemon.worker.tensors import to_tensor
from impasto_protocol.settings import Settings

SIZE_PX = 512
EVALUATIONS = 4
ROUNDS = 3
WAYS = {f"{loss}-{weights}": (loss, weights)
        for loss, weights in itertools.product(STATISTICS, ("relative", "even"))}  # fmt: skip
DEFAULT = "wasserstein-even"
PEERS = {"neural-style-pt": neural_style_pt, "crowsonkb": crowsonkb}
PAIRS = (
    ("face", "Swirls"), ("face", "Woodcut"), ("cat", "Pastel"),
    ("town", "Mosaic"), ("town", "Ink"), ("town", "Knife"),
    ("coffee", "Watercolour"), ("coffee", "Mosaic"),
    ("rocket", "Swirls"), ("rocket", "Pastel"),
    ("drawing", "Woodcut"), ("drawing", "Ink"),
)  # fmt: skip


def main() -> None:
    """As the options have it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--px", type=int)
    parser.add_argument("--evaluations", type=int)
    parser.add_argument("--peers-steps", type=int, default=500)
    for peer in PEERS:
        parser.add_argument(f"--{peer}", type=Path)
    arguments = parser.parse_args()
    inputs = load_inputs()
    if arguments.sheets:
        arguments.sheets.mkdir(parents=True, exist_ok=True)
        size_px, evaluations = arguments.px or 1024, arguments.evaluations or 300
        peers: dict[str, Painter] = {
            name: partial(elsewhere, partial(command, checkout), inputs, arguments.peers_steps)
            for name, command in PEERS.items()
            if (checkout := vars(arguments)[name.replace("-", "_")])
        }
        painters = peers | {
            name: partial(here, inputs.network, evaluations, way)
            for name, way in WAYS.items()
            if not peers or name == DEFAULT
        }
        sheets(arguments.sheets, inputs, size_px, painters)
    elif arguments.long:
        long_runs(inputs.network, arguments.px or 192, arguments.evaluations or 10_000)
    else:
        size_px = arguments.px or SIZE_PX
        print_table(f"at {size_px} px", times(inputs.network, size_px))


def paint(
    content: Tensor,
    style: Style,
    network: FeatureNetwork,
    evaluations: int,
    way: tuple[str, str],
    **chosen: int,
) -> Tensor:
    """The picture, (3, H, W)."""
    settings = Settings(
        iterations=evaluations, tolerance=0, style_loss=way[0], normalisation=way[1], **chosen
    )
    *_, end = stylise(content, style, settings, network)
    assert isinstance(end, Finished) and not end.diverged
    return end.picture


Painter = Callable[[Tensor, Tensor], Tensor]
"""Paints a photograph in the style of a picture, each (3, H, W)."""


def here(
    network: FeatureNetwork, evaluations: int, way: tuple[str, str], content: Tensor, style: Tensor
) -> Tensor:
    """As `Painter`."""
    return paint(content, Style(style, network), network, evaluations, way)


def elsewhere(
    command: Callable[[Path, Inputs, int, int], list[str]],
    inputs: Inputs,
    steps: int,
    content: Tensor,
    style: Tensor,
) -> Tensor:
    """As `Painter`, by another program."""
    height, width = content.shape[-2:]
    with tempfile.TemporaryDirectory(prefix="impasto-") as name:
        folder = Path(name)
        image_of(content).save(folder / "photo.png")
        image_of(style).save(folder / "style.png")
        *_, (_, file) = painted_by(command(folder, inputs, max(height, width), steps))
        return tensor_of(Image.open(file).convert("RGB").resize((width, height)))


def times(network: FeatureNetwork, size_px: int) -> Iterator[Figure]:
    """What an evaluation of each way takes beside Gram matrices."""
    content, style = tensor_of(photograph(size_px)), Style(tensor_of(painting(size_px)), network)

    def once(style_loss: str) -> Callable[[], object]:
        way = (style_loss, "relative")
        return partial(paint, content, style, network, EVALUATIONS, way, scales=1)

    for style_loss in list(STATISTICS)[1:]:
        found = ratios(*in_turns(ROUNDS, once(style_loss), once("gram")))
        yield Figure(f"{style_loss}: time of an evaluation", found, "x gram")


def sheets(folder: Path, inputs: Inputs, size_px: int, painters: dict[str, Painter]) -> None:
    """Paint every pair by each of them; three pairs on a sheet, the style first. Print distances.

    Each painting is kept as a file, which the same command finds again where it was ended.
    """
    (folder / "paintings").mkdir(exist_ok=True)
    judge, shuffled, key = PlainVgg(inputs), random.Random(7), {}
    distances: dict[str, list[tuple[float, float]]] = {name: [] for name in painters}
    styles = {preset.name: to_tensor(preset.picture)[:3] for preset in starter_presets()}
    for number in range(0, len(PAIRS), 3):
        rows = []
        for content, style in PAIRS[number : number + 3]:
            order = shuffled.sample(list(painters), len(painters))
            key[f"{content} {style}"] = order
            looked_at = of_size(content_of(content), size_px)
            shown = of_size(styles[style], size_px)
            kept, wanted = seen(judge, looked_at), seen(judge, shown)
            rows.append([shown])
            for name in order:
                file = folder / "paintings" / f"{content}-{style}-{name}.png"
                if not file.exists():
                    image_of(painters[name](looked_at, styles[style]).clamp(0, 1)).save(file)
                rows[-1].append(tensor_of(Image.open(file)))
                found = seen(judge, rows[-1][-1])
                distances[name].append((style_distance(found, wanted), content_error(found, kept)))
            print(content, style, flush=True)
        cell = Image.new("RGB", ((len(painters) + 1) * size_px, 3 * size_px), "white")
        for row, pictures in enumerate(rows):
            for column, found in enumerate(pictures):
                cell.paste(image_of(found), (column * size_px, row * size_px))
        cell.save(folder / f"sheet-{number // 3 + 1}.png")
        (folder / "key.json").write_text(json.dumps(key, indent=1))
    print_table(f"{len(PAIRS)} pairs at {size_px} px, medians and spreads", [
        Figure(f"{name}: {what}", [pair[place] for pair in distances[name]])
        for place, what in enumerate(("style distance", "content error")) for name in painters
    ])  # fmt: skip


def long_runs(network: FeatureNetwork, size_px: int, evaluations: int) -> None:
    """Print what is clipped, and how much of its colours' spread a painting keeps of its style."""
    content, picture = tensor_of(photograph(size_px)), tensor_of(painting(size_px))
    style, found = Style(picture, network), []
    for name, way in WAYS.items():
        painted = paint(content, style, network, evaluations, way)
        clipped = float(((painted <= 0) | (painted >= 1)).float().mean())
        kept = saturation(painted) / saturation(picture)
        found += [
            Figure(f"{name}: pixels clipped", [100 * clipped], "%"),
            Figure(f"{name}: saturation, of the style's", [kept]),
        ]
        image_of(painted.clamp(0, 1)).save(f"long-{name}.png")
    print_table(f"after {evaluations} evaluations at {size_px} px", found)


def saturation(picture: Tensor) -> float:
    """The mean of the largest channel less the smallest."""
    return float((picture.amax(dim=0) - picture.amin(dim=0)).mean())


def content_of(name: str) -> Tensor:
    """(3, H, W)."""
    if name == "town":
        return tensor_of(photograph(1024))
    if name == "drawing":
        return drawing()
    number = ("cat", "coffee", "rocket", "face").index(name)
    return to_tensor(baking_photographs()[number])[:3]


def drawing() -> Tensor:
    """A house under a tree and the sun, in black lines on white."""
    image = Image.new("RGB", (1024, 768), "white")
    pen = ImageDraw.Draw(image)
    line = partial(pen.line, fill="black", width=8, joint="curve")
    line([(0, 640), (300, 610), (700, 650), (1024, 615)])
    line([(180, 620), (180, 360), (360, 220), (540, 360), (540, 625)])
    line([(140, 390), (360, 210), (580, 390)])
    pen.rectangle((300, 470, 400, 618), outline="black", width=8)
    pen.rectangle((440, 420, 510, 500), outline="black", width=8)
    line([(475, 420), (475, 500)])
    line([(760, 630), (770, 420), (790, 420), (810, 632)])
    for x, y in ((700, 300), (780, 230), (860, 290), (850, 370), (720, 370)):
        pen.arc((x - 80, y - 70, x + 80, y + 70), 0, 360, fill="black", width=8)
    pen.ellipse((60, 50, 190, 180), outline="black", width=8)
    return tensor_of(image)


def of_size(picture: Tensor, longest_px: int) -> Tensor:
    """Its long edge so large."""
    return resize(picture, *fit(*picture.shape[-2:], longest_px))


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
