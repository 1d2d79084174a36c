"""What a network is called. Knows no torch, so that whoever has none may compare."""

from __future__ import annotations

SEED = 1
UNTRAINED = f"untrained-{SEED}"
"""Stands for the weights where there are none."""

UNTRAINED_POOLING = "average"


def network_identity(pooling: str, weights: str) -> str:
    """The name of VGG-19 with that pooling and weights: all that its features depend on."""
    return f"vgg19-{pooling}-{weights}"
