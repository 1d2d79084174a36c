"""The dialogs, in which a painter chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import arguments
import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GdkPixbuf, Gimp, GimpUi, GLib, GObject, Gtk  # noqa: E402

if TYPE_CHECKING:
    from impasto_protocol.codec import Picture
    from impasto_protocol.messages import Estimate, Estimated, PresetInfo
    from impasto_protocol.settings import Settings

_SPACE_PX = 12


def ask_stylize(
    procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, estimate: Callable[[], Estimate]
) -> None:
    """Have the painter choose style and settings. Raises Cancelled.

    estimate: the question what the painting would take as it is set.
    """
    dialog = _dialog(procedure, config, "Impasto Style Transfer")
    style = _style_frame(dialog, config, ["style-from", "style-file", "style-layer",
                                          "style-pattern"])  # fmt: skip
    chooser = PresetChooser(config)
    style.pack_start(chooser, False, False, 0)
    _frame(dialog, "look", "Painting", arguments.names(arguments.LOOK))
    _follow_quality(dialog, config)
    _frame(dialog, "result", "Result", arguments.names(arguments.RESULT))
    dialog.fill_box("advanced-box", arguments.names(arguments.ADVANCED))
    dialog.get_label("advanced-title", "Advanced", False, False)
    dialog.fill_expander("advanced", "advanced-title", True, "advanced-box")
    dialog.fill_box("left", ["style-frame", "result-frame"])
    dialog.fill_box("right", ["look-frame", "advanced"])
    columns = dialog.fill_box("columns", ["left", "right"])
    columns.set_orientation(Gtk.Orientation.HORIZONTAL)
    columns.set_spacing(_SPACE_PX)
    line = dialog.get_label("estimate", "", False, False)
    dialog.fill(["columns", "estimate"])
    with _estimates(dialog, config, line, estimate):
        _run(dialog)


def ask_preset(
    procedure: Gimp.Procedure,
    config: Gimp.ProcedureConfig,
    estimate: Callable[[Settings], Estimate],
) -> None:
    """Have the painter choose a saved style. Raises Cancelled.

    estimate: the question what the painting would take, by the style's own settings.
    """
    dialog = _dialog(procedure, config, "Impasto: Apply Preset")
    chooser = PresetChooser(config)
    dialog.get_content_area().pack_start(chooser, True, True, 0)
    chooser.show()
    line = dialog.get_label("estimate", "", False, False)
    dialog.fill([*arguments.names(arguments.APPLY), "estimate"])

    def of_chosen() -> Estimate | None:
        own = chooser.chosen_settings()
        return estimate(own) if own else None

    with _estimates(dialog, config, line, of_chosen):
        _run(dialog)


def ask_save(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig) -> None:
    """Have the painter name a style. Raises Cancelled."""
    dialog = _dialog(procedure, config, "Impasto: Save Style as Preset")
    _style_frame(dialog, config, ["style-from", "style-file", "style-layer", "style-pattern"])
    dialog.fill_box("all", ["name", "style-frame", "strength", "style-scale", "replace"])
    dialog.fill(["all"])
    _run(dialog)


class PresetChooser(Gtk.Box):
    """The daemon's saved styles with their thumbnails, bound to `style-preset`.

    They are fetched in the background, so that the dialog opens at once.
    """

    def __init__(self, config: Gimp.ProcedureConfig) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._config = config
        self._model = Gtk.ListStore(str, GdkPixbuf.Pixbuf, object)
        self._shown = self._model.filter_new()
        self._shown.set_visible_func(self._is_shown)
        self._folders = Gtk.ComboBoxText()
        self._folders.append("", "All styles")
        self._folders.set_active(0)
        self._folders.connect("changed", lambda _: self._shown.refilter())
        self._sought = Gtk.SearchEntry(placeholder_text="Name or tag")
        self._sought.connect("search-changed", lambda _: self._shown.refilter())
        finder = Gtk.Box(spacing=6)
        finder.pack_start(self._folders, False, False, 0)
        finder.pack_start(self._sought, True, True, 0)
        self._view = Gtk.IconView(
            model=self._shown, text_column=0, pixbuf_column=1, item_width=96, columns=3,
            activate_on_single_click=True, spacing=2, row_spacing=2, column_spacing=2, margin=2,
        )  # fmt: skip
        self._view.connect("selection-changed", self._chosen)
        scrolled = Gtk.ScrolledWindow(
            min_content_height=150, min_content_width=340, shadow_type=Gtk.ShadowType.IN
        )
        scrolled.add(self._view)
        self._words = Gtk.Label(label="Fetching the saved styles…", xalign=0, wrap=True,
                                max_width_chars=44)  # fmt: skip
        self.pack_start(finder, False, False, 0)
        self.pack_start(scrolled, True, True, 0)
        self.pack_start(self._words, False, False, 0)
        finder.show_all()
        scrolled.show_all()
        self._words.show()
        threading.Thread(target=self._fetch, daemon=True).start()

    def _chosen(self, view: Gtk.IconView) -> None:
        for path in view.get_selected_items():
            self._config.set_property("style-preset", self._shown[path][0])

    def chosen_settings(self) -> Settings | None:
        """The settings of the chosen style, once it is known."""
        chosen = self._config.get_property("style-preset")
        return next((row[2].settings for row in self._model if row[0] == chosen), None)

    def _is_shown(self, model: Gtk.TreeModel, row: Gtk.TreeIter, _: object) -> bool:
        info = model[row][2]
        folder = self._folders.get_active_id()
        return folder in ("", info.folder) and info.matches(self._sought.get_text())

    def _fetch(self) -> None:
        try:
            from impasto_protocol.client import Client
            from impasto_protocol.messages import PresetGet

            with Client.connect(name="GIMP") as client:
                found = client.presets()
                folders = sorted({info.folder for info in found} - {""})
                GLib.idle_add(self._add_folders, folders)
                for info in found:
                    _, pictures = client.ask(PresetGet(name=info.name, thumbnail_only=True))
                    GLib.idle_add(self._add, info, pictures[0])
            words = "" if found else "No style has been saved yet."
        except Exception as error:
            words = f"The saved styles cannot be shown: {error} {getattr(error, 'next_step', '')}"
        GLib.idle_add(self._words.set_text, words)

    def _add_folders(self, folders: list[str]) -> None:
        for folder in folders:
            self._folders.append(folder, folder)

    def _add(self, info: PresetInfo, thumbnail: Picture) -> None:
        row = self._model.append([info.name, _pixbuf(thumbnail), info])
        path = self._shown.convert_child_path_to_path(self._model.get_path(row))
        if path and info.name == self._config.get_property("style-preset"):
            self._view.select_path(path)


def _pixbuf(picture: Picture) -> GdkPixbuf.Pixbuf | None:
    pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(bytes(picture.data)), GdkPixbuf.Colorspace.RGB, picture.channels == 4, 8,
        picture.width, picture.height, picture.width * picture.channels,
    )  # fmt: skip
    share = 88 / max(picture.width, picture.height)
    width, height = (max(1, round(n * share)) for n in (picture.width, picture.height))
    return pixbuf.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)


def _dialog(
    procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, title: str
) -> GimpUi.ProcedureDialog:
    GimpUi.init("impasto")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
    dialog.set_ok_label("_OK")
    for name in arguments.SHARES:
        if procedure.find_argument(name):
            # A slider; GIMP 3.0.4's spin button complains of a range below 1.
            dialog.get_spin_scale(name, 1.0)
    return dialog


def _run(dialog: GimpUi.ProcedureDialog) -> None:
    from impasto_protocol.errors import Cancelled

    accepted = dialog.run()
    dialog.destroy()
    if not accepted:
        raise Cancelled("The dialog was closed.")


def _frame(
    dialog: GimpUi.ProcedureDialog, name: str, title: str, contents: Sequence[str]
) -> Gtk.Box:
    box = dialog.fill_box(f"{name}-box", contents)
    dialog.get_label(f"{name}-title", title, False, False)
    dialog.fill_frame(f"{name}-frame", f"{name}-title", False, f"{name}-box")
    return box


def _follow_quality(dialog: GimpUi.ProcedureDialog, config: Gimp.ProcedureConfig) -> None:
    """Show what a quality sets; it can be changed where the painter sets it."""
    from impasto_protocol.settings import QUALITIES

    def show(*_: object) -> None:
        quality = QUALITIES.get(config.get_property("quality"), {})
        for name in arguments.BY_QUALITY if quality else ():
            value = quality[name.replace("-", "_")]
            if config.get_property(name) != value:
                config.set_property(name, value)

    for name in arguments.BY_QUALITY:
        dialog.set_sensitive_if_in(name, None, "quality", _values("custom"), True)
    for name in ("quality", *arguments.BY_QUALITY):
        config.connect(f"notify::{name}", show)
    show()


@contextmanager
def _estimates(
    dialog: GimpUi.ProcedureDialog,
    config: Gimp.ProcedureConfig,
    line: Gtk.Label,
    estimate: Callable[[], Estimate | None],
) -> Iterator[None]:
    """A line tells what the painting will take as it is set, as long as a daemon runs."""
    from estimates import Estimates

    from impasto_protocol.descriptions import describe_estimate
    from impasto_protocol.errors import ImpastoError

    def show(found: Estimated | None) -> None:
        quality = config.get_property("quality")
        line.set_text(describe_estimate(found, quality) if found else "")

    def ask(*_: object) -> None:
        try:
            estimates.ask(estimate())
        except ImpastoError:  # told when it is to be painted
            estimates.ask(None)

    line.set_xalign(0)
    estimates = Estimates(show)
    handler = config.connect("notify", ask)
    dialog.connect("focus-in-event", ask)  # something else may have been selected
    ask()
    try:
        yield
    finally:
        config.disconnect(handler)
        estimates.close()


def _style_frame(
    dialog: GimpUi.ProcedureDialog, config: Gimp.ProcedureConfig, contents: Sequence[str]
) -> Gtk.Box:
    """The style's frame, where only what the chosen kind needs is to be seen."""
    box = _frame(dialog, "style", "Style", contents)

    def show(*_: object) -> None:
        kind = config.get_property("style-from")
        for child in box.get_children():
            if isinstance(child, PresetChooser):
                child.set_visible(kind == "preset")
        for name in contents[1:]:
            dialog.get_widget(name, GObject.TYPE_NONE).set_visible(name == f"style-{kind}")

    config.connect("notify::style-from", show)
    dialog.connect("map", show)
    return box


def _values(*values: str) -> Gimp.ValueArray:
    found = Gimp.ValueArray.new(len(values))
    for value in values:
        found.append(GObject.Value(GObject.TYPE_STRING, value))
    return found
