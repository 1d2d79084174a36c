"""The same photograph at three sizes with the same settings: are the strokes the same?

    python tests/proofs/same_look.py [--megapixels 0.5 2 12] [--quality good] [--folder FOLDER]

Each painting is brought to the size of the smallest, and to half of it, where a network that
shares no code with the engine measures its style distance and content error: at its own size a
painting has been optimised for what is measured, at half of it none has. On two cores about fifteen
minutes. FOLDER gets the paintings at the size of the smallest, to be looked at.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from figures import Figure, print_table
from inputs import Inputs, image_of, load_inputs, painting, photograph, tensor_of
from instant import content_error, seen, style_distance
from PIL import Image
from plain_loop import PlainVgg
from torch import Tensor

from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_protocol.settings import QUALITIES, Settings


def main() -> None:
    """Print the figures of each size, and how far apart they are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.5, 2, 12])
    parser.add_argument("--quality", default="good")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    inputs, photo = load_inputs(), photograph(1024)
    sizes = [_of_megapixels(photo, number) for number in arguments.megapixels]
    small = min(sizes)
    style = painting(1536)
    judges = [_Judge(inputs, photo, style, size) for size in (small, _half(small))]
    settings = Settings(**QUALITIES[arguments.quality], seed=0)
    for number, size in zip(arguments.megapixels, sizes, strict=True):
        content = tensor_of(photo.resize(size, Image.Resampling.LANCZOS))
        *_, event = stylise(content, Style(tensor_of(style), inputs.network), settings,
                            inputs.network, memory_mib=4096)  # fmt: skip
        assert isinstance(event, Finished)
        found = image_of(event.picture).resize(small, Image.Resampling.LANCZOS)
        if arguments.folder:
            found.save(arguments.folder / f"{number:g}.png")
        for judge in judges:
            judge.judge(found, f"{number:g} megapixels, {size[0]} x {size[1]}")
    for judge in judges:
        apart = max(judge.distances) / min(judge.distances)
        print_table(f"seen at {judge.size[0]} px", [
            Figure("largest style distance : smallest", [apart], below=1.2)
        ])  # fmt: skip


class _Judge:
    """Sees paintings at one size. distances: to the style, of each that it has judged."""

    def __init__(
        self, inputs: Inputs, photo: Image.Image, style: Image.Image, size: tuple[int, int]
    ) -> None:
        self.size, self._network = size, PlainVgg(inputs)
        self._wanted = self._see(_fitted(style, max(size)))
        self._kept = self._see(photo.resize(size, Image.Resampling.LANCZOS))
        self.distances: list[float] = []

    def judge(self, painted: Image.Image, what: str) -> None:
        """Print what a painting is like."""
        found = self._see(painted.resize(self.size, Image.Resampling.LANCZOS))
        self.distances.append(style_distance(found, self._wanted))
        print_table(f"{what}, seen at {self.size[0]} px", [
            Figure("style distance", [self.distances[-1]]),
            Figure("content error", [content_error(found, self._kept)]),
        ])  # fmt: skip

    def _see(self, image: Image.Image) -> dict[str, Tensor]:
        return seen(self._network, tensor_of(image))


def _half(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] // 2, size[1] // 2


def _of_megapixels(photo: Image.Image, number: float) -> tuple[int, int]:
    share = math.sqrt(number * 1e6 / (photo.width * photo.height))
    return round(photo.width * share), round(photo.height * share)


def _fitted(image: Image.Image, longest_px: int) -> Image.Image:
    share = longest_px / max(image.size)
    return image.resize((round(image.width * share), round(image.height * share)),
                        Image.Resampling.LANCZOS)  # fmt: skip


if __name__ == "__main__":
    main()
