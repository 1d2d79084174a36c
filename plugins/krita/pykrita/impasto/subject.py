"""What is to be painted as the document stands: a layer, or what is selected of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import frames, layers, seen
from .layers import Box, Document, Node


class Subject(NamedTuple):
    """selection: a copy, or None for the whole layer. reach: where the layer may be on the canvas.

    box: what of that is selected.
    """

    layer: Node
    selection: Any | None
    reach: Box
    box: Box


def find_subject(document: Document | None) -> Subject:
    """What would be painted now. Raises HostUnsupported with one sentence why nothing can."""
    layer = layers.find_source(document)
    return subject_of(document, layer, seen.selection_over(document, layer))


def subject_of(document: Document, layer: Node, selection: Any | None) -> Subject:
    """What of a layer would be painted. Raises HostUnsupported as well."""
    frames.check(layer, selection)
    reach = seen.bounds(document, layer)
    return Subject(layer, selection, reach, layers.box_to_paint(layer, reach, selection))
