"""What a network is called. Knows no torch, so that whoever has none may compare."""

from __future__ import annotations

SEED = 1
UNTRAINED = f"untrained-{SEED}"
"""Stands for the weights where there are none."""

UNTRAINED_POOLING = "average"


def network_name(pooling: str, weights: str) -> str:
    """The name of VGG-19 with that pooling and weights: all that its features depend on.

    weights: their hash; without any it is the untrained stand-in, which has but one pooling.
    """
    if not weights:
        pooling, weights = UNTRAINED_POOLING, UNTRAINED
    return f"vgg19-{pooling}-{weights}"
