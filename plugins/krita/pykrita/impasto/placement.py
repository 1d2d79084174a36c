"""How a painting lies in the image: as the layer lies that it was painted from, and covers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from krita import Krita

from .layers import Box, ConversionDocument, Document, Node, Space, below, can_mask, is_open
from .qt import QtCore, guarded
from .seen import passes_through

_LOOK_MS = 100
_OPAQUE = 255


@dataclass(frozen=True)
class Blending:
    """How a layer is put onto what is below it. opacity: of 255."""

    mode: str = "normal"
    opacity: int = _OPAQUE
    colour_label: int = 0
    inherits_alpha: bool = False

    @classmethod
    def of(cls, node: Node) -> Blending:
        """That of a layer; a group that is passed through gives its opacity to its layers."""
        if passes_through(node):
            return cls(colour_label=node.colorLabel())
        return cls(node.blendingMode(), node.opacity(), node.colorLabel(), node.inheritAlpha())

    @property
    def covers(self) -> bool:
        """Whether nothing is seen of a layer under an opaque one of its own kind."""
        return self.mode == "normal" and self.opacity == _OPAQUE

    def give(self, node: Node) -> None:
        """All but the mode, which would be an undo step."""
        node.setOpacity(self.opacity)
        node.setColorLabel(self.colour_label)
        node.setInheritAlpha(self.inherits_alpha)


class Whole(NamedTuple):
    """What can be seen of a layer of which only a part is painted, in some colour space."""

    data: QtCore.QByteArray
    box: Box
    space: Space


def make_canvas(
    document: Document,
    converter: ConversionDocument,
    blending: Blending,
    selection: Any | None,
    whole: Whole | None,
) -> Node:
    """An empty layer to paint on, or a group with it on top: not yet in the document.

    selection: becomes its mask, where Krita has such. whole: lies below it in a group.
    """
    masked = selection if can_mask(document) else None
    if whole:
        node = converter.grouped(whole.data, whole.box, whole.space, masked, blending.mode)
    elif masked or blending.mode != "normal":
        node = converter.layer(masked, blending.mode)
    else:
        node = document.createNode("Impasto", "paintlayer")
    blending.give(node)
    return node


def painted_on(made: Node) -> Node:
    """The layer of what `make_canvas` has made that is painted on."""
    return made.childNodes()[-1] if made.type() == "grouplayer" else made


class Cover:
    """Layers that are hidden while the painting that covers them is in the document.

    Krita makes no undo step of a layer's visibility: so they are shown again when the painting is
    undone, and hidden when it is redone.

    tidy: is done now and then while the painting is there, and no redo would be lost by it.
    """

    _all: ClassVar[list[Cover]] = []
    _timer: ClassVar[QtCore.QTimer | None] = None

    def __init__(
        self,
        document: Document,
        covered: Sequence[Node],
        painting_id: Any,
        tidy: Callable[[Document], None],
    ) -> None:
        self._document, self.painting_id = document, painting_id
        self._tidy = tidy
        self._ids = [node.uniqueId() for node in covered if node.visible()]
        self._hides = self._is_lifted = False
        self._nothing_to_redo: str | None = None
        self._set_visible(False, _nodes(document))
        self._all.append(self)
        self._watch()

    def uncover(self) -> None:
        """Show them while the painting is away."""
        if self._ids and self._hides and is_open(self._document):
            self._set_visible(True, _nodes(self._document))
            self._document.refreshProjection()

    def set_lifted(self, lifted: bool) -> None:
        """Show them instead of the painting, which the painter hides, or no longer."""
        self._is_lifted = lifted
        if self in self._all and is_open(self._document):
            self._set_visible(lifted, _nodes(self._document))

    @classmethod
    def _watch(cls) -> None:
        if cls._timer is None:
            cls._timer = QtCore.QTimer()
            cls._timer.timeout.connect(guarded(lambda _: None, cls._look_at_all))
        cls._timer.start(_LOOK_MS)

    @classmethod
    def _look_at_all(cls) -> None:
        cls._all[:] = [cover for cover in cls._all if is_open(cover._document)]
        front = Krita.instance().activeDocument()
        covers = [cover for cover in cls._all if cover._document == front]
        if covers:
            nodes = _nodes(front)
            for cover in covers:
                cover._look(nodes)
        if not cls._all and cls._timer:
            cls._timer.stop()

    def _look(self, nodes: dict[Any, Node]) -> None:
        redo = Krita.instance().action("edit_redo").text()
        if self._nothing_to_redo is None:
            # The painting has just been added, which leaves nothing to redo.
            self._nothing_to_redo = redo
        is_there, can_redo = self.painting_id in nodes, redo != self._nothing_to_redo
        if is_there and not can_redo:
            self._tidy(self._document)
        if self._is_lifted or not self._ids:
            return
        # A painting that was merged or deleted covers them still.
        if is_there != self._hides and (is_there or can_redo):
            self._set_visible(not is_there, nodes)
            self._document.refreshProjection()

    def _set_visible(self, visible: bool, nodes: dict[Any, Node]) -> None:
        self._hides = not visible
        for unique_id in self._ids:
            if unique_id in nodes:
                nodes[unique_id].setVisible(visible)


def _nodes(document: Document) -> dict[Any, Node]:
    return {node.uniqueId(): node for node in below(document.rootNode())}
