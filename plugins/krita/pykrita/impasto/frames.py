"""The frames of an animated layer: which is painted, and a layer with that as a keyframe."""

from __future__ import annotations

from typing import Any

from impasto_protocol.errors import HostUnsupported
from impasto_protocol.translations import _

from .layers import Box, ConversionDocument, Document, Node, below, copy_of
from .qt import QtCore
from .seen import is_unchanged


def check(node: Node, selection: Any | None) -> None:
    """Raises HostUnsupported when one painting would lie over several frames of a layer."""
    moving = next((part for part in (node, *below(node)) if _is_animated(part)), None)
    if moving is None:
        return
    if moving != node or node.type() != "paintlayer" or not is_unchanged(node):
        raise HostUnsupported(
            _(
                "“{name}” is animated, and a painting of what is seen here would lie over all "
                "its frames."
            ).format(name=moving.name()),
            next_step=_(
                "Select an animated paint layer that has no masks and no style, or copy the "
                "frame into a layer of its own."
            ),
        )
    if selection is not None:
        raise HostUnsupported(
            _("Of “{name}”, which is animated, only whole frames can be painted.").format(
                name=node.name()
            ),
            next_step=_("Select nothing, and press it again."),
        )


def keyframe_shown(document: Document, node: Node) -> int | None:
    """The time of the keyframe of a layer that is shown now; None where there is none."""
    times = range(document.currentTime(), -1, -1)
    return next((time for time in times if node.hasKeyframeAtTime(time)), None)


def with_keyframe(
    converter: ConversionDocument, document: Document, node: Node, mode: str, *, empty: bool
) -> Node:
    """A copy of an animated layer, of a blending mode: its keyframe shown now is to be painted on.

    empty: with nothing in its other frames.
    """
    if not empty and mode == node.blendingMode():
        return node.duplicate()
    last = document.fullClipRangeEndTime()
    shown = keyframe_shown(document, node)
    hidden = converter.document
    hidden.setFullClipRangeEndTime(last)
    hidden.rootNode().addChildNode(node.duplicate(), None)
    copy = next(child for child in hidden.rootNode().childNodes() if child.animated())
    for time in range(last + 1) if empty else ():
        if time != shown and copy.hasKeyframeAtTime(time):
            # In the painter's document that would be an undo step.
            hidden.setCurrentTime(time)
            hidden.waitForDone()
            box = Box.of(copy.bounds())
            size = len(copy.pixelData(box.x, box.y, 1, 1)) * box.width * box.height
            copy.setPixelData(QtCore.QByteArray(size, b"\0"), *box)
    return copy_of(copy, mode)


def _is_animated(node: Node) -> bool:
    copied = node.sourceNode() if hasattr(node, "sourceNode") else None
    return node.animated() or bool(copied and copied.animated())
