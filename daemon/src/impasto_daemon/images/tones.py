"""Numbers of any kind to 16 bits a channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint16]


def largest_number(pixels: NDArray[Any]) -> int:
    """What is white in an array of whole numbers."""
    return int(np.iinfo(pixels.dtype).max)


def to_16_bit(numbers: NDArray[Any], largest: int | None = None) -> Pixels:
    """Whole numbers from 0 to `largest`, which is white, to 0 to 65535."""
    largest = largest or largest_number(numbers)
    if largest == 65535:
        return numbers.astype(np.uint16)
    whole: Pixels = np.rint(numbers * (65535 / largest)).astype(np.uint16)
    return whole


def from_floats(
    numbers: NDArray[Any],
    colours: int,
    curve: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
) -> tuple[Pixels, tuple[str, ...]]:
    """(H, W, `colours` or with alpha) of 0 to 1, and notes on what lay elsewhere.

    curve: from the colours' numbers to those wanted, both 0 to 1.
    A pixel with a colour that is not a number becomes transparent.
    """
    notes = []
    missing = np.isnan(numbers).any(axis=2)
    if missing.any():
        notes.append("Pixels that are not numbers (NaN) became transparent.")
        numbers = np.where(missing[..., None], 0, numbers)
        if numbers.shape[2] == colours:
            numbers = np.concatenate([numbers, ~missing[..., None]], axis=2)
    if (numbers < 0).any() or (numbers > 1).any():
        notes.append("Tones below black and above white were cut off.")
    within = numbers.clip(0, 1)
    if curve:
        within[..., :colours] = curve(within[..., :colours])
    return np.rint(within * np.float64(65535)).astype(np.uint16), tuple(notes)


def unmultiplied(pixels: Pixels) -> Pixels:
    """(H, W, C) with straight alpha of pixels whose colours were multiplied by it."""
    alpha = pixels[..., -1:].astype(np.float32)
    colours = pixels[..., :-1] * (65535 / np.maximum(alpha, 1))
    return np.concatenate(
        [np.rint(colours.clip(0, 65535)).astype(np.uint16), pixels[..., -1:]], axis=2
    )


def to_8_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """uint8 as it is, uint16 rounded."""
    if pixels.dtype == np.uint8:
        return pixels
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
