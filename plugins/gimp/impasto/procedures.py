"""The four menu entries, from the layer that is selected to the layer that is added.

Everything that is done to the image is done here: a canvas is put above the source without a
trace in the undo history, `plug-in-impasto-work` paints in it, and what it has become is inserted
as one undo step. Whatever happens on the way, the canvas is taken out again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from typing import Any

import layers
import recipe
from gi.repository import Gegl, Gimp

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
    source = layers.find_source(image, drawables)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        import dialogs

        def estimate() -> Estimate:
            return _estimate(image, source, config, recipe.settings_from_config(config))

        dialogs.ask_stylize(procedure, config, estimate)
    return _paint(image, source, recipe.from_config(config), windows=_windows(run_mode))


def again(
    _procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    _config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Paint with the recipe that the layer was painted with, or else with the last one."""
    source = layers.find_source(image, drawables)
    return _paint(image, source, recipe.find(source), windows=_windows(run_mode))


def apply(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Paint in a saved style."""
    source = layers.find_source(image, drawables)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        import dialogs

        def estimate(own: Settings) -> Estimate:
            return _estimate(image, source, config, recipe.settings_over_preset(config, own))

        dialogs.ask_preset(procedure, config, estimate)
    return _paint(image, source, recipe.from_preset(config), windows=_windows(run_mode))


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
        config.set_property("style-layer", layers.find_source(image, drawables))
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
    inner = layers.box_to_paint(source)
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
    image: Gimp.Image, source: Gimp.Layer, made: recipe.Recipe, *, windows: bool
) -> Gimp.Layer:
    inner = layers.box_to_paint(source)
    selected, clean = image.get_selected_layers(), not image.is_dirty()
    # Asked once: the painter may select something else while the layer is being painted.
    cut = not Gimp.Selection.is_empty(image)
    canvas = _insert_canvas(image, source, inner, cut=cut, visible=made["preview"])
    if clean:
        image.clean_all()  # of the canvas, so that what the painter does meanwhile can be told
    painted = None
    try:
        told = _work(image, source, canvas, {**made, "box": astuple(inner)},
                     windows=windows)  # fmt: skip
        if not image.is_valid() or not canvas.is_valid() or not source.is_valid():
            raise Cancelled("The layer or its image was closed.")
        made = {**made, "settings": told["settings"]}
        made.pop("over-preset", None)
        recipe.keep(made, canvas)
        painted = canvas.copy()
        painted.set_name(recipe.layer_name(made))
    finally:
        if image.is_valid():
            clean = clean and not image.is_dirty()
            _take_out(image, canvas)
            if painted is None:
                image.set_selected_layers([layer for layer in selected if layer.is_valid()])
            if clean:
                image.clean_all()
    # A layer has one mask: where the source has its own, the selection becomes transparency.
    apply_mask = cut and (made["selection-as"] == "alpha" or source.get_mask() is not None)
    _insert(image, source, painted, inner, apply_mask=apply_mask)
    recipe.keep(made)
    for note in told.get("notes", []):
        Gimp.message(f"Impasto: {note}")
    return painted


def _insert_canvas(
    image: Gimp.Image, source: Gimp.Layer, inner: layers.Box, *, cut: bool, visible: bool
) -> Gimp.Layer:
    """An empty layer above the source, as large as the box, `cut` by the selection or not."""
    _, left, top = source.get_offsets()
    canvas = Gimp.Layer.new(
        image, "Impasto", inner.width, inner.height, source.type_with_alpha(), 100,
        image.get_default_new_layer_mode(),
    )  # fmt: skip
    with _untracked(image):
        image.insert_layer(canvas, source.get_parent(), image.get_item_position(source))
        canvas.set_offsets(left + inner.x, top + inner.y)
        if cut:
            canvas.add_mask(canvas.create_mask(Gimp.AddMaskType.SELECTION))
        elif mask := source.get_mask():
            _copy_mask(mask, canvas, inner)
        canvas.set_visible(visible)
    return canvas


def _take_out(image: Gimp.Image, canvas: Gimp.Layer) -> None:
    if canvas.is_valid() and canvas.get_image() == image:
        with _untracked(image):
            image.remove_layer(canvas)
    Gimp.displays_flush()


def _insert(
    image: Gimp.Image,
    source: Gimp.Layer,
    painted: Gimp.Layer,
    inner: layers.Box,
    *,
    apply_mask: bool,
) -> None:
    """The one undo step. apply_mask: the painting's mask becomes its transparency."""
    image.undo_group_start()
    try:
        painted.set_visible(True)
        image.insert_layer(painted, source.get_parent(), image.get_item_position(source))
        if apply_mask:
            painted.remove_mask(Gimp.MaskApplyMode.APPLY)
            if mask := source.get_mask():
                _copy_mask(mask, painted, inner)
        elif painted.get_mask():
            painted.set_edit_mask(False)
    finally:
        image.undo_group_end()
    Gimp.displays_flush()


def _copy_mask(own: Gimp.LayerMask, layer: Gimp.Layer, inner: layers.Box) -> None:
    """Give a layer that lies over the box `inner` of the source the source's own mask."""
    data = own.get_buffer().get(inner.rectangle(), 1.0, "Y float", Gegl.AbyssPolicy.CLAMP)
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(mask)
    buffer = mask.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, inner.width, inner.height), "Y float", data)
    layers.show(mask, buffer)
    layer.set_edit_mask(False)


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
    source: Gimp.Layer | None,
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
        config.set_property("source", source)
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
