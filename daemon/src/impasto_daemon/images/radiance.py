"""Radiance's HDR files: light of a scene, of four bytes a pixel."""

from __future__ import annotations

import re

import imagecodecs
import numpy as np

from impasto_daemon.images import pillow_image, scene_light
from impasto_daemon.images.source import Source, Unsupported

_RESOLUTION = re.compile(rb"\n\n([-+])([XY]) (\d+) ([-+])([XY]) (\d+)\n")
_PRIMARIES = re.compile(rb"\nPRIMARIES=([^\n]*)\n")
_LONGEST_HEAD_BYTES = 1 << 16
_NATURAL = ((b"-", b"Y"), (b"+", b"X"))
"""Down the rows from the top, and along a row from the left."""


def decode(data: bytes) -> Source:
    """The picture, upright. Raises Unsupported, ValueError or RgbeError for damage."""
    found = _RESOLUTION.search(data, 0, _LONGEST_HEAD_BYTES)
    if not found:
        raise ValueError("no size in its header")
    head = data[: found.start() + 1]
    if b"_xyze" in head:
        raise Unsupported("is a Radiance HDR of XYZ colours")
    *axes, outer, inner = found.group(1, 2, 4, 5, 3, 6)
    pillow_image.refuse_large(int(outer), int(inner))
    # imagecodecs reads one order of rows alone, and no header without a format.
    plain = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %b +X %b\n" % (outer, inner)
    light = imagecodecs.rgbe_decode(plain + data[found.end() :])
    first, second = (axes[0], axes[1]), (axes[2], axes[3])
    light = light[:: 1 if first in _NATURAL else -1, :: 1 if second in _NATURAL else -1]
    if first[1] == b"X":
        light = light.swapaxes(0, 1)
    return scene_light.to_source(np.ascontiguousarray(light), "RGB", _chromaticities(head))


def _chromaticities(head: bytes) -> tuple[float, ...]:
    found = _PRIMARIES.search(head)
    numbers = tuple(map(float, found[1].split())) if found else ()
    return numbers if len(numbers) == 8 else scene_light.SRGB
