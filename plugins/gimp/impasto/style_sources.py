"""The picture of a style, wherever it comes from, and as it is kept with a painting."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import layers
import sources
import thumbnails
from gi.repository import Gimp, Gio, GLib

from impasto_protocol.codec import Picture
from impasto_protocol.errors import BadField, StyleUnreadable
from impasto_protocol.more_styles import MoreStyle
from impasto_protocol.translations import _

KEPT_PX = 1024
"""The long edge of a kept picture at most: a quarter more than the working size of a painting."""
Find = Callable[[str], Gimp.Item | None]
"""Gives the layer of a name."""
_PNG_SIZE = slice(16, 24)
_NOT_KEPT = _("The picture of the style that is kept with the painting cannot be read.")


def read(style: Mapping[str, Any]) -> Picture:
    """The picture of a style that is not saved. Raises StyleUnreadable."""
    if style["from"] == "layer":
        return _read_layer(style)
    if style["from"] == "pattern":
        pattern = Gimp.Pattern.get_by_name(style["name"])
        if not pattern:
            raise StyleUnreadable(
                _("There is no pattern {name!r}.").format(name=style["name"]),
                next_step=_("Choose another pattern."),
            )
        return layers.read_pattern(pattern)
    return _read_file(Gio.File.new_for_uri(style["uri"]))


def of_more(style: MoreStyle, find: Find) -> dict[str, Any]:
    """Where the picture of one of several styles comes from, as a recipe says it."""
    if style.kind == "file":
        return {"from": "file", "uri": Gio.File.new_for_path(style.name).get_uri()}
    layer = find(style.name) if style.kind == "layer" else None
    return {"from": style.kind, "name": style.name, "id": layer.get_id() if layer else -1}


def of_key(key: str, find: Find) -> Picture:
    """The picture that a key such as `layer:Doodle` or `file:PATH` names. Raises BadField too."""
    kind, _colon, name = key.partition(":")
    try:
        style = MoreStyle(kind, name)
    except ValueError as error:
        raise BadField(_("There is no picture {name!r}.").format(name=key)) from error
    return read(of_more(style, find))


def to_text(picture: Picture) -> bytes:
    """An 8-bit picture with colours, made no larger than need be, as base64 of a PNG."""
    pixbuf = thumbnails.of_picture(picture)
    if max(picture.width, picture.height) > KEPT_PX:
        pixbuf = thumbnails.fitted(pixbuf, KEPT_PX)
    _, data = pixbuf.save_to_bufferv("png", [], [])
    return base64.b64encode(data)


def from_text(text: Sequence[int]) -> Picture:
    """What `to_text` has made of a picture. Raises StyleUnreadable where it is none."""
    try:
        return thumbnails.to_picture(thumbnails.of_png(png(text)))
    except GLib.Error as error:
        raise StyleUnreadable(_NOT_KEPT) from error


def png(text: Sequence[int]) -> bytes:
    """The PNG that `to_text` has made, no larger than that makes it. Raises StyleUnreadable."""
    try:
        data = base64.b64decode(bytes(text), validate=True)
        large = max(struct.unpack(">II", data[_PNG_SIZE])) > KEPT_PX
    except (ValueError, struct.error) as error:
        raise StyleUnreadable(_NOT_KEPT) from error
    if large:
        raise StyleUnreadable(_NOT_KEPT)
    return data


def _read_layer(style: Mapping[str, Any]) -> Picture:
    layer = Gimp.Item.get_by_id(style["id"])
    if not isinstance(layer, Gimp.Drawable) or not layer.is_valid():
        raise StyleUnreadable(
            _("The layer {name!r} with the style is no longer there.").format(name=style["name"]),
            next_step=_("Choose the style anew."),
        )
    with sources.seen(layer) as seen:
        return layers.read_style(seen)


def _read_file(file: Gio.File) -> Picture:
    """The picture in a file that GIMP can open. Raises StyleUnreadable."""
    name = file.get_basename()
    kind = file.query_file_type(Gio.FileQueryInfoFlags.NONE, None)
    if kind == Gio.FileType.UNKNOWN:
        raise StyleUnreadable(
            _("There is no picture file {name}.").format(name=name),
            next_step=_("Choose another file."),
        )
    if kind != Gio.FileType.REGULAR:
        raise StyleUnreadable(
            _("The style {name} is no file but a folder or a device.").format(name=name),
            next_step=_("Choose a picture file."),
        )
    if file.query_info("standard::size", Gio.FileQueryInfoFlags.NONE, None).get_size() == 0:
        raise StyleUnreadable(
            _("The style {name} is an empty file.").format(name=name),
            next_step=_("Choose another file."),
        )
    try:
        image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    except GLib.Error as error:
        raise StyleUnreadable(
            _("The style {name} cannot be read: {message}.").format(
                name=name, message=error.message
            )
        ) from error
    if not image:
        why = Gimp.get_pdb().get_last_error()
        if why == "Unknown file type":
            raise StyleUnreadable(
                _("GIMP does not read files such as the style {name}.").format(name=name),
                next_step=_("Choose a picture file, as PNG or JPEG."),
            )
        raise StyleUnreadable(
            _("GIMP cannot read the style {name}: it is damaged, or no picture.").format(name=name)
        )
    try:
        merged = _merged(image)
        if not merged:
            raise StyleUnreadable(
                _("Nothing is seen of the style {name}: all its layers are hidden.").format(
                    name=name
                ),
                next_step=_("Show a layer in it, or choose another file."),
            )
        return layers.read_style(merged)
    finally:
        image.delete()


def _merged(image: Gimp.Image) -> Gimp.Layer | None:
    """All that is seen of an image, if anything is.

    With an alpha channel only where something is transparent.
    """
    merged = image.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
    if not merged:
        return None
    merged.resize_to_image_size()
    return image.flatten() if layers.is_opaque(merged, layers.Box.of(merged)) else merged
