"""Pixels out of Krita's layers and back into them; Krita and Qt convert, nothing is computed."""

from __future__ import annotations

import itertools
import struct
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from krita import Krita

from impasto_protocol import colour_space, layer_size
from impasto_protocol.codec import Picture
from impasto_protocol.colour_space import ColourSpace
from impasto_protocol.errors import HostUnsupported
from impasto_protocol.messages import DTYPE_BYTES
from impasto_protocol.translations import _

from .qt import QtCore, QtGui

Document = Any
Node = Any

_FORMS = {
    ("RGBA", "U8"): (4, "uint8", "bgr"),
    ("RGBA", "U16"): (4, "uint16", "bgr"),
    ("RGBA", "F32"): (4, "float32", "rgb"),
    ("GRAYA", "U8"): (2, "uint8", "rgb"),
    ("GRAYA", "U16"): (2, "uint16", "rgb"),
    ("GRAYA", "F32"): (2, "float32", "rgb"),
}
"""Channels, number type and order of what Krita keeps in a form that can be sent as it is."""

_CHANNELS = {"GRAYA": 2, "CMYKA": 5}
"""Numbers to a pixel, of the models that have not four."""

_QT_BYTES = 26
"""So much less than 2 GiB can an array of Qt's hold, and so Krita give; it crashes beyond that."""

OPAQUE = {"uint8": b"\xff", "uint16": b"\xff\xff", "float32": struct.pack("<f", 1)}
"""The alpha of an opaque pixel, which is the last of its numbers."""

_OWN_PIXELS = "paintlayer"
_PROJECTED = ("grouplayer", "vectorlayer", "filllayer", "filelayer", "clonelayer")


class Box(NamedTuple):
    """A rectangle in px of the image."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def of(cls, rectangle: QtCore.QRect) -> Box:
        """Qt's rectangle."""
        return cls(rectangle.x(), rectangle.y(), rectangle.width(), rectangle.height())

    def qt(self) -> QtCore.QRect:
        """The same for Qt."""
        return QtCore.QRect(*self)

    def within(self, other: Box) -> Box:
        """The part of it that lies in another."""
        return Box.of(self.qt() & other.qt())

    def moved(self, by: tuple[int, int]) -> Box:
        """The box so many px further to the right and down."""
        return Box.of(self.qt().translated(*by))

    def grown(self, margin: int) -> Box:
        """The box with `margin` px around it."""
        return Box.of(self.qt().adjusted(-margin, -margin, margin, margin))


class Space(NamedTuple):
    """A colour space by Krita's own names."""

    model: str
    depth: str
    profile: str

    @classmethod
    def of(cls, keeper: Document | Node) -> Space:
        """That of a layer or a document."""
        return cls(keeper.colorModel(), keeper.colorDepth(), keeper.colorProfile())

    @property
    def is_srgb(self) -> bool:
        """Its numbers have the curve and, but for grey, the primaries of sRGB, by its name."""
        profile = self.profile.lower()
        return profile == "srgb built-in" or (
            profile.startswith(("srgb-", "gray-")) and "srgbtrc" in profile
        )

    @property
    def pixel_bytes(self) -> int:
        """What a pixel takes in it."""
        return _CHANNELS.get(self.model, 4) * int(self.depth[1:]) // 8


SRGB = Space("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
_LINEAR = {"RGBA": "sRGB-elle-V2-g10.icc", "GRAYA": "Gray-D50-elle-V2-g10.icc"}
"""Profiles of linear light."""
_LINEAR_LIGHT = Space("RGBA", "F32", _LINEAR["RGBA"])


def find_source(document: Document | None) -> Node:
    """The layer that is to be painted. Raises HostUnsupported with one sentence why not."""
    if document and len(_selected_nodes(document)) > 1:
        raise HostUnsupported(
            _("Several layers are selected, and Krita would need an undo step for each painting."),
            next_step=_("Select one of them, or put them into a group and select that."),
        )
    node = active_node(document) if document else None
    if node is None:
        raise HostUnsupported(
            _("There is no layer to paint."), next_step=_("Open a picture first.")
        )
    if "mask" in node.type():
        raise HostUnsupported(
            _("“{name}” is a mask, which has no picture to paint.").format(name=node.name()),
            next_step=_("Select the layer it belongs to."),
        )
    if node.type() != _OWN_PIXELS and node.type() not in _PROJECTED:
        raise HostUnsupported(
            _("“{name}” has no pixels of its own.").format(name=node.name()),
            next_step=_("Select a paint layer, or put it into a group and select that."),
        )
    return node


def active_node(document: Document) -> Node:
    """What is selected in the view in front; the document itself answers for its first view."""
    selected = _selected_nodes(document)
    return selected[0] if len(selected) == 1 else document.activeNode()


def _selected_nodes(document: Document) -> list[Node]:
    """Those of the view in front, if it shows this document."""
    window = Krita.instance().activeWindow()
    view = window.activeView() if window else None
    return view.selectedNodes() if view and view.document() == document else []


def is_open(document: Document) -> bool:
    """Whether a document has not been closed yet."""
    return any(document == other for other in Krita.instance().documents())


BUSY = _(
    "Krita is busy with the image: finish what the tool has begun (Enter, or choose another tool)."
)
"""What a painter is told who has to wait because it is not at rest."""


def is_at_rest(document: Document) -> bool:
    """Whether nothing is being done to a document; while a pen is down Krita would wait for it."""
    if at_rest := document.tryBarrierLock():
        document.unlock()
    return at_rest


def box_to_paint(node: Node, there: Box, selection: Any) -> Box:
    """Of where the layer is what is selected. Raises HostUnsupported."""
    if there.qt().isEmpty():
        raise nothing_on(node)
    if selection is None:
        return there
    selected = Box(selection.x(), selection.y(), selection.width(), selection.height())
    box = selected.within(there)
    if box.qt().isEmpty():
        raise nothing_selected()
    return box


def nothing_on(node: Node) -> HostUnsupported:
    """What is said of a layer that is wholly transparent."""
    return HostUnsupported(
        _("There is nothing on “{name}” to paint.").format(name=node.name()),
        next_step=_("Select another layer."),
    )


def nothing_selected() -> HostUnsupported:
    """What is said of a selection of transparent pixels alone."""
    return HostUnsupported(
        _("The selection and the layer do not meet."),
        next_step=_("Select a part of the layer, or nothing at all for the whole of it."),
    )


def box_to_send(document: Document, box: Box, selection: Any, margin_px: int) -> Box:
    """What the network is to see: of a selection so much around it, as far as there is a canvas."""
    if selection is None:
        return box
    return box.grown(margin_px).within(Box.of(document.bounds()))


def read(
    converter: ConversionDocument,
    node: Node,
    space: Space,
    box: Box,
    look: Callable[[Box], QtCore.QByteArray],
    colours: ColourSpace = colour_space.SRGB,
) -> Picture:
    """The pixels of a box in some colour space. look: gives them in the layer's own.

    space, colours: as `ConversionDocument.sendable` tells them. Raises TooLarge.
    """
    channels, dtype, order = _FORMS[space[:2]]
    # The painting goes into a layer of the document's.
    check_size(box, space, converter.space)
    data = converter.convert(look(box), box, Space.of(node), space)
    return Picture(box.height, box.width, channels, dtype, memoryview(data), order, colours)


def check_size(box: Box, *spaces: Space) -> None:
    """Raises TooLarge where a box takes more in one of these colour spaces than Krita counts."""
    pixel_bytes = max(space.pixel_bytes for space in spaces)
    layer_size.check(box.width, box.height, pixel_bytes, _QT_BYTES)


def read_selection(selection: Any, box: Box) -> Picture:
    """A soft selection over a box, grey."""
    return Picture(box.height, box.width, 1, "uint8", memoryview(selection.pixelData(*box)))


def write(converter: ConversionDocument, node: Node, data: bytes, space: Space, box: Box) -> None:
    """Put the pixels of a box, in some colour space, into a layer."""
    pixels = converter.convert(QtCore.QByteArray(data), box, space, Space.of(node))
    node.setPixelData(pixels, *box)


def opaque(data: bytes, space: Space) -> bytes:
    """The pixels of a colour space that can be sent, without any transparency."""
    channels, dtype, _ = _FORMS[space[:2]]
    one, pixel_bytes = OPAQUE[dtype], channels * DTYPE_BYTES[dtype]
    filled = bytearray(data)
    for place, value in enumerate(one):
        plane = slice(pixel_bytes - len(one) + place, None, pixel_bytes)
        filled[plane] = bytes([value]) * (len(data) // pixel_bytes)
    return bytes(filled)


def move(node: Node, by: tuple[int, int]) -> None:
    """Move a layer so many px to the right and down, with all in it; that is no undo step."""
    parts = (part for part in (node, *below(node)) if part.type() != "grouplayer")
    for part in parts if any(by) else ():
        part.move(part.position().x() + by[0], part.position().y() + by[1])


def move_selection(selection: Any, by: tuple[int, int]) -> None:
    """Move a selection so many px to the right and down."""
    x, y = selection.x() + by[0], selection.y() + by[1]
    # What Krita is told is how far it is to be from where it was made.
    selection.move(0, 0)
    selection.move(x - selection.x(), y - selection.y())


def enlarge(preview: Picture, outer: Box, box: Box) -> bytes:
    """Of a smaller picture of the box `outer` the part in `box`, in SRGB."""
    opaque = preview.channels == 3 or not bytes(preview.data)[3::4].strip(b"\xff")
    formats = QtGui.QImage.Format
    # Qt is twice as fast where there is no alpha; the fourth byte is 255 all the same.
    form = formats.Format_RGB32 if opaque else formats.Format_ARGB32
    whole = to_image(preview).convertToFormat(form).scaled(
        outer.width, outer.height,
        transformMode=QtCore.Qt.TransformationMode.SmoothTransformation,
    )  # fmt: skip
    if outer != box:
        whole = whole.copy(box.x - outer.x, box.y - outer.y, box.width, box.height)
    # In memory that is blue, green, red, alpha: as Krita keeps them.
    return pixels_of(whole)


def to_image(picture: Picture) -> QtGui.QImage:
    """Qt's image of an 8-bit RGB or RGBA picture."""
    formats = QtGui.QImage.Format
    form = formats.Format_RGBA8888 if picture.channels == 4 else formats.Format_RGB888
    row_bytes = picture.width * picture.channels
    data = bytes(picture.data)
    # A copy, as Qt's image does not keep the bytes alive.
    return QtGui.QImage(data, picture.width, picture.height, row_bytes, form).copy()


def to_picture(image: QtGui.QImage) -> Picture:
    """The other way: 8-bit RGBA."""
    image = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    return Picture(image.height(), image.width(), 4, "uint8", pixels_of(image))


def pixels_of(image: QtGui.QImage) -> bytes:
    """The bytes of an image of four to a pixel."""
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    return bytes(bits)


def can_mask(document: Document) -> bool:
    """Whether this Krita lets a selection become a mask; it does since 5.2."""
    return hasattr(document, "createTransparencyMask")


def find_below(node: Node, unique_id: Any) -> Node | None:
    """The node of a unique id below another, at any depth.

    Krita 5.1 knows one too, but hands out a bare QObject.
    """
    return next((child for child in below(node) if child.uniqueId() == unique_id), None)


def below(node: Node) -> Iterator[Node]:
    """All nodes below another, at any depth."""
    for child in node.childNodes():
        yield child
        yield from below(child)


def with_those_above(node: Node, ids: Collection[Any]) -> list[Node]:
    """A node and those right above it whose unique ids are among these, from the bottom."""
    siblings = node.parentNode().childNodes()
    above = siblings[[sibling.uniqueId() for sibling in siblings].index(node.uniqueId()) + 1 :]
    return [node, *itertools.takewhile(lambda sibling: sibling.uniqueId() in ids, above)]


class ConversionDocument:
    """A document that nobody sees, for what would be undo steps in the painter's own.

    A single pixel, as layers reach beyond their image, and only made when it is needed.
    """

    def __init__(self, document: Document) -> None:
        self.space, self._resolution = Space.of(document), document.resolution()
        self._document: Document | None = None

    def convert(
        self, data: QtCore.QByteArray, box: Box, source: Space, target: Space
    ) -> QtCore.QByteArray:
        """Pixels from one colour space to another, by Krita. Raises HostUnsupported, TooLarge."""
        if source == target:
            return data
        check_size(box, target)
        if source[::2] == target[::2] and source.model in _LINEAR:
            # Only of another depth: with a curve Krita would bend the numbers, and back.
            linear = _LINEAR[source.model]
            source, target = source._replace(profile=linear), target._replace(profile=linear)
        node = self._open().createNode("Impasto", _OWN_PIXELS)
        # With a space that it does not know Krita does nothing, and says so here alone.
        known = node.setColorSpace(*source)
        node.setPixelData(data, *box)
        if not (known and node.setColorSpace(*target)):
            raise HostUnsupported(
                _("Krita cannot convert {model} {depth} to {model2}.").format(
                    model=source.model, depth=source.depth, model2=target.model
                ),
                next_step=_("Convert the image (Image ▸ Convert Image Color Space) and try again."),
            )
        return node.pixelData(*box)

    def sendable(self, space: Space) -> tuple[Space, ColourSpace]:
        """The space in which a layer's pixels go to the daemon, and its colours.

        Its own numbers, half floats as floats; in sRGB at least as deep what has other colours than
        three primaries and a curve make.
        """
        depth = space.depth if space.depth in ("U8", "U16") else "F32"
        own = space._replace(depth=depth)
        if own[:2] in _FORMS:
            colours = colour_space.SRGB if own.is_srgb else self._measure(own)
            if colours is not None:
                return own, colours
        return SRGB._replace(depth=depth), colour_space.SRGB

    def _measure(self, space: Space) -> ColourSpace | None:
        space = space._replace(depth="F32")
        grey = space.model == "GRAYA"

        def look(numbers: Sequence[colour_space.Colour]) -> list[colour_space.Colour]:
            row = Box(0, 0, len(numbers), 1)
            flat = [part for each in numbers for part in (*(each[:1] if grey else each), 1.0)]
            data = QtCore.QByteArray(array("f", flat).tobytes())
            seen = array("f", bytes(self.convert(data, row, space, _LINEAR_LIGHT)))
            return [(seen[at], seen[at + 1], seen[at + 2]) for at in range(0, len(seen), 4)]

        return (colour_space.measure_grey if grey else colour_space.measure)(look)

    def layer(self, selection: Any | None, mode: str) -> Node:
        """An empty layer of a blending mode, cut by a mask if there is a selection."""
        hidden = self._open()
        return copy_of(self._add_masked(hidden.rootNode(), None, selection), mode)

    def grouped(
        self, data: QtCore.QByteArray, box: Box, space: Space, selection: Any | None, mode: str
    ) -> Node:
        """A group of a blending mode: a layer of these pixels, and on top an empty one.

        The empty one is clipped to the other, and cut by a mask if there is a selection.
        """
        hidden = self._open()
        group = hidden.createGroupLayer("Impasto")
        hidden.rootNode().addChildNode(group, None)
        whole = hidden.createNode("Impasto", _OWN_PIXELS)
        group.addChildNode(whole, None)
        write(self, whole, data, space, box)
        self._add_masked(group, whole, selection).setInheritAlpha(True)
        return copy_of(group, mode)

    def together(self, name: str, nodes: Iterable[Node], mode: str) -> Node:
        """A group of a blending mode with these in it, from the bottom."""
        hidden = self._open()
        group = hidden.createGroupLayer(name)
        hidden.rootNode().addChildNode(group, None)
        last = None
        for node in nodes:
            group.addChildNode(node, last)
            last = node
        return copy_of(group, mode)

    def _add_masked(self, parent: Node, under: Node | None, selection: Any | None) -> Node:
        hidden = self._open()
        layer = hidden.createNode("Impasto", _OWN_PIXELS)
        parent.addChildNode(layer, under)
        if selection:
            mask = hidden.createTransparencyMask("Selection")
            # A selection of its own, as the document keeps the one it has given.
            mask.setSelection(selection.duplicate())
            layer.addChildNode(mask, None)
        return layer

    def close(self) -> None:
        """Throw it away."""
        if self._document:
            self._document.close()
            self._document = None

    @property
    def document(self) -> Document:
        """The document itself."""
        return self._open()

    def visible(self, name: str, size: tuple[int, int]) -> Document:
        """An empty document of the same colour space, in a view of its own."""
        document = self._make(name, size)
        for node in document.topLevelNodes():
            node.remove()
        Krita.instance().activeWindow().addView(document)
        return document

    def _open(self) -> Document:
        if self._document is None:
            self._document = self._make("Impasto", (1, 1))
        return self._document

    def _make(self, name: str, size: tuple[int, int]) -> Document:
        return Krita.instance().createDocument(*size, name, *self.space, self._resolution)


def copy_of(node: Node, mode: str) -> Node:
    """A copy of a blending mode; to give it one in the painter's document is an undo step."""
    if mode != node.blendingMode():
        node.setBlendingMode(mode)
    return node.duplicate()
