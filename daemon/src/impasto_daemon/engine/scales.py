"""The coarse-to-fine scales of a painting."""

from __future__ import annotations

from impasto_daemon.engine.padding import LEAST_PX

_COARSEST_PX = 128


def scale_sizes(height: int, width: int, scales: int) -> list[tuple[int, int]]:
    """(height, width) of each scale in px, coarsest first; each is half the next.

    scales: how many, or 0 for as many as leave the coarsest long edge at 128 px or more. Never
    so many that a side falls under 16 px.
    """
    sizes = [(height, width)]
    while scales == 0 or len(sizes) < scales:
        smaller = (round(sizes[0][0] / 2), round(sizes[0][1] / 2))
        least = LEAST_PX if scales else _COARSEST_PX
        if max(smaller) < least or min(smaller) < LEAST_PX:
            break
        sizes.insert(0, smaller)
    return sizes


def split_iterations(iterations: int, scales: int) -> list[int]:
    """`iterations` in equal parts, the rest to the finest, so that it never goes without."""
    part, rest = divmod(iterations, scales)
    return [part] * (scales - 1) + [part + rest]
