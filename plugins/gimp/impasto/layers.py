"""Pixels out of GIMP's layers and back into them; GIMP converts, nothing is computed here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import gi
from form import Form, channels_of, dtype_of

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
from gi.repository import Babl, Gegl, Gimp  # noqa: E402

from impasto_protocol import layer_size  # noqa: E402
from impasto_protocol.codec import Picture  # noqa: E402
from impasto_protocol.limits import FRAME_BYTES  # noqa: E402
from impasto_protocol.messages import DTYPE_BYTES  # noqa: E402

_LONGEST_STYLE_PX = 3000
_ROWS = 128


@dataclass(frozen=True)
class Box:
    """A rectangle in px, from a layer's upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def of(cls, drawable: Gimp.Drawable) -> Box:
        """All of a drawable."""
        return cls(0, 0, drawable.get_width(), drawable.get_height())

    def grown(self, margin: int, within: Gimp.Drawable) -> Box:
        """The box with `margin` px around it, cut to the size of a drawable."""
        left, top = max(0, self.x - margin), max(0, self.y - margin)
        right = min(within.get_width(), self.x + self.width + margin)
        bottom = min(within.get_height(), self.y + self.height + margin)
        return Box(left, top, right - left, bottom - top)

    def holds(self, other: Box) -> bool:
        """Whether all of another box lies in it."""
        across = self.x <= other.x and other.x + other.width <= self.x + self.width
        return across and self.y <= other.y and other.y + other.height <= self.y + self.height

    def rectangle(self) -> Gegl.Rectangle:
        """The same for GEGL."""
        return Gegl.Rectangle.new(self.x, self.y, self.width, self.height)


def box_of(drawable: Gimp.Drawable, other: Gimp.Drawable) -> Box:
    """Where a drawable lies, from another one's upper left corner."""
    (_, x, y), (_, left, top) = drawable.get_offsets(), other.get_offsets()
    return Box(x - left, y - top, drawable.get_width(), drawable.get_height())


def selected_box(image: Gimp.Image, drawable: Gimp.Drawable) -> Box | None:
    """The part of a drawable that is selected, or all of it where nothing is; None where no part.

    GIMP itself tells it only of a drawable that is in the image.
    """
    whole = Box.of(drawable)
    _, selected, left, top, right, bottom = Gimp.Selection.bounds(image)
    if not selected:
        return whole
    _, x, y = drawable.get_offsets()
    left, top = max(0, left - x), max(0, top - y)
    right, bottom = min(whole.width, right - x), min(whole.height, bottom - y)
    return Box(left, top, right - left, bottom - top) if left < right and top < bottom else None


def box_to_send(layer: Gimp.Drawable, inner: Box, margin: int, *, selected: bool) -> Box:
    """The part of a layer that is to be painted, with `margin` px around it if it is selected."""
    return inner.grown(margin, layer) if selected else inner


def check_size(drawable: Gimp.Drawable, box: Box) -> None:
    """Raise TooLarge where a box of a drawable is more than can be painted at once."""
    pixel_bytes = channels_of(drawable) * DTYPE_BYTES[dtype_of(drawable)]
    layer_size.check(box.width, box.height, pixel_bytes)


def read(drawable: Gimp.Drawable, box: Box, form: Form) -> Picture:
    """The pixels of a box of a drawable, in a form. Raises TooLarge, as all that reads one."""
    check_size(drawable, box)
    channels = channels_of(drawable)
    name = form.name(channels)
    data = drawable.get_buffer().get(box.rectangle(), 1.0, name, Gegl.AbyssPolicy.CLAMP)
    return Picture(box.height, box.width, channels, form.dtype, data, space=form.space)


def is_transparent(drawable: Gimp.Drawable, box: Box) -> bool:
    """Whether nothing can be seen of a box of a drawable."""
    empty = (rows == bytes(len(rows)) for rows in _rows(drawable, box, "A u8"))
    return drawable.has_alpha() and all(empty)


def is_opaque(drawable: Gimp.Drawable, box: Box) -> bool:
    """Whether nothing can be seen through a box of a drawable."""
    opaque = (rows == b"\xff" * len(rows) for rows in _rows(drawable, box, "A u8"))
    return not drawable.has_alpha() or all(opaque)


def digest(drawable: Gimp.Drawable) -> str:
    """A hash of a drawable's colours, whether they can be seen or not."""
    found = hashlib.sha256()
    for rows in _rows(drawable, Box.of(drawable), "R'G'B' u8"):
        found.update(rows)
    return found.hexdigest()


def _rows(drawable: Gimp.Drawable, box: Box, colours: str) -> Iterator[bytes]:
    """A few rows at a time, as whoever asks mostly knows after the first."""
    buffer = drawable.get_buffer()
    for band in _bands(box):
        yield buffer.get(band.rectangle(), 1.0, colours, Gegl.AbyssPolicy.NONE)


def _bands(box: Box) -> Iterator[Box]:
    """A box as boxes of a few rows."""
    for y in range(box.y, box.y + box.height, _ROWS):
        yield Box(box.x, y, box.width, min(_ROWS, box.y + box.height - y))


def _copy(source: Gegl.Buffer, box: Box, target: Gegl.Buffer, form: str) -> None:
    """Copy a box into another buffer's upper left corner, in bands of a format of babl's."""
    for band in _bands(box):
        there = Box(0, band.y - box.y, band.width, band.height).rectangle()
        target.set(there, form, source.get(band.rectangle(), 1.0, form, Gegl.AbyssPolicy.NONE))


def read_mask(mask: Gimp.LayerMask, inner: Box, outer: Box) -> Picture:
    """A mask of the box `inner` of a layer as one of the box `outer`, grey; black around it."""
    there = Gegl.Rectangle.new(outer.x - inner.x, outer.y - inner.y, outer.width, outer.height)
    data = mask.get_buffer().get(there, 1.0, "Y u8", Gegl.AbyssPolicy.NONE)
    return Picture(outer.height, outer.width, 1, "uint8", data)


def read_grey(drawable: Gimp.Drawable, box: Box, scale: float = 1.0) -> Picture:
    """What is light of a box, which may reach beyond it, of a drawable: grey, 8-bit.

    What is transparent is black. scale: of the drawable, in whose pixels the box then is.
    """
    mask = isinstance(drawable, Gimp.Channel)
    layer_size.check(box.width, box.height, 1 if mask else 2)
    # Of a layer the numbers that are seen, times alpha; a channel's are what it lets through.
    name = "Y u8" if mask else "Y'aA u8"
    data = drawable.get_buffer().get(box.rectangle(), scale, name, Gegl.AbyssPolicy.NONE)
    return Picture(box.height, box.width, 1, "uint8", data if mask else data[::2])


def read_colours(drawable: Gimp.Drawable, box: Box, scale: float) -> Picture:
    """A box, in pixels of a drawable scaled so, as it looks: 8-bit RGB; beyond it, black."""
    return _read_8_bit(drawable.get_buffer(), box, scale, alpha=False)


def read_style(drawable: Gimp.Drawable) -> Picture:
    """A style's pixels, 8-bit, no larger than any painting needs."""
    longest = max(drawable.get_width(), drawable.get_height())
    scale = min(1.0, _LONGEST_STYLE_PX / longest)
    width, height = (round(n * scale) for n in (drawable.get_width(), drawable.get_height()))
    alpha = drawable.is_gray() or drawable.has_alpha()
    return _read_8_bit(drawable.get_buffer(), Box(0, 0, width, height), scale, alpha=alpha)


def read_pattern(pattern: Gimp.Pattern) -> Picture:
    """A pattern's pixels, 8-bit."""
    _, width, height, _ = pattern.get_info()
    buffer = pattern.get_buffer(width, height, Babl.format("R'G'B'A u8"))
    return _read_8_bit(buffer, Box(0, 0, width, height), 1.0)


def _read_8_bit(buffer: Gegl.Buffer, box: Box, scale: float, *, alpha: bool = True) -> Picture:
    """As it looks in sRGB."""
    layer_size.check(box.width, box.height, 4 if alpha else 3)
    name = "R'G'B'A u8" if alpha else "R'G'B' u8"
    data = buffer.get(box.rectangle(), scale, name, Gegl.AbyssPolicy.CLAMP)
    return Picture(box.height, box.width, 4 if alpha else 3, "uint8", data)


def write(layer: Gimp.Layer, picture: Picture, outer: Box, inner: Box, form: Form) -> None:
    """Put the part of a painting of the box `outer` that lies in `inner` into a layer as large.

    form: the one that the content was read in.
    """
    buffer, name = layer.get_buffer(), form.name(picture.channels)
    for band in _bands(Box(0, 0, inner.width, inner.height)):
        x, y = inner.x - outer.x, inner.y - outer.y + band.y
        part = picture.crop(x, y, band.width, band.height)
        # GEGL takes a buffer of the wrong length without a word; Picture has checked it. And it
        # takes seconds for anything but bytes.
        buffer.set(band.rectangle(), name, bytes(part.data))
    show(layer, buffer)


def copy_mask(source: Gimp.Layer, layer: Gimp.Layer) -> None:
    """Give a layer that lies over a source the source's mask, if there is one."""
    own = source.get_mask()
    if own is None:
        return
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(mask)
    buffer = mask.get_buffer()
    _copy(own.get_buffer(), box_of(layer, source), buffer, "Y float")
    show(mask, buffer)
    layer.set_edit_mask(False)
    layer.set_apply_mask(source.get_apply_mask())


def blend(seen: Gimp.Drawable, painted: Gimp.Layer, mask: Gimp.LayerMask, inner: Box) -> Gimp.Layer:
    """A new layer with what is seen of a source, and with the painting of its box `inner` in it.

    mask: how much of the painting counts, as large. What is transparent stays so.
    """
    Gegl.init(None)  # GIMP readies GEGL's buffers for a plug-in, but not operations
    layer = Gimp.Layer.new(
        painted.get_image(), "Impasto", seen.get_width(), seen.get_height(),
        painted.type_with_alpha(), 100, painted.get_mode(),
    )  # fmt: skip
    _, x, y = seen.get_offsets()
    layer.set_offsets(x, y)
    # Without alpha, which "svg:src-atop" takes from what lies below.
    colours = Gegl.Buffer.new("RGB float", 0, 0, inner.width, inner.height)
    _copy(painted.get_buffer(), Box(0, 0, inner.width, inner.height), colours, "RGB float")
    buffer = layer.get_buffer()
    graph = Gegl.Node()
    part = _node(graph, "gegl:buffer-source", buffer=colours)
    share = _node(graph, "gegl:buffer-source", buffer=mask.get_buffer())
    cut = _node(graph, "gegl:opacity")
    placed = _node(graph, "gegl:translate", x=float(inner.x), y=float(inner.y))
    below = _node(graph, "gegl:buffer-source", buffer=seen.get_buffer())
    atop = _node(graph, "svg:src-atop")
    written = _node(graph, "gegl:write-buffer", buffer=buffer)
    part.link(cut)
    share.connect_to("output", cut, "aux")
    cut.link(placed)
    placed.connect_to("output", atop, "aux")
    below.link(atop)
    atop.link(written)
    written.process()
    show(layer, buffer)
    return layer


def show_preview(layer: Gimp.Layer, data: bytes, box: Box) -> None:
    """Write 8-bit RGBA into a layer as large as a box, and show it.

    Nothing is written where the layer has gone, or is no longer as it was.
    """
    if _can_be_shown(layer, box):
        buffer = layer.get_buffer()
        buffer.set(Box(0, 0, box.width, box.height).rectangle(), "R'G'B'A u8", data)
        show(layer, buffer)


def can_be_watched(layer: Gimp.Layer) -> bool:
    """Whether GEGL, which counts bytes in 31 bits, takes a preview as large as a layer."""
    return 4 * layer.get_width() * layer.get_height() < FRAME_BYTES


def _can_be_shown(layer: Gimp.Layer, inner: Box) -> bool:
    """Whether a preview as large as the box can be written into the layer, which may be gone."""
    if not layer.is_valid() or _is_locked(layer):
        return False
    return (layer.get_width(), layer.get_height()) == (inner.width, inner.height)


def _is_locked(layer: Gimp.Layer) -> bool:
    """Whether its pixels, or those of a group that holds it, must not be changed."""
    item: Gimp.Item | None = layer
    while item:
        if item.get_lock_content():
            return True
        item = item.get_parent()
    return False


def _node(graph: Gegl.Node, operation: str, **properties: object) -> Gegl.Node:
    node = graph.create_child(operation)
    for name, value in properties.items():
        node.set_property(name.replace("_", "-"), value)
    return node


def show(layer: Gimp.Drawable, buffer: Gegl.Buffer) -> None:
    """Have GIMP take in and show what was written into a layer's buffer."""
    buffer.flush()
    layer.update(0, 0, layer.get_width(), layer.get_height())
    Gimp.displays_flush()


def delete(item: Gimp.Item, image: Gimp.Image) -> None:
    """Delete what is not in the image that it was made for.

    Where that has been closed it stays: GIMP 3.0.4 would ask the image, and crash.
    """
    if image.is_valid() and item.is_valid():
        item.delete()


def copy_into(source: Gimp.Layer, target: Gimp.Layer) -> None:
    """Give a layer of the same size and format another one's very numbers, place and mask."""
    buffer = target.get_buffer()
    _copy(source.get_buffer(), Box.of(source), buffer, Babl.get_name(source.get_format()))
    show(target, buffer)
    target.set_offsets(*source.get_offsets()[1:])
    copy_mask(source, target)
