"""What is known of the networks without torch: tensors, strides, and how pixels are normalised."""

from __future__ import annotations

from impasto_protocol.networks import LAYERS, NETWORKS, convolutions

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of R, G and B in [0, 1], as torchvision has them."""

LEAST_PX = 16
"""Sides must be multiples of it: no layer that is taken has a larger stride."""


def vgg_tensors(network: str) -> dict[str, tuple[int, ...]]:
    """Every tensor of a VGG by torchvision's name, with its shape."""
    return {
        name: shape
        for _, key, weight in convolutions(NETWORKS[network].blocks)
        for name, shape in ((f"{key}.weight", weight), (f"{key}.bias", weight[:1]))
    }


CONVOLUTIONS = vgg_tensors("vgg19")


def stride_px(layer: str) -> int:
    """How many pixels of the picture lie between two positions of a layer's feature map."""
    return LAYERS[layer].stride_px


def reach_px(layer: str) -> int:
    """How far a position of a layer's feature map sees beyond its own square, in px."""
    return LAYERS[layer].reach_px
