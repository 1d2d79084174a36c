"""Which layers are painted, and what can be seen of them. It changes nothing in the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import layers
from gi.repository import Gimp

from impasto_protocol.errors import HostUnsupported
from impasto_protocol.translations import _

_OVER = (Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY)
_AUTO_OR_UNION = (Gimp.LayerCompositeMode.AUTO, Gimp.LayerCompositeMode.UNION)
_is_transparent = cache(layers.is_transparent)
"""Of a layer that is only asked about, which a dialog does at every change in it."""


def look_again() -> None:
    """What was asked about may look otherwise now."""
    _is_transparent.cache_clear()


def find(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> list[Gimp.Layer]:
    """The layers that are to be painted. Raises HostUnsupported with one sentence why not."""
    if not drawables:
        raise HostUnsupported(
            _("No layer is selected."), next_step=_("Select the one to be painted.")
        )
    if image.get_floating_sel():
        raise HostUnsupported(
            _("There is a floating selection, which has to go before anything is painted."),
            next_step=_("Anchor it (Layer ▸ Anchor Layer) or make it a layer, then try again."),
        )
    return [_layer(drawable) for drawable in drawables]


def find_one(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """The layer whose style is meant. Raises HostUnsupported where there is not one."""
    found = find(image, drawables)
    if len(found) > 1:
        raise HostUnsupported(
            _("A style is that of one layer, and several are selected."),
            next_step=_("Select one layer, or put them into a group and select that."),
        )
    return found[0]


def _layer(drawable: Gimp.Drawable) -> Gimp.Layer:
    if isinstance(drawable, Gimp.LayerMask):
        drawable = Gimp.Layer.from_mask(drawable)
    if not isinstance(drawable, Gimp.Layer):
        raise HostUnsupported(_("A channel cannot be painted."), next_step=_("Select a layer."))
    return drawable


def check(found: Sequence[Gimp.Layer], *, hide: bool) -> None:
    """Raise HostUnsupported where one is gone, or cannot be painted as it is seen by lock or mode.

    hide: their paintings may take their places.
    """
    for source in found:
        _check(source, hide=hide)


def _check(source: Gimp.Layer, *, hide: bool) -> None:
    if not source.is_valid():
        raise HostUnsupported(
            _("The layer that was to be painted is gone."), next_step=_("Select a layer.")
        )
    name = source.get_name()
    above = source.get_parent()
    while above:
        if above.get_lock_content():
            raise HostUnsupported(
                _(
                    "The pixels of the group {name!r} are locked, and nothing can be painted in it."
                ).format(name=above.get_name()),
                next_step=_("Unlock its pixels in the Layers dialog, then try again."),
            )
        above = above.get_parent()
    if hide and source.get_visible() and source.get_lock_visibility():
        raise HostUnsupported(
            _(
                "The visibility of the layer {name!r} is locked, and its painting is to hide it."
            ).format(name=name),
            next_step=_("Unlock its visibility, or turn off that its painting hides it."),
        )
    if source.get_mask() and source.get_show_mask():
        raise HostUnsupported(
            _("The mask of the layer {name!r} is shown in its place.").format(name=name),
            next_step=_("Turn off Layer ▸ Mask ▸ Show Layer Mask, then try again."),
        )
    if source.get_mode() == Gimp.LayerMode.PASS_THROUGH and not _is_same_alone(source):
        raise HostUnsupported(
            _(
                "The group {name!r} passes through: how its layers look depends on those below it."
            ).format(name=name),
            next_step=_("Set the group's mode to Normal, then try again."),
        )


def _is_same_alone(group: Gimp.Layer) -> bool:
    """Whether what lies in a group looks the same with nothing below it."""
    for layer in group.get_children():
        through = layer.get_mode() == Gimp.LayerMode.PASS_THROUGH
        if not layer.get_visible():
            continue
        if not (_is_same_alone(layer) if through else is_laid_over(layer)):
            return False
    return True


def is_laid_over(layer: Gimp.Layer) -> bool:
    """Whether a layer covers what is below it and changes it in no other way."""
    return layer.get_mode() in _OVER and layer.get_composite_mode() in _AUTO_OR_UNION


@contextmanager
def seen(drawable: Gimp.Drawable, *, as_copy: bool = False) -> Iterator[Gimp.Drawable]:
    """A drawable as it is seen: itself, or while one looks a copy with its filters merged.

    Its mode, opacity and mask are not in its pixels; the copy may be larger than the drawable.
    as_copy: a copy in any case, which stays as it is whatever is done to the drawable.
    """
    filtered = _is_filtered(drawable)
    if not filtered and not as_copy:
        yield drawable
        return
    image = drawable.get_image()
    if filtered and isinstance(drawable, Gimp.GroupLayer):
        copy: Gimp.Drawable = _merged_group(drawable)
    else:
        assert isinstance(drawable, Gimp.Layer | Gimp.Channel)  # there are no others
        copy = drawable.copy()
    try:
        if filtered:
            copy.merge_filters()
        yield copy
    finally:
        layers.delete(copy, image)


def _is_filtered(drawable: Gimp.Drawable) -> bool:
    return any(found.get_visible() for found in drawable.get_filters())


def _merged_group(group: Gimp.GroupLayer) -> Gimp.Layer:
    """A layer that is not in the image, with what is seen of a group that has filters of its own.

    Such filters are merged only where the group is, so a copy goes into an image of its own.
    """
    with copy_apart(group) as copy:
        assert isinstance(copy, Gimp.GroupLayer)
        copy.set_visible(True)
        copy.set_opacity(100)
        copy.set_mode(Gimp.LayerMode.NORMAL)
        if copy.get_mask():
            copy.remove_mask(Gimp.MaskApplyMode.DISCARD)
        return Gimp.Layer.new_from_drawable(copy.merge(), group.get_image())


@contextmanager
def copy_apart(drawable: Gimp.Drawable) -> Iterator[Gimp.Layer]:
    """A copy as the only layer of an image that is not shown, of the same size and colours.

    That is there while one looks, whatever becomes of the image that the drawable is in.
    """
    image = drawable.get_image()
    alone = Gimp.Image.new_with_precision(
        image.get_width(), image.get_height(), image.get_base_type(), image.get_precision()
    )
    try:
        if profile := image.get_color_profile():
            alone.set_color_profile(profile)
        if palette := image.get_palette():
            alone.set_palette(palette)
        copy = Gimp.Layer.new_from_drawable(drawable, alone)
        copy.set_lock_content(False)
        copy.set_lock_position(False)
        alone.insert_layer(copy, None, 0)
        yield copy
    finally:
        alone.delete()


def box_to_paint(image: Gimp.Image, seen: Gimp.Drawable) -> layers.Box:
    """The part of what is seen of a layer that is selected; all of it where nothing is.

    Raises HostUnsupported where that is nothing, TooLarge where it is too much.
    """
    box = layers.selected_box(image, seen)
    if not box:
        raise HostUnsupported(
            _("The selection and the layer do not meet."),
            next_step=_("Select a part of the layer, or nothing at all for the whole of it."),
        )
    layers.check_size(seen, box)
    if _is_transparent(seen, box):
        raise HostUnsupported(
            _("There is nothing to paint: what is selected is transparent."),
            next_step=_("Select a layer, or a part of it, on which there is something."),
        )
    return box


def box_to_expect(image: Gimp.Image, layer: Gimp.Layer) -> layers.Box:
    """The same of a layer that is only asked about, without merging its filters, which takes long.

    What they add to it is not known then, and not refused.
    """
    if not _is_filtered(layer):
        return box_to_paint(image, layer)
    return layers.selected_box(image, layer) or layers.Box.of(layer)
