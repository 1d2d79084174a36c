"""The four menu entries, from the layer that is selected to the layer that is added.

A canvas is put above each source without a trace in the undo history, `plug-in-impasto-work`
paints in it, and what all of them have become is inserted as one undo step. Whatever happens on the
way, a canvas is taken out again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from typing import Any

import insertion
import layers
import recipe
import sources
from gi.repository import Gimp

from impasto_protocol.errors import BadField, Cancelled, error_from_code
from impasto_protocol.messages import Estimate
from impasto_protocol.settings import Settings

_WORK = "plug-in-impasto-work"


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
    _work(None, None, None, recipe.to_save(config), windows=_windows(run_mode))


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
    painted: list[tuple[insertion.Painting, recipe.Recipe]] = []
    notes: dict[str, None] = {}
    try:
        for number, (source, made) in enumerate(zip(found, recipes, strict=True), 1):
            place = f"layer {number} of {len(found)}" if len(found) > 1 else ""
            painting, told = _paint_layer(image, source, {**made, "place": place}, windows=windows)
            painted.append((painting, _kept(made, told)))
            notes |= dict.fromkeys(told.get("notes", []))
    except Exception:
        for painting, _ in painted:
            if painting.layer.is_valid():
                painting.layer.delete()
        raise
    names = dict.fromkeys(recipe.layer_name(made) for _, made in painted)
    insertion.insert(image, [painting for painting, _ in painted], f"Impasto: {', '.join(names)}")
    recipe.keep(painted[-1][1])
    for note in notes:
        Gimp.message(f"Impasto: {note}")
    return painted[0][0].layer


def _kept(made: recipe.Recipe, told: dict[str, Any]) -> recipe.Recipe:
    """What is kept of a recipe when it has been painted."""
    passing = ("over-preset", "place")
    kept = {name: value for name, value in made.items() if name not in passing}
    return {**kept, "settings": told["settings"]}


def _paint_layer(
    image: Gimp.Image, source: Gimp.Layer, made: recipe.Recipe, *, windows: bool
) -> tuple[insertion.Painting, dict[str, Any]]:
    """The painting of one layer, not inserted yet, and what the daemon told of it."""
    with sources.seen(source) as seen:
        inner = sources.box_to_paint(image, seen)
        # Asked once: the painter may select something else while the layer is being painted.
        cut = not Gimp.Selection.is_empty(image)
        with _canvas(image, source, seen, inner, cut=cut, visible=made["preview"]) as canvas:
            told = _work(image, seen, canvas, {**made, "box": astuple(inner)}, windows=windows)
            if not image.is_valid() or not canvas.is_valid() or not source.is_valid():
                raise Cancelled("The layer or its image was closed.")
            painted = canvas.copy()
        painting = insertion.prepare(
            source, seen, painted, inner, painted.get_mask() if cut else None,
            as_source=made["as-source"], keep_mask=made["selection-as"] == "mask",
        )  # fmt: skip
    made = _kept(made, told)
    painting.layer.set_name(recipe.layer_name(made))
    recipe.keep(made, painting.layer)
    return painting, told


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
    image: Gimp.Image | None,
    seen: Gimp.Drawable | None,
    canvas: Gimp.Layer | None,
    made: recipe.Recipe,
    *,
    windows: bool,
) -> dict[str, Any]:
    """Have the other process do it: what came of it. Raises what it failed with."""
    procedure = Gimp.get_pdb().lookup_procedure(_WORK)
    assert procedure  # it is registered with the one that calls it
    config = procedure.create_config()
    if image:
        config.set_property("image", image)
        config.set_property("source", seen)
        config.set_property("canvas", canvas)
    config.set_property("recipe", json.dumps(made))
    config.set_property("interactive", windows)
    values = procedure.run(config)
    if values.index(0) != Gimp.PDBStatusType.SUCCESS:
        raise Cancelled("Painting was cancelled.")
    told: dict[str, Any] = json.loads(values.index(1))
    if "error" in told:
        raise error_from_code(**told["error"])
    return told
