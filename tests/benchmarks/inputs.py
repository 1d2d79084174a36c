"""What the benchmarks paint: the pictures, and the network that the daemon would use.

The pictures are the field's own where IMPASTO_IMAGES has them, otherwise the demo's. The weights
are those that IMPASTO_WEIGHTS names, otherwise Oxford's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.weights import oxford, store
from impasto_daemon.worker.models import choose_precision
from impasto_protocol.codec import Picture


@dataclass(frozen=True)
class Inputs:
    """weights: float32, of `network`, for whoever builds another like it."""

    network: FeatureNetwork
    weights: dict[str, Tensor]


def load_inputs() -> Inputs:
    """The network and what it is made of, in the precision that the daemon would take."""
    precision = choose_precision("auto", torch.device("cpu"))
    print(f"convolutions of the engine in {precision}; the plain loop's in torch.float32")
    named = os.environ.get("IMPASTO_WEIGHTS")
    tensors = store.load(Path(named)) if named else oxford.unpack()
    weights = {name: tensor.float() for name, tensor in tensors.items()}
    return Inputs(FeatureNetwork(weights, weights_hash="benchmark", precision=precision), weights)


def photograph(longest_px: int) -> Image.Image:
    """The content, its long edge at `longest_px`."""
    return _open("tubingen.jpg", "photograph.jpg", longest_px)


def painting(longest_px: int) -> Image.Image:
    """The style, its long edge at `longest_px`."""
    return _open("starry_night_google.jpg", "painting.jpg", longest_px)


def picture_of(image: Image.Image) -> Picture:
    """It as it is sent."""
    return Picture(image.height, image.width, 3, "uint8", image.tobytes())


def tensor_of(image: Image.Image) -> Tensor:
    """(3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().contiguous() / 255


def image_of(pixels: Tensor) -> Image.Image:
    """The same the other way."""
    return Image.fromarray((pixels * 255).round().byte().permute(1, 2, 0).numpy())


def _open(name: str, of_the_demo: str, longest_px: int) -> Image.Image:
    folder = os.environ.get("IMPASTO_IMAGES")
    source = Path(folder) / name if folder else files("impasto_daemon") / "demo" / of_the_demo
    with source.open("rb") as file:
        image = Image.open(file).convert("RGB")
    factor = longest_px / max(image.size)
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)
