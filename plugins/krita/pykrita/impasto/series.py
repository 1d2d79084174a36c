"""Where paintings of one layer lie: on a layer of their own, or together in one group.

Those of one press of Stylise go into the image in one undo step, whatever there are of them:
variations, which are painted one after the other, and what each was after the steps to be kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from impasto_protocol.codec import Picture

from .layers import ConversionDocument, Document, Node, below, find_below, is_at_rest
from .placement import Blending, Cover


class Slot(NamedTuple):
    """Which of the variations, from 0, and after which step; 0: in the end."""

    number: int
    step: int = 0


class Series:
    """The places of paintings in a document. steps: after which each is kept as well.

    selection: what of the layer they are all of, as long as there may be more; None: all of it.
    masks: the masks and maps of them all, as each was when it was first wanted.
    """

    def __init__(self, variations: int = 1, steps: Sequence[int] = ()) -> None:
        self.is_varied, self.steps = variations > 1, sorted(set(steps))
        self._slots = [
            Slot(number, step) for number in range(variations) for step in (*self.steps, 0)
        ]
        self._places: dict[Slot, Any] = {}
        self._left_out: set[Any] = set()
        self._made: set[Any] = set()
        self._begun = itertools.count()
        self.painted: set[Slot] = set()
        self.inserted_id: Any = None
        self.selection: Any | None = None
        self.masks: dict[Any, Picture] = {}
        self.cover: Cover | None = None

    def begin(self) -> int:
        """Which of the variations is next."""
        return next(self._begun)

    @property
    def is_group(self) -> bool:
        """Whether they lie together in a group."""
        return len(self._slots) > 1

    def make(
        self,
        converter: ConversionDocument,
        name: str,
        blending: Blending,
        make: Callable[[Blending], Node],
    ) -> Node:
        """What goes into the document: what `make` gives for a blending, as often as needed.

        name: of the group, where there is one.
        """
        if not self.is_group:
            return make(blending)
        place = make(Blending(colour_label=blending.colour_label))
        place.setVisible(False)
        others = (place.duplicate() for _ in self._slots[1:])
        group = converter.together(name, (place, *others), blending.mode)
        blending.give(group)
        return group

    def inserted(self, made: Node) -> None:
        """It is in the document now."""
        self.inserted_id = made.uniqueId()
        self._made = {node.uniqueId() for node in (made, *below(made))}
        nodes = made.childNodes() if self.is_group else [made]
        self._places = {
            slot: node.uniqueId() for slot, node in zip(self._slots, nodes, strict=True)
        }

    def roots(self, document: Document) -> list[Node]:
        """All that went in: a layer or a group, or what was in it if the painter dissolved that."""
        there = [node for node in below(document.rootNode()) if node.uniqueId() in self._made]
        return [node for node in there if node.parentNode().uniqueId() not in self._made]

    def place(self, document: Document, slot: Slot) -> Node | None:
        """The layer of a painting, or the group that it is in with the rest of its layer."""
        return _find(document, self._places.get(slot))

    def layers(self, document: Document, number: int) -> list[Node]:
        """All that a variation was painted on, and the group."""
        found = (self.place(document, slot) for slot in self._slots if slot.number == number)
        return [node for node in (*found, _find(document, self.inserted_id)) if node]

    def kept(self, nodes: Sequence[Node]) -> list[Node]:
        """Those of its layers that are not left out."""
        ids = {self.inserted_id, *self._places.values()}
        return [node for node in nodes if node.uniqueId() in ids]

    def painted_in(self, document: Document) -> list[tuple[Slot, Node]]:
        """All that were painted and are there, from the bottom."""
        there = ((slot, self.place(document, slot)) for slot in self._slots if slot in self.painted)
        return [(slot, node) for slot, node in there if node]

    def show(self, document: Document, wanted: Slot | None) -> None:
        """Have one of them be seen alone, or none."""
        for slot in self._places:
            if node := self.place(document, slot):
                node.setVisible(slot == wanted)

    def finish(self, document: Document, number: int) -> None:
        """A variation is painted: what it was after steps that it did not reach is not kept."""
        self.painted.add(Slot(number))
        self.remove_unpainted(document, number)

    def let_go(self) -> None:
        """Forget what only further paintings of it would need."""
        self.selection = None
        self.masks.clear()

    def give_up(self, document: Document, number: int) -> None:
        """Leave a variation out, and all after it."""
        self.painted = {slot for slot in self.painted if slot.number < number}
        self.remove_unpainted(document)
        self.show(document, Slot(number - 1))

    def remove_unpainted(self, document: Document, number: int | None = None) -> None:
        """Leave no place that nothing was painted on. number: of that variation alone."""
        for slot in set(self._places) - self.painted:
            if number in (None, slot.number):
                self._left_out.add(self._places.pop(slot))
        self._remove_left_out(document)

    def tidy(self, document: Document) -> None:
        """Leave no such place that a redo has brought back."""
        if self._left_out and is_at_rest(document):
            self._remove_left_out(document)

    def _remove_left_out(self, document: Document) -> None:
        for unique_id in list(self._left_out):
            if node := _find(document, unique_id):
                self._left_out.remove(unique_id)
                node.remove()


def _find(document: Document, unique_id: Any) -> Node | None:
    return unique_id and find_below(document.rootNode(), unique_id)
