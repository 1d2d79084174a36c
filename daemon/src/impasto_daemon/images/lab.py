"""CIE L*a*b* colours to sRGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_daemon.images.cicp import linear_to_srgb

_D50 = (0.9642, 1.0, 0.8249)
_XYZ_TO_LINEAR_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ],
    np.float32,
)
"""From D50, Bradford's adaptation included (Lindbloom)."""


def lab_to_srgb(lightness: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.uint16]:
    """(H, W) of L* 0 to 100, a* and b*, seen under D50 → (H, W, 3); CIE 15:2004, eq. 8.7."""
    y = (lightness + 16) / 116
    xyz = np.stack(
        [_linear(f) * white for f, white in zip((y + a / 500, y, y - b / 200), _D50, strict=True)],
        axis=-1,
    )
    linear = (xyz.astype(np.float32) @ _XYZ_TO_LINEAR_SRGB.T).clip(0, 1)
    whole: NDArray[np.uint16] = np.rint(linear_to_srgb(linear) * 65535).astype(np.uint16)
    return whole


def _linear(f: NDArray[Any]) -> NDArray[Any]:
    return np.where(f > 6 / 29, f**3, (f - 4 / 29) * np.float32(108 / 841))
