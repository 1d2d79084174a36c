"""Where a painting goes when it is done: above its source, whatever became of that meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import layers
import sources
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


_APART = (
    "The image changed while it was painted, so that the painting no longer fits into it: it is an "
    "image of its own."
)


@dataclass(frozen=True)
class Spot:
    """Where a painting is to be inserted, turned how, and what there is to say of it.

    above: the layer that it goes above, and `inner` what it covers of what is seen of that; without
    one it goes to the top of the image, or `apart` into an image of its own, as it fits nowhere.
    """

    above: Gimp.Layer | None = None
    inner: Box = Box(0, 0, 0, 0)
    left: int = 0
    top: int = 0
    turn: Turn = UNTURNED
    apart: bool = False
    note: str = ""


@dataclass(frozen=True)
class Colours:
    """What the numbers of an image's pixels mean."""

    base: Gimp.ImageBaseType
    precision: Gimp.Precision
    profile: bytes | None

    @classmethod
    def of(cls, image: Gimp.Image) -> Colours:
        """Those of an image; a palette counts as RGB, which is inserted there without loss."""
        base, profile = image.get_base_type(), image.get_color_profile()
        if base == Gimp.ImageBaseType.INDEXED:
            base = Gimp.ImageBaseType.RGB
        icc = bytes(profile.get_icc_profile()) if profile else None
        return cls(base, image.get_precision(), icc)

    def layer_type(self) -> Gimp.ImageType:
        """The type of a layer of these colours with transparency."""
        grey = self.base == Gimp.ImageBaseType.GRAY
        return Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE

    def new_image(self, width: int, height: int) -> Gimp.Image:
        """An empty image of these colours."""
        image = Gimp.Image.new_with_precision(width, height, self.base, self.precision)
        if self.profile:
            image.set_color_profile(Gimp.ColorProfile.new_from_icc_profile(self.profile))
        return image


@dataclass(frozen=True)
class Lines:
    """Some rows and columns of a layer: enough to tell whether, and how, it has been turned."""

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
            [read(0, y, width, 1) for y in _places(height)],
            [read(x, 0, 1, height) for x in _places(width)],
        )

    def turned(self, turn: Turn) -> Lines:
        """Those that the same layer would have if it were turned."""
        swap, mirror, upset = turn
        rows, columns = (self.columns, self.rows) if swap else (self.rows, self.columns)
        if mirror:
            rows, columns = [_reversed(row) for row in rows], columns[::-1]
        if upset:
            rows, columns = rows[::-1], [_reversed(column) for column in columns]
        return Lines(rows, columns)


def _places(length: int) -> list[int]:
    """Where lines are taken: the same from both ends."""
    places = {step * (length - 1) // _LINES for step in range(_LINES)}
    return sorted(places | {length - 1 - place for place in places})


def _reversed(line: bytes) -> bytes:
    firsts = range(len(line) - _PIXEL_BYTES, -1, -_PIXEL_BYTES)
    return b"".join(line[first : first + _PIXEL_BYTES] for first in firsts)


class Place:
    """The place of a layer's painting, as of the moment at which it is begun.

    seen: the source as it is seen; inner: the part of that which is painted. colours: the image's.
    """

    def __init__(
        self, image: Gimp.Image, source: Gimp.Layer, seen: Gimp.Drawable, inner: Box
    ) -> None:
        self._image, self._source, self._inner = image, source, inner
        _, left, top = seen.get_offsets()
        self._left, self._top = left + inner.x, top + inner.y
        self._size, self._image_size = _size(seen), _size(image)
        self._lines = Lines.of(seen)
        self.colours, self._resolution = Colours.of(image), image.get_resolution()[1:]

    def find(self) -> Spot:
        """The place now."""
        if not self._source.is_valid():
            return self._where_it_was("The layer was gone when its painting was done:")
        with sources.seen(self._source) as seen:
            turn = self._turn(seen)
            _, left, top = seen.get_offsets()
        if turn is None:
            return self._where_it_was("The layer's shape changed while it was painted:")
        inner = _turned_box(self._inner, self._size, turn)
        return Spot(self._source, inner, left + inner.x, top + inner.y, turn)

    def _turn(self, seen: Gimp.Drawable) -> Turn | None:
        """How the source has been turned; None when it has another shape now."""
        now, size = Lines.of(seen), _size(seen)
        fitting = [turn for turn in _TURNS if size == (self._size[::-1] if turn[0] else self._size)]
        for turn in fitting:
            if self._lines.turned(turn) == now:
                return turn
        # Of the same size, it is where it was: something was painted on it.
        return UNTURNED if UNTURNED in fitting else None

    def _where_it_was(self, why: str) -> Spot:
        if _size(self._image) != self._image_size:
            return Spot(apart=True, note=_APART)
        note = f"{why} it is a new layer where the layer had been."
        return Spot(left=self._left, top=self._top, note=note)

    def bring(self, painting: Gimp.Layer, spot: Spot) -> Gimp.Layer:
        """The painting as a layer for its spot, not inserted, or the only one of an image apart.

        Either it is the given layer, or that has been deleted.
        """
        if spot.apart or spot.turn != UNTURNED or Colours.of(self._image) != self.colours:
            apart, copy = self._copy_apart(painting)
            painting.delete()
            if spot.apart:
                return copy
            _turn_layer(copy, spot.turn)
            painting = Gimp.Layer.new_from_drawable(copy, self._image)
            apart.delete()
        painting.set_offsets(spot.left, spot.top)
        return painting

    def _copy_apart(self, painting: Gimp.Layer) -> tuple[Gimp.Image, Gimp.Layer]:
        """An image of the colours that there were, without undo, and the painting in it."""
        width, height = _size(painting)
        apart = self.colours.new_image(width, height)
        apart.undo_disable()
        apart.set_resolution(*self._resolution)
        copy = Gimp.Layer.new(
            apart, "Impasto", width, height, self.colours.layer_type(), 100, painting.get_mode()
        )
        layers.copy_pixels(painting, copy)
        apart.insert_layer(copy, None, 0)
        return apart, copy


def _size(of: Gimp.Image | Gimp.Drawable) -> tuple[int, int]:
    return of.get_width(), of.get_height()


def _turned_box(box: Box, size: tuple[int, int], turn: Turn) -> Box:
    """The box within a layer of a size, when that is turned."""
    swap, mirror, upset = turn
    x, y, width, height = box.x, box.y, box.width, box.height
    if swap:
        x, y, width, height, size = y, x, height, width, size[::-1]
    if mirror:
        x = size[0] - x - width
    if upset:
        y = size[1] - y - height
    return Box(x, y, width, height)


def _turn_layer(layer: Gimp.Layer, turn: Turn) -> None:
    """Turn a layer of an image, and its mask with it."""
    swap, mirror, upset = turn
    if swap:
        layer.transform_rotate_simple(Gimp.RotationType.DEGREES90, True, 0.0, 0.0)
    if swap != mirror:  # a quarter turn and a mirror image make rows of columns
        layer.transform_flip_simple(Gimp.OrientationType.HORIZONTAL, True, 0.0)
    if upset:
        layer.transform_flip_simple(Gimp.OrientationType.VERTICAL, True, 0.0)
