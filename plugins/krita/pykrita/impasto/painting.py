"""One painting, from the layer that is selected to the layer that is added.

The canvas goes into the image with the first preview, as the one undo step; what is written into
it afterwards Krita does not record. When it is cancelled the canvas is taken out again.

What becomes of the image meanwhile is looked at before anything is put into it: a layer that was
moved is followed, and a painting that no longer fits into its image gets one of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from krita import Krita

from impasto_protocol.chosen_style import ChosenStyle, in_message
from impasto_protocol.client import new_job_id, result_in
from impasto_protocol.codec import Picture
from impasto_protocol.descriptions import describe_progress, snapshot_name, variation_name
from impasto_protocol.errors import Cancelled
from impasto_protocol.messages import JobMessage, Result, Snapshot, Stylise
from impasto_protocol.translations import _

from . import frames, layer_recipes, layers, masks, placement, recipe, seen, style_files, thumbnails
from .daemon_client import DaemonClient
from .landmarks import Landmarks, Shift
from .qt import QtCore, QtGui, guarded
from .recipe import Recipe
from .series import Series, Slot
from .subject import Subject, find_subject, subject_of

_PREVIEW_PX, _THUMBNAIL_PX = 768, 512
_TAKEN_OUT = _("The layer that was being painted was removed.")
_SOURCE_GONE = _("Its layer was merged or removed meanwhile: the painting is the topmost layer.")
_UNLIKE = _(
    "The image or the layer was turned, scaled, distorted or painted over "
    "meanwhile: the painting is in an image of its own, as the layer was."
)
_SETTLE_MS = 300
"""Krita does some things only when its event loop runs again: by then it has."""
_RETRY_MS = 100
_PATIENCE = 10
"""So many times in a row Krita may be busy before that is said."""
_CHECK_MS = 250
_EASE = 3
"""So many times as long as a preview took to show does Krita have for itself afterwards."""


@dataclass(frozen=True)
class PaintingListener:
    """Who is told of a painting: of its progress, of its end, and of what went wrong."""

    on_progress: Callable[[str, float | None], None]
    on_done: Callable[[Painting, Result], None]
    on_failed: Callable[[Painting, Exception], None]


_NOBODY = PaintingListener(*[lambda *_: None] * 3)


class Painting:
    """The next painting of a series. Raises HostUnsupported when the layer cannot be painted.

    While Krita converts pixels it runs its event loop, on which anything else here may be called:
    `_when_idle` sees to it that one thing at a time is done with Krita.
    """

    _canvases: ClassVar[list[Any]] = []
    """Unique ids of all that were inserted, so that the newest result comes to lie on top."""

    def __init__(
        self, daemon: DaemonClient, made: Recipe, listener: PaintingListener, series: Series
    ) -> None:
        self.recipe, self._daemon, self._listener, self.series = made, daemon, listener, series
        self.document = Krita.instance().activeDocument()
        self.slot = Slot(series.begin())
        self._look_at(self._find_subject())
        self._space = layers.Space.of(self._source)
        self._converter = layers.ConversionDocument(self.document)
        self.thumbnail: QtGui.QImage | None = None
        self._next = 0.0
        self._source_id = self._source.uniqueId()
        self._canvas_id: Any = None
        self._whole: placement.Whole | None = None
        self._canvas_marks: Landmarks | None = None
        self._canvas: Any = None
        self._place: Any = None
        self._layers: list[Any] = []
        self._taken_out: Any = None
        self._known: list[Any] = []
        self._snapshots: dict[int, Picture] = {}
        self._fits = True
        self.notes: list[str] = []
        self._step: str | None = None
        self._busy = self._clean = self._over = self._sent = False
        self.job = new_job_id()
        # Of its own, as between two messages of the daemon much time may pass.
        self._timer = QtCore.QTimer()
        self._timer.timeout.connect(guarded(self._fail, self._check))

    def _find_subject(self) -> Subject:
        """Of the layer as it is what was selected when its series began."""
        if self.slot.number:
            layer, selection = layers.find_source(self.document), self.series.selection
            return subject_of(self.document, layer, selection and selection.duplicate())
        subject = find_subject(self.document)
        self.series.selection = subject.selection and subject.selection.duplicate()
        return subject

    def _look_at(self, subject: Subject) -> None:
        self._source, self._selection, self._reach, self._box = subject
        self._bounds = self.document.bounds()
        self._outer = layers.box_to_send(
            self.document, self._box, self._selection, self.recipe.margin_px
        )
        self._keyframe = self._keyframe_shown(self._source)

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
    def layer(self) -> Any:
        """The canvas, or the group that it is in with the rest of its layer."""
        return self.series.place(self.document, self.slot) if self.is_open else None

    @property
    def is_settled(self) -> bool:
        """Whether Krita has let go of the layer that it was put in: another one is active again."""
        return self._step is not None or not self.is_open

    def is_of(self, document: Any, layer: Any) -> bool:
        """Whether that layer of that document is what was painted."""
        return bool(layer) and document == self.document and layer.uniqueId() == self._source_id

    def in_series(self, side_px: int) -> list[tuple[Slot, str, QtGui.QImage]]:
        """All paintings of its series that are there: the name, and a small picture."""
        return [
            (slot, node.name(), thumbnails.of(node, self._box, side_px))
            for slot, node in self.series.painted_in(self.document)
        ]

    def show(self, slot: Slot | None) -> None:
        """Show a painting of its series alone, or instead of them what they were painted from."""
        self.series.show(self.document, slot)
        if self.series.cover:
            self.series.cover.set_lifted(slot is None)
        self.document.refreshProjection()

    @property
    def is_open(self) -> bool:
        """Whether its document is."""
        return layers.is_open(self.document)

    def begin(self) -> None:
        """Send the layer to the daemon."""
        self._when_idle(guarded(self._fail, self._submit))

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
            self._fail(Cancelled(_("The job was cancelled.")))

    def abandon(self) -> None:
        """Leave the document as it was and tell nobody, as the window is gone."""
        self._listener = _NOBODY
        self._fail(Cancelled(_("The window was closed.")))

    def end_series(self) -> None:
        """There will be no further variations: leave no places for them."""
        self.series.let_go()
        if self.is_open:
            self.series.remove_unpainted(self.document)

    def _submit(self) -> None:
        if self._over:
            return
        self._check()
        # What Krita was busy with when it was pressed may have moved it.
        self._look_at(subject_of(self.document, self._source, self._selection))
        self._source_marks = Landmarks(self.document, self._source, self._box)
        pictures = {}
        self._space, colours = self._converter.sendable(layers.Space.of(self._source))
        content = layers.read(
            self._converter, self._source, self._space, self._outer, self._look_at_source, colours
        )
        if self._selection is not None:
            pictures["selection"] = layers.read_selection(self._selection, self._outer)
        if seen.is_empty(content, pictures.get("selection")):
            raise layers.nothing_selected() if pictures else layers.nothing_on(self._source)
        if pictures and self._must_stand_alone(content, pictures["selection"]):
            layers.check_size(self._reach, layers.Space.of(self.document))
            data = self._look_at_source(self._reach)
            space = layers.Space.of(self._source)
            self._whole = placement.Whole(data, self._reach, space)
        named, masked = self._styles()
        message = Stylise(
            job=self.job,
            settings=self.recipe.settings,
            preview_px=_PREVIEW_PX,
            cut=bool(pictures) and not layers.can_mask(self.document),
            **named,
        )
        if self._over:
            return
        self._timer.start(_CHECK_MS)

        def send(more: dict[str, Any]) -> None:
            if not self._over:
                self._sent = True
                sent = {**pictures, **masked, **more, "content": content}
                self._daemon.submit(message, sent, self._hear, self._fail)

        self._with_map_file(send)

    def _with_map_file(self, send: Callable[[dict[str, Any]], None]) -> None:
        """Send also the style's map if it is a file, which takes its time to be read."""
        path, known = masks.file_of(self.recipe.places.style_map), self.series.masks

        def take(found: Picture) -> None:
            known[path] = found
            send({"style_map": [found]})

        if not path:
            send({})
        elif path in known:
            take(known[path])
        else:
            self._daemon.in_thread(partial(style_files.read_style, path), take, self._fail)

    def _styles(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the message says of the styles, and the masks by role. Raises HostUnsupported."""

        def look(key: str) -> Picture | None:
            return self._as_at_first(masks.read, key, self._outer) if key else None

        places = self.recipe.places
        chosen = [ChosenStyle(self.recipe.style, look(places.mask))]
        chosen += [style.chosen(style.name, look(style.mask)) for style in places.more]
        named, pictures = in_message(chosen)
        if strength := look(places.strength_mask):
            pictures["strength"] = [strength]
        for role, key in (("map", places.picture_map), ("style_map", places.style_map)):
            box = self._outer if role == "map" else None
            if key and not masks.file_of(key):
                pictures[role] = [self._as_at_first(masks.read_map, key, box)]
        return named, dict(pictures)

    def _as_at_first(
        self, read: Callable[..., Picture], key: str, box: layers.Box | None
    ) -> Picture:
        """A mask or a map as it was when its series began; of another size of layer, as it is."""
        wanted = read, key, box and box[2:]
        if wanted not in self.series.masks:
            self.series.masks[wanted] = read(self._converter, self.document, key, box)
        return self.series.masks[wanted]

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
            if isinstance(message, Snapshot):
                self._snapshots[message.step] = pictures[0]
                self._with_canvas(lambda _: self._write_snapshots())
                return
            if pictures:
                self._show(pictures[0])
            self._listener.on_progress(*describe_progress(message))
        except Exception as error:
            self._fail(error)

    def _check(self) -> None:
        """Raises Cancelled when the document is gone."""
        if not self.is_open:
            raise Cancelled(_("The document was closed."))
        if self._canvas_id is None or self._taken_out or self.canvas or not self._fits:
            return
        if self._find(self._source_id):
            self._withdraw()
        else:  # both have become part of another layer
            self._canvas_id = None

    def _withdraw(self) -> None:
        """The painter has taken the canvas out: it is finished, as a redo would bring it back."""
        self._timer.stop()
        self._taken_out = self._canvas
        self.series.painted.add(self.slot)
        self._show_what_is_left()
        listener, self._listener = self._listener, _NOBODY
        self._daemon.cancel(self.job, keep=True)
        listener.on_failed(self, Cancelled(_TAKEN_OUT))

    def _show_what_is_left(self) -> None:
        """What else was painted of its series, or else what that covers."""
        cover = self.series.cover
        if others := self.series.painted_in(self.document):
            self.series.show(self.document, others[-1][0])
            self.document.refreshProjection()
        elif cover:
            if self._find(self.series.inserted_id):
                # The canvas alone was deleted, out of its group.
                cover.painting_id = self._place.uniqueId()
            cover.uncover()

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

        def finish(canvas: Any) -> None:
            self._write(canvas, self._part(painted), self._space)
            self._release(canvas)
            self._write_snapshots()
            self.series.finish(self.document, self.slot.number)
            self.recipe = self.recipe.as_made(result)
            for node in (canvas, *self.series.kept(self._layers)):
                layer_recipes.keep(self.document, node, self.recipe)
            if self._taken_out:
                self._let_go()
                self.end_series()
                return
            # Krita does not know, and the painter may have saved it half painted.
            self.document.setModified(True)
            self.thumbnail = thumbnails.of(canvas, self._box, _THUMBNAIL_PX)
            recipe.remember(self.recipe)
            self._let_go()
            self._listener.on_done(self, result)

        self._with_canvas(finish, at_last=True)

    def _part(self, painted: Picture) -> bytes:
        x, y = self._box.x - self._outer.x, self._box.y - self._outer.y
        return bytes(painted.crop(x, y, self._box.width, self._box.height).data)

    def _write_snapshots(self) -> None:
        """Put what the painting was on the way into its places."""
        while self._snapshots:
            step, painted = self._snapshots.popitem()
            slot = Slot(self.slot.number, step)
            if place := self.series.place(self.document, slot):
                self._write_pixels(placement.painted_on(place), self._part(painted), self._space)
                place.setName(self._name(step))
                self.series.painted.add(slot)

    def _name(self, step: int = 0) -> str:
        name = self.recipe.layer_name
        if self.series.is_varied:
            name = variation_name(name, self.recipe.settings.seed)
        return snapshot_name(name, step) if self.series.steps else name

    def _release(self, canvas: Any) -> None:
        """Give it to the painter."""
        for node in (canvas, self._place):
            node.setName(self._name())
        canvas.setLocked(False)

    def _fail(self, error: Exception) -> None:
        self._over = True
        self._timer.stop()
        self._daemon.cancel(self.job)
        if self._busy or self._canvas_id is not None or self.slot.number:
            self._when_idle(lambda: self._end(error))
        else:  # nothing is to be taken out of the document
            self._end(error)

    def _end(self, error: Exception) -> None:
        if self._source is None:  # it has ended already
            return
        self._let_go()
        self.series.let_go()
        listener, self._listener = self._listener, _NOBODY
        if self._taken_out and self.is_open:
            self._release(self._taken_out)
            self.end_series()
        elif self._canvas_id is not None or self.slot.number:
            # Qt does not keep the owner of a method alive, but it does keep a lambda.
            pause_ms = _SETTLE_MS if self._step is None else 0
            take_out = guarded(partial(listener.on_failed, self), self._take_out)
            QtCore.QTimer.singleShot(pause_ms, lambda: self._when_idle(take_out))
        listener.on_failed(self, error)

    def _let_go(self) -> None:
        """Forget what only a painting under way needs; its layer may be large."""
        self._timer.stop()
        self._converter.close()
        self._source = self._selection = self._whole = None

    # What is done to the document -------------------------------------------------------------

    def _when_idle(self, act: Callable[[], None], refused: int = 0) -> None:
        """Do something to the document once Krita is at rest, and nothing else of this painting.

        While a pen is down, for one, Krita would wait for its end, and never hear of it.
        """
        if self._busy:
            QtCore.QTimer.singleShot(_RETRY_MS, lambda: self._when_idle(act))
        elif self.is_open and not layers.is_at_rest(self.document):
            # While it is painted something else is told.
            if refused >= _PATIENCE and (self._over or not self._sent):
                self._listener.on_progress(layers.BUSY, None)
            QtCore.QTimer.singleShot(_RETRY_MS, lambda: self._when_idle(act, refused + 1))
        else:
            if refused > _PATIENCE and not (self._over or self._sent):
                self._listener.on_progress(_("Starting"), None)
            self._alone(act)

    def _alone(self, act: Callable[[], None]) -> None:
        self._busy = True
        try:
            act()
        finally:
            self._busy = False

    def _with_canvas(self, act: Callable[[Any], None], *, at_last: bool = False) -> None:
        """Do something with the canvas, put in if it is not there; `at_last` wherever it may be."""

        def look() -> None:
            if self._source is None:  # it has ended meanwhile
                return
            try:
                self._check()
                if self._stays and self._is_at_another_frame():
                    self._wait_for_frame(act, at_last)
                    return
                if self._stays:
                    self._follow()
                if at_last or self._stays:
                    act(self._have_canvas())
            except Exception as error:
                self._fail(error)

        self._when_idle(look)

    @property
    def _stays(self) -> bool:
        """Whether the painting belongs into its image, as far as is known."""
        return self._fits and not self._taken_out

    def _is_at_another_frame(self) -> bool:
        node = self.canvas or self._find(self._source_id)
        return bool(node) and self._keyframe_shown(node) != self._keyframe

    def _wait_for_frame(self, act: Callable[[Any], None], at_last: bool) -> None:
        """Krita writes into the frame that is shown, and to show another is an undo step."""
        if self._over:
            words = _("The painting is ready. Go back to frame {frame} to put it there.").format(
                frame=self._keyframe
            )
            self._listener.on_progress(words, None)
        QtCore.QTimer.singleShot(_RETRY_MS, lambda: self._with_canvas(act, at_last=at_last))

    def _keyframe_shown(self, node: Any) -> int | None:
        return frames.keyframe_shown(self.document, node) if node.animated() else None

    def _have_canvas(self) -> Any:
        if self._taken_out:
            return self._taken_out
        if not self._fits:
            self._insert_elsewhere()
        elif self._canvas_id is None:
            self._insert()
        return self.canvas

    def _follow(self) -> None:
        """Move along with the layer, or find that its picture no longer fits into the image."""
        source = self._find(self._source_id)
        if not source and self._is_buried():
            self._remove_canvas()
        canvas = self.canvas
        by_canvas = by_source = self._source_marks.find(self.document, source) if source else None
        if canvas and self._canvas_marks:
            by_canvas = self._canvas_marks.find(self.document, canvas)
        elif not source and self.document.bounds() == self._bounds:
            by_canvas = (0, 0)
        if by_canvas is None:
            self._fits = False
            self._remove_canvas()
            return
        self._bounds = self.document.bounds()
        shift = by_source if by_source and any(by_source) else by_canvas
        if any(shift):
            self._move(shift)
            if source:
                self._source_marks = Landmarks(self.document, source, self._box)
            if canvas:
                further = shift[0] - by_canvas[0], shift[1] - by_canvas[1]
                for node in self.series.roots(self.document):
                    layers.move(node, further)
                self._canvas_marks = Landmarks(self.document, canvas, self._box)

    def _is_buried(self) -> bool:
        """Whether a merged layer lies on the canvas, which Krita leaves out as it is locked."""
        inserted = self._find(self.series.inserted_id)
        if not inserted:
            return False
        siblings = [node.uniqueId() for node in inserted.parentNode().childNodes()]
        above = siblings[siblings.index(self.series.inserted_id) :]
        return any(unique_id not in self._known for unique_id in above)

    def _remove_canvas(self) -> None:
        self._take_out()
        self._canvas_id = None

    def _move(self, shift: Shift) -> None:
        self._box, self._outer = self._box.moved(shift), self._outer.moved(shift)
        for selection in filter(None, (self._selection, self.series.selection)):
            layers.move_selection(selection, shift)
        if self._whole:
            self._whole = self._whole._replace(box=self._whole.box.moved(shift))

    def _insert(self) -> None:
        """Put the canvas right above the layer, as one undo step, its mask included.

        With all that its series needs; on top of all where the layer is gone. Raises Cancelled
        where the painter has taken the series out.
        """
        if self.layer:
            self._take_place()
            self._step = ""
            return
        if self.slot.number and self._find(self._source_id):
            if self.series.cover:
                self.series.cover.uncover()
            raise Cancelled(_TAKEN_OUT)
        self._clean = not self.document.modified()
        active = layers.active_node(self.document)
        if source := self._find(self._source_id):
            pile = layers.with_those_above(source, self._canvases)
            made = self._make_canvases(pile[-1])
            self._add(made, pile[-1].parentNode(), pile[-1])
            # Around what is selected the layer itself is to be seen.
            covers = self.recipe.as_source and (self._selection is None or self._whole)
            if covers or self.series.is_group:
                self.series.cover = placement.Cover(
                    self.document, pile if covers else (), self.series.inserted_id,
                    self.series.tidy,
                )  # fmt: skip
        else:
            self.notes.append(_SOURCE_GONE)
            self._add(self._make_plain_canvas(), self.document.rootNode(), None)
        QtCore.QTimer.singleShot(_SETTLE_MS, lambda: self._settle(active))

    def _make_canvases(self, newest: Any) -> Any:
        """newest: the layer, or the last painting of it, which has other frames painted."""
        blending = placement.Blending.of(self._source)
        if not self.recipe.as_source:
            blending = placement.Blending(inherits_alpha=blending.inherits_alpha)
        elif self._source.animated():
            # What is done to how it lies counts for all its frames.
            blending = placement.Blending.of(newest)
        make = partial(self._make_canvas, newest)
        return self.series.make(self._converter, self.recipe.layer_name, blending, make)

    def _make_canvas(self, newest: Any, blending: placement.Blending) -> Any:
        if self._source.animated():
            base = self._last_painted(newest) if self.recipe.as_source else self._source
            canvas = frames.with_keyframe(
                self._converter, self.document, base, blending.mode,
                empty=not self.recipe.as_source,
            )  # fmt: skip
            blending.give(canvas)
            canvas.setVisible(True)
            return canvas
        return placement.make_canvas(
            self.document, self._converter, blending, self._selection, self._whole
        )

    def _last_painted(self, newest: Any) -> Any:
        """The animated layer that is seen: the newest, or in a group the one that is shown."""
        shown = (node for node in newest.childNodes() if node.visible())
        return next((node for node in (newest, *shown) if node.animated()), self._source)

    def _make_plain_canvas(self) -> Any:
        """For a painting that does not lie above its layer; in a series of its own."""
        self._whole = None
        self.series = Series()
        self.slot = Slot(self.series.begin())
        return placement.make_canvas(
            self.document, self._converter, placement.Blending(), self._selection, None
        )

    def _add(self, made: Any, parent: Any, below: Any | None) -> None:
        parent.addChildNode(made, below)
        self.series.inserted(made)
        self._canvases.append(self.series.inserted_id)
        self._take_place()

    def _take_place(self) -> None:
        """Paint on the place that this one has in its series, and have it be seen."""
        self._place = self.layer
        self._layers = self.series.layers(self.document, self.slot.number)
        self._canvas = placement.painted_on(self._place)
        self._canvas_id, self._canvas_marks = self._canvas.uniqueId(), None
        self._known = [node.uniqueId() for node in layers.below(self.document.rootNode())]
        self.series.show(self.document, self.slot)
        # What the painter would do to it the next preview would do away with.
        self._canvas.setLocked(True)

    def _insert_elsewhere(self) -> None:
        """Put the canvas into an image of its own, as large as its own was."""
        size = self._bounds.width(), self._bounds.height()
        self.document = self._converter.visible(self.recipe.layer_name, size)
        self.notes.append(_UNLIKE)
        self._add(self._make_plain_canvas(), self.document.rootNode(), None)
        self._step = ""

    def _settle(self, active: Any) -> None:
        """After a while Krita has made the new layer the active one: give that back."""
        if not self.is_open:
            return
        self._step = self._next_undo()
        now = layers.active_node(self.document)
        if now and now.uniqueId() == self.series.inserted_id and active and active.parentNode():
            self.document.setActiveNode(active)

    def _write(self, canvas: Any, data: bytes, space: layers.Space) -> None:
        self._write_pixels(canvas, data, space)
        if not self._taken_out:
            self.document.refreshProjection()
            self._canvas_marks = Landmarks(self.document, canvas, self._box)

    def _write_pixels(self, canvas: Any, data: bytes, space: layers.Space) -> None:
        if self._whole and layers.can_mask(self.document):
            # The rest of the group gives it its transparency.
            data = layers.opaque(data, space)
        layers.write(self._converter, canvas, data, space, self._box)

    def _take_out(self) -> None:
        """Leave the image as if it had not been painted; a redo may still bring the canvas back."""
        if not self.is_open:
            return
        if self.slot.number:
            self.series.give_up(self.document, self.slot.number)
            self.document.refreshProjection()
            return
        modified, undone = self.document.modified(), False
        if self.canvas:
            self._release(self.canvas)  # or it would come back locked by a redo
            undone = self._undo_canvas()
            if not undone:
                for node in self.series.roots(self.document):
                    node.remove()
                self.document.refreshProjection()
        if self.series.cover:
            self.series.cover.uncover()
        self.series.painted.add(self.slot)
        self.series.remove_unpainted(self.document)
        if undone:
            # Unless the painter has saved it meanwhile, with the canvas in it.
            self.document.setModified(not (self._clean and modified))

    def _undo_canvas(self) -> bool:
        """Undo it if it is what Krita would undo; whether it was."""
        if not self._step or self._next_undo() != self._step:
            return False
        self._trigger("edit_undo")
        if self.canvas:
            # The painter has done something else of that name, which must stay.
            self._trigger("edit_redo")
            return False
        return True

    def _next_undo(self) -> str:
        """What Krita calls the step that it would undo here; empty while it would elsewhere."""
        in_front = Krita.instance().activeDocument() == self.document
        return Krita.instance().action("edit_undo").text() if in_front else ""

    def _trigger(self, action: str) -> None:
        self.document.waitForDone()  # Krita leaves out an undo while it is busy
        Krita.instance().action(action).trigger()
        self.document.waitForDone()
