"""What a network is called. Knows no torch, so that whoever has none may compare."""

from __future__ import annotations


def network_name(pooling: str, weights_hash: str) -> str:
    """The name of VGG-19 with that pooling and weights: all that its features depend on."""
    return f"vgg19-{pooling}-{weights_hash}"
