"""Small pictures of layers, patterns and files for the dialogs. Changes nothing."""

from __future__ import annotations

import gi

gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf, Gimp, GLib  # noqa: E402
from layers import Box, read_pattern  # noqa: E402

from impasto_protocol.codec import Picture  # noqa: E402

Pixbuf = GdkPixbuf.Pixbuf


def of_layer(layer: Gimp.Drawable, box: Box, longest_px: int) -> Pixbuf:
    """A box of a layer as it looks, no larger than it is."""
    width, height = fitting(box.width, box.height, min(longest_px, max(box.width, box.height)))
    # Not get_sub_thumbnail, which in GIMP 3.0.4 gives memory back twice.
    found, width, height, channels = layer.get_sub_thumbnail_data(
        box.x, box.y, box.width, box.height, width, height
    )
    data = found.get_data() or b""
    if channels < 3:
        data, channels = _coloured(data, channels), channels + 2
    return of_picture(Picture(height, width, channels, "uint8", data))


def _coloured(grey: bytes, channels: int) -> bytes:
    """Grey as RGB, with its alpha if there is one."""
    data = bytearray(len(grey) // channels * (channels + 2))
    for into in range(channels + 2):
        data[into :: channels + 2] = grey[max(0, into - 2) :: channels]
    return bytes(data)


def of_file(path: str, longest_px: int) -> Pixbuf:
    """A picture file, upright. Raises GLib.Error for what GTK does not read."""
    found = Pixbuf.new_from_file_at_scale(path, longest_px, longest_px, True)
    assert found  # it raises where there is none
    return found.apply_embedded_orientation() or found


def of_pattern(pattern: Gimp.Pattern) -> Pixbuf:
    """A pattern."""
    return of_picture(read_pattern(pattern))


def of_picture(picture: Picture) -> Pixbuf:
    """A picture of 8-bit RGB, with alpha or without."""
    return Pixbuf.new_from_bytes(
        GLib.Bytes.new(bytes(picture.data)), GdkPixbuf.Colorspace.RGB, picture.channels == 4, 8,
        picture.width, picture.height, picture.width * picture.channels,
    )  # fmt: skip


def of_png(data: bytes) -> Pixbuf:
    """A PNG. Raises GLib.Error where it is none."""
    loader = GdkPixbuf.PixbufLoader.new_with_type("png")
    try:
        loader.write(data)
    finally:
        loader.close()
    found = loader.get_pixbuf()
    assert found  # it raises where there is none
    return found


def enlarged(preview: Picture, outer: Box, inner: Box) -> bytes:
    """The 8-bit RGBA of a box, of a picture in small of another one around it."""
    small = of_picture(preview)
    if preview.channels < 4:
        small = small.add_alpha(False, 0, 0, 0) or small
    large = Pixbuf.new(GdkPixbuf.Colorspace.RGB, True, 8, inner.width, inner.height)
    assert large  # or GLib ends for want of memory
    small.scale(
        large, 0, 0, inner.width, inner.height, float(outer.x - inner.x), float(outer.y - inner.y),
        outer.width / preview.width, outer.height / preview.height, GdkPixbuf.InterpType.BILINEAR,
    )  # fmt: skip
    return large.get_pixels()


def to_picture(pixbuf: Pixbuf) -> Picture:
    """The same the other way; the rows of a pixbuf may be padded."""
    width, height = pixbuf.get_width(), pixbuf.get_height()
    channels, stride = pixbuf.get_n_channels(), pixbuf.get_rowstride()
    data = pixbuf.get_pixels()
    rows = (data[row * stride : row * stride + width * channels] for row in range(height))
    return Picture(height, width, channels, "uint8", b"".join(rows))


def fitted(pixbuf: Pixbuf, longest_px: int) -> Pixbuf:
    """Brought to a size with that long edge."""
    size = fitting(pixbuf.get_width(), pixbuf.get_height(), longest_px)
    return pixbuf.scale_simple(*size, GdkPixbuf.InterpType.BILINEAR) or pixbuf


def fitting(width: int, height: int, longest_px: int) -> tuple[int, int]:
    """A size of the same shape with that long edge."""
    share = longest_px / max(width, height)
    return max(1, round(width * share)), max(1, round(height * share))
