"""Numbers of any kind to 16 bits a channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint16]
_BAND_ROWS = 256
_MISSING_NOTE = "Pixels that are not numbers (NaN) became transparent."
_CUT_NOTE = "Tones below black and above white were cut off."


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
    has_missing = bool(np.isnan(numbers.min()))
    is_cut, bands = False, []
    # Of some rows at a time, as floats between the steps take several times their own memory.
    for top in range(0, len(numbers), _BAND_ROWS):
        band = numbers[top : top + _BAND_ROWS]
        if has_missing:
            band = _without_missing(band, colours)
        is_cut |= bool(band.min() < 0 or band.max() > 1)
        within = band.clip(0, 1)
        if curve:
            within[..., :colours] = curve(within[..., :colours])
        bands.append(np.rint(within * np.float32(65535)).astype(np.uint16))
    notes = [_MISSING_NOTE] * has_missing + [_CUT_NOTE] * is_cut
    return np.concatenate(bands), tuple(notes)


def _without_missing(band: NDArray[Any], colours: int) -> NDArray[Any]:
    """With alpha, which is 0 where a number is missing."""
    missing = np.isnan(band).any(axis=2, keepdims=True)
    filled = np.where(missing, 0, band)
    return filled if band.shape[2] > colours else np.concatenate([filled, ~missing], axis=2)


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
