"""Whether and how a layer has been turned or mirrored: told by some of its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gi.repository import Gegl, Gimp
from layers import Box

_LINES = 8
_PIXEL_BYTES = 4

Turn = tuple[bool, bool, bool]
"""Whether rows became columns, then left became right, then top became bottom."""

UNTURNED: Turn = (False, False, False)
_TURNS: list[Turn] = [
    (swap, mirror, upset) for swap in (False, True) for mirror in (False, True)
    for upset in (False, True)
]  # fmt: skip


@dataclass(frozen=True)
class Lines:
    """Some rows and columns of a layer. size: its width and height."""

    size: tuple[int, int]
    rows: Sequence[bytes]
    columns: Sequence[bytes]

    @classmethod
    def of(cls, layer: Gimp.Drawable) -> Lines:
        """Those of a layer, as it looks without its mask."""
        buffer, width, height = layer.get_buffer(), layer.get_width(), layer.get_height()

        def read(x: int, y: int, across: int, down: int) -> bytes:
            line = Gegl.Rectangle.new(x, y, across, down)
            return bytes(buffer.get(line, 1.0, "R'G'B'A u8", Gegl.AbyssPolicy.NONE))

        return cls(
            (width, height),
            [read(0, y, width, 1) for y in _places(height)],
            [read(x, 0, 1, height) for x in _places(width)],
        )

    def turn_to(self, now: Lines) -> Turn | None:
        """How the layer was turned that these are of now; None where it has another shape."""
        for turn in _TURNS:
            if self._turned(turn) == now:
                return turn
        # Of the same size, it is where it was: something was painted on it.
        return UNTURNED if self.size == now.size else None

    def _turned(self, turn: Turn) -> Lines:
        """Those that the same layer would have if it were turned."""
        swap, mirror, upset = turn
        size, rows, columns = self.size, self.rows, self.columns
        if swap:
            size, rows, columns = size[::-1], columns, rows
        if mirror:
            rows, columns = [_reversed(row) for row in rows], columns[::-1]
        if upset:
            rows, columns = rows[::-1], [_reversed(column) for column in columns]
        return Lines(size, rows, columns)


def _places(length: int) -> list[int]:
    """Where lines are taken: the same from both ends."""
    places = {step * (length - 1) // _LINES for step in range(_LINES)}
    return sorted(places | {length - 1 - place for place in places})


def _reversed(line: bytes) -> bytes:
    firsts = range(len(line) - _PIXEL_BYTES, -1, -_PIXEL_BYTES)
    return b"".join(line[first : first + _PIXEL_BYTES] for first in firsts)


def turn_box(box: Box, size: tuple[int, int], turn: Turn) -> Box:
    """Where a box of a layer of a size is when that is turned."""
    swap, mirror, upset = turn
    x, y, width, height = box.x, box.y, box.width, box.height
    if swap:
        x, y, width, height, size = y, x, height, width, size[::-1]
    if mirror:
        x = size[0] - x - width
    if upset:
        y = size[1] - y - height
    return Box(x, y, width, height)


def turn_layer(layer: Gimp.Layer, turn: Turn) -> None:
    """Turn a layer of an image, and its mask with it."""
    swap, mirror, upset = turn
    if swap:
        layer.transform_rotate_simple(Gimp.RotationType.DEGREES90, True, 0.0, 0.0)
    if swap != mirror:  # a quarter turn and a mirror image make rows of columns
        layer.transform_flip_simple(Gimp.OrientationType.HORIZONTAL, True, 0.0)
    if upset:
        layer.transform_flip_simple(Gimp.OrientationType.VERTICAL, True, 0.0)
