"""The four menu entries, from the layer that is selected to the layer that is added.

A canvas is put above each source without a trace in the undo history, `plug-in-impasto-work`
paints in it, and what all of them have become is inserted as one undo step. Whatever happens on the
way, a canvas is taken out again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from typing import Any

import insertion
import layers
import placing
import recipe
import sources
from gi.repository import Gimp

from impasto_protocol.errors import BadField, Cancelled, WorkerFailed, error_from_code
from impasto_protocol.messages import Estimate
from impasto_protocol.settings import Settings

_WORK = "plug-in-impasto-work"


class _ProcessEnded(Exception):
    """The process that does the work was ended, not by the painter."""

    code, next_step = WorkerFailed.code, WorkerFailed.default_next_step


def stylize(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Paint with what the dialog, or the caller, says."""
    found = sources.find(image, drawables)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        import dialogs

        def estimate() -> Estimate:
            return _estimate(image, found[0], config, recipe.settings_from_config(config))

        dialogs.ask_stylize(procedure, config, found[0], estimate)
    recipes = [recipe.from_config(config)] * len(found)
    return _paint(image, found, recipes, windows=_windows(run_mode))


def again(
    _procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    _config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Paint with the recipe that the layer was painted with, or else with the last one."""
    found = sources.find(image, drawables)
    recipes = [recipe.find(source) for source in found]
    return _paint(image, found, recipes, windows=_windows(run_mode))


def apply(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Paint in a saved style."""
    found = sources.find(image, drawables)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        import dialogs

        def estimate(own: Settings) -> Estimate:
            return _estimate(image, found[0], config, recipe.settings_over_preset(config, own))

        dialogs.ask_preset(procedure, config, found[0], estimate)
    recipes = [recipe.from_preset(config)] * len(found)
    return _paint(image, found, recipes, windows=_windows(run_mode))


def save(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> None:
    """Keep a style under a name."""
    interactive = run_mode == Gimp.RunMode.INTERACTIVE
    of_layer = interactive or config.get_property("style-from") == "layer"
    if of_layer and not config.get_property("style-layer"):
        config.set_property("style-layer", sources.find_one(image, drawables))
    if interactive:
        import dialogs

        dialogs.ask_save(procedure, config)
    if not config.get_property("name"):
        raise BadField("The style needs a name.", next_step="Type one and try again.")
    _work(recipe.to_save(config), windows=_windows(run_mode))


def _estimate(
    image: Gimp.Image, source: Gimp.Layer, config: Gimp.ProcedureConfig, settings: Settings
) -> Estimate:
    """The question what painting what is selected now would take. Raises HostUnsupported."""
    inner = sources.box_to_paint(image, source)
    outer = layers.box_to_send(image, source, inner, config.get_property("context-margin"))
    return Estimate(
        height=outer.height,
        width=outer.width,
        part_height=inner.height,
        part_width=inner.width,
        settings=settings,
    )


def _windows(run_mode: Gimp.RunMode) -> bool:
    """Whether windows may be shown."""
    return run_mode != Gimp.RunMode.NONINTERACTIVE


def _paint(
    image: Gimp.Image,
    found: Sequence[Gimp.Layer],
    recipes: Sequence[recipe.Recipe],
    *,
    windows: bool,
) -> Gimp.Layer:
    """Paint layers one after the other, each by its recipe, and insert all at once.

    The painting of the first. Raises before any is painted where one of them cannot be.
    """
    for source, made in zip(found, recipes, strict=True):
        sources.check(source, hide=made["as-source"])
    for source in found[1:]:  # at the first one looks when it is painted, which comes next
        with sources.seen(source) as seen:
            sources.box_to_paint(image, seen)
    painted: list[_Painted] = []
    notes: dict[str, None] = {}
    try:
        for number, (source, made) in enumerate(zip(found, recipes, strict=True), 1):
            place = f"layer {number} of {len(found)}" if len(found) > 1 else ""
            painted.append(_paint_layer(image, source, {**made, "place": place}, windows=windows))
        for one in painted:
            notes |= dict.fromkeys(one.notes)
    except Exception:
        for one in painted:
            if one.layer.is_valid():
                one.layer.delete()
        raise
    paintings = [_prepare(one) for one in painted]
    names = dict.fromkeys(recipe.layer_name(one.made) for one in painted)
    insertion.insert(image, paintings, f"Impasto: {', '.join(names)}")
    recipe.keep(painted[-1].made)
    for note in notes | dict.fromkeys(painting.note for painting in paintings if painting.note):
        Gimp.message(f"Impasto: {note}")
    return paintings[0].layer


@dataclass(frozen=True)
class _Painted:
    """A layer's painting, in a layer that is not inserted yet.

    cut: its mask is that of a selection. notes: what the daemon told of it.
    """

    place: placing.Place
    layer: Gimp.Layer
    made: recipe.Recipe
    cut: bool
    notes: Sequence[str]


def _kept(made: recipe.Recipe, told: dict[str, Any]) -> recipe.Recipe:
    """What is kept of a recipe when it has been painted."""
    passing = ("over-preset", "place")
    kept = {name: value for name, value in made.items() if name not in passing}
    return {**kept, "settings": told["settings"]}


def _paint_layer(
    image: Gimp.Image, source: Gimp.Layer, made: recipe.Recipe, *, windows: bool
) -> _Painted:
    """The painting of one layer, not inserted yet."""
    try:
        return _paint_once(image, source, made, windows=windows)
    except _ProcessEnded:
        # GIMP ends a process that writes a preview into a layer in the moment that it is turned.
        if not made["preview"] or not image.is_valid() or not source.is_valid():
            raise
    painted = _paint_once(image, source, {**made, "preview": False}, windows=windows)
    return replace(painted, made={**painted.made, "preview": True})


def _paint_once(
    image: Gimp.Image, source: Gimp.Layer, made: recipe.Recipe, *, windows: bool
) -> _Painted:
    with sources.seen(source) as seen:
        inner = sources.box_to_paint(image, seen)
        place = placing.Place(image, source, seen, inner)
        # Asked once: the painter may select something else while the layer is being painted.
        cut = not Gimp.Selection.is_empty(image)
        with (
            _canvas(image, source, seen, inner, cut=cut, visible=made["preview"]) as canvas,
            _new_painting(image, canvas, place.colours) as painting,
        ):
            told = _work(
                {**made, "box": astuple(inner)},
                windows=windows,
                image=image,
                source=seen,
                canvas=canvas,
                painting=painting,
            )
            if not image.is_valid():
                raise Cancelled("The image was closed.")
    return _Painted(place, painting, _kept(made, told), cut, told.get("notes", []))


@contextmanager
def _new_painting(
    image: Gimp.Image, canvas: Gimp.Layer, colours: placing.Colours
) -> Iterator[Gimp.Layer]:
    """What is painted into: a layer with the size and mask of the canvas, not inserted.

    Nothing that a painter does can reach it there. It is deleted where painting fails.
    """
    painting = Gimp.Layer.new(
        image, "Impasto", canvas.get_width(), canvas.get_height(), colours.layer_type(), 100,
        image.get_default_new_layer_mode(),
    )  # fmt: skip
    try:
        if mask := layers.read_mask(canvas, layers.Box.of(canvas)):
            layers.give_mask(painting, mask)
        yield painting
    except Exception:
        if painting.is_valid():
            painting.delete()
        raise


def _prepare(painted: _Painted) -> insertion.Painting:
    """What is inserted, as the image is now."""
    made, place = painted.made, painted.place
    spot = place.find()
    layer = place.bring(painted.layer, spot)
    keep_mask = made["selection-as"] == "mask"
    if spot.above:
        with sources.seen(spot.above) as seen:
            prepared = insertion.prepare(
                spot.above, seen, layer, spot.inner, layer.get_mask() if painted.cut else None,
                as_source=made["as-source"], keep_mask=keep_mask,
            )  # fmt: skip
    else:
        prepared = insertion.Painting(
            None, layer, hides=False, apply_mask=painted.cut and not keep_mask,
            apart=spot.apart, note=spot.note,
        )  # fmt: skip
    prepared.layer.set_name(recipe.layer_name(made))
    recipe.keep(made, prepared.layer)
    return prepared


@contextmanager
def _canvas(
    image: Gimp.Image,
    source: Gimp.Layer,
    seen: Gimp.Drawable,
    inner: layers.Box,
    *,
    cut: bool,
    visible: bool,
) -> Iterator[Gimp.Layer]:
    """An empty layer above the source for as long as it is painted in.

    inner: what it covers of what is seen of the source. cut: by the selection.
    """
    selected, clean = image.get_selected_layers(), not image.is_dirty()
    canvas = _insert_canvas(image, source, seen, inner, cut=cut, visible=visible)
    if clean:
        image.clean_all()  # of the canvas, so that what the painter does meanwhile can be told
    try:
        yield canvas
    finally:
        if image.is_valid():
            clean = clean and not image.is_dirty()
            _take_out(image, canvas)
            image.set_selected_layers([layer for layer in selected if layer.is_valid()])
            if clean:
                image.clean_all()


def _insert_canvas(
    image: Gimp.Image,
    source: Gimp.Layer,
    seen: Gimp.Drawable,
    inner: layers.Box,
    *,
    cut: bool,
    visible: bool,
) -> Gimp.Layer:
    _, left, top = seen.get_offsets()
    canvas = Gimp.Layer.new(
        image, "Impasto", inner.width, inner.height, source.type_with_alpha(), 100,
        image.get_default_new_layer_mode(),
    )  # fmt: skip
    canvas.set_offsets(left + inner.x, top + inner.y)  # before a group locks its position
    with _untracked(image):
        image.insert_layer(canvas, source.get_parent(), image.get_item_position(source))
        if cut:
            canvas.add_mask(canvas.create_mask(Gimp.AddMaskType.SELECTION))
        else:
            layers.copy_mask(source, seen, canvas, inner)
        canvas.set_visible(visible)
    return canvas


def _take_out(image: Gimp.Image, canvas: Gimp.Layer) -> None:
    if canvas.is_valid() and canvas.get_image() == image:
        with _untracked(image):
            image.remove_layer(canvas)
    Gimp.displays_flush()


@contextmanager
def _untracked(image: Gimp.Image) -> Iterator[None]:
    """Changes that leave no trace in the undo history."""
    image.undo_freeze()
    try:
        yield
    finally:
        image.undo_thaw()


def _work(
    made: recipe.Recipe,
    *,
    windows: bool,
    **painted: Gimp.Image | Gimp.Item,
) -> dict[str, Any]:
    """Have the other process do it: what came of it. Raises what it failed with.

    painted: the `image`, `source`, `canvas` and `painting` of a painting.
    """
    procedure = Gimp.get_pdb().lookup_procedure(_WORK)
    assert procedure  # it is registered with the one that calls it
    config = procedure.create_config()
    # By their numbers: GIMP keeps an image that is closed for as long as a call has it as argument.
    numbers = {role: thing.get_id() for role, thing in painted.items()}
    config.set_property("recipe", json.dumps({**made, **numbers}))
    config.set_property("interactive", windows)
    values = procedure.run(config)
    status = values.index(0)
    if status == Gimp.PDBStatusType.CANCEL:
        raise Cancelled("Painting was cancelled.")
    if status != Gimp.PDBStatusType.SUCCESS:
        raise _ProcessEnded("The process that painted has ended before its time.")
    told: dict[str, Any] = json.loads(values.index(1))
    if "error" in told:
        raise error_from_code(**told["error"])
    return told
