"""The terms of the loss, one class each, with their gradients. Every value is a 0-d tensor.

Content and style are sums over positions, so that a picture may be looked at tile by tile.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from impasto_daemon.engine.sums import total

_ROWS = 1 << 22
"""So many numbers of a picture are looked at together."""


class ContentLoss:
    """½ Σ (F − P)² over a feature map, Gatys et al. 2016 eq. 1.

    weight: what it is multiplied by. energy: Σ P² over what is to be painted: a selection is held
    to its photograph as a whole layer is.
    relative: Σ (F − P)² / Σ P², free of the picture's size and of the weights' magnitude.
    """

    def __init__(self, weight: float, energy: Tensor, *, relative: bool) -> None:
        share = 1 / _positive(energy) if relative else torch.full_like(energy, 0.5)
        self._scale = weight * share

    def value(self, error: Tensor) -> Tensor:
        """The loss of a `squared_error`."""
        return self._scale * error

    def gradient(self, features: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """Its derivative by F, eq. 2, shaped and typed like `features`."""
        slope = (features.to(self._scale.dtype) - target).mul_(2 * self._scale)
        return (slope if mask is None else slope.mul_(mask)).to(features.dtype)


def squared_error(features: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
    """Σ m (F − P)², 0-d float32 or float64.

    features, target: F and P, (1, C, H, W). mask: m, (H, W); None stands for ones.
    """
    wide = torch.promote_types(features.dtype, torch.float32)
    errors = (features.to(wide) - target).square_()
    if mask is not None:
        errors.mul_(mask)
    return total(errors.permute(0, 2, 3, 1))


class StyleLosses:
    """1 / (4 N²) Σ (G − A)² of Gram matrices per position, Gatys et al. 2016 eq. 4, of each style.

    targets: what each is multiplied by, 0-d, and its A, (C, C). positions: Σ m of the masks that
    `gram_sum` is given.
    relative: Σ (G − A)² / Σ A², the squared relative error of the Gram matrix.

    Departs from the paper, which sums over positions, as then G of a large picture and A of a
    small style would differ by their sizes alone; with equal sizes the losses are the same.
    """

    def __init__(
        self, targets: Sequence[tuple[Tensor, Tensor]], positions: Tensor, *, relative: bool
    ) -> None:
        self._positions, self._targets = positions.clamp_min(1e-12), []
        for weight, target in targets:
            energy = total(target.square())
            paper = torch.full_like(energy, 0.25 / target.shape[0] ** 2)
            scale = weight * (1 / _positive(energy) if relative else paper)
            self._targets.append((scale, target))

    def value(self, sums: Tensor) -> Tensor:
        """The loss of a `gram_sum`, (C, C), of the whole picture."""
        gram = sums / self._positions
        losses = [scale * total((gram - target).square()) for scale, target in self._targets]
        return torch.stack(losses).sum()

    def slope(self, sums: Tensor) -> Tensor:
        """Its derivative by the `gram_sum`, (C, C)."""
        gram = sums / self._positions
        slopes = [scale * (gram - target) for scale, target in self._targets]
        return 2 * torch.stack(slopes).sum(dim=0) / self._positions


class TotalVariation:
    """Mean over the pixels of the squared differences between neighbours, both ways.

    weight: what it is multiplied by.
    A mean and not a sum, so that one weight smooths a small and a large picture alike.
    """

    def __init__(self, weight: float) -> None:
        self._weight = weight

    def value_and_gradient(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of a picture, (1, 3, H, W), and its derivative, shaped like it."""
        gradient = torch.zeros_like(picture)
        if not self._weight:
            return picture.new_zeros(()), gradient
        height, width = picture.shape[-2:]
        scale, sums = self._weight / picture.numel(), []
        step = max(1, _ROWS // (3 * width))
        for top in range(0, height, step):
            for axis, rows in ((-1, step), (-2, step + 1)):
                seen, slope = (plane[..., top : top + rows, :] for plane in (picture, gradient))
                difference = seen.diff(dim=axis)
                count = difference.shape[axis]
                slope.narrow(axis, 1, count).add_(difference, alpha=2 * scale)
                slope.narrow(axis, 0, count).sub_(difference, alpha=2 * scale)
                sums.append(total(difference.square_()))
        return scale * torch.stack(sums).sum(), gradient


def _positive(energy: Tensor) -> Tensor:
    """`energy`, or 1 where a target is all zero and there is nothing to be relative to."""
    return torch.where(energy > 0, energy, torch.ones_like(energy))
