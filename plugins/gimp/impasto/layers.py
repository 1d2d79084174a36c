"""Pixels out of GIMP's layers and back into them; GIMP converts, nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
from gi.repository import Babl, Gegl, Gimp  # noqa: E402

from impasto_protocol.codec import Picture  # noqa: E402
from impasto_protocol.errors import HostUnsupported  # noqa: E402

_LONGEST_STYLE_PX = 3000
_BABL_TYPES = {"uint8": "u8", "uint16": "u16", "float32": "float"}


@dataclass(frozen=True)
class Box:
    """A rectangle in px, from a layer's upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def grown(self, margin: int, within: Gimp.Drawable) -> Box:
        """The box with `margin` px around it, cut to the size of a drawable."""
        left, top = max(0, self.x - margin), max(0, self.y - margin)
        right = min(within.get_width(), self.x + self.width + margin)
        bottom = min(within.get_height(), self.y + self.height + margin)
        return Box(left, top, right - left, bottom - top)

    def rectangle(self) -> Gegl.Rectangle:
        """The same for GEGL."""
        return Gegl.Rectangle.new(self.x, self.y, self.width, self.height)


def find_source(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """The layer that is to be painted. Raises HostUnsupported with one sentence why not."""
    if len(drawables) != 1:
        raise HostUnsupported(
            "One layer is painted at a time, and several are selected.",
            next_step="Select one layer, or put them into a group and select that.",
        )
    (drawable,) = drawables
    if isinstance(drawable, Gimp.LayerMask):
        drawable = Gimp.Layer.from_mask(drawable)
    if not isinstance(drawable, Gimp.Layer):
        raise HostUnsupported("A channel cannot be painted.", next_step="Select a layer.")
    if drawable.is_floating_sel():
        raise HostUnsupported(
            "A floating selection cannot be painted.",
            next_step="Anchor it (Layer ▸ Anchor Layer) or make it a layer, then try again.",
        )
    if image.get_floating_sel():
        raise HostUnsupported(
            "There is a floating selection above this layer.",
            next_step="Anchor it (Layer ▸ Anchor Layer) or make it a layer, then try again.",
        )
    return drawable


def box_to_paint(layer: Gimp.Layer) -> Box:
    """The part of a layer that is selected; the whole layer where nothing is."""
    found, x, y, width, height = layer.mask_intersect()
    if not found:
        raise HostUnsupported(
            "The selection and the layer do not meet.",
            next_step="Select a part of the layer, or nothing at all for the whole of it.",
        )
    return Box(x, y, width, height)


def box_to_send(image: Gimp.Image, layer: Gimp.Layer, inner: Box, margin: int) -> Box:
    """The part of a layer that is to be painted, with `margin` px around it if it is selected."""
    return inner if Gimp.Selection.is_empty(image) else inner.grown(margin, layer)


def read(drawable: Gimp.Drawable, box: Box | None = None, scale: float = 1.0) -> Picture:
    """The pixels of a drawable, or of a box of it, as they look in sRGB.

    8 and 16-bit layers stay what they are, all others become float32.
    """
    box = box or Box(0, 0, drawable.get_width(), drawable.get_height())
    precision = drawable.get_image().get_precision().value_nick
    dtype = {"u8-": "uint8", "u16": "uint16"}.get(precision[:3], "float32")
    colours, channels = ("Y'", 1) if drawable.is_gray() else ("R'G'B'", 3)
    if drawable.has_alpha():
        colours, channels = colours + "A", channels + 1
    if scale != 1.0:
        box = Box(*(round(n * scale) for n in (box.x, box.y, box.width, box.height)))
    data = drawable.get_buffer().get(
        box.rectangle(), scale, f"{colours} {_BABL_TYPES[dtype]}", Gegl.AbyssPolicy.CLAMP
    )
    return Picture(box.height, box.width, channels, dtype, data)


def read_selection(image: Gimp.Image, layer: Gimp.Layer, box: Box) -> Picture:
    """The soft selection over a box of a layer, grey."""
    _, left, top = layer.get_offsets()
    there = Gegl.Rectangle.new(left + box.x, top + box.y, box.width, box.height)
    data = image.get_selection().get_buffer().get(there, 1.0, "Y u8", Gegl.AbyssPolicy.NONE)
    return Picture(box.height, box.width, 1, "uint8", data)


def read_style(drawable: Gimp.Drawable) -> Picture:
    """A style's pixels, 8-bit, no larger than any painting needs."""
    longest = max(drawable.get_width(), drawable.get_height())
    scale = min(1.0, _LONGEST_STYLE_PX / longest)
    picture = read(drawable, scale=scale)
    if picture.dtype == "uint8" and picture.channels > 2:
        return picture
    box = Box(0, 0, picture.width, picture.height)
    return _read_8_bit(drawable.get_buffer(), box, scale)


def read_pattern(pattern: Gimp.Pattern) -> Picture:
    """A pattern's pixels, 8-bit."""
    _, width, height, _ = pattern.get_info()
    buffer = pattern.get_buffer(width, height, Babl.format("R'G'B'A u8"))
    return _read_8_bit(buffer, Box(0, 0, width, height), 1.0)


def _read_8_bit(buffer: Gegl.Buffer, box: Box, scale: float) -> Picture:
    data = buffer.get(box.rectangle(), scale, "R'G'B'A u8", Gegl.AbyssPolicy.CLAMP)
    return Picture(box.height, box.width, 4, "uint8", data)


def write(layer: Gimp.Layer, picture: Picture, outer: Box, inner: Box) -> None:
    """Put the part of a painting of the box `outer` that lies in `inner` into a layer as large."""
    colours = {1: "Y'", 2: "Y'A", 3: "R'G'B'", 4: "R'G'B'A"}[picture.channels]
    part = picture.crop(inner.x - outer.x, inner.y - outer.y, inner.width, inner.height)
    buffer = layer.get_buffer()
    whole = Gegl.Rectangle.new(0, 0, inner.width, inner.height)
    # GEGL takes a buffer of the wrong length without a word; Picture has checked it. And it takes
    # seconds for anything but bytes.
    buffer.set(whole, f"{colours} {_BABL_TYPES[part.dtype]}", bytes(part.data))
    show(layer, buffer)


def write_preview(layer: Gimp.Layer, preview: Picture, outer: Box, inner: Box) -> None:
    """The same with a smaller picture of the box `outer`, which GEGL brings to its size."""
    colours = "R'G'B'A" if preview.channels == 4 else "R'G'B'"
    small = Gegl.Buffer.new(f"{colours} u8", 0, 0, preview.width, preview.height)
    small.set(small.get_extent(), f"{colours} u8", bytes(preview.data))
    buffer = layer.get_buffer()
    graph = Gegl.Node()
    steps: list[tuple[str, dict[str, Any]]] = [
        ("gegl:buffer-source", {"buffer": small}),
        ("gegl:scale-ratio", {"x": outer.width / preview.width, "y": outer.height / preview.height,
                              "abyss-policy": Gegl.AbyssPolicy.CLAMP}),
        ("gegl:translate", {"x": float(outer.x - inner.x), "y": float(outer.y - inner.y)}),
        ("gegl:crop", {"width": float(inner.width), "height": float(inner.height)}),
        ("gegl:write-buffer", {"buffer": buffer}),
    ]  # fmt: skip
    before: Gegl.Node | None = None
    for operation, properties in steps:
        node = graph.create_child(operation)
        for name, value in properties.items():
            node.set_property(name, value)
        if before:
            before.link(node)
        before = node
    node.process()
    show(layer, buffer)


def show(layer: Gimp.Drawable, buffer: Gegl.Buffer) -> None:
    """Have GIMP take in and show what was written into a layer's buffer."""
    buffer.flush()
    layer.update(0, 0, layer.get_width(), layer.get_height())
    Gimp.displays_flush()
