"""Whether a large picture comes out sharp: good quality against a painting of full depth.

    python tests/proofs/sharpness.py [--long-edge 4000] [--save FILE.png] [PHOTO STYLE]

The picture is painted at its own size as it is by default. A crop of 512 px is painted beside it in
a hundred evaluations with every layer at that size, which is too slow for the whole picture.
Printed are the style distances of the layers that hold the stroke, and how much of the finest
octave of the style picture's power spectrum the painting has. Takes an hour at 4000 px on two
cores, a quarter of one at 1536.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import numpy as np
import torch
from figures import Figure, print_table
from inputs import image_of, load_inputs, painting, photograph, tensor_of
from PIL import Image
from torch import Tensor

from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.schedule import refinement
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_protocol.settings import QUALITIES, Settings

GOOD = Settings(**QUALITIES["good"])
STROKE = refinement(GOOD).style_layers
CROP_PX = 512
MEMORY_MIB = 4096


def main() -> None:
    """Print the figures; leave the painting if asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--long-edge", type=int, default=4000)
    parser.add_argument("--save")
    parser.add_argument("pictures", nargs="*", type=Path)
    arguments = parser.parse_args()
    photo, style = (
        map(Image.open, arguments.pictures)
        if arguments.pictures
        else (photograph(1024), painting(1280))
    )
    photo, style = (image.convert("RGB") for image in (photo, style))
    growth = arguments.long_edge / max(photo.size)
    photo = photo.resize([round(side * growth) for side in photo.size], Image.Resampling.BICUBIC)
    network = load_inputs().network
    painted = compare(tensor_of(photo), tensor_of(style), network)
    if arguments.save:
        image_of(painted).save(arguments.save)


def compare(photo: Tensor, picture: Tensor, network: FeatureNetwork) -> Tensor:
    """Print the figures of a photo, (3, H, W), painted in the style of a picture, (3, h, w)."""
    style = Style(picture, network)
    painted = paint(photo, style, GOOD, network)
    enlarged = paint(photo, style, replace(GOOD, refinement=0), network)
    large = Style(picture, network)
    grams = large.statistics(max(photo.shape), Settings().style_layers)
    crop = photo[:, -CROP_PX:, -CROP_PX:]
    # The style as large as it is for the whole picture.
    same = Style(picture, network, {(CROP_PX, layer): m for (_, layer), m in large.moments.items()})
    hundred = Settings(iterations=100, scales=1, tolerance=0)
    reference = paint(crop, same, hundred, network)
    distances = [distance(one, grams, network) for one in (painted, enlarged, reference)]
    print_table(f"style distance of {', '.join(STROKE)} at {max(photo.shape)} px", [
        Figure("painted at good", distances[:1]),
        Figure("only enlarged from its working size", distances[1:2]),
        Figure("a crop, 100 evaluations of full depth", distances[2:]),
        Figure("good : full depth", [distances[0] / distances[2]], "times", below=1.5),
    ])  # fmt: skip
    octaves = [
        finest_octave(one) / finest_octave(picture) for one in (painted, enlarged, reference)
    ]
    print_table("power of the finest octave, as a share of the style picture's", [
        Figure("painted at good", octaves[:1], at_least=0.5),
        Figure("only enlarged from its working size", octaves[1:2]),
        Figure("a crop, 100 evaluations of full depth", octaves[2:]),
    ])  # fmt: skip
    return painted


def paint(photo: Tensor, style: Style, settings: Settings, network: FeatureNetwork) -> Tensor:
    """The painting, (3, H, W)."""
    *_, last = stylise(photo, style, settings, network, memory_mib=MEMORY_MIB)
    assert isinstance(last, Finished)
    return last.picture


def distance(picture: Tensor, grams: dict[str, Tensor], network: FeatureNetwork) -> float:
    """Σ over the layers of the squared relative error of the Gram matrix."""
    found = Style(picture, network).statistics(max(picture.shape), STROKE)
    errors = [
        (found[layer] - grams[layer]).square().sum() / grams[layer].square().sum()
        for layer in STROKE
    ]
    return float(torch.stack(errors).sum())


def finest_octave(picture: Tensor) -> float:
    """Mean power of its lightness between a quarter and half a cycle per pixel, all directions."""
    light, side = picture.mean(dim=0).numpy(), 512
    window = np.outer(np.hanning(side), np.hanning(side))
    cycles = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    powers = []
    for top in range(0, light.shape[0] - side + 1, side):
        for left in range(0, light.shape[1] - side + 1, side):
            part = light[top : top + side, left : left + side]
            spectrum = np.abs(np.fft.fft2((part - part.mean()) * window)) ** 2
            powers.append(spectrum[(cycles >= 0.25) & (cycles < 0.5)].mean())
    return float(np.mean(powers))


if __name__ == "__main__":
    main()
