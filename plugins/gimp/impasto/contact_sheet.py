"""The window that shows variations and snapshots side by side, to choose which is seen."""

from __future__ import annotations

from collections.abc import Sequence

import canvas
import gi
import thumbnails
from layers import Box

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, GimpUi, Gtk, Pango  # noqa: E402

from impasto_protocol.translations import _  # noqa: E402

_SIDE_PX = 200
_IN_A_ROW = 4
_SPACE_PX = 12


def choose(image: Gimp.Image, paintings: Sequence[Gimp.Layer]) -> None:
    """Until it is closed, have that one seen which is clicked; no step of undo comes of it.

    paintings: of one group of the image; what is in an image of its own is left alone.
    """
    GimpUi.init("impasto")
    dialog = Gtk.Dialog(title=_("Impasto: Which One?"))
    dialog.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
    flow = Gtk.FlowBox(
        min_children_per_line=min(len(paintings), _IN_A_ROW), max_children_per_line=_IN_A_ROW,
        activate_on_single_click=True, border_width=_SPACE_PX,
        row_spacing=_SPACE_PX, column_spacing=_SPACE_PX,
    )  # fmt: skip
    for painting in paintings:
        flow.add(_cell(painting))
    flow.get_accessible().set_name(_("Paintings"))

    def show(_flow: Gtk.FlowBox, child: Gtk.FlowBoxChild) -> None:
        _show_only(image, paintings, child.get_index())

    flow.connect("child-activated", show)
    seen = [painting.get_visible() for painting in paintings]
    if True in seen:
        first = flow.get_child_at_index(seen.index(True))
        assert first
        flow.select_child(first)
    scrolled = Gtk.ScrolledWindow(
        hscrollbar_policy=Gtk.PolicyType.NEVER, propagate_natural_height=True,
        max_content_height=_SIDE_PX * 3,
    )  # fmt: skip
    scrolled.add(flow)
    words = Gtk.Label(label=_("Click the one that is to be seen; the others stay in the group."),
                      xalign=0, wrap=True, margin=_SPACE_PX)  # fmt: skip
    content = dialog.get_content_area()
    content.pack_start(words, False, False, 0)
    content.pack_start(scrolled, True, True, 0)
    dialog.show_all()
    dialog.run()
    dialog.destroy()
    while Gtk.events_pending():
        Gtk.main_iteration()


def _cell(painting: Gimp.Layer) -> Gtk.Widget:
    name = painting.get_name() or ""
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=_SPACE_PX // 2)
    box.pack_start(
        Gtk.Image.new_from_pixbuf(thumbnails.of_layer(painting, Box.of(painting), _SIDE_PX)),
        False, False, 0,
    )  # fmt: skip
    label = Gtk.Label(label=name, ellipsize=Pango.EllipsizeMode.MIDDLE, max_width_chars=24)
    box.pack_start(label, False, False, 0)
    return box


def _show_only(image: Gimp.Image, paintings: Sequence[Gimp.Layer], index: int) -> None:
    """Where it is still there."""
    if not image.is_valid():
        return
    there = [one for one in paintings if one.is_valid() and one.get_image() == image]
    if paintings[index] not in there:
        return
    with canvas.untracked(image):
        for painting in there:
            painting.set_visible(painting == paintings[index])
    image.set_selected_layers([paintings[index]])
    Gimp.displays_flush()
