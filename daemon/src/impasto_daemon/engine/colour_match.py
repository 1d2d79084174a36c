"""One picture's colours given to another: its mean and covariance, and nothing of its shapes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from impasto_daemon.engine.gram import gram_sum

_LUMA = (0.299, 0.587, 0.114)
_LEAST_VARIANCE = (0.25 / 255) ** 2
"""In a direction without any, where there is nothing to stretch."""


def colour_match(
    picture: Tensor, weights: Tensor, like: Tensor, like_weights: Tensor, how: str
) -> Callable[[Tensor], Tensor]:
    """What gives a picture, (3, H, W), the mean and covariance of another one's colours, in [0, 1].

    weights, like_weights: (1, H, W), how much each pixel counts. how: "matched" takes the symmetric
    square roots of the covariances, "cholesky" their triangular ones, red first. Gatys et al. 2016,
    *Preserving Color in Neural Artistic Style Transfer*.
    """
    mean, covariance = _moments(picture, weights)
    wanted_mean, wanted = _moments(like, like_weights)
    if how == "cholesky":
        factor = torch.linalg.cholesky(wanted) @ torch.linalg.cholesky(covariance).inverse()
    else:
        factor = _power(wanted, 0.5) @ _power(covariance, -0.5)
    offset = wanted_mean - factor @ mean

    def match(picture: Tensor) -> Tensor:
        moved = torch.einsum("ij,jhw->ihw", factor.to(picture), picture)
        return into_gamut(moved + offset.to(picture).view(3, 1, 1))

    return match


def into_gamut(picture: Tensor) -> Tensor:
    """A picture, (3, H, W), brought into [0, 1]: what lies outside becomes paler, of the same hue.

    Only what is lighter than white or darker than black loses its lightness.
    """
    lightness = luminance(picture)
    grey, away = lightness.clamp(0, 1), picture - lightness
    end = torch.where(away > 0, 1 - grey, -grey)
    room = torch.where(away == 0, 1, end / away).amin(dim=0, keepdim=True)
    return (grey + away * room.clamp(max=1)).clamp(0, 1)


def luminance(picture: Tensor) -> Tensor:
    """Of (3, H, W), (1, H, W): Rec. 601's luma, on the numbers as they are."""
    return (picture * torch.tensor(_LUMA).to(picture).view(3, 1, 1)).sum(dim=0, keepdim=True)


def transfer_luminance(colours: Tensor, painting: Tensor) -> Tensor:
    """The lightness of a painting under other colours, both (3, H, W).

    Luminance-only transfer, Gatys et al. 2016. With `keep_colours` it departs from them: the
    luminance is that of a painting in colours.
    """
    # Adding the same to R, G and B changes Y alone and leaves Cb and Cr.
    return colours + luminance(painting - colours)


def _moments(picture: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, (3,), and covariance, (3, 3), in float64 on the CPU."""
    counted = torch.cat([picture - 0.5, torch.ones_like(picture[:1])])
    sums = gram_sum(counted[None], weights[0]).cpu().double()
    sums /= sums[3, 3].clamp_min(1e-12)
    mean, square = sums[3, :3], sums[:3, :3]
    return mean + 0.5, square - torch.outer(mean, mean) + _LEAST_VARIANCE * torch.eye(3)


def _power(covariance: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    power: Tensor = (vectors * values.clamp_min(_LEAST_VARIANCE) ** exponent) @ vectors.T
    return power
