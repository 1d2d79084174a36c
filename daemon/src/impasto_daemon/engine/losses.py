"""The terms of the loss, one class each. Every value is a 0-dimensional tensor."""

from __future__ import annotations

import torch
from torch import Tensor

from impasto_daemon.engine.gram import gram_matrix
from impasto_daemon.engine.sums import total


class ContentLoss:
    """½ Σ (F − P)² over a feature map, Gatys et al. 2016 eq. 1.

    target: P, (1, C, H, W). mask: (H, W), the weight of each position.
    relative: Σ (F − P)² / Σ P², free of the picture's size and of the weights' magnitude.
    paint_mask: (H, W), the mask of Σ P²: a selection is held to its photograph as a whole layer is.
    """

    def __init__(self, target: Tensor, mask: Tensor, paint_mask: Tensor, *, relative: bool) -> None:
        self._target, self._mask = target, mask
        energy = total(paint_mask * target.square())
        self._scale = 1 / _positive(energy) if relative else torch.full_like(energy, 0.5)

    def __call__(self, features: Tensor) -> Tensor:
        """The loss of F, (1, C, H, W)."""
        return self._scale * total(self._mask * (features - self._target).square())


class StyleLoss:
    """1 / (4 N²) Σ (G − A)² of Gram matrices per position, Gatys et al. 2016 eq. 4.

    target: A, (C, C). mask: (H, W), the weight of each position of the painting.
    relative: Σ (G − A)² / Σ A², the squared relative error of the Gram matrix.
    """

    def __init__(self, target: Tensor, mask: Tensor, *, relative: bool) -> None:
        self._target, self._mask = target, mask
        energy = total(target.square())
        paper = torch.full_like(energy, 0.25 / target.shape[0] ** 2)
        self._scale = 1 / _positive(energy) if relative else paper

    def __call__(self, features: Tensor) -> Tensor:
        """The loss of F, (1, C, H, W)."""
        gram = gram_matrix(features, self._mask)
        return self._scale * total((gram - self._target).square())


class TotalVariation:
    """Mean over the pixels of the squared differences between neighbours, both ways.

    A mean and not a sum, so that one weight smooths a small and a large picture alike.
    """

    def __call__(self, picture: Tensor) -> Tensor:
        """The loss of a picture, (1, 3, H, W)."""
        across = total((picture[..., :, 1:] - picture[..., :, :-1]).square())
        down = total((picture[..., 1:, :] - picture[..., :-1, :]).square())
        return (across + down) / picture.numel()


def _positive(energy: Tensor) -> Tensor:
    """`energy`, or 1 where a target is all zero and there is nothing to be relative to."""
    return torch.where(energy > 0, energy, torch.ones_like(energy))
