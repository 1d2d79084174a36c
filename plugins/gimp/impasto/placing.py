"""Where a painting goes when it is done: above its source, whatever became of that meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import layers
import sources
from gi.repository import Gimp
from layers import Box
from turns import UNTURNED, Lines, Turn, turn_box, turn_layer

from impasto_protocol.translations import _

_APART = _(
    "The image changed while it was painted, so that the painting no longer fits "
    "into it: it is an image of its own."
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
class _Colours:
    """What the numbers of an image's pixels mean."""

    base: Gimp.ImageBaseType
    precision: Gimp.Precision
    profile: bytes | None

    @classmethod
    def of(cls, image: Gimp.Image) -> _Colours:
        """Those of an image; a palette counts as RGB, which is inserted there without loss."""
        base, profile = image.get_base_type(), image.get_color_profile()
        if base == Gimp.ImageBaseType.INDEXED:
            base = Gimp.ImageBaseType.RGB
        icc = bytes(profile.get_icc_profile()) if profile else None
        return cls(base, image.get_precision(), icc)

    def new_layer(self, image: Gimp.Image, width: int, height: int) -> Gimp.Layer:
        """An empty layer for an image of these colours, with transparency."""
        grey = self.base == Gimp.ImageBaseType.GRAY
        kind = Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE
        mode = image.get_default_new_layer_mode()
        return Gimp.Layer.new(image, "Impasto", width, height, kind, 100, mode)

    def new_image(self, width: int, height: int) -> Gimp.Image:
        """An empty image of these colours, without undo."""
        image = Gimp.Image.new_with_precision(width, height, self.base, self.precision)
        image.undo_disable()
        if self.profile:
            image.set_color_profile(Gimp.ColorProfile.new_from_icc_profile(self.profile))
        return image


class Place:
    """The place of a layer's paintings, as of the moment at which the first is begun.

    name: the source's. seen: the source as it is seen; inner: the part of that which is painted.
    cut: the paintings are cut out by the selection.
    """

    def __init__(
        self, image: Gimp.Image, source: Gimp.Layer, seen: Gimp.Drawable, inner: Box
    ) -> None:
        self._image, self.name = image, source.get_name()
        self.source, self.seen, self.inner = source, seen, inner
        _, left, top = seen.get_offsets()
        self._left, self._top = left + inner.x, top + inner.y
        self._lines, self._image_size = Lines.of(seen), _size(image)
        self._colours, self._resolution = _Colours.of(image), image.get_resolution()[1:]
        # Asked once: the painter may select something else while the layer is being painted.
        self.cut = not Gimp.Selection.is_empty(image)
        self._empty = self._new_empty()

    def _new_empty(self) -> Gimp.Layer:
        """An empty layer for a painting, masked as it is to be.

        It is not inserted, so that nothing that a painter does reaches it.
        """
        empty = self._colours.new_layer(self._image, self.inner.width, self.inner.height)
        empty.set_offsets(self._left, self._top)
        if self.cut:
            empty.add_mask(empty.create_mask(Gimp.AddMaskType.SELECTION))
        else:
            layers.copy_mask(self.source, empty)
        return empty

    def new_painting(self) -> Gimp.Layer:
        """Another empty layer for a painting, not inserted either."""
        return self._empty.copy()

    def close(self) -> None:
        """No further painting will be asked for."""
        layers.delete(self._empty, self._image)

    def find(self) -> Spot:
        """The place now."""
        if not self.source.is_valid():
            return self._where_it_was(_("The layer was gone when its painting was done:"))
        with sources.seen(self.source) as seen:
            turn = self._lines.turn_to(Lines.of(seen))
            left, top = seen.get_offsets()[1:]
        if turn is None:
            return self._where_it_was(_("The layer's shape changed while it was painted:"))
        inner = turn_box(self.inner, self._lines.size, turn)
        return Spot(self.source, inner, left + inner.x, top + inner.y, turn)

    def _where_it_was(self, why: str) -> Spot:
        if _size(self._image) != self._image_size:
            return Spot(apart=True, note=_APART)
        note = _("{why} it is a new layer where the layer had been.").format(why=why)
        return Spot(left=self._left, top=self._top, note=note)

    def bring(self, painting: Gimp.Layer, spot: Spot) -> Gimp.Layer:
        """The painting as a layer for its spot, not inserted, or the only one of an image apart.

        Either it is the given layer, or that has been deleted.
        """
        if spot.apart or spot.turn != UNTURNED or _Colours.of(self._image) != self._colours:
            copy = self._copy_apart(painting)
            layers.delete(painting, self._image)
            if spot.apart:
                return copy
            turn_layer(copy, spot.turn)
            painting = Gimp.Layer.new_from_drawable(copy, self._image)
            copy.get_image().delete()
        painting.set_offsets(spot.left, spot.top)
        return painting

    def _copy_apart(self, painting: Gimp.Layer) -> Gimp.Layer:
        """The painting as the only layer of an image of the colours that there were."""
        apart = self._colours.new_image(*_size(painting))
        apart.set_resolution(*self._resolution)
        copy = self._colours.new_layer(apart, *_size(painting))
        layers.copy_into(painting, copy)
        copy.set_offsets(0, 0)
        apart.insert_layer(copy, None, 0)
        return copy


@contextmanager
def place_of(image: Gimp.Image, source: Gimp.Layer) -> Iterator[Place]:
    """The place of a layer's paintings, with a copy of what is seen of it as long as one paints.

    Raises HostUnsupported where there is nothing to paint, TooLarge where there is too much.
    """
    with sources.seen(source, as_copy=True) as seen:
        place = Place(image, source, seen, sources.box_to_paint(image, seen))
        try:
            yield place
        finally:
            place.close()


def _size(of: Gimp.Image | Gimp.Drawable) -> tuple[int, int]:
    return of.get_width(), of.get_height()
