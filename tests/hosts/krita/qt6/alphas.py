"""Pictures of random transparency, looked at by the plug-in."""

import numpy as np
from impasto.seen import is_empty, is_opaque

from impasto_protocol.codec import Picture


def looked_at(painter):
    """Of how many pictures the plug-in says what NumPy does, and of how many not."""
    random, right = np.random.default_rng(0), []
    for dtype, one in ("uint8", 255), ("uint16", 65535), ("float32", 1.0):
        for alpha in 1.0, 0.0, 0.5, None:
            for selection in None, random.integers(0, 3, (5, 7, 1)).astype("uint8") * 40:
                shares = random.integers(0, 3, (5, 7)) / 2 if alpha is None else alpha
                pixels = np.full((5, 7, 4), one, dtype)
                pixels[..., 3] = shares * one
                found = pixels[..., 3][... if selection is None else selection[..., 0] > 0]
                content = Picture(5, 7, 4, dtype, pixels.tobytes())
                chosen = selection is not None and Picture(5, 7, 1, "uint8", selection.tobytes())
                right.append(is_empty(content, chosen or None) == (not found.any()))
                right.append(is_opaque(content, chosen or None) == (found == one).all())
    return [sum(map(int, right)), len(right)]
