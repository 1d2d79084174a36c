"""What can say where something is painted: layers, masks and the selection, by their names."""

from __future__ import annotations

from collections.abc import Iterator

from impasto_protocol.codec import Picture
from impasto_protocol.errors import HostUnsupported
from impasto_protocol.translations import _

from . import layers, seen
from .layers import SRGB, Box, ConversionDocument, Document, Node, Space
from .qt import QtCore, QtGui

_SELECTION = "selection"
_MASKS = ("selectionmask", "transparencymask", "filtermask")


def offered(document: Document | None) -> dict[str, str]:
    """What each is called for people, by how it is known: `layer:Sky`, `mask:Town`."""
    if not document:
        return {}
    found = {
        key: (_("Mask {name}") if "mask" in node.type() else _("Layer {name}")).format(
            name=node.name()
        )
        for key, node in _all(document)
    }
    return {_SELECTION: _("The selection"), **found} if document.selection() else found


def read(converter: ConversionDocument, document: Document, key: str, box: Box) -> Picture:
    """A mask for a box: grey, 8-bit; what is transparent, or lies beyond it, is black.

    Raises HostUnsupported where it is not there.
    """
    if key == _SELECTION and document.selection():
        return layers.read_selection(document.selection(), box)
    node = next((node for known, node in _all(document) if known == key), None)
    if node is None:
        raise HostUnsupported(
            _("The image has no “{name}” that could say where to paint.").format(name=key),
            next_step=_("Choose another mask, or none."),
        )
    if "mask" in node.type():
        data = bytes(node.pixelData(*box))
        return Picture(box.height, box.width, 1, "uint8", data)
    pixels = seen.pixels(converter, document, node, box)
    return _grey(converter.convert(pixels, box, Space.of(node), SRGB), box)


def _grey(pixels: QtCore.QByteArray, box: Box) -> Picture:
    """What is light of 8-bit pixels of sRGB, on black."""
    size, straight = box.qt().size(), QtGui.QImage.Format.Format_ARGB32
    image = QtGui.QImage(pixels, size.width(), size.height(), straight)
    on_black = QtGui.QImage(size, QtGui.QImage.Format.Format_RGB32)
    on_black.fill(QtCore.Qt.GlobalColor.black)
    painter = QtGui.QPainter(on_black)
    painter.drawImage(0, 0, image)
    painter.end()
    data = layers.pixels_of(on_black)[1::4]  # the green of what is in greys
    return Picture(box.height, box.width, 1, "uint8", data)


def _all(document: Document) -> Iterator[tuple[str, Node]]:
    for node in layers.below(document.rootNode()):
        kind = node.type()
        if kind in _MASKS:
            yield f"mask:{node.name()}", node
        elif "mask" not in kind:
            yield f"layer:{node.name()}", node
