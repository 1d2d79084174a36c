"""VGG-19 as a table: its convolutions, and what its pixels are normalised with. Knows no torch."""

from __future__ import annotations

from collections.abc import Iterator

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of R, G and B in [0, 1], as torchvision has them."""

LEAST_PX = 16
"""Sides must be multiples of it: four poolings halve the picture four times before relu5_1."""

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""(channels, convolutions) of each block; a pooling follows each."""


def convolutions() -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(ReLU's name, torchvision's key of its convolution, shape of the weight), in order."""
    index, channels = 0, 3
    for block, (width, count) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            yield f"relu{block}_{number}", f"features.{index}", (width, channels, 3, 3)
            index, channels = index + 2, width
        index += 1


CONVOLUTIONS: dict[str, tuple[int, ...]] = {
    name: shape
    for _, key, weight in convolutions()
    for name, shape in ((f"{key}.weight", weight), (f"{key}.bias", weight[:1]))
}
"""Every tensor of the network by torchvision's name, with its shape."""


def stride_px(layer: str) -> int:
    """How many pixels of the picture lie between two positions of a layer's feature map."""
    return int(2 ** (int(layer[4]) - 1))


def reach_px(layer: str) -> int:
    """How far a position of a layer's feature map sees beyond its own square, in px."""
    strides = {name: stride_px(name) for name, _, _ in convolutions()}
    return sum(list(strides.values())[: list(strides).index(layer) + 1])
