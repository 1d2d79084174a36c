"""A layer known again by a few of its pixels: whether it was moved, or turned or scaled.

Krita does not tell of such changes, and mirrored or turned by 180° an image keeps its size.
"""

from __future__ import annotations

import hashlib
import operator
from typing import Any

from .layers import Box, Space

Shift = tuple[int, int]
"""Px to the right and down."""

_ACROSS = 12
"""So many columns and rows of pixels are looked at; even."""


class Landmarks:
    """Pixels of a layer inside a box, where the layer lies, and how large its image is."""

    def __init__(self, document: Any, node: Any, box: Box) -> None:
        self._box, self._space = box, Space.of(node)
        self._canvas, self._bounds = Box.of(document.bounds()), Box.of(node.bounds())
        self._position = node.position()
        self._pixels = _look(node, box, (0, 0))

    def find(self, document: Any, node: Any) -> Shift | None:
        """How far the layer was moved since then, or None when that is not all that was done."""
        canvas, bounds = Box.of(document.bounds()), Box.of(node.bounds())
        offset = node.position() - self._position
        shifts = [(0, 0), (offset.x(), offset.y())]
        if bounds[2:] == self._bounds[2:]:
            shifts.append((bounds.x - self._bounds.x, bounds.y - self._bounds.y))
        for shift in shifts:
            lies_there = self._bounds.moved(shift).within(canvas) == bounds.within(canvas)
            alike, on_canvas = self._compare(canvas, node, shift)
            if lies_there and alike == on_canvas > 0:
                return shift
        if canvas == self._canvas:
            # Somebody may have painted on it.
            for shift in shifts[:2]:
                alike, _ = self._compare(canvas, node, shift)
                if alike > _ACROSS**2 / 2 and not self._is_turned(node, shift):
                    return shift
        return None

    def _compare(self, canvas: Box, node: Any, shift: Shift) -> tuple[int, int]:
        """How many pixels are as they were so far away, of how many that are on the canvas."""
        there = [(x + shift[0], y + shift[1]) for x, y in _points(self._box)]
        on_canvas = [canvas.qt().contains(*point) for point in there]
        if Space.of(node) != self._space:
            return sum(on_canvas), sum(on_canvas)
        now = _look(node, self._box, shift)
        alike = (old == new for old, new in zip(self._pixels, now, strict=True))
        return sum(map(operator.and_, alike, on_canvas)), sum(on_canvas)

    def _is_turned(self, node: Any, shift: Shift) -> bool:
        now = _look(node, self._box, shift)
        return now != self._pixels and any(now == turned for turned in _turned(self._pixels))


def fingerprint(node: Any) -> str:
    """Of where its pixels are and of some of them; that of a copy of the layer is the same."""
    box = Box.of(node.bounds())
    return hashlib.sha256(repr((box, _look(node, box, (0, 0)))).encode()).hexdigest()


def _look(node: Any, box: Box, shift: Shift) -> list[bytes]:
    data = node.pixelData if node.type() == "paintlayer" else node.projectionPixelData
    return [bytes(data(x + shift[0], y + shift[1], 1, 1)) for x, y in _points(box)]


def _points(box: Box) -> list[Shift]:
    """Row by row; mirrored or turned by 180° they are the same points."""
    return [(box.x + x, box.y + y) for y in _spread(box.height) for x in _spread(box.width)]


def _spread(length: int) -> list[int]:
    near = [number * (length - 1) // (_ACROSS - 1) for number in range(_ACROSS // 2)]
    return near + [length - 1 - place for place in reversed(near)]


def _turned(pixels: list[bytes]) -> list[list[bytes]]:
    """The pixels of `_points` mirrored either way, and turned by 90, 180 and 270°."""
    rows = [pixels[start : start + _ACROSS] for start in range(0, len(pixels), _ACROSS)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    grids = [rows[::-1], [row[::-1] for row in rows], [row[::-1] for row in rows[::-1]],
             [row[::-1] for row in columns], columns[::-1]]  # fmt: skip
    return [[pixel for row in grid for pixel in row] for grid in grids]
