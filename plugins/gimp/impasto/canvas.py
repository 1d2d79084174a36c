"""The layer that shows a painting while it is painted, without a trace in the undo history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gi.repository import Gimp


@contextmanager
def above(source: Gimp.Layer, painting: Gimp.Layer) -> Iterator[Gimp.Layer]:
    """A copy of a layer that is not inserted, above a source for as long as it is painted in."""
    image = source.get_image()
    selected, clean = image.get_selected_layers(), not image.is_dirty()
    canvas = painting.copy()
    canvas.set_name("Impasto")
    with untracked(image):
        image.insert_layer(canvas, source.get_parent(), image.get_item_position(source))
    image.set_selected_layers(selected)  # the painter goes on working
    if clean:
        image.clean_all()  # of the canvas, so that what the painter does meanwhile can be told
    try:
        yield canvas
    finally:
        if image.is_valid():
            clean = clean and not image.is_dirty()
            chosen = [layer for layer in image.get_selected_layers() if layer != canvas]
            _take_out(image, canvas)
            if not chosen:
                chosen = [layer for layer in selected if layer.is_valid()]
            image.set_selected_layers(chosen)
            if clean:
                image.clean_all()


def _take_out(image: Gimp.Image, canvas: Gimp.Layer) -> None:
    if canvas.is_valid() and canvas.get_image() == image:
        with untracked(image):
            image.remove_layer(canvas)
    Gimp.displays_flush()


@contextmanager
def untracked(image: Gimp.Image) -> Iterator[None]:
    """Changes that leave no trace in the undo history."""
    image.undo_freeze()
    try:
        yield
    finally:
        image.undo_thaw()
