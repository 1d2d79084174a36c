"""Puts paintings into the image, above their sources, as one undo step named after them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import layers
import sources
from gi.repository import Gimp

_STEP = "plug-in-impasto-step"


@dataclass(frozen=True)
class Painting:
    """A painted layer that is not in the image yet.

    layer: not inserted, or the only one of an image of its own, which is to be shown.
    source: the layer above which it is put; None: above all.
    hides: it takes the place of its source, which is hidden.
    apply_mask: its mask, with which a selection cuts it out, becomes its transparency.
    group: the name of one in which it is put with those that follow; only the first is seen.
    """

    source: Gimp.Layer | None
    layer: Gimp.Layer
    hides: bool
    apply_mask: bool
    group: str = ""


def prepare(
    source: Gimp.Layer,
    seen: Gimp.Drawable,
    painted: Gimp.Layer,
    inner: layers.Box,
    cut: Gimp.LayerMask | None,
    *,
    as_source: bool,
    keep_mask: bool,
) -> Painting:
    """Make of a layer with the painting of the box `inner` what is to be inserted.

    seen: the source as it is seen. cut: the mask with which a selection cuts the painting out.
    as_source: the painting takes the looks of its source and hides it, so that strength 0 changes
    nothing. Where a part of the source is painted and covering that part would look different, the
    painting then holds the rest of the source as well.
    keep_mask: the cut stays a mask where that is possible.
    """
    hides = as_source and not (cut and _can_be_covered(source, seen, inner))
    if cut and hides:
        whole = layers.blend(seen, painted, cut, inner)
        layers.delete(painted, source.get_image())
        painted, cut = whole, None
        layers.copy_mask(source, painted)
    if as_source:
        _take_looks(source, painted)
    # A layer has one mask: where the source has its own, the selection becomes transparency.
    apply_mask = cut is not None and not (keep_mask and source.get_mask() is None)
    return Painting(source, painted, hides, apply_mask)


def _can_be_covered(source: Gimp.Layer, seen: Gimp.Drawable, inner: layers.Box) -> bool:
    """Whether a layer is as opaque in a box as a painting of it that is put above it."""
    masked = source.get_mask() and source.get_apply_mask()
    solid = sources.is_laid_over(source) and source.get_opacity() == 100 and not masked
    return solid and layers.is_opaque(seen, inner)


def _take_looks(source: Gimp.Layer, painted: Gimp.Layer) -> None:
    mode = source.get_mode()
    # A layer cannot pass through; a group that does is painted only where Normal looks the same.
    passes_through = mode == Gimp.LayerMode.PASS_THROUGH
    painted.set_mode(Gimp.LayerMode.NORMAL if passes_through else mode)
    if not passes_through:
        painted.set_blend_space(source.get_blend_space())
        painted.set_composite_space(source.get_composite_space())
        painted.set_composite_mode(source.get_composite_mode())
    painted.set_opacity(source.get_opacity())
    painted.set_color_tag(source.get_color_tag())


def insert(image: Gimp.Image, paintings: Sequence[Painting], name: str) -> None:
    """Put paintings into the image, in one undo step of this name; show those that are apart."""
    here = [painting for painting in paintings if painting.layer.get_image() == image]
    for painting in paintings:
        if painting not in here:
            _show_apart(painting)
    if here:
        _as_step(name, lambda: _insert_all(image, here))
    Gimp.displays_flush()


def _as_step(name: str, change: Callable[[], None]) -> None:
    """Change an image, in one undo step of this name.

    GIMP names a plug-in's undo step after the label of the procedure that runs, so this is done
    by a procedure that lives as long as it takes.
    """
    failed: list[Exception] = []

    def run(procedure: Gimp.Procedure, *_: Any) -> Gimp.ValueArray:
        try:
            change()
        except Exception as error:  # PyGObject would only print it
            failed.append(error)
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)

    plug_in = Gimp.get_plug_in()
    step = Gimp.Procedure.new(plug_in, _STEP, Gimp.PDBProcType.TEMPORARY, run, None)
    step.set_menu_label(name.replace("_", "__"))
    step.set_documentation("Puts paintings into an image", "For Impasto's use only.", _STEP)
    plug_in.add_temp_procedure(step)
    try:
        # Not `step` itself, which would run without GIMP knowing.
        registered = Gimp.get_pdb().lookup_procedure(_STEP)
        assert registered
        registered.run(registered.create_config())
    finally:
        plug_in.remove_temp_procedure(_STEP)
    if failed:
        raise failed[0]


def _insert_all(image: Gimp.Image, paintings: Sequence[Painting]) -> None:
    image.undo_group_start()
    try:
        chosen = []
        for _key, found in groupby(paintings, lambda one: one.group and (one.group, one.source)):
            several = list(found)
            group = _insert_group(image, several[0]) if several[0].group else None
            for number, painting in enumerate(several):
                _insert(image, painting, group, number)
            chosen += [several[0].layer] if group else [painting.layer for painting in several]
        image.set_selected_layers(chosen)
    finally:
        image.undo_group_end()


def _insert_group(image: Gimp.Image, painting: Painting) -> Gimp.GroupLayer:
    """A group in the place of a painting, in which layers look as they would outside of it."""
    group = Gimp.GroupLayer.new(image, painting.group)
    group.set_mode(Gimp.LayerMode.PASS_THROUGH)
    image.insert_layer(group, *_place(image, painting))
    return group


def _place(image: Gimp.Image, painting: Painting) -> tuple[Gimp.Layer | None, int]:
    """The group and the position in it at which a painting is above its source."""
    source = painting.source
    return (source.get_parent(), image.get_item_position(source)) if source else (None, 0)


def _insert(image: Gimp.Image, painting: Painting, group: Gimp.Layer | None, number: int) -> None:
    """Put it above its source, or into a group as one of its layers."""
    source, layer = painting.source, painting.layer
    layer.set_visible(not group or not number)
    image.insert_layer(layer, *((group, number) if group else _place(image, painting)))
    _finish_mask(painting)
    if source and painting.hides:
        source.set_visible(False)


def _finish_mask(painting: Painting) -> None:
    """What can only be done to the mask of a layer in an image."""
    source, layer = painting.source, painting.layer
    if painting.apply_mask:
        layer.remove_mask(Gimp.MaskApplyMode.APPLY)
        if source:
            layers.copy_mask(source, layer)
    elif layer.get_mask():
        layer.set_edit_mask(False)


def _show_apart(painting: Painting) -> None:
    """Show a painting that is an image of its own."""
    _finish_mask(painting)
    apart = painting.layer.get_image()
    apart.undo_enable()
    with suppress(TypeError):  # where GIMP runs without windows
        Gimp.Display.new(apart)
