"""Floats of linear light, as OpenEXR and Radiance hold them, to what an editor shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_daemon.images import cicp, tones
from impasto_daemon.images.source import Source, Space

SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
"""Chromaticities of red, green, blue and white."""
_CLOSE = 0.002


def to_source(
    light: NDArray[Any], space: Space, chromaticities: tuple[float, ...] = SRGB
) -> Source:
    """The source of light of which 1 is white; what is brighter is cut off, which is noted.

    light: (H, W, 1 or 3, and straight alpha where there is one more). Colours wider than those of
    sRGB get a profile of their own.
    """
    colours = 1 if space == "GRAY" else 3
    pixels, notes = tones.from_floats(light, colours, curve=cicp.linear_to_srgb)
    source = Source(pixels, space, notes=notes)
    if space == "GRAY" or np.abs(np.subtract(chromaticities, SRGB)).max() <= _CLOSE:
        return source
    (*primaries, white) = zip(chromaticities[::2], chromaticities[1::2], strict=True)
    return cicp.with_chromaticities(
        source, tuple(primaries), white, is_srgb_gamut=False, curve=cicp.srgb_curve()
    )
