"""The daemon's saved styles by their thumbnails: folders, tags, favourites and recent ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import controls
import gi
import remembered
import thumbnails

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, Gimp, GLib, Gtk  # noqa: E402

from impasto_protocol.descriptions import (  # noqa: E402
    describe_baking,
    describe_error,
    describe_progress,
)
from impasto_protocol.errors import RequestError  # noqa: E402
from impasto_protocol.messages import PresetGet, PresetSort, Report, Status  # noqa: E402
from impasto_protocol.translations import _  # noqa: E402

if TYPE_CHECKING:
    from impasto_protocol.client import Client, Job
    from impasto_protocol.codec import Picture
    from impasto_protocol.messages import JobInfo, PresetInfo
    from impasto_protocol.settings import Settings

_ALL, _FAVOURITES, _RECENT = "all", "favourites", "recent"
_SIDE_PX = 88
_BAKED = _("Baked: the quality Instant paints it at once")
_IS_BAKED = _("“{name}” is baked.")
_WATCH_S = 1.0
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
    """Bound to `style-preset`. shown: called when the thumbnail of the chosen style, or of all, is
    known. presets: the styles that there are, once that is known.

    They are fetched in the background, so that the dialog opens at once.
    """

    def __init__(self, config: Gimp.ProcedureConfig, shown: Callable[[], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._config, self._tell_shown = config, shown
        self._recent = remembered.recent_styles()
        self.presets: Sequence[PresetInfo] = ()
        self._found: dict[str, _Found] = {}
        self._bakes, self._enough = False, threading.Event()
        self._menu: Gtk.Menu | None = None
        # Filled anew for whatever is sought: GTK's own filter of a model fails below an icon view.
        self._model = Gtk.ListStore(str, GdkPixbuf.Pixbuf, str)
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
            tooltip_column=2, activate_on_single_click=True, spacing=2, row_spacing=2,
            column_spacing=2, margin=2,
        )  # fmt: skip
        self._view.get_accessible().set_name(_("Saved styles"))
        self._view.connect("selection-changed", self._choose)
        self._view.connect("button-press-event", self._press)
        self._view.connect("popup-menu", lambda _: self._open_menu(None))
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
        config.connect("notify::style-preset", self._follow_config)
        self._in_thread(self._fetch)

    @property
    def names(self) -> list[str]:
        """The names of the styles that are known so far."""
        return [*self._found]

    def settings(self) -> Settings | None:
        """The settings of the chosen style, once it is known."""
        found = self._chosen_one()
        return found.info.settings if found else None

    def thumbnail(self) -> GdkPixbuf.Pixbuf | None:
        """The thumbnail of the chosen style, once it is known."""
        found = self._chosen_one()
        return found.thumbnail if found else None

    def lacks_network(self) -> bool:
        """Whether the chosen style is known, and not baked."""
        found = self._chosen_one()
        return found is not None and not found.info.is_baked

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
        if not (selected := view.get_selected_items()):
            self._follow_config()  # a click between the styles chooses none
            return
        name = self._model[selected[0]][0]
        if name != self._config.get_property("style-preset"):
            self._config.set_property("style-preset", name)
        self._show_favourite()

    def _follow_config(self, *_: object) -> None:
        """Another style was chosen, maybe elsewhere: it is the one that is marked."""
        chosen = self._config.get_property("style-preset")
        names = [row[0] for row in self._model]
        if chosen in names:
            self._view.select_path(Gtk.TreePath.new_from_indices([names.index(chosen)]))
        else:
            self._view.unselect_all()
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
            told = _BAKED if found.info.is_baked else None
            row = self._model.append([found.info.name, found.thumbnail, told])
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

    def _press(self, view: Gtk.IconView, event: Gdk.EventButton) -> bool:
        path = view.get_path_at_pos(int(event.x), int(event.y))
        if not path or not event.triggers_context_menu():
            return False
        view.select_path(path)
        return self._open_menu(event)

    def _open_menu(self, event: Gdk.EventButton | None) -> bool:
        """What can be done with the chosen style; without an event it was asked for by a key."""
        if not (found := self._chosen_one()):
            return False
        if self._bakes:
            words, chosen = _("_Stop Baking"), self._enough.set
        else:
            words = (
                _("_Bake It Further (20 min)") if found.info.is_baked else _("_Bake It (20 min)")
            )
            chosen = partial(self._bake, found.info.name)
        item = Gtk.MenuItem(label=words, use_underline=True)
        item.connect("activate", lambda _: chosen())
        self._menu = Gtk.Menu()
        self._menu.attach_to_widget(self._view, None)
        self._menu.append(item)
        self._menu.show_all()
        if event:
            self._menu.popup_at_pointer(event)
        else:
            self._menu.popup_at_widget(self._view, Gdk.Gravity.CENTER, Gdk.Gravity.NORTH_WEST, None)
        return True

    def _bake(self, name: str) -> None:
        """Have a style baked; that goes on when the dialog is closed."""

        def bake(client: Client) -> str:
            try:
                self._follow(client, client.bake(name, preview_px=_SIDE_PX), name)
            finally:
                GLib.idle_add(self._narrow)  # each thumbnail is its own again
            return self._show_baked(client, [name])

        def ended() -> None:
            self._bakes = False

        self._bakes = True
        self._enough.clear()
        self._in_thread(bake, ended)

    def _follow(self, client: Client, job: Job, name: str) -> None:
        """Tell how far a baking is until it ends, with what is baked once that is enough."""
        from impasto_protocol.client import result_in

        asked = False
        while True:
            client.wait(0.2)
            client.pump()
            for message, pictures in job.poll():
                if result_in(message):
                    return
                if pictures:
                    GLib.idle_add(self._show_on_the_way, name, pictures[0])
                GLib.idle_add(self._words.set_text, f"{name}: {describe_progress(message)[0]}")
            if self._enough.is_set() and not asked:
                job.cancel(keep=True)
                asked = True

    def _show_on_the_way(self, name: str, painted: Picture) -> None:
        """In place of a style's thumbnail, what it paints as far as it is baked."""
        for row in self._model:
            if row[0] == name:
                row[1] = _fitted(painted)

    def _take_info(self, info: PresetInfo) -> None:
        if found := self._found.get(info.name):
            self._found[info.name] = replace(found, info=info)
        self._narrow()
        self._tell_shown()

    def _in_thread(
        self, ask: Callable[[Client], str], ended: Callable[[], None] = lambda: None
    ) -> None:
        """Ask the daemon something beside the dialog; what it returns is shown as words.

        ended: called whatever became of it, also where there is no daemon.
        """

        def run() -> None:
            try:
                from impasto_protocol.client import Client

                with Client.connect(name="GIMP") as client:
                    words = ask(client)
            except Exception as error:
                words = describe_error(error)
            ended()
            GLib.idle_add(self._tell, words)

        threading.Thread(target=run, daemon=True).start()

    def _tell(self, words: str) -> None:
        self._words.set_text(words)
        self._show_favourite()  # as it is, whatever became of the wish

    def _fetch(self, client: Client) -> str:
        found = self.presets = client.presets()
        GLib.idle_add(self._add_folders, sorted({info.folder for info in found} - {""}))
        for info in found:
            try:
                pictures = client.ask(PresetGet(name=info.name, thumbnail_only=True))[1]
            except RequestError:  # it is damaged, or gone meanwhile
                continue
            GLib.idle_add(self._add, info, pictures[0])
        GLib.idle_add(self._tell_shown)
        return self._watch(client) or ("" if found else _EMPTY)

    def _watch(self, client: Client) -> str:
        """Tell how far a style is baked that was being baked before, until that has ended."""
        if self._bakes:
            return ""
        watched: dict[str, JobInfo] = {}
        try:
            while baking := _baking(client):
                self._bakes, watched = True, watched | baking
                for job in baking.values():
                    GLib.idle_add(self._words.set_text, describe_baking(job)[0])
                    if self._enough.is_set():
                        client.cancel(job.job, keep=True)
                time.sleep(_WATCH_S)
        finally:
            if watched:
                self._bakes = False
                self._enough.clear()
        return self._show_baked(client, watched) if watched else ""

    def _show_baked(self, client: Client, names: Collection[str]) -> str:
        """Show what has become of styles; words that name those of them that are baked."""
        found = [info for info in client.presets() if info.name in names]
        for info in found:
            GLib.idle_add(self._take_info, info)
        return " ".join(_IS_BAKED.format(name=info.name) for info in found if info.is_baked)

    def _add_folders(self, folders: list[str]) -> None:
        there = {row[1] for row in self._folders.get_model()}
        for folder in folders:
            if f"/{folder}" not in there:
                self._folders.append(f"/{folder}", folder)

    def _add(self, info: PresetInfo, thumbnail: Picture) -> None:
        found = self._found[info.name] = _Found(info, _fitted(thumbnail))
        self._show(found)
        if found is self._chosen_one():
            self._tell_shown()


def _baking(client: Client) -> dict[str, JobInfo]:
    report, _pictures = client.ask(Status())
    assert isinstance(report, Report)
    return report.baking


def _fitted(picture: Picture) -> GdkPixbuf.Pixbuf:
    return thumbnails.fitted(thumbnails.of_picture(picture), _SIDE_PX)
