"""Profiles of wide colour spaces, as photographs have them in their files."""

import imagecodecs
import numpy as np

D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
WIDE_PROFILES = {
    "Adobe RGB": ((0.64, 0.33, 0.21, 0.71, 0.15, 0.06), D65, 563 / 256),
    "Display P3": ((0.680, 0.320, 0.265, 0.690, 0.150, 0.060), D65, None),
    "ProPhoto RGB": ((0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001), D50, 1.8),
    "Rec. 2020": ((0.708, 0.292, 0.170, 0.797, 0.131, 0.046), D65, 2.4),
    "linear Rec. 2020": ((0.708, 0.292, 0.170, 0.797, 0.131, 0.046), D65, 1.0),
}
"""Chromaticities, white, gamma; none is the curve of sRGB."""
_DESCRIPTION = "RGB built-in"


def wide_profile(name):
    """An ICC profile, as bytes."""
    places, white, gamma = WIDE_PROFILES[name]
    flat = [part for x, y in zip(places[::2], places[1::2], strict=True) for part in (x, y, 1.0)]
    steps = np.linspace(0, 1, 4096)
    srgb = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    table = np.rint(srgb * 65535).astype(np.uint16)
    curve = {"gamma": gamma} if gamma else {"transferfunction": table}
    made = imagecodecs.cms_profile("rgb", whitepoint=[*white, 1.0], primaries=flat, **curve)
    # Krita takes profiles of one description for the same.
    described = _DESCRIPTION.encode("utf-16-be")
    assert described in made
    number = list(WIDE_PROFILES).index(name)
    return bytes(made).replace(described, f"Test wide {number:02}".encode("utf-16-be"))
