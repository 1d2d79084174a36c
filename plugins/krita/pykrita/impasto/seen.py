"""What can be seen of a layer: its pixels through its masks and style, and what is selected of it.

Its mode, its opacity and what it is clipped by are no part of that: `placement` gives them to the
painting.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from krita import Krita

from impasto_protocol.codec import Picture
from impasto_protocol.errors import HostUnsupported
from impasto_protocol.translations import _

from .layers import OPAQUE, Box, ConversionDocument, Document, Node, Space, below, check_size
from .qt import QtCore

_STYLE_REACH_PX = 1000
"""No style of Krita's throws a shadow farther."""
_TRACED_ROWS = 128
_TO_255 = bytes([0]) + bytes([255]) * 255


class _Sheet(NamedTuple):
    """Pixels in a box, and how they are put onto those below: opacity of 255, style as ASL."""

    data: QtCore.QByteArray
    box: Box
    opacity: int = 255
    style: str = ""


def bounds(document: Document, node: Node) -> Box:
    """Where on the canvas something of a layer may be seen: no less than where it is."""
    canvas = Box.of(document.bounds())
    if passes_through(node) or not is_unchanged(node):
        return canvas
    return Box.of(node.bounds()).within(canvas)


def is_unchanged(node: Node) -> bool:
    """Whether no mask and no style changes what is seen of a layer."""
    return not _effect_masks(node) and not node.layerStyleToAsl()


def pixels(
    converter: ConversionDocument, document: Document, node: Node, box: Box
) -> QtCore.QByteArray:
    """What can be seen of a layer in a box, in the layer's own colour space. Raises TooLarge."""
    check_size(box, Space.of(node))
    if style := node.layerStyleToAsl():
        reach = Box.of(node.bounds()).within(Box.of(document.bounds()).grown(_STYLE_REACH_PX))
        own = reach if _is_plain(node) else Box.of(document.bounds())
        check_size(own, Space.of(node))
        sheet = _Sheet(_unstyled(converter, document, node, own), own, style=style)
        return _compose(document, Space.of(node), [sheet], box)
    return _unstyled(converter, document, node, box)


def is_composed(node: Node) -> bool:
    """Whether Krita has to put together what is seen of a layer whenever it is read."""
    return passes_through(node) or bool(node.layerStyleToAsl())


def trace(node: Node, box: Box) -> int:
    """A number that becomes another one when what is seen of a layer in a box changes.

    Only some rows of pixels are looked at: a change that lies between two goes unnoticed.
    """
    found = 0
    for part in (node, *below(node)) if passes_through(node) else (node,):
        about = part.visible(), part.opacity(), part.layerStyleToAsl()
        found = zlib.crc32(repr(about).encode(), found)
        found = trace_rows(part.projectionPixelData, box, found)
    return found


def trace_rows(read: Callable[..., QtCore.QByteArray], box: Box, found: int = 0) -> int:
    """The same of what is read of a box, going on from `found`."""
    for row in range(0, box.height, max(1, box.height // _TRACED_ROWS)):
        found = zlib.crc32(bytes(read(box.x, box.y + row, box.width, 1)), found)
    return found


def selection_over(document: Document, node: Node) -> Any | None:
    """A copy of what is selected of a layer: in the image and by the layer's local selections."""
    local = [
        mask.selection()
        for mask in node.childNodes()
        if mask.type() == "selectionmask" and mask.visible()
    ]
    selections = [selection for selection in (document.selection(), *local) if selection]
    if not selections:
        return None
    common = selections[0].duplicate()
    for selection in selections[1:]:
        common.intersect(selection)
    return common


def is_empty(content: Picture, selection: Picture | None) -> bool:
    """Whether a picture has no pixel that is selected and not wholly transparent."""
    nothing = bytes(len(OPAQUE[content.dtype]))
    return not _has_alpha_other_than(nothing, content, selection)


def is_opaque(content: Picture, selection: Picture | None) -> bool:
    """Whether no selected pixel of a picture is transparent in any degree."""
    return not _has_alpha_other_than(OPAQUE[content.dtype], content, selection)


def _has_alpha_other_than(alpha: bytes, content: Picture, selection: Picture | None) -> bool:
    """Whether a selected pixel has another alpha. alpha: the bytes of such a number."""
    size, data = pixel_bytes(content), bytes(content.data)
    others = 0
    for place, value in enumerate(alpha, start=size - len(alpha)):
        is_other = bytes(255 * (byte != value) for byte in range(256))
        others |= int.from_bytes(data[place::size].translate(is_other), "big")
    if selection is not None:
        others &= int.from_bytes(bytes(selection.data).translate(_TO_255), "big")
    return bool(others)


def pixel_bytes(content: Picture) -> int:
    """What a pixel takes."""
    return len(content.data) // (content.width * content.height)


def _is_plain(node: Node) -> bool:
    return node.type() == "paintlayer" and not _effect_masks(node)


def _effect_masks(node: Node) -> list[Node]:
    """The masks that change what is seen of a layer."""
    return [
        child
        for child in node.childNodes()
        if "mask" in child.type() and child.type() != "selectionmask" and child.visible()
    ]


def passes_through(node: Node) -> bool:
    """Whether a node is a group whose layers are put onto what is below it one by one."""
    return node.type() == "grouplayer" and node.passThroughMode()


def _unstyled(
    converter: ConversionDocument, document: Document, node: Node, box: Box
) -> QtCore.QByteArray:
    if passes_through(node):
        sheets = list(_sheets(converter, document, node, box))
        return _compose(document, Space.of(node), sheets, box)
    return (node.pixelData if _is_plain(node) else node.projectionPixelData)(*box)


def _sheets(
    converter: ConversionDocument, document: Document, group: Node, box: Box
) -> Sequence[_Sheet]:
    """What a group that is passed through consists of, from the bottom.

    Krita gives each layer the opacity of the group as well.
    """
    sheets: list[_Sheet] = []
    for child in group.childNodes():
        if not child.visible() or "mask" in child.type():
            continue
        if passes_through(child):
            found = _sheets(converter, document, child, box)
        else:
            _check_apart(group, child)
            data = pixels(converter, document, child, box)
            data = converter.convert(data, box, Space.of(child), Space.of(group))
            found = [_Sheet(data, box, child.opacity())]
        sheets += [
            sheet._replace(opacity=round(sheet.opacity * group.opacity() / 255)) for sheet in found
        ]
    return sheets


def _check_apart(group: Node, child: Node) -> None:
    """Raises HostUnsupported when a layer looks another way without what is below its group."""
    if child.blendingMode() != "normal" or child.inheritAlpha() or child.type() == "filterlayer":
        raise HostUnsupported(
            _(
                "“{name}” passes its layers through, and “{name2}” is blended with what lies "
                "below the group."
            ).format(name=group.name(), name2=child.name()),
            next_step=_("Turn the group's Pass Through off, or select one of its layers."),
        )


def _compose(
    document: Document, space: Space, sheets: Sequence[_Sheet], box: Box
) -> QtCore.QByteArray:
    """The pixels of sheets that lie on one another, put together by Krita.

    A style is seen in the projection of a group that holds the layer alone.
    """
    canvas = document.bounds()
    hidden = Krita.instance().createDocument(
        canvas.width(), canvas.height(), "Impasto", *space, document.resolution()
    )
    try:
        group = hidden.createGroupLayer("Impasto")
        hidden.rootNode().addChildNode(group, None)
        below = None
        for sheet in sheets:
            layer = hidden.createNode("Impasto", "paintlayer")
            layer.setPixelData(sheet.data, *sheet.box)
            layer.setOpacity(sheet.opacity)
            if sheet.style:
                layer.setLayerStyleFromAsl(sheet.style)
            group.addChildNode(layer, below)
            below = layer
        hidden.refreshProjection()
        hidden.waitForDone()
        return group.projectionPixelData(*box)
    finally:
        hidden.close()
