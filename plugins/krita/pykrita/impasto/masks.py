"""What can say where something is painted: layers, masks and the selection, by their names."""

from __future__ import annotations

from collections import Counter
from itertools import count

from impasto_protocol.codec import Picture
from impasto_protocol.errors import HostUnsupported
from impasto_protocol.translations import _

from . import layers, seen
from .layers import SRGB, Box, ConversionDocument, Document, Node, Space
from .qt import QtCore, QtGui

FILE = "file:"
"""What the key of a picture file begins with; its path follows."""
_SELECTION = "selection"
_MASKS = ("selectionmask", "transparencymask", "filtermask")


def offered(document: Document | None) -> dict[str, str]:
    """What each is called for people, by how it is known: `layer:Sky`, `mask:Hill/Town`."""
    if not document:
        return {}
    found = {
        key: (_("Mask {name}") if "mask" in node.type() else _("Layer {name}")).format(
            name=key.partition(":")[2]
        )
        for key, node in _all(document).items()
    }
    return {_SELECTION: _("The selection"), **found} if document.selection() else found


def read(converter: ConversionDocument, document: Document, key: str, box: Box) -> Picture:
    """A mask for a box: grey, 8-bit; what is transparent, or lies beyond it, is black.

    Raises HostUnsupported where it is not there.
    """
    node = layer_of(document, key)
    if node is None:
        return _read_mask(document, key, box)
    return grey(_look(converter, document, node, box))


def read_map(
    converter: ConversionDocument, document: Document, key: str, box: Box | None = None
) -> Picture:
    """A map of flat colours, 8-bit with alpha: a box of a layer, or all of it.

    Raises HostUnsupported where there is no such layer, or nothing on it at all.
    """
    node = layer_of(document, key)
    if node is None:
        raise _not_there(key)
    box = box or Box.of(node.bounds())
    if box.qt().isEmpty():
        raise layers.nothing_on(node)
    return layers.to_picture(_look(converter, document, node, box))


def file_of(key: str) -> str:
    """The path of the picture file that is meant; empty where none is."""
    return key.removeprefix(FILE) if key.startswith(FILE) else ""


def read_image(document: Document, key: str, box: Box) -> QtGui.QImage:
    """The same, where it is no layer, as an image. Raises HostUnsupported."""
    found = _read_mask(document, key, box)
    form = QtGui.QImage.Format.Format_Grayscale8
    return QtGui.QImage(bytes(found.data), box.width, box.height, box.width, form).copy()


def layer_of(document: Document, key: str) -> Node | None:
    """The layer that is meant, if it is one that is there."""
    node = _node(document, key)
    return None if node is None or "mask" in node.type() else node


def trace(document: Document, key: str, box: Box) -> int:
    """A number that becomes another one when a mask changes in a box; see `seen.trace`."""
    node = layer_of(document, key)
    if node:
        return seen.trace(node, box)
    mask = document.selection() if key == _SELECTION else _node(document, key)
    return seen.trace_rows(mask.pixelData, box) if mask else 0


def grey(image: QtGui.QImage) -> Picture:
    """What is light of an image, on black."""
    on_black = QtGui.QImage(image.size(), QtGui.QImage.Format.Format_RGB32)
    on_black.fill(QtCore.Qt.GlobalColor.black)
    painter = QtGui.QPainter(on_black)
    painter.drawImage(0, 0, image)
    painter.end()
    data = layers.pixels_of(on_black)[1::4]  # the green of what is in greys
    return Picture(image.height(), image.width(), 1, "uint8", data)


def _read_mask(document: Document, key: str, box: Box) -> Picture:
    """A mask that is no layer. Raises HostUnsupported."""
    if key == _SELECTION and document.selection():
        return layers.read_selection(document.selection(), box)
    node = _node(document, key)
    if node is None:
        raise _not_there(key)
    return Picture(box.height, box.width, 1, "uint8", bytes(node.pixelData(*box)))


def _not_there(key: str) -> HostUnsupported:
    return HostUnsupported(
        _("The image has no “{name}” that could say where to paint.").format(name=key),
        next_step=_("Choose another mask, or none."),
    )


def _look(converter: ConversionDocument, document: Document, node: Node, box: Box) -> QtGui.QImage:
    """What is seen of a layer, 8-bit in sRGB."""
    pixels = seen.pixels(converter, document, node, box)
    pixels = converter.convert(pixels, box, Space.of(node), SRGB)
    form = QtGui.QImage.Format.Format_ARGB32
    # A copy, as Qt's image does not keep the pixels alive.
    return QtGui.QImage(pixels, box.width, box.height, form).copy()


def _node(document: Document, key: str) -> Node | None:
    """The one that is known so, else the first of that name."""
    found = _all(document)
    alike = (node for node in found.values() if key in _keys(node))
    return found.get(key) or next(alike, None)


def _all(document: Document) -> dict[str, Node]:
    """Each by its name; where others have that too, by its parent's as well, then by a number."""
    known = [(node, _keys(node)) for node in layers.below(document.rootNode())]
    alike = Counter(keys[0] for _of, keys in known if keys)
    found: dict[str, Node] = {}
    for node, keys in known:
        if not keys:
            continue
        plain, *longer = keys
        key = longer[0] if longer and alike[plain] > 1 else plain
        numbered = (f"{key} ({number})" if number > 1 else key for number in count(1))
        found[next(free for free in numbered if free not in found)] = node
    return found


def _keys(node: Node) -> list[str]:
    """What it may be known by; nothing where it says nothing of places."""
    kind = node.type()
    if "mask" in kind and kind not in _MASKS:
        return []
    word, parent = "mask" if "mask" in kind else "layer", node.parentNode()
    names = [node.name()]
    if parent and parent.parentNode():  # what lies in no layer lies in the root
        names.append(f"{parent.name()}/{node.name()}")
    return [f"{word}:{name}" for name in names]
