"""What a painting would look like, beside the controls: layer, style and a draft of the result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import gi
import layers
import masks
import remembered
import thumbnails
from drafts import Draft, Drafts

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, Gimp, GLib, Gtk, Pango  # noqa: E402
from layers import Box  # noqa: E402
from style_picture import StylePicture  # noqa: E402

from impasto_protocol.chosen_style import ChosenStyle  # noqa: E402
from impasto_protocol.codec import Picture  # noqa: E402
from impasto_protocol.errors import ImpastoError  # noqa: E402
from impasto_protocol.more_styles import Places  # noqa: E402
from impasto_protocol.settings import DRAFT_PX, Settings  # noqa: E402
from impasto_protocol.translations import _  # noqa: E402

if TYPE_CHECKING:
    from impasto_protocol.client import Client

_SOON_MS = 150
_NO_DAEMON = _("The preview comes as soon as Impasto runs.")


class Preview(Gtk.Box):
    """Pictures of the layer, the style and the result; follows a daemon.

    settings: what is set; raises ImpastoError. result_px: how large the result is shown.
    places: in which styles is painted beside the first, and where; raises BadField.
    """

    def __init__(
        self,
        source: Gimp.Layer,
        settings: Callable[[], Settings],
        style: StylePicture,
        result_px: int,
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._source, self._settings = source, settings
        self._style, self._result_px = style, result_px
        self._part: Box | None = None
        self._read: tuple[Box, Box] | None = None
        self.places: Callable[[], Places] = Places
        self._timer = 0
        self._before: GdkPixbuf.Pixbuf | None = None
        self._after: GdkPixbuf.Pixbuf | None = None
        self._drafts = Drafts(self._show_draft)
        self._connected = False
        self._tick = Gtk.CheckButton(label=_("Previe_w"), use_underline=True)
        self._tick.set_tooltip_text(_("Paint a small draft while this dialog is open"))
        self._tick.set_active(remembered.shows_preview())
        self._tick.connect("toggled", self._toggled)
        self._result = Gtk.Image()
        self._result.set_size_request(result_px, result_px)
        self._button = Gtk.Button(relief=Gtk.ReliefStyle.NONE, image=self._result)
        self._button.set_tooltip_text(_("Press, or hold the space bar, to see the layer as it is"))
        self._button.get_accessible().set_name(_("Preview of the result"))
        self._button.connect("pressed", lambda _: self._show(before=True))
        self._button.connect("released", lambda _: self._show(before=False))
        self._button.connect("key-press-event", self._key, True)
        self._button.connect("key-release-event", self._key, False)
        self._words = Gtk.Label(xalign=0, wrap=True, width_chars=20, max_width_chars=28, lines=2,
                                ellipsize=Pango.EllipsizeMode.END)  # fmt: skip
        self._map = LayerMap(result_px // 3, self._choose_part)
        self._style_image = Gtk.Image()
        self._style_image.set_size_request(result_px // 3, result_px // 3)
        self._style_image.get_accessible().set_name(_("The style"))
        small = Gtk.Box(spacing=12, homogeneous=True)
        for title, widget in ((_("Layer"), self._map), (_("Style"), self._style_image)):
            below = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
            below.pack_start(Gtk.Label(label=title), False, False, 0)
            below.pack_start(widget, False, False, 0)
            small.pack_start(below, True, True, 0)
        for child in (small, self._button, self._words, self._tick):
            self.pack_start(child, False, False, 0)

    def refresh(self) -> None:
        """Show the layer and the style as they are soon, and ask for the draft they make."""
        if not self._timer:
            self._timer = GLib.timeout_add(_SOON_MS, self._refresh)

    def forget(self) -> None:
        """The layer may look otherwise now."""
        self._read = None

    def exchange(self, client: Client) -> None:
        """There is a daemon: follow the draft."""
        if not self._connected:
            self._connected = True
            self.refresh()
        self._drafts.exchange(client)

    def lose(self) -> None:
        """There is no daemon."""
        self._connected = False
        self._drafts.lose()
        self.refresh()

    def leave(self, client: Client) -> None:
        """The dialog is being closed."""
        if self._timer:
            GLib.source_remove(self._timer)
        self._drafts.leave(client)

    def _refresh(self) -> bool:
        self._timer = 0
        draft, words = None, self._style.words
        try:
            draft = self._draft()
        except ImpastoError as error:
            words = _("No preview. {error}").format(error=error)
        style, side = self._style.pixbuf, self._result_px // 3
        self._style_image.set_from_pixbuf(style and thumbnails.fitted(style, side))
        wanted = self._tick.get_active()
        self._drafts.ask(draft if wanted else None)
        if not wanted or not draft:
            self._after = None
            self._words.set_text(words if wanted else "")
        elif not self._connected:
            self._words.set_text(_NO_DAEMON)
        elif self._words.get_text() == _NO_DAEMON:
            self._words.set_text("")
        self._show(before=False)
        return GLib.SOURCE_REMOVE

    def _draft(self) -> Draft | None:
        if not self._source.is_valid():
            return None
        whole = layers.selected_box(self._source.get_image(), self._source)
        if not whole:
            self._settings()  # raises the sentence that says so
            return None
        if self._part and not whole.holds(self._part):
            self._part = self._after = None
        part = self._part or whole
        if self._read != (whole, part):
            self._read = whole, part
            self._before = thumbnails.of_layer(self._source, part, DRAFT_PX)
            shown = thumbnails.of_layer(self._source, whole, DRAFT_PX)
            self._map.show_layer(shown, whole, self._part)
        style = self._style.for_draft()
        if style is None or not self._before:
            return None
        share = max(part.width, part.height) / max(whole.width, whole.height)
        content = thumbnails.to_picture(self._before)
        image, places = self._source.get_image(), self.places()
        find, size = partial(masks.layer_named, image), (content.width, content.height)

        def look(key: str) -> Picture:
            return masks.read(masks.find(image, key), self._source, part, size)

        styles = [ChosenStyle(style, look(places.mask) if places.mask else None)]
        for more in places.more:
            picture = self._style.of_more(more, find)
            styles.append(more.chosen(picture, look(more.mask) if more.mask else None))
        others = {"strength": look(places.strength_mask)} if places.strength_mask else {}
        if places.picture_map:
            found = masks.find(image, places.picture_map)
            others["map"] = masks.read_colours(found, self._source, part, size)
            others["style_map"] = self._style.map_of(places.style_map, find)
        return Draft(content, tuple(styles), self._settings(), share, others)

    def _show_draft(self, words: str, picture: Picture | None) -> None:
        if not self._tick.get_active():
            return
        self._words.set_text(words)
        if picture:
            self._after = thumbnails.of_picture(picture)
            self._show(before=False)

    def _show(self, *, before: bool) -> None:
        shown = self._before if before or not self._after else self._after
        side = self._result_px
        self._result.set_from_pixbuf(shown and thumbnails.fitted(shown, side))

    def _key(self, _button: Gtk.Button, event: Gdk.EventKey, pressed: bool) -> bool:
        if event.keyval != Gdk.KEY_space:
            return False
        self._show(before=pressed)
        return True

    def _toggled(self, tick: Gtk.CheckButton) -> None:
        remembered.show_preview(tick.get_active())
        self._words.set_text("")
        self.refresh()

    def _choose_part(self, part: Box | None) -> None:
        if part != self._part:
            self._part, self._after = part, None
            self._drafts.ask(None)
            self.refresh()


class LayerMap(Gtk.EventBox):
    """The layer in small, on which a part is chosen by dragging. choose: told the part, or None."""

    def __init__(self, side_px: int, choose: Callable[[Box | None], None]) -> None:
        super().__init__()
        self._side_px, self._choose = side_px, choose
        self._image = Gtk.Image()
        self._image.set_size_request(side_px, side_px)
        self._image.get_accessible().set_name(_("The layer"))
        self.add(self._image)
        self.set_tooltip_text(
            _("Drag over a part to see only that in the preview; click to see all")
        )
        self._shown: GdkPixbuf.Pixbuf | None = None
        self._whole = Box(0, 0, 1, 1)
        self._from: tuple[float, float] | None = None
        self._last = Box(0, 0, 0, 0)
        self.connect("button-press-event", self._begin)
        self.connect("motion-notify-event", self._drag)
        self.connect("button-release-event", self._end)

    def show_layer(self, pixbuf: GdkPixbuf.Pixbuf, whole: Box, part: Box | None) -> None:
        """Show a layer's box `whole`, and what of it is chosen."""
        self._shown = thumbnails.fitted(pixbuf, self._side_px)
        self._whole = whole
        if part is None:
            self._image.set_from_pixbuf(self._shown)
            return
        scale = self._shown.get_width() / whole.width
        self._mark(Box(*(round(scale * n) for n in (
            part.x - whole.x, part.y - whole.y, part.width, part.height
        ))))  # fmt: skip

    def _mark(self, box: Box) -> None:
        """All but a box of the thumbnail is grey."""
        assert self._shown
        marked = self._shown.copy()
        assert marked
        self._shown.saturate_and_pixelate(marked, 0.0, True)
        width = min(max(1, box.width), marked.get_width() - box.x)
        height = min(max(1, box.height), marked.get_height() - box.y)
        self._shown.copy_area(box.x, box.y, width, height, marked, box.x, box.y)
        self._image.set_from_pixbuf(marked)

    def _begin(self, _: Gtk.Widget, event: Gdk.EventButton) -> None:
        if self._shown:
            self._from, self._last = self._place(event), Box(0, 0, 0, 0)

    def _drag(self, _: Gtk.Widget, event: Gdk.EventMotion) -> None:
        if self._from:
            (left, right), (top, bottom) = map(
                sorted, zip(self._from, self._place(event), strict=True)
            )
            self._last = Box(int(left), int(top), int(right - left), int(bottom - top))
            self._mark(self._last)

    def _end(self, *_: object) -> None:
        if not self._from or not self._shown:
            return
        self._from, last = None, self._last
        if min(last.width, last.height) < 4:
            self._choose(None)
            return
        scale, whole = self._whole.width / self._shown.get_width(), self._whole
        x, y, width, height = (round(scale * n) for n in (last.x, last.y, last.width, last.height))
        width, height = min(width, whole.width - x), min(height, whole.height - y)
        self._choose(Box(whole.x + x, whole.y + y, width, height))

    def _place(self, event: Gdk.EventButton | Gdk.EventMotion) -> tuple[float, float]:
        """Where the pointer is on the thumbnail, which stands in the middle."""
        assert self._shown
        size = self._shown.get_width(), self._shown.get_height()
        room = self.get_allocated_width(), self.get_allocated_height()
        x, y = (
            min(max(0.0, at - (free - side) / 2), side - 1.0)
            for at, free, side in zip((event.x, event.y), room, size, strict=True)
        )
        return x, y
