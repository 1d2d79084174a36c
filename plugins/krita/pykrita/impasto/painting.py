"""One painting, from the layer that is selected to the layer that is added.

The canvas goes into the image with the first preview, as the one undo step; what is written into
it afterwards Krita does not record. When it is cancelled the canvas is taken out again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from krita import Krita

from impasto_protocol.client import new_job_id, result_in
from impasto_protocol.codec import Picture
from impasto_protocol.errors import Cancelled
from impasto_protocol.messages import JobMessage, Result, Stylise
from impasto_protocol.words import describe_progress

from . import layers, recipe
from .link import Link
from .qt import QtCore
from .recipe import Recipe

_PREVIEW_PX = 768
_SETTLE_MS = 300
"""Krita does some things only when its event loop runs again: by then it has."""
_EASE = 3
"""So many times as long as a preview took to show does Krita have for itself afterwards."""


@dataclass(frozen=True)
class Watcher:
    """Who is told of a painting: of its progress, of its end, and of what went wrong."""

    on_progress: Callable[[str, float | None], None]
    on_done: Callable[[Painting, Result], None]
    on_failed: Callable[[Painting, Exception], None]


class Painting:
    """A painting under way. Raises HostUnsupported when the layer cannot be painted."""

    def __init__(self, link: Link, made: Recipe, watcher: Watcher) -> None:
        self.recipe, self._link, self._watcher = made, link, watcher
        self.document = Krita.instance().activeDocument()
        self.source = layers.find_source(self.document)
        self._clean = not self.document.modified()
        # A copy: the painter may select something else while the layer is being painted.
        selection = self.document.selection()
        self._selection = selection.duplicate() if selection else None
        self._box = layers.box_to_paint(self.document, self.source, self._selection)
        self._space = layers.Space.of(self.source).sendable
        self.canvas: Any = None
        self.thumbnail: Picture | None = None
        self._outer, self._next = self._box, 0.0
        self._over = self._there = False
        self.job = new_job_id()
        self._begin()

    def cancel(self) -> None:
        """Leave the document as it was."""
        self._link.cancel(self.job)

    def conclude(self) -> None:
        """End now, with the picture as it stands."""
        self._link.cancel(self.job, keep=True)

    def _begin(self) -> None:
        pictures = {}
        if self._selection is not None:
            whole = layers.Box.of(self.document.bounds())
            self._outer = self._box.grown(self.recipe.margin_px).within(whole)
            pictures["selection"] = layers.read_selection(self._selection, self._outer)
        pictures["content"] = layers.read(self.document, self.source, self._outer)
        message = Stylise(
            job=self.job,
            settings=self.recipe.settings,
            preset=self.recipe.style,
            preview_px=_PREVIEW_PX,
            cut=bool(pictures.get("selection")) and not layers.can_mask(self.document),
        )
        self._link.submit(message, pictures, self._hear, self._fail)

    def _hear(self, message: JobMessage, pictures: list[Picture]) -> None:
        if self._over:
            return
        try:
            result = result_in(message)
            self._check()
            if result:
                self._finish(result, pictures[0])
            else:
                if pictures:
                    self._show(pictures[0])
                self._watcher.on_progress(*describe_progress(message))
        except Exception as error:
            self._fail(error)

    def _check(self) -> None:
        """Raises Cancelled when what is being painted is no longer there."""
        if not self._document_open:
            raise Cancelled("The document was closed.")
        if self.canvas is not None:
            # Krita may take its time to put it in.
            was_there, self._there = self._there, self.canvas.parentNode() is not None
            if was_there and not self._there:
                raise Cancelled("The layer that was being painted was removed.")
        elif self.source.parentNode() is None:
            raise Cancelled("The layer was removed.")

    @property
    def _document_open(self) -> bool:
        return any(open_one == self.document for open_one in Krita.instance().documents())

    def _show(self, preview: Picture) -> None:
        self.thumbnail = preview
        began = time.monotonic()
        if began < self._next:
            return
        self._next = float("inf")
        data = layers.enlarge(preview, self._outer, self._box)
        # What Krita does with it comes in a turn of its own, so that neither is long.
        QtCore.QTimer.singleShot(0, lambda: self._put(data, began))

    def _put(self, data: bytes, began: float) -> None:
        try:
            if self._over:
                return
            self._check()
            self._insert()
            layers.write(self.document, self.canvas, data, layers.SRGB, self._box)
            self.document.refreshProjection()
            ended = time.monotonic()
            self._next = ended + _EASE * (ended - began)
        except Exception as error:
            self._fail(error)

    def _insert(self) -> None:
        if self.canvas is None:
            active = self.document.activeNode()
            masked = self._selection if layers.can_mask(self.document) else None
            self.canvas = layers.insert_canvas(self.document, self.source, masked)
            self._activate_later(active)

    def _activate_later(self, node: Any) -> None:
        """Krita makes a new layer the active one, but only after a while."""
        QtCore.QTimer.singleShot(_SETTLE_MS, lambda: self.document.setActiveNode(node))

    def _finish(self, result: Result, painted: Picture) -> None:
        self._over = True
        self._insert()
        x, y = self._box.x - self._outer.x, self._box.y - self._outer.y
        part = painted.crop(x, y, self._box.width, self._box.height)
        layers.write(self.document, self.canvas, bytes(part.data), self._space, self._box)
        self.canvas.setName(self.recipe.layer_name)
        self.document.refreshProjection()
        self._activate_later(self.canvas)
        recipe.remember(self.recipe)
        self._watcher.on_done(self, result)

    def _fail(self, error: Exception) -> None:
        self._link.cancel(self.job)
        self._over = True
        if self.canvas is not None:
            # Qt does not keep the owner of a method alive, but it does keep a lambda.
            pause_ms = 0 if self._there else _SETTLE_MS
            QtCore.QTimer.singleShot(pause_ms, lambda: self._take_out())
        self._watcher.on_failed(self, error)

    def _take_out(self) -> None:
        """Undo the canvas if it is what Krita would undo; else remove it, which is a step too."""
        if not self._document_open or self.canvas.parentNode() is None:
            return
        if Krita.instance().activeDocument() == self.document:
            self._trigger("edit_undo")
            if self.canvas.parentNode() is None:
                self.document.setModified(not self._clean)
                return
            # The painter has done something else meanwhile, which must stay.
            self._trigger("edit_redo")
        self.canvas.remove()
        self.document.refreshProjection()

    def _trigger(self, action: str) -> None:
        Krita.instance().action(action).trigger()
        self.document.waitForDone()
