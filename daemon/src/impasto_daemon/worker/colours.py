"""Colours from one space to another, and the space that a picture is painted in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto_protocol.colour_space import LINEAR, ColourSpace, srgb_to_light, to_xyz

_LINEAR_MIDDLE = srgb_to_light(165 / 255)
"""The light of a half where numbers are of linear light; 0.21 with sRGB's curve."""


def painting_space(space: ColourSpace) -> ColourSpace:
    """The space that a picture in that one is painted in.

    It is the picture's own, so that every colour of it can be painted and none beyond, but with
    the curve of sRGB for one of linear light: numbers like those the network has never seen.
    """
    if not space.transfer:
        return space
    middle = np.interp(0.5, np.linspace(0, 1, len(space.transfer)), space.transfer)
    return replace(space, transfer=()) if middle > _LINEAR_MIDDLE else space


def convert(picture: Tensor, source: ColourSpace, target: ColourSpace) -> Tensor:
    """(3 or 4, H, W) float32 in [0, 1] on the CPU; colours that `target` lacks are cut off.

    A fourth channel is alpha and stays.
    """
    if source == target:
        return picture
    light = [_to_light(channel, source.transfer) for channel in picture[:3]]
    if source.primaries != target.primaries:
        matrix = np.linalg.solve(to_xyz(target.primaries), to_xyz(source.primaries))
        light = [
            sum(channel * share for channel, share in zip(light, row.tolist(), strict=True))
            for row in matrix
        ]
    found = torch.empty_like(picture)
    for place, channel in zip(found, light, strict=False):
        place.copy_(_from_light(channel.clamp(0, 1), target.transfer))
    found[3:] = picture[3:]
    return found


def _to_light(numbers: Tensor, transfer: tuple[float, ...]) -> Tensor:
    if transfer == LINEAR:
        return numbers
    if transfer:
        return _interpolated(numbers, np.linspace(0, 1, len(transfer)), np.array(transfer))
    # IEC 61966-2-1.
    curve = ((numbers + 0.055) / 1.055) ** 2.4
    return torch.where(numbers <= 0.04045, numbers / 12.92, curve)


def _from_light(light: Tensor, transfer: tuple[float, ...]) -> Tensor:
    if transfer == LINEAR:
        return light
    if transfer:
        return _interpolated(light, np.array(transfer), np.linspace(0, 1, len(transfer)))
    curve = 1.055 * light ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, light * 12.92, curve)


def _interpolated(numbers: Tensor, at: NDArray[np.float64], values: NDArray[np.float64]) -> Tensor:
    found = np.interp(numbers.numpy(), at, values)
    return torch.from_numpy(found.astype(np.float32))
