"""Sizes of pictures. Knows no torch, so that whoever has none may ask too."""

from __future__ import annotations

Borders = tuple[int, int, int, int]
"""Pixels beyond a picture's sides: above, below, on the left, on the right."""


def fit(height: int, width: int, longest_px: int) -> tuple[int, int]:
    """The size brought down to that long edge in px; 0 leaves it, and nothing grows."""
    factor = min(1.0, longest_px / max(height, width)) if longest_px else 1.0
    return max(1, round(height * factor)), max(1, round(width * factor))
