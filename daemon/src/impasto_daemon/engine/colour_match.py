"""One picture's colours given to another: its mean and covariance, and nothing of its shapes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from impasto_daemon.engine.colour_mixing import MIXINGS, ColourMixing
from impasto_daemon.engine.gram import gram_sum

_LEAST_VARIANCE = (0.25 / 255) ** 2
"""In a direction without any, where there is nothing to stretch."""
_ROWS = 256


def colour_match(
    picture: Tensor,
    weights: Tensor,
    like: Tensor,
    like_weights: Tensor,
    how: str,
    mixing: str,
) -> Callable[[Tensor], Tensor]:
    """What gives a picture, (3, H, W), the mean and covariance of another one's colours, in [0, 1].

    weights, like_weights: (1, H, W), how much each pixel counts. mixing: what these are taken in,
    see `colour_mixing.py`. how: "matched" takes the symmetric
    square roots of the covariances, "cholesky" their triangular ones, red first. Gatys et al. 2016,
    *Preserving Color in Neural Artistic Style Transfer*.
    """
    mix = MIXINGS[mixing]
    mean, covariance = _moments(picture, weights, mix)
    wanted_mean, wanted = _moments(like, like_weights, mix)
    if how == "cholesky":
        factor = torch.linalg.cholesky(wanted) @ torch.linalg.cholesky(covariance).inverse()
    else:
        factor = _power(wanted, 0.5) @ _power(covariance, -0.5)
    offset = wanted_mean - factor @ mean

    def moved(rows: Tensor) -> Tensor:
        turned = torch.einsum("ij,jhw->ihw", factor.to(rows), mix.take(rows))
        return mix.into_gamut(turned + offset.to(rows).view(3, 1, 1))

    return lambda picture: _by_rows(moved, picture)


def recoloured(colours: Tensor, painting: Tensor, strength: float, mixing: str) -> Tensor:
    """A painting, with its own lightness, between the colours of a picture, 0, and its own, 1.

    Both (3, H, W).
    """
    mix = MIXINGS[mixing]

    def between(photograph: Tensor, painted: Tensor) -> Tensor:
        own = mix.take(painted)
        kept = mix.relit(mix.take(photograph), own)
        return mix.into_gamut(torch.lerp(kept, own, strength))

    return _by_rows(between, colours, painting)


def luminance(picture: Tensor, mixing: str) -> Tensor:
    """Of (3, H, W), (1, H, W): the grey of each pixel's lightness, which `recoloured` keeps."""
    mix = MIXINGS[mixing]
    return torch.cat([mix.grey(rows) for rows in torch.split(picture, _ROWS, dim=1)], dim=1)


def _by_rows(change: Callable[..., Tensor], *pictures: Tensor) -> Tensor:
    """What becomes of pictures, (3, H, W), some rows at a time: it makes many copies of them."""
    found = pictures[0].new_empty(pictures[0].shape)
    parts = (torch.split(picture, _ROWS, dim=1) for picture in (found, *pictures))
    for rows, *given in zip(*parts, strict=True):
        rows.copy_(change(*given))
    return found


def _moments(picture: Tensor, weights: Tensor, mix: ColourMixing) -> tuple[Tensor, Tensor]:
    """Mean, (3,), and covariance, (3, 3), as it is mixed, in float64 on the CPU."""
    sums = torch.zeros(4, 4, dtype=torch.float64)
    parts = (torch.split(plane, _ROWS, dim=1) for plane in (picture, weights))
    for rows, weighs in zip(*parts, strict=True):
        counted = torch.cat([mix.take(rows) - 0.5, torch.ones_like(rows[:1])])
        sums += gram_sum(counted[None], weighs[0]).cpu()
    sums /= sums[3, 3].clamp_min(1e-12)
    mean, square = sums[3, :3], sums[:3, :3]
    return mean + 0.5, square - torch.outer(mean, mean) + _LEAST_VARIANCE * torch.eye(3)


def _power(covariance: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    power: Tensor = (vectors * values.clamp_min(_LEAST_VARIANCE) ** exponent) @ vectors.T
    return power
