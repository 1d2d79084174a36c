"""Which colours a photograph is painted in."""

from __future__ import annotations

import io
from collections.abc import Sequence

import imagecodecs
import numpy as np
from PIL import ImageCms

from impasto_daemon.images import cicp
from impasto_daemon.images.colours import Profile, to_rgb
from impasto_protocol.colour_space import SRGB, Colour, ColourSpace, measure

_LINEAR_MIDDLE = 165
"""What 128 is shown as: 188 where numbers are of linear light, 147 with a gamma of 1.8."""
_D50 = (0.3457, 0.3585)
_SRGB_COLORANTS = ((0.6484, 0.3309), (0.3212, 0.5979), (0.1559, 0.0660))
"""Chromaticities of red, green and blue as a profile has them, adapted to D50."""
_CLOSE = 0.003


def is_linear(profile: Profile) -> bool:
    """Numbers in this RGB profile are of linear light, or nearly so."""
    if not profile.data:
        return False
    middle = np.full((1, 1, 3), 128, np.uint8)
    return bool(to_rgb(middle, "RGB", profile.data).min() > _LINEAR_MIDDLE)


def painting_profile(profile: Profile) -> bytes:
    """The RGB profile for the painting of a photograph in that one; none is sRGB.

    It is the photograph's own, but with the curve of sRGB for one of linear light: numbers like
    those the network has never seen.
    """
    if not profile.is_two_way:
        return b""
    return _with_srgb_curve(profile.data) if is_linear(profile) else profile.data


def colour_space(profile: bytes) -> ColourSpace:
    """The primaries and transfer of an RGB profile; sRGB's where it is more than those."""
    if not profile:
        return SRGB

    def look(numbers: Sequence[Colour]) -> list[Colour]:
        row = np.array([numbers], np.float32)
        linear = cicp.rgb_profile(cicp.SRGB_PRIMARIES, cicp.D65, gamma=1.0)
        seen = imagecodecs.cms_transform(
            row, profile, linear, colorspace="rgb", outcolorspace="rgb"
        )
        return [(float(r), float(g), float(b)) for r, g, b in seen[0]]

    return measure(look) or SRGB


def _with_srgb_curve(data: bytes) -> bytes:
    opened = ImageCms.ImageCmsProfile(io.BytesIO(data)).profile
    colorants = (opened.red_colorant, opened.green_colorant, opened.blue_colorant)
    places = [(x, y) for x, y, _ in (found[1] for found in colorants if found)]
    if len(places) < 3 or np.abs(np.subtract(places, _SRGB_COLORANTS)).max() < _CLOSE:
        return b""
    return cicp.rgb_profile(tuple(places), _D50, curve=cicp.srgb_curve())
