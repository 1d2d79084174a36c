"""Gram matrices: which features of a picture occur together, wherever they occur."""

from __future__ import annotations

from torch import Tensor

from impasto_daemon.engine.sums import total


def gram_matrix(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Gram matrix of a feature map, Gatys et al. 2016 eq. 3, per position.

    features: (1, C, H, W) → (C, C). mask: (H, W) ≥ 0, the weight of each position.

    Departs from the paper, which sums over positions, as then G of a large picture and A of a
    small style would differ by their sizes alone; with equal sizes the losses are the same.
    """
    columns = features[0].permute(1, 2, 0).reshape(-1, features.shape[1])
    if mask is None:
        return columns.T @ columns / columns.shape[0]
    weights = mask.reshape(-1, 1)
    return columns.T @ (columns * weights) / total(weights).clamp_min(1e-12)
