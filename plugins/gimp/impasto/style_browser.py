"""The daemon's saved styles by their thumbnails: folders, tags, favourites and recent ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import controls
import gi
import remembered
import thumbnails

gi.require_version("Gtk", "3.0")
from gi.repository import GdkPixbuf, Gimp, GLib, Gtk  # noqa: E402

from impasto_protocol.descriptions import describe_error  # noqa: E402
from impasto_protocol.messages import PresetGet, PresetSort  # noqa: E402
from impasto_protocol.translations import _  # noqa: E402

if TYPE_CHECKING:
    from impasto_protocol.client import Client
    from impasto_protocol.codec import Picture
    from impasto_protocol.messages import PresetInfo
    from impasto_protocol.settings import Settings

_ALL, _FAVOURITES, _RECENT = "all", "favourites", "recent"
_SIDE_PX = 88
_EMPTY = _(
    "No style has been saved yet. Keep one with Filters ▸ Artistic ▸ Impasto: Save "
    "Style as Preset, or drop a saved style here."
)


@dataclass(frozen=True)
class _Found:
    """A saved style and its thumbnail."""

    info: PresetInfo
    thumbnail: GdkPixbuf.Pixbuf


class StyleBrowser(Gtk.Box):
    """Bound to `style-preset`. shown: called when the thumbnail of the chosen style is known.

    The styles are fetched in the background, so that the dialog opens at once.
    """

    def __init__(self, config: Gimp.ProcedureConfig, shown: Callable[[], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._config, self._tell_shown = config, shown
        self._recent = remembered.recent_styles()
        self._found: dict[str, _Found] = {}
        # Filled anew for whatever is sought: GTK's own filter of a model fails below an icon view.
        self._model = Gtk.ListStore(str, GdkPixbuf.Pixbuf)
        self._folders = Gtk.ComboBoxText()
        for value, words in (
            (_ALL, _("All styles")), (_FAVOURITES, _("Favourites")), (_RECENT, _("Recently used")),
        ):  # fmt: skip
            self._folders.append(value, words)
        self._folders.set_active_id(_ALL)
        controls.call(self._folders, _("Folder of styles"))
        self._folders.connect("changed", self._narrow)
        self._sought = Gtk.SearchEntry(placeholder_text=_("Name or tag"), width_chars=10)
        self._sought.get_accessible().set_name(_("Name or tag of a style"))
        self._sought.connect("search-changed", self._narrow)
        self._favourite = Gtk.ToggleButton(label="★", sensitive=False)
        self._favourite.set_tooltip_text(_("Keep the chosen style among the favourites"))
        self._favourite.get_accessible().set_name(_("Favourite"))
        self._ticked = self._favourite.connect("toggled", self._sort)
        finder = Gtk.Box(spacing=6)
        finder.pack_start(self._folders, False, False, 0)
        finder.pack_start(self._sought, True, True, 0)
        finder.pack_start(self._favourite, False, False, 0)
        self._view = Gtk.IconView(
            model=self._model, text_column=0, pixbuf_column=1, item_width=96,
            activate_on_single_click=True, spacing=2, row_spacing=2, column_spacing=2, margin=2,
        )  # fmt: skip
        self._view.get_accessible().set_name(_("Saved styles"))
        self._view.connect("selection-changed", self._choose)
        scrolled = Gtk.ScrolledWindow(
            min_content_height=150, min_content_width=240, shadow_type=Gtk.ShadowType.IN
        )
        scrolled.add(self._view)
        self._words = Gtk.Label(label=_("Fetching the saved styles…"), xalign=0, wrap=True,
                                max_width_chars=36)  # fmt: skip
        self.pack_start(finder, False, False, 0)
        self.pack_start(scrolled, True, True, 0)
        self.pack_start(self._words, False, False, 0)
        for child in self.get_children():
            child.show_all()
        self._in_thread(self._fetch)

    def settings(self) -> Settings | None:
        """The settings of the chosen style, once it is known."""
        found = self._chosen_one()
        return found.info.settings if found else None

    def thumbnail(self) -> GdkPixbuf.Pixbuf | None:
        """The thumbnail of the chosen style, once it is known."""
        found = self._chosen_one()
        return found.thumbnail if found else None

    def import_file(self, path: str) -> None:
        """Keep the saved style in a file, or all of a pack, and show them."""

        def take(client: Client) -> str:
            client.import_presets(Path(path).read_bytes(), name=Path(path).stem)
            GLib.idle_add(self._forget)
            return self._fetch(client)

        self._in_thread(take)

    def _forget(self) -> None:
        self._found.clear()
        self._model.clear()

    def _chosen_one(self) -> _Found | None:
        return self._found.get(self._config.get_property("style-preset"))

    def _choose(self, view: Gtk.IconView) -> None:
        for path in view.get_selected_items():
            name = self._model[path][0]
            if name != self._config.get_property("style-preset"):
                self._config.set_property("style-preset", name)
        self._show_favourite()

    def _show_favourite(self) -> None:
        found = self._chosen_one()
        self._favourite.set_sensitive(found is not None)
        with self._favourite.handler_block(self._ticked):
            self._favourite.set_active(found is not None and found.info.is_favourite)

    def _narrow(self, *args: object) -> None:
        """Show the styles of the chosen folder that are sought."""
        self._model.clear()
        for found in self._found.values():
            self._show(found)
        if self._found:
            self._words.set_text("" if len(self._model) else _("No saved style is found here."))

    def _show(self, found: _Found) -> None:
        if self._is_sought(found.info):
            row = self._model.append([found.info.name, found.thumbnail])
            if found is self._chosen_one():
                self._view.select_path(self._model.get_path(row))

    def _is_sought(self, info: PresetInfo) -> bool:
        folder = self._folders.get_active_id() or _ALL
        within = {
            _ALL: True,
            _FAVOURITES: info.is_favourite,
            _RECENT: info.name in self._recent,
        }.get(folder, folder == f"/{info.folder}")
        return within and info.matches(self._sought.get_text())

    def _sort(self, button: Gtk.ToggleButton) -> None:
        """Tag the chosen style as a favourite, or take the tag from it."""
        if not (found := self._chosen_one()):
            return
        name, tags = found.info.name, found.info.tags_as(favourite=button.get_active())

        def sort(client: Client) -> str:
            client.ask(PresetSort(name=name, tags=tags))
            GLib.idle_add(self._take_tags, name, tags)
            return ""

        self._in_thread(sort)

    def _take_tags(self, name: str, tags: tuple[str, ...]) -> None:
        if found := self._found.get(name):
            self._found[name] = replace(found, info=replace(found.info, tags=tags))
        self._narrow()

    def _in_thread(self, ask: Callable[[Client], str]) -> None:
        """Ask the daemon something beside the dialog; what it returns is shown as words."""

        def run() -> None:
            try:
                from impasto_protocol.client import Client

                with Client.connect(name="GIMP") as client:
                    words = ask(client)
            except Exception as error:
                words = describe_error(error)
            GLib.idle_add(self._tell, words)

        threading.Thread(target=run, daemon=True).start()

    def _tell(self, words: str) -> None:
        self._words.set_text(words)
        self._show_favourite()  # as it is, whatever became of the wish

    def _fetch(self, client: Client) -> str:
        found = client.presets()
        GLib.idle_add(self._add_folders, sorted({info.folder for info in found} - {""}))
        for info in found:
            pictures = client.ask(PresetGet(name=info.name, thumbnail_only=True))[1]
            GLib.idle_add(self._add, info, pictures[0])
        return "" if found else _EMPTY

    def _add_folders(self, folders: list[str]) -> None:
        there = {row[1] for row in self._folders.get_model()}
        for folder in folders:
            if f"/{folder}" not in there:
                self._folders.append(f"/{folder}", folder)

    def _add(self, info: PresetInfo, thumbnail: Picture) -> None:
        pixbuf = thumbnails.fitted(thumbnails.of_picture(thumbnail), _SIDE_PX)
        found = self._found[info.name] = _Found(info, pixbuf)
        self._show(found)
        if found is self._chosen_one():
            self._tell_shown()
