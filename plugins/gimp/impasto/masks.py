"""What can say where something is painted: channels, layers, their masks, the selection.

Each is known by what it is and its name, which stay when the image is opened again.
"""

from __future__ import annotations

from collections.abc import Iterator

import layers
import sources
from gi.repository import Gimp
from layers import Box

from impasto_protocol.codec import Picture
from impasto_protocol.errors import HostUnsupported
from impasto_protocol.translations import _

_KINDS = {
    "channel": _("Channel {name}"),
    "layer": _("Layer {name}"),
    "mask": _("Mask of {name}"),
}
_SELECTION = "selection"

Size = tuple[int, int]


def offered(image: Gimp.Image) -> dict[str, str]:
    """What each is called for people, by how it is known: `channel:Sky`, `mask:Town`."""
    found = {
        key: _KINDS[key.split(":")[0]].format(name=name) for key, name, _drawable in _all(image)
    }
    return found if Gimp.Selection.is_empty(image) else {_SELECTION: _("The selection"), **found}


def read(mask: Gimp.Drawable, source: Gimp.Drawable, box: Box, size: Size | None = None) -> Picture:
    """A mask for a box of a source: grey, 8-bit; what lies beyond it, or is transparent, is black.

    size: (width, height) in px of the picture, if not the box's own.
    """
    with sources.seen(mask) as seen:
        return layers.read_grey(seen, *_scaled(seen, source, box, size))


def read_colours(
    found: Gimp.Drawable, source: Gimp.Drawable, box: Box, size: Size | None = None
) -> Picture:
    """A map of flat colours, likewise: 8-bit RGB."""
    with sources.seen(found) as seen:
        return layers.read_colours(seen, *_scaled(seen, source, box, size))


def find(image: Gimp.Image, key: str) -> Gimp.Layer | Gimp.Channel:
    """What is known by a key. Raises HostUnsupported where it is not there."""
    if key == _SELECTION and not Gimp.Selection.is_empty(image):
        return image.get_selection()
    for known, _name, drawable in _all(image):
        if known == key:
            return drawable
    raise HostUnsupported(
        _("The image has no “{name}” that could say where to paint.").format(name=key),
        next_step=_("Choose another mask, or none."),
    )


def layer_named(image: Gimp.Image, name: str) -> Gimp.Layer | None:
    """The layer of that name, wherever it is."""
    return next((layer for layer in _layers(image.get_layers()) if layer.get_name() == name), None)


def _scaled(
    found: Gimp.Drawable, source: Gimp.Drawable, box: Box, size: Size | None
) -> tuple[Box, float]:
    """A box of a source in what is found, in pixels of another size, and what that is scaled by."""
    width, height = size or (box.width, box.height)
    place, scale = layers.box_of(source, found), width / box.width
    x, y = round(scale * (place.x + box.x)), round(scale * (place.y + box.y))
    return Box(x, y, width, height), scale


def _all(image: Gimp.Image) -> Iterator[tuple[str, str, Gimp.Layer | Gimp.Channel]]:
    for channel in image.get_channels():
        yield f"channel:{channel.get_name()}", channel.get_name(), channel
    for layer in _layers(image.get_layers()):
        name, mask = layer.get_name(), layer.get_mask()
        yield f"layer:{name}", name, layer
        if mask:
            yield f"mask:{name}", name, mask


def _layers(found: list[Gimp.Layer]) -> Iterator[Gimp.Layer]:
    for layer in found:
        yield layer
        if isinstance(layer, Gimp.GroupLayer):
            yield from _layers(layer.get_children())
