"""One job, in a process of its own: pixels to the daemon, previews and the painting back.

It writes into the painting and the canvas that it was given and changes nothing else, so that it
can be killed at any moment: GIMP does that when its progress bar is cancelled, and the daemon then
ends the job too. The canvas shows previews, in the image where anything may happen to it.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import job_style
import layers
import masks
import style_sources
import thumbnails
from form import Form
from gi.repository import Gegl, Gimp
from job_style import JobStyle
from layer_recipes import STYLE
from recipe import Recipe, more_with_hashes

from impasto_protocol.chosen_style import ChosenStyle, in_message
from impasto_protocol.client import Client, Job, new_job_id, result_in
from impasto_protocol.codec import Picture
from impasto_protocol.descriptions import describe_progress
from impasto_protocol.errors import BadMessage, Cancelled, ImpastoError
from impasto_protocol.fields import from_dict, to_dict
from impasto_protocol.messages import (
    JobMessage,
    PresetGet,
    Presets,
    PresetSave,
    Progress,
    Result,
    Snapshot,
    Stylise,
)
from impasto_protocol.settings import Settings
from impasto_protocol.translations import _

_PREVIEW_PX = 768
_TICK_S = 0.05
_LOOK_S = 0.5


def run(config: Gimp.ProcedureConfig) -> str:
    """Do what the recipe in a configuration says; what came of it, or the error, as JSON."""
    try:
        return json.dumps(_run(config))
    except ImpastoError as error:
        told = {"code": error.code, "message": str(error), "next_step": error.next_step}
    except Exception as error:
        traceback.print_exc()
        told = {
            "code": "INTERNAL",
            "message": _("Something went wrong inside Impasto ({name}: {error}).").format(
                name=type(error).__name__, error=error
            ),
            "next_step": _("Nothing was changed. Try once more; if it happens again, report it."),
        }
    return json.dumps({"error": told})


def _run(config: Gimp.ProcedureConfig) -> dict[str, Any]:
    Gegl.init(None)  # GIMP readies GEGL's buffers for a plug-in, but not formats and operations
    recipe = json.loads(config.get_property("recipe"))
    # Read first: until there is a daemon, anything may become of the image.
    content = None if "save" in recipe else _Content(recipe)
    progress = _Progress(
        place=recipe.get("place", ""),
        whose=recipe.get("whose", ""),
        image=content.image if content else None,
        interactive=config.get_property("interactive"),
    )
    try:
        with _connect(progress) as client:
            if content:
                return _stylise(client, content, recipe, progress)
            return _save(client, recipe, progress)
    finally:
        progress.close()


class _Content:
    """What is painted: its pixels, as they are now, and where a painting and previews of it go."""

    def __init__(self, recipe: Recipe) -> None:
        image = Gimp.Image.get_by_id(recipe["image"])
        source, canvas, painting = (
            Gimp.Item.get_by_id(recipe[role]) if role in recipe else None
            for role in ("source", "canvas", "painting")
        )
        if not (
            image and isinstance(source, Gimp.Drawable) and isinstance(painting, Gimp.Layer)
        ):  # fmt: skip
            raise Cancelled(_("The image was closed."))
        self.image, self.painting, self._copies = image, painting, recipe["copies"]
        self.inner = layers.Box(*recipe["box"])
        # The selection, where there is one.
        cut, margin = painting.get_mask() if recipe["cut"] else None, recipe["context-margin"]
        self.outer = layers.box_to_send(source, self.inner, margin, selected=bool(cut))
        self.form = Form.of(source)
        self.pictures = {"content": layers.read(source, self.outer, self.form)}
        if cut:
            self.pictures["selection"] = layers.read_mask(cut, self.inner, self.outer)
        self._read_masks(source, recipe)
        self._snapshots, self.kept = dict(recipe["snapshots"]), list[int]()
        self.previews = None
        if isinstance(canvas, Gimp.Layer):
            self.previews = _Previews(canvas, self.outer, self.inner)

    def write(self, layer: Gimp.Layer, painted: Picture) -> None:
        """Put what was painted into a layer as large as the painting."""
        layers.write(layer, painted, self.outer, self.inner, self.form)

    def take(self, message: JobMessage, pictures: Sequence[Picture]) -> None:
        """Put a snapshot into its layer, and show a preview."""
        if isinstance(message, Snapshot):
            layer = Gimp.Item.get_by_id(self._snapshots.get(message.step, -1))
            if isinstance(layer, Gimp.Layer):
                self.write(layer, pictures[0])
                self.kept.append(message.step)
        elif pictures and self.previews:
            self.previews.show(pictures[0])

    def _read_masks(self, source: Gimp.Drawable, recipe: Recipe) -> None:
        """Where the first style, and each of the others, goes; and how much is painted where."""

        def read(key: str) -> Picture:
            return masks.read(self._copy(key), source, self.outer)

        self.more = more_with_hashes(recipe)
        self.masks = [
            read(key) if key else None
            for key in (recipe["mask"], *(style.mask for style, _hash in self.more))
        ]
        if recipe["map"]:
            painted_like = self._copy(recipe["map"])
            self.pictures["map"] = masks.read_colours(painted_like, source, self.outer)
            self.pictures["style_map"] = style_sources.of_key(recipe["style-map"], self._layer)
        if recipe["strength-mask"]:
            self.pictures["strength"] = read(recipe["strength-mask"])

    def _copy(self, key: str) -> Gimp.Drawable:
        """The copy of what a key such as `layer:Doodle` names."""
        copy = Gimp.Item.get_by_id(self._copies[key])
        if not isinstance(copy, Gimp.Drawable):
            raise Cancelled(_("The image was closed."))
        return copy

    def _layer(self, name: str) -> Gimp.Drawable | None:
        """The copy of the layer of that name, if there was one."""
        key = f"layer:{name}"
        return self._copy(key) if key in self._copies else None

    def styles(self, client: Client, first: JobStyle) -> list[ChosenStyle]:
        """All styles of it. Raises StyleUnreadable or UnknownPreset."""
        chosen = [ChosenStyle(first.given, self.masks[0])]
        for (style, wanted), mask in zip(self.more, self.masks[1:], strict=True):
            source = style_sources.of_more(style, self._layer)
            chosen.append(style.chosen(job_style.find_named(client, source, wanted).given, mask))
        return chosen


def _stylise(
    client: Client, content: _Content, recipe: Recipe, progress: _Progress
) -> dict[str, Any]:
    progress.check()
    settings = from_dict(Settings, recipe["settings"])
    style = job_style.find(client, recipe, content.painting.get_parasite(STYLE))
    if "over-preset" in recipe:
        answer = client.ask(PresetGet(name=style.preset, thumbnail_only=True))[0]
        if not isinstance(answer, Presets):
            raise BadMessage(_("The daemon's answer was not a style."))
        own = to_dict(answer.presets[0].settings)
        settings = from_dict(Settings, own | recipe["over-preset"])
    named, of_styles = in_message(content.styles(client, style))
    message = Stylise(
        job=new_job_id(),
        settings=settings,
        preview_px=_PREVIEW_PX if content.previews else 0,
        **named,
    )
    pictures: dict[str, Picture | Sequence[Picture]] = {**content.pictures, **of_styles}

    job = client.submit(message, pictures)
    result, (painted,) = _follow(client, job, progress, content.take)
    progress.check()
    content.write(content.painting, painted)
    if not style.is_kept:
        job_style.keep(client, style, result.style, content.painting)
    return {
        "steps": result.steps,
        "seconds": result.seconds,
        "notes": list(filter(None, [style.note, *result.notes])),
        # With the memory it was planned for, Again gives the same bytes.
        "settings": to_dict(replace(settings, memory_mib=result.memory_mib)),
        "style-hash": result.style,
        "more-hashes": result.styles,
        "snapshots": content.kept,
        "concluded": progress.wanted == "conclude",
    }


def _save(client: Client, recipe: Recipe, progress: _Progress) -> dict[str, Any]:
    message = PresetSave(
        job=new_job_id(),
        name=recipe["save"],
        settings=from_dict(Settings, recipe["settings"]),
        replace=recipe["replace"],
        keep=False,
    )
    job = client.submit(message, {"style": style_sources.read(recipe["style"])})
    result, _ = _follow(client, job, progress, lambda message, pictures: None)
    return {"seconds": result.seconds, "notes": list(result.notes)}


def _follow(
    client: Client,
    job: Job,
    progress: _Progress,
    take: Callable[[JobMessage, Sequence[Picture]], None],
) -> tuple[Result, Sequence[Picture]]:
    """Wait for a job's end: its result and the pictures. Raises what it ended with instead.

    take: gets every other message and its pictures.
    """
    asked = None
    while True:
        client.wait(_TICK_S)
        client.pump()
        for message, pictures in job.poll():
            if result := result_in(message):
                return result, pictures
            take(message, pictures)
            if isinstance(message, Progress):
                progress.follow(message)
            if not isinstance(message, Snapshot):
                progress.show(*describe_progress(message))
        if progress.wanted != asked:
            asked = progress.wanted
            job.cancel(keep=asked == "conclude")
        progress.tick()


def _connect(progress: _Progress) -> Client:
    """A client of the daemon, which is started when none runs; the window lives meanwhile."""
    found: list[Client | Exception] = []

    def connect() -> None:
        try:
            found.append(Client.connect(name="GIMP"))
        except Exception as error:
            found.append(error)

    progress.show(_("Waiting for Impasto to start"), None)
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_TICK_S)
        progress.tick()
        if progress.wanted == "cancel":
            raise Cancelled(_("Painting was cancelled."))
    (outcome,) = found
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


class _Previews:
    """Puts previews into the canvas, and no more of them than GIMP can take in at its ease."""

    def __init__(self, canvas: Gimp.Layer, outer: layers.Box, inner: layers.Box) -> None:
        self._canvas, self._outer, self._inner = canvas, outer, inner
        self._next = 0.0

    def show(self, preview: Picture) -> None:
        began = time.monotonic()
        if began < self._next:
            return
        # GIMP gives nothing for what goes in the midst of it.
        with contextlib.suppress(AttributeError, TypeError):
            data = thumbnails.enlarged(preview, self._outer, self._inner)
            # At once, and last: GIMP ends the process that writes into a layer that it is turning.
            layers.show_preview(self._canvas, data, self._inner)
        ended = time.monotonic()
        self._next = ended + 3 * (ended - began)


class _Progress:
    """GIMP's own progress bar and, where windows may be shown, a window beside it.

    place: which of several layers is painted, or nothing. whose: whose recipe is repeated, if any.
    image: the one that is painted, if any; what it has become can be kept before the job's end, and
    when it is closed, `tick` and `check` raise Cancelled.
    wanted: None, or what was asked for there: "conclude" or "cancel".
    """

    def __init__(
        self, *, place: str, whose: str, image: Gimp.Image | None, interactive: bool
    ) -> None:
        self._prefix = f"{place}: " if place else ""
        Gimp.progress_init("Impasto")
        self._image, self._looked = image, 0.0
        self._window = None
        if interactive:
            from progress_window import ProgressWindow

            self._window = ProgressWindow(whose, can_conclude=image is not None)

    @property
    def wanted(self) -> Literal["conclude", "cancel"] | None:
        return self._window.wanted if self._window else None

    def follow(self, message: Progress) -> None:
        """Know whether there is a picture already."""
        if self._window:
            self._window.begun = message.phase == "painting" and message.step > 0

    def show(self, words: str, share: float | None) -> None:
        words = self._prefix + words
        Gimp.progress_set_text(f"Impasto: {words}")
        if share is None:
            Gimp.progress_pulse()
        else:
            Gimp.progress_update(share)
        if self._window:
            self._window.show(words, share)

    def tick(self) -> None:
        if self._window:
            self._window.tick()
        now = time.monotonic()
        if now - self._looked > _LOOK_S:
            self._looked = now
            self.check()

    def check(self) -> None:
        """Raise Cancelled where the image has been closed."""
        if self._image and not self._image.is_valid():
            raise Cancelled(_("The image that was being painted was closed."))

    def close(self) -> None:
        with contextlib.suppress(Exception):
            Gimp.progress_end()
        if self._window:
            self._window.close()
