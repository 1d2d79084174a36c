"""Pictures on the wire as numpy arrays and back. Light enough for the broker."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_protocol.codec import Picture
from impasto_protocol.colour_space import SRGB, ColourSpace


def to_array(picture: Picture) -> NDArray[Any]:
    """(H, W, C) of the picture's own number type, channels in the picture's own order."""
    flat = np.frombuffer(picture.data, picture.dtype)
    return flat.reshape(picture.height, picture.width, picture.channels)


def from_array(pixels: NDArray[Any], order: str = "rgb", space: ColourSpace = SRGB) -> Picture:
    """The picture of an array (H, W, C); order: that of its channels."""
    height, width, channels = pixels.shape
    return Picture(height, width, channels, pixels.dtype.name, pixels.tobytes(), order, space)
