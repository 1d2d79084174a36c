"""One painting, from the layer that is selected to the layer that is added.

The canvas goes into the image with the first preview, as the one undo step; what is written into
it afterwards Krita does not record. When it is cancelled the canvas is taken out again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from krita import Krita

from impasto_protocol.client import new_job_id, result_in
from impasto_protocol.codec import Picture
from impasto_protocol.descriptions import describe_progress
from impasto_protocol.errors import Cancelled
from impasto_protocol.messages import JobMessage, Result, Stylise

from . import frames, layers, placement, recipe, seen
from .daemon_client import DaemonClient
from .qt import QtCore, QtGui, guarded
from .recipe import Recipe
from .subject import find_subject

_PREVIEW_PX, _THUMBNAIL_PX = 768, 96
_SETTLE_MS = 300
"""Krita does some things only when its event loop runs again: by then it has."""
_RETRY_MS = 100
_CHECK_MS = 250
_EASE = 3
"""So many times as long as a preview took to show does Krita have for itself afterwards."""


@dataclass(frozen=True)
class PaintingListener:
    """Who is told of a painting: of its progress, of its end, and of what went wrong."""

    on_progress: Callable[[str, float | None], None]
    on_done: Callable[[Painting, Result], None]
    on_failed: Callable[[Painting, Exception], None]


class Painting:
    """A painting. Raises HostUnsupported when the layer cannot be painted.

    While Krita converts pixels it runs its event loop, on which anything else here may be called:
    `_when_idle` sees to it that one thing at a time is done with Krita.
    """

    _canvases: ClassVar[list[Any]] = []
    """Unique ids of all that were inserted, so that the newest result comes to lie on top."""

    def __init__(self, daemon: DaemonClient, made: Recipe, listener: PaintingListener) -> None:
        self.recipe, self._daemon, self._listener = made, daemon, listener
        self.document = Krita.instance().activeDocument()
        self._source, self._selection, self._reach, self._box = find_subject(self.document)
        self._bounds = self.document.bounds()
        self._keyframe = self._keyframe_shown(self._source)
        self._space = layers.Space.of(self._source).sendable
        self._converter = layers.ConversionDocument(self.document)
        self.thumbnail: QtGui.QImage | None = None
        self._outer = layers.box_to_send(self.document, self._box, self._selection, made.margin_px)
        self._next = 0.0
        self._canvas_id: Any = None
        self._inserted_id: Any = None
        self._whole: placement.Whole | None = None
        self._cover: placement.Cover | None = None
        self._step: str | None = None
        self._busy = self._clean = self._over = self._sent = False
        self.job = new_job_id()
        # Of its own, as between two messages of the daemon much time may pass.
        self._timer = QtCore.QTimer()
        self._timer.timeout.connect(guarded(self._fail, self._check))

    @property
    def canvas(self) -> Any:
        """The layer that is painted on, while it is in the document.

        Looked up each time: a kept one may belong to an image that is gone.
        """
        return self._find(self._canvas_id)

    def _find(self, unique_id: Any) -> Any:
        if unique_id is None or not self.is_open:
            return None
        return layers.find_below(self.document.rootNode(), unique_id)

    @property
    def is_open(self) -> bool:
        """Whether its document is."""
        return any(document == self.document for document in Krita.instance().documents())

    def begin(self) -> None:
        """Send the layer to the daemon."""
        self._alone(guarded(self._fail, self._submit))

    def cancel(self) -> None:
        """Leave the document as it was."""
        self._cut_short(keep=False)

    def conclude(self) -> None:
        """End now, with the picture as it stands; before the daemon has it there is none."""
        self._cut_short(keep=True)

    def _cut_short(self, *, keep: bool) -> None:
        if self._sent and not self._over and self._daemon.state == "ready":
            self._daemon.cancel(self.job, keep=keep)
        elif not (keep and self._over):
            self._fail(Cancelled("The job was cancelled."))

    def abandon(self) -> None:
        """Leave the document as it was and tell nobody, as the window is gone."""
        self._listener = PaintingListener(*[lambda *_: None] * 3)
        self._fail(Cancelled("The window was closed."))

    def _submit(self) -> None:
        pictures = {}
        if self._selection is not None:
            pictures["selection"] = layers.read_selection(self._selection, self._outer)
        content = layers.read(
            self._converter, self._source, self._space, self._outer, self._look_at_source
        )
        if seen.is_empty(content, pictures.get("selection")):
            raise layers.nothing_selected() if pictures else layers.nothing_on(self._source)
        if pictures and self._must_stand_alone(content, pictures["selection"]):
            layers.check_size(self._reach, seen.pixel_bytes(content))
            data = self._look_at_source(self._reach)
            space = layers.Space.of(self._source)
            self._whole = placement.Whole(data, self._reach, space)
        message = Stylise(
            job=self.job,
            settings=self.recipe.settings,
            preset=self.recipe.style,
            preview_px=_PREVIEW_PX,
            cut=bool(pictures) and not layers.can_mask(self.document),
        )
        if not self._over:
            self._timer.start(_CHECK_MS)
            self._sent = True
            self._daemon.submit(message, {**pictures, "content": content}, self._hear, self._fail)

    def _look_at_source(self, box: layers.Box) -> QtCore.QByteArray:
        return seen.pixels(self._converter, self.document, self._source, box)

    def _must_stand_alone(self, content: Picture, selection: Picture) -> bool:
        """Whether a painted part can replace that of the layer only together with the rest."""
        blending = placement.Blending.of(self._source)
        return self.recipe.as_source and not (
            blending.covers and seen.is_opaque(content, selection)
        )

    # What the daemon says ---------------------------------------------------------------------

    def _hear(self, message: JobMessage, pictures: list[Picture]) -> None:
        if self._over:
            return
        try:
            if result := result_in(message):
                self._keep(result, pictures[0])
                return
            if pictures:
                self._show(pictures[0])
            self._listener.on_progress(*describe_progress(message))
        except Exception as error:
            self._fail(error)

    def _check(self) -> None:
        """Raises Cancelled when what is being painted is no longer there."""
        if not self.is_open:
            raise Cancelled("The document was closed.")
        if self.document.bounds() != self._bounds:
            raise Cancelled("The image got another size while it was being painted.")
        if self._canvas_id is None and self._source.parentNode() is None:
            raise Cancelled("The layer was removed.")
        if self._canvas_id is not None and self.canvas is None:
            raise Cancelled("The layer that was being painted was removed.")

    def _show(self, preview: Picture) -> None:
        began = time.monotonic()
        if began < self._next:
            return
        self._next = float("inf")
        data = layers.enlarge(preview, self._outer, self._box)

        def put(canvas: Any) -> None:
            if not self._over:
                self._write(canvas, data, layers.SRGB)
                self._next = (1 + _EASE) * time.monotonic() - _EASE * began

        # What Krita does with it comes in a turn of its own, so that neither is long.
        QtCore.QTimer.singleShot(0, lambda: self._with_canvas(put))

    def _keep(self, result: Result, painted: Picture) -> None:
        """Put the finished painting into the document, and then say so."""
        self._over = True
        x, y = self._box.x - self._outer.x, self._box.y - self._outer.y
        part = painted.crop(x, y, self._box.width, self._box.height)

        def finish(canvas: Any) -> None:
            self._write(canvas, bytes(part.data), self._space)
            for node in (canvas, self._find(self._inserted_id)):
                node.setName(self.recipe.layer_name)
            canvas.setLocked(False)
            # Krita does not know, and the painter may have saved it half painted.
            self.document.setModified(True)
            self.thumbnail = canvas.thumbnail(*_fitting(self._box))
            self.recipe = self.recipe.within(result.memory_mib)
            recipe.remember(self.recipe)
            self._let_go()
            self._listener.on_done(self, result)

        self._with_canvas(finish)

    def _fail(self, error: Exception) -> None:
        self._over = True
        self._timer.stop()
        self._daemon.cancel(self.job)
        self._when_idle(lambda: self._end(error))

    def _end(self, error: Exception) -> None:
        if self._source is None:  # it has ended already
            return
        self._let_go()
        if self._canvas_id is not None:
            # Qt does not keep the owner of a method alive, but it does keep a lambda.
            pause_ms = _SETTLE_MS if self._step is None else 0
            QtCore.QTimer.singleShot(pause_ms, lambda: self._when_idle(self._take_out))
        self._listener.on_failed(self, error)

    def _let_go(self) -> None:
        """Forget what only a painting under way needs; its layer may be large."""
        self._timer.stop()
        self._converter.close()
        self._source = self._selection = None

    # What is done to the document -------------------------------------------------------------

    def _when_idle(self, act: Callable[[], None]) -> None:
        """Do something to the document once Krita is at rest, and nothing else of this painting.

        While a pen is down, for one, Krita would wait for its end, and never hear of it.
        """
        if self._busy or not self._is_at_rest():
            QtCore.QTimer.singleShot(_RETRY_MS, lambda: self._when_idle(act))
        else:
            self._alone(act)

    def _alone(self, act: Callable[[], None]) -> None:
        self._busy = True
        try:
            act()
        finally:
            self._busy = False

    def _is_at_rest(self) -> bool:
        if not self.is_open:
            return True
        if at_rest := self.document.tryBarrierLock():
            self.document.unlock()
        return at_rest

    def _with_canvas(self, act: Callable[[Any], None]) -> None:
        """Do something with the canvas once it is in the document; the first time, put it in."""

        def look() -> None:
            if self._source is None:  # it has ended meanwhile
                return
            try:
                self._check()
                if self._keyframe_shown(self.canvas or self._source) != self._keyframe:
                    self._wait_for_frame(act)
                    return
                if self._canvas_id is None:
                    self._insert()
                act(self.canvas)
            except Exception as error:
                self._fail(error)

        self._when_idle(look)

    def _wait_for_frame(self, act: Callable[[Any], None]) -> None:
        """Krita writes into the frame that is shown, and to show another is an undo step."""
        if self._over:
            words = f"The painting is ready. Go back to frame {self._keyframe} to put it there."
            self._listener.on_progress(words, None)
        QtCore.QTimer.singleShot(_RETRY_MS, lambda: self._with_canvas(act))

    def _keyframe_shown(self, node: Any) -> int | None:
        return frames.keyframe_shown(self.document, node) if node.animated() else None

    def _insert(self) -> None:
        """Put the canvas right above the layer, as one undo step, its mask included."""
        self._clean = not self.document.modified()
        active = layers.active_node(self.document)
        pile = layers.with_those_above(self._source, self._canvases)
        made = self._make_canvas(pile[-1])
        pile[-1].parentNode().addChildNode(made, pile[-1])
        self._inserted_id = made.uniqueId()
        self._canvases.append(self._inserted_id)
        canvas = made.childNodes()[-1] if self._whole else made
        self._canvas_id = canvas.uniqueId()
        # Around what is selected the layer itself is to be seen.
        if self.recipe.as_source and (self._selection is None or self._whole):
            self._cover = placement.Cover(self.document, pile, self._inserted_id)
        # What the painter would do to it the next preview would do away with.
        canvas.setLocked(True)
        QtCore.QTimer.singleShot(_SETTLE_MS, lambda: self._settle(active))

    def _make_canvas(self, newest: Any) -> Any:
        """newest: the layer, or the last painting of it, which has other frames painted."""
        if self._source.animated():
            base = newest if newest.animated() and self.recipe.as_source else self._source
            canvas = frames.with_keyframe(
                self._converter, self.document, base, empty=not self.recipe.as_source
            )
            canvas.setVisible(True)
            return canvas
        blending = placement.Blending.of(self._source)
        if not self.recipe.as_source:
            blending = placement.Blending(inherits_alpha=blending.inherits_alpha)
        return placement.make_canvas(
            self.document, self._converter, blending, self._selection, self._whole
        )

    def _settle(self, active: Any) -> None:
        """After a while Krita has made the new layer the active one: give that back."""
        if not self.is_open:
            return
        self._step = self._next_undo()
        now = layers.active_node(self.document)
        if now and now.uniqueId() == self._inserted_id and active and active.parentNode():
            self.document.setActiveNode(active)

    def _write(self, canvas: Any, data: bytes, space: layers.Space) -> None:
        if self._whole and layers.can_mask(self.document):
            # The rest of the group gives it its transparency.
            data = layers.opaque(data, space)
        layers.write(self._converter, canvas, data, space, self._box)
        self.document.refreshProjection()

    def _take_out(self) -> None:
        """Undo the canvas if it is what Krita would undo; else remove it, which is a step too."""
        if self._cover:
            self._cover.lift()
        if self.canvas is None:
            return
        self.canvas.setLocked(False)  # or it would be when the painter wants it back by a redo
        if self._step and self._next_undo() == self._step:
            modified = self.document.modified()
            self._trigger("edit_undo")
            if self.canvas is None:
                # Unless the painter has saved it meanwhile, with the canvas in it.
                self.document.setModified(not (self._clean and modified))
                return
            # The painter has done something else of that name, which must stay.
            self._trigger("edit_redo")
        self._find(self._inserted_id).remove()
        self.document.refreshProjection()

    def _next_undo(self) -> str:
        """What Krita calls the step that it would undo here; empty while it would elsewhere."""
        in_front = Krita.instance().activeDocument() == self.document
        return Krita.instance().action("edit_undo").text() if in_front else ""

    def _trigger(self, action: str) -> None:
        Krita.instance().action(action).trigger()
        self.document.waitForDone()


def _fitting(box: layers.Box) -> tuple[int, int]:
    """Width and height of a thumbnail of what is in a box."""
    longest = QtCore.QSize(_THUMBNAIL_PX, _THUMBNAIL_PX)
    size = box.qt().size().scaled(longest, QtCore.Qt.AspectRatioMode.KeepAspectRatio)
    return max(1, size.width()), max(1, size.height())
