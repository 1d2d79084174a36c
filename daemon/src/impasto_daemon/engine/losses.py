"""The terms of the loss, one class each, with their gradients. Every value is a 0-d tensor.

Content and style are sums over positions, so that a picture may be looked at tile by tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from impasto_daemon.engine.histogram import EDGES, quantiles, shares_below
from impasto_daemon.engine.sums import dot, one_thread, total

_ROWS = 1 << 22
"""So many numbers of a picture are looked at together."""

_NOISE = 1e-3
"""Of the mean variance of a style's features."""
_LEAST_NOISE = 1e-12
_ROUNDING = 1e-6
"""Of the sum of the features' mean squares; of flat pictures float32 has been out by a seventh."""
_POLAR_STEPS = 24
"""Until all singular values are 1 that were a hundred-millionth of the norm, and more."""
_SCALED_FROM = 1e-3
"""A step leaves the largest singular value so much, and for less its float32 has no digits."""


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


class StatisticLoss(Protocol):
    """How far the mean of a statistic over a picture is from that over a style."""

    def at(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, 0-d, and its derivative by the mean, shaped like it."""


class GramLoss:
    """1 / (4 N²) Σ (G − A)² of Gram matrices per position, Gatys et al. 2016 eq. 4.

    target: A, (C, C), or any other mean of products.
    relative: Σ (G − A)² / Σ A², the squared relative error of the Gram matrix.

    Departs from the paper, which sums over positions, as then G of a large picture and A of a
    small style would differ by their sizes alone; with equal sizes the losses are the same.
    """

    def __init__(self, target: Tensor, *, relative: bool) -> None:
        energy = total(target.square())
        paper = torch.full_like(energy, 0.25 / target.shape[0] ** 2)
        self._target, self._scale = target, 1 / _positive(energy) if relative else paper

    def at(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, 0-d, and its derivative by G."""
        error = mean - self._target
        return self._scale * total(error.square()), 2 * self._scale * error


class GaussianLoss:
    """The squared Wasserstein-2 distance of two Gaussians, with the features' mean and covariance.

    |m − n|² + tr(S + T) − 2 |KᵀL|, the last the nuclear norm, where S = K Kᵀ and T = L Lᵀ, Olkin
    and Pukelsheim 1982, between the picture's and the style's, each with as much of noise as keeps
    its covariance from being singular.

    target: Σ F Fᵀ, (C + 1, C + 1), of a position with a 1 beside its features.
    relative: over the distance of the style from nothing.
    """

    def __init__(self, target: Tensor, *, relative: bool) -> None:
        products, mean = _mean_products(target)
        variance = (products.trace() - mean.square().sum()) / len(mean)
        self._noise = (_NOISE * variance).clamp_min(_LEAST_NOISE)
        self._style = _Gaussian.of(target, self._noise)
        energy = self._style.covariance.trace() + mean.square().sum()
        self._scale = 1 / energy if relative else torch.ones_like(energy)

    def at(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, 0-d, and its derivative by the sums of the products."""
        found, style = _Gaussian.of(mean, self._noise), self._style
        away, product = found.mean - style.mean, found.factor.mT @ style.factor
        # Sums have the digits of their features.
        polar = polar_factor(product.to(mean.dtype), (found.least * style.least).sqrt())
        traces = found.covariance.trace() + style.covariance.trace()
        value = away.square().sum() + traces - 2 * total(polar * product)
        # What takes the one Gaussian to the other, as good as symmetric.
        transport = torch.linalg.solve_triangular(
            found.factor.mT, polar @ style.factor.mT, upper=True
        )
        slope = torch.zeros_like(mean, dtype=away.dtype, device=away.device)
        by_covariance = slope[:-1, :-1]
        by_covariance.sub_(transport + transport.mT).mul_(0.5).diagonal().add_(1)
        # Half above the diagonal and half below it; the covariance is Σ F Fᵀ − μ μᵀ.
        slope[-1, :-1] = slope[:-1, -1] = away - by_covariance @ found.mean
        by_covariance.diagonal().add_(_ROUNDING * by_covariance.trace())
        return (self._scale * value).to(mean), (self._scale * slope).to(mean)


@dataclass(frozen=True)
class _Gaussian:
    """Mean, (C,), and covariance, (C, C), of features, float64.

    factor: K of K Kᵀ, the covariance. least: none of its eigenvalues is smaller, 0-d.
    """

    mean: Tensor
    covariance: Tensor
    factor: Tensor
    least: Tensor

    @classmethod
    def of(cls, sums: Tensor, noise: Tensor) -> _Gaussian:
        """By Σ F Fᵀ, whose rounding is not to leave the covariance a negative eigenvalue.

        noise: so much is added to each variance, 0-d.
        """
        products, mean = _mean_products(sums)
        rounding = _ROUNDING * products.trace()
        covariance = products - torch.outer(mean, mean)
        covariance.diagonal().add_(noise + rounding)
        with one_thread():
            factor = torch.linalg.cholesky_ex(covariance).L
        return cls(mean, covariance, factor, noise + rounding / 2)


def _mean_products(sums: Tensor) -> tuple[Tensor, Tensor]:
    """Of the features with each other, (C, C), and with 1, (C,), float64."""
    sums = (sums if sums.is_cuda else sums.cpu()).double()  # which an Apple GPU does not have
    sums = sums / sums[-1, -1].clamp_min(1e-12)
    return sums[:-1, :-1], sums[-1, :-1]


def polar_factor(matrix: Tensor, least: Tensor) -> Tensor:
    """U of B = U (BᵀB)^½, the orthogonal matrix next to B, as exact as B's type and orthogonal as
    float64.

    least: none of its singular values is smaller, 0-d.

    By the iteration of Newton and Schulz, each step scaled by what the singular values may be: it
    only multiplies, on a GPU without waiting for it.
    """
    norm = dot(matrix, matrix).sqrt()
    polar, low = matrix / norm, (least / norm).to(matrix)
    nearly = 1 - torch.finfo(matrix.dtype).eps ** 0.5  # the last step squares what is lacking
    for _ in range(_POLAR_STEPS):
        bound = low.clamp_min(_SCALED_FROM)
        scale = (3 / (1 + bound + bound**2)).sqrt()
        polar = _step(scale * polar)
        low = 0.5 * scale * low * (3 - (scale * low) ** 2)
        if not low.is_cuda and low > nearly:
            break
    return _step(polar.double())  # as orthogonal as that can be, by which a distance has its digits


def _step(matrix: Tensor) -> Tensor:
    """½ B (3 − BᵀB): all singular values nearer to 1."""
    return 1.5 * matrix - 0.5 * (matrix @ (matrix.mT @ matrix))


class HistogramLoss:
    """Σ over the channels of the mean of (F − R(F))², Risser et al. 2017, histogram by histogram.

    R: what brings the picture's features of a channel in line with the style's, the r-th largest
    to the r-th largest. target: (C, B), of the bins of `histogram.py`.
    relative: over the mean of the style's squared features.
    """

    def __init__(self, target: Tensor, *, relative: bool) -> None:
        self._target, edges = target, EDGES.to(target)
        energy = (target * _mean_square(edges[:-1], edges[1:])).sum()
        self._scale = 1 / _positive(energy) if relative else torch.ones_like(energy)

    def at(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, 0-d, and its derivative by F where the bins begin and end, (2, C, B)."""
        with one_thread():
            edges, shares = EDGES.to(mean), shares_below(mean)
            begin = edges[:-1] - quantiles(self._target, shares[:, :-1], above=True)
            end = edges[1:] - quantiles(self._target, shares[:, 1:], above=False)
            away, value = torch.stack([begin, end]), (mean * _mean_square(begin, end)).sum()
        return (self._scale * value).float(), (2 * self._scale * away).float()


def _mean_square(begin: Tensor, end: Tensor) -> Tensor:
    """Of what goes straight from one to the other."""
    return (begin.square() + begin * end + end.square()) / 3


class StyleLosses:
    """The losses of one statistic, of each style that a region has.

    losses: of each, with what it is multiplied by, 0-d. positions: Σ m of the masks that the sums
    are taken with.
    """

    def __init__(self, losses: Sequence[tuple[Tensor, StatisticLoss]], positions: Tensor) -> None:
        self._losses, self._positions = losses, positions.clamp_min(1e-12)

    def at(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        """The loss at the sums over the whole picture, 0-d, and its derivative by them."""
        mean = sums / self._positions
        found = [(weight, *loss.at(mean)) for weight, loss in self._losses]
        value = torch.stack([weight * loss for weight, loss, _ in found]).sum()
        slope = torch.stack([weight * slope for weight, _, slope in found]).sum(dim=0)
        return value, slope / self._positions

    def scale(self, factor: Tensor) -> None:
        """Have all of them count so many times as much from now on."""
        self._losses = [(weight * factor, loss) for weight, loss in self._losses]


class TotalVariation:
    """Σ of the squared differences between neighbours, both ways, over what is to be painted.

    weight: what it is multiplied by. mask: the paint mask, (1, H, W) in [0, 1]; a difference
    counts what the lesser of its pixels does.
    A mean and not a sum, so that one weight smooths a small and a large picture alike, and a
    selection as much as the whole.
    """

    def __init__(self, weight: float, mask: Tensor) -> None:
        self._scale = weight / (3 * mask.numel())
        self._mask = mask if weight and bool(mask.amin() < 1) else None
        self._painted = _positive(total(mask) / mask.numel())

    def value_and_gradient(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of a picture, (1, 3, H, W), and its derivative, shaped like it."""
        gradient = torch.zeros_like(picture)
        if not self._scale:
            return picture.new_zeros(()), gradient
        height, width = picture.shape[-2:]
        scale, sums = self._scale, []
        step = max(1, _ROWS // (3 * width))
        for top in range(0, height, step):
            for axis, rows in ((-1, step), (-2, step + 1)):
                seen, slope = (plane[..., top : top + rows, :] for plane in (picture, gradient))
                difference = seen.diff(dim=axis)
                count = difference.shape[axis]
                counted = difference
                if self._mask is not None:
                    mask = self._mask[..., top : top + rows, :]
                    pair = (mask.narrow(axis, begin, count) for begin in (0, 1))
                    counted = difference * (torch.minimum(*pair) / self._painted)
                slope.narrow(axis, 1, count).add_(counted, alpha=2 * scale)
                slope.narrow(axis, 0, count).sub_(counted, alpha=2 * scale)
                sums.append(total(difference.mul_(counted)))
        return scale * torch.stack(sums).sum(), gradient


def _positive(energy: Tensor) -> Tensor:
    """`energy`, or 1 where a target is all zero and there is nothing to be relative to."""
    return torch.where(energy > 0, energy, torch.ones_like(energy))
