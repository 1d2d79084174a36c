"""The layer that shows a painting while it is painted, without a trace in the undo history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gi.repository import Gimp, Gio, GLib


@contextmanager
def above(source: Gimp.Layer, painting: Gimp.Layer) -> Iterator[Gimp.Layer]:
    """A copy of a layer that is not inserted, above a source for as long as it is painted in."""
    image = source.get_image()
    selected, clean, saved = _Selected.of(image), not image.is_dirty(), _saved(image)
    canvas = painting.copy()
    canvas.set_name("Impasto")
    with untracked(image):
        image.insert_layer(canvas, source.get_parent(), image.get_item_position(source))
    selected.restore(image)  # the painter goes on working
    if clean:
        image.clean_all()  # of the canvas, so that what the painter does meanwhile can be told
    try:
        yield canvas
    finally:
        if image.is_valid():
            # What was saved meanwhile holds the canvas.
            clean = clean and not image.is_dirty() and _saved(image) == saved
            now = _Selected.of(image)
            if canvas in now.layers:
                others = [layer for layer in now.layers if layer != canvas]
                now = _Selected(others, []) if others else selected
            _take_out(image, canvas)
            now.restore(image)
            if clean:
                image.clean_all()


@dataclass(frozen=True)
class _Selected:
    """The layers or channels of an image that the painter has selected, the quick mask included."""

    layers: list[Gimp.Layer]
    channels: list[Gimp.Channel]

    @classmethod
    def of(cls, image: Gimp.Image) -> _Selected:
        return cls(image.get_selected_layers(), image.get_selected_channels())

    def restore(self, image: Gimp.Image) -> None:
        """Select them again, as far as they are still there."""
        image.set_selected_layers([layer for layer in self.layers if layer.is_valid()])
        if channels := [channel for channel in self.channels if channel.is_valid()]:
            image.set_selected_channels(channels)


def _saved(image: Gimp.Image) -> Sequence[str | None]:
    """In which file an image is saved, and when that was written; nothing where it is in none."""
    if not (file := image.get_xcf_file()):
        return []
    times = ["time::modified", "time::modified-usec"]
    try:
        info = file.query_info(",".join(times), Gio.FileQueryInfoFlags.NONE, None)
    except GLib.Error:  # it is gone
        return [file.get_uri()]
    return [file.get_uri(), *map(info.get_attribute_as_string, times)]


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
