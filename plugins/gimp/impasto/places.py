"""Where each style goes, and how much is painted where: the dialog's part for that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import PurePath

import arguments
import controls
import gi
import masks
from controls import Controls

gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, Gtk  # noqa: E402

from impasto_protocol import more_styles  # noqa: E402
from impasto_protocol.errors import BadField  # noqa: E402
from impasto_protocol.messages import STYLES  # noqa: E402
from impasto_protocol.more_styles import MoreStyle  # noqa: E402
from impasto_protocol.translations import _  # noqa: E402

_SPACE_PX = 6
_FILE = "file:"
_ELSEWHERE = _("Everywhere else")
_EVERYWHERE = _("None: the same everywhere")
_NONE = _("None")


class Places(Controls):
    """Bound to the arguments of PLACES and LEFT. image: whose layers and channels are offered."""

    def __init__(self, config: Gimp.ProcedureConfig, image: Gimp.Image) -> None:
        super().__init__()
        self._config, self._image = config, image
        self._fills: list[Callable[[], None]] = []
        self._presets: Collection[str] = ()
        self._offered = masks.offered(image)
        first, strength, _more, layer_map, style_map = arguments.PLACES
        self.add_row(first[2], self._chooser_of(first, _ELSEWHERE, lambda: self._offered))
        self._others = Gtk.Grid(column_spacing=_SPACE_PX, row_spacing=_SPACE_PX)
        self.add_wide(self._others)
        self._add = Gtk.Button(label=_("Add a Style"), halign=Gtk.Align.START)
        self._add.connect("clicked", self._begin_another)
        self.add_wide(self._add)
        self._uncovered = self.add_arguments(config, arguments.LEFT)["uncovered"]
        self.add_row(strength[2], self._chooser_of(strength, _EVERYWHERE, lambda: self._offered))
        self.add_row(layer_map[2], self._chooser_of(layer_map, _NONE, lambda: self._layers))

        def layers_and_file() -> Mapping[str, str]:
            return self._layers | {_FILE: _("A picture file…")}

        self.add_row(style_map[2], self._chooser_of(style_map, _NONE, layers_and_file))
        self._own = False
        config.connect("notify::more-styles", self._show_others)
        for name in ("mask", "more-styles"):
            config.connect(f"notify::{name}", self._follow_masks)
        self._follow_masks()
        self._show()

    @property
    def is_used(self) -> bool:
        """Whether anything of it counts."""
        return any(self._config.get_property(argument[1]) for argument in arguments.PLACES)

    def offer(self, presets: Collection[str]) -> None:
        """Saved styles have become known."""
        if [*presets] != [*self._presets]:
            self._presets = [*presets]
            self._show()

    def look_again(self) -> None:
        """The image may have other layers and channels now."""
        if self._image.is_valid() and (offered := masks.offered(self._image)) != self._offered:
            self._offered = offered
            for fill in self._fills:
                fill()
            self._show()

    # What there is ----------------------------------------------------------------------------

    def _styles(self) -> list[MoreStyle]:
        try:
            return more_styles.read(self._config.get_property("more-styles"))
        except BadField:  # what a script has left; it is told when it is to be painted
            return []

    def _keep(self, styles: list[MoreStyle]) -> None:
        self._own = True
        self._config.set_property("more-styles", more_styles.write(styles))
        self._own = False

    def _show_others(self, *_: object) -> None:
        """They were set elsewhere: by Reset, or by a recipe."""
        if not self._own:
            self._show()

    def _follow_masks(self, *_: object) -> None:
        """Only where every style has a mask is something left that none covers."""
        masked = [style.mask for style in self._styles()]
        self._uncovered.set_sensitive(all([self._config.get_property("mask"), *masked]))

    def _show(self) -> None:
        for widget in self._others.get_children():
            widget.destroy()
        styles = self._styles()
        style, *percents, taken, where = more_styles.COLUMNS
        titles = [style, *(f"{words} (%)" for words in percents), taken, where]
        heads: list[Gtk.Widget] = [Gtk.Label(label=words, xalign=0) for words in titles]
        rows = [self._row(index, style) for index, style in enumerate(styles)]
        for row, widgets in enumerate([heads, *rows] if rows else []):
            for column, widget in enumerate(widgets):
                self._others.attach(widget, column, row, 1, 1)
        self._others.show_all()
        self._add.set_sensitive(len(styles) < STYLES - 1 and bool(self._choices()))

    def _choices(self) -> dict[str, str]:
        """What a style may be, by kind and name."""
        saved = {f"preset:{name}": name for name in self._presets}
        return {**saved, **self._layers, _FILE: _("A picture file…")}

    @property
    def _layers(self) -> dict[str, str]:
        return {key: name for key, name in self._offered.items() if key.startswith("layer:")}

    # A row ------------------------------------------------------------------------------------

    def _row(self, index: int, style: MoreStyle) -> list[Gtk.Widget]:
        key = f"{style.kind}:{style.name}"
        choices = self._choices()
        chosen = _chooser({key: style.label, **choices}, key, _("Style {number}"), index)
        chosen.connect("changed", lambda combo: self._take(index, combo.get_active_id() or ""))
        weight = self._percent(
            index, "weight", style.weight, 1, _("Its weight where it meets others, in percent"),
            _("Weight of style {number}"),
        )  # fmt: skip
        scale = self._percent(
            index, "scale", style.scale, 10, _("The size of its strokes, in percent"),
            _("Stroke size of style {number}"),
        )  # fmt: skip
        taken = {"all": _("All of it"), "fine": _("Its grain"), "coarse": _("Its shapes")}
        layers = _chooser(taken, style.layers, _("What is taken of style {number}"), index)
        layers.connect("changed", lambda c: self._change(index, layers=c.get_active_id() or "all"))
        mask = _chooser(self._with(_ELSEWHERE, style.mask), style.mask,
                        _("Where style {number} goes"), index)  # fmt: skip
        mask.set_tooltip_text(more_styles.WHERE)
        mask.connect("changed", lambda combo: self._change(index, mask=combo.get_active_id() or ""))
        away = Gtk.Button(label="✕")
        away.set_tooltip_text(_("Without this style"))
        controls.call(away, _("Without style {number}").format(number=index + 2))
        away.connect("clicked", lambda _: self._leave_out(index))
        for wide in (chosen, mask):
            wide.set_hexpand(True)
        return [chosen, weight, scale, layers, mask, away]

    def _percent(
        self, index: int, what: str, value: float, least: int, hint: str, name: str
    ) -> Gtk.SpinButton:
        field = Gtk.SpinButton(
            adjustment=Gtk.Adjustment(
                value=100 * value, lower=least, upper=1000, step_increment=5, page_increment=25
            ),
            width_chars=4,
        )
        field.set_tooltip_text(hint)
        controls.call(field, name.format(number=index + 2))
        field.connect(
            "value-changed", lambda field: self._change(index, **{what: field.get_value() / 100})
        )
        return field

    def _change(self, index: int, **values: object) -> None:
        styles = self._styles()
        styles[index] = replace(styles[index], **values)  # type: ignore[arg-type]
        self._keep(styles)

    def _leave_out(self, index: int) -> None:
        styles = self._styles()
        self._keep([*styles[:index], *styles[index + 1 :]])
        self._show()

    def _take(self, index: int, key: str) -> None:
        kind, _colon, name = key.partition(":")
        if key == _FILE:
            name = _ask_file(self.get_toplevel())
        if name:
            self._change(index, kind=kind, name=name)
        self._show()

    def _begin_another(self, _button: Gtk.Button) -> None:
        kind, _colon, name = next(iter(self._choices())).partition(":")
        name = name or _ask_file(self.get_toplevel())
        if name:
            self._keep([*self._styles(), MoreStyle(kind, name)])
            self._show()

    # Masks ------------------------------------------------------------------------------------

    def _chooser_of(
        self, argument: arguments.Argument, without: str, offered: Callable[[], Mapping[str, str]]
    ) -> Gtk.ComboBoxText:
        """What an argument may be; a file is asked for when it is chosen."""
        name, label, blurb = argument[1:4]
        combo = _chooser({}, "", label, None)
        combo.set_tooltip_text(blurb)

        def show(*_: object) -> None:
            given = self._config.get_property(name) or ""
            if not combo.set_active_id(given):  # one that is not there, or a file
                combo.append(given, PurePath(given).name if given.startswith(_FILE) else given)
                combo.set_active_id(given)

        def take(_combo: Gtk.ComboBoxText) -> None:
            key = combo.get_active_id() or ""
            if key == _FILE:
                path = _ask_file(self.get_toplevel())
                key = f"{_FILE}{path}" if path else self._config.get_property(name) or ""
            self._config.set_property(name, key)
            show()

        def fill() -> None:
            with combo.handler_block(handler):
                combo.remove_all()
                for key, words in {"": without, **offered()}.items():
                    combo.append(key, words)
                show()

        handler = combo.connect("changed", take)
        fill()
        self._fills.append(fill)
        self._config.connect(f"notify::{name}", show)
        return combo

    def _with(self, without: str, given: str) -> Mapping[str, str]:
        """What may be chosen; also what was given and is not there."""
        found = {"": without, **self._offered}
        found.setdefault(given, given)
        return found


def _chooser(
    choices: Mapping[str, str], active: str, label: str, index: int | None
) -> Gtk.ComboBoxText:
    combo = Gtk.ComboBoxText()
    for key, words in choices.items():
        combo.append(key, words)
    for cell in combo.get_cells():
        cell.set_property("ellipsize", 3)  # at the end
        cell.set_property("width-chars", 12)
    combo.set_active_id(active)
    controls.call(combo, label if index is None else label.format(number=index + 2))
    return combo


def _ask_file(window: Gtk.Widget) -> str:
    """The path of a picture that the painter names, or nothing."""
    above = window if isinstance(window, Gtk.Window) else None
    chooser = Gtk.FileChooserDialog(
        title=_("A Picture in the Style You Want"), transient_for=above,
        action=Gtk.FileChooserAction.OPEN,
    )  # fmt: skip
    chooser.add_buttons(_("_Cancel"), Gtk.ResponseType.CANCEL, _("_Open"), Gtk.ResponseType.ACCEPT)
    accepted = chooser.run() == Gtk.ResponseType.ACCEPT
    path = chooser.get_filename() if accepted else ""
    chooser.destroy()
    return path or ""
