"""One control for each argument, bound to the dialog's configuration, with its name beside it.

Each has a name for screen readers and its explanation as a tooltip.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from typing import Any

import arguments
import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gimp, GLib, GObject, Gtk  # noqa: E402

from impasto_protocol.translations import _  # noqa: E402

_SPACE_PX = 6
_BOTH_WAYS = GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE
_PERCENT = frozenset({"strength", "style-scale"})
_DECIMALS = {"learning-rate": 5, "averaging": 4, "tolerance": 4}


class Controls(Gtk.Grid):
    """Controls below each other, their labels in a column."""

    def __init__(self) -> None:
        super().__init__(row_spacing=_SPACE_PX, column_spacing=2 * _SPACE_PX, margin_start=12)
        self._rows = 0

    def add_arguments(
        self, config: Gimp.ProcedureConfig, table: Iterable[arguments.Argument]
    ) -> dict[str, Gtk.Widget]:
        """A row for each argument of a table: its controls, by the arguments' names."""
        found = {}
        for argument in table:
            found[argument[1]] = control = control_of(config, argument)
            if argument[0] == "bool":
                self.add_wide(control)
            else:
                self.add_row(argument[2], control)
        return found

    def add_row(self, label: str, control: Gtk.Widget) -> None:
        """A row: a label, with its mnemonic, and what it is for."""
        words = Gtk.Label(label=label, use_underline=True, xalign=0)
        within = control.get_children() if isinstance(control, Gtk.Box) else [control]
        words.set_mnemonic_widget(within[0])
        self.attach(words, 0, self._rows, 1, 1)
        control.set_hexpand(True)
        self.attach(control, 1, self._rows, 1, 1)
        self._rows += 1

    def add_wide(self, control: Gtk.Widget) -> None:
        """A row without a label of ours."""
        control.set_hexpand(True)
        self.attach(control, 0, self._rows, 2, 1)
        self._rows += 1

    def add_heading(self, words: str) -> None:
        """A heading above what is added next."""
        heading = Gtk.Label(xalign=0, margin_top=_SPACE_PX if self._rows else 0)
        heading.set_markup(f"<b>{GLib.markup_escape_text(words)}</b>")
        self.attach(heading, 0, self._rows, 2, 1)
        self._rows += 1


def control_of(config: Gimp.ProcedureConfig, argument: tuple[Any, ...]) -> Gtk.Widget:
    """The control of one argument, as `arguments` describes it."""
    kind, name, label, blurb, *rest = argument
    control: Gtk.Widget
    if name == "seed":
        control = _seed(config, _number(config, name, kind, *rest))
    elif name in _PERCENT:
        control = _percent(config, name, *rest)
    elif kind in ("int", "double"):
        control = _number(config, name, kind, *rest)
    elif kind == "choice":
        control = _choice(config, name, rest[0])
    elif kind == "bool":
        control = tick(label)
        config.bind_property(name, control, "active", _BOTH_WAYS)
    else:
        control = Gtk.Entry(width_chars=24)
        config.bind_property(name, control, "text", _BOTH_WAYS)
    control.set_tooltip_text(blurb)
    call(control, label)
    return control


def tick(label: str) -> Gtk.CheckButton:
    """A tick box whose words may take several lines."""
    box = Gtk.CheckButton(label=label, use_underline=True)
    words = box.get_child()
    assert isinstance(words, Gtk.Label)
    words.set_line_wrap(True)
    words.set_max_width_chars(32)
    words.set_xalign(0)
    return box


def call(widget: Gtk.Widget, label: str) -> None:
    """Give a widget, and all in it that have none, a name for screen readers."""
    widget.get_accessible().set_name(re.sub(r"\(_.\)|_", "", label))
    if isinstance(widget, Gtk.Container):
        widget.forall(_call_if_nameless, label)


def _call_if_nameless(widget: Gtk.Widget, label: str) -> None:
    if not widget.get_accessible().get_name():
        call(widget, label)
    elif isinstance(widget, Gtk.Container):
        widget.forall(_call_if_nameless, label)


def slider(
    config: Gimp.ProcedureConfig, argument: tuple[Any, ...], ends: tuple[str, str]
) -> Gtk.Scale:
    """A share as a slider in percent with named ends; a double click sets its default."""
    name, label, low, high, default = *argument[1:3], *argument[4:]
    scale = Gtk.Scale(
        adjustment=_share(config, name, low, high), digits=0, value_pos=Gtk.PositionType.RIGHT
    )
    scale.add_mark(100 * low, Gtk.PositionType.BOTTOM, ends[0])
    scale.add_mark(100 * high, Gtk.PositionType.BOTTOM, ends[1])
    scale.connect("format-value", lambda _, value: f"{value:.0f} %")
    scale.set_tooltip_text(
        _("From {low} to {low2}. A double click sets {usual:.0f} %.").format(
            low=ends[0], low2=ends[1], usual=100 * default
        )
    )

    def reset(_scale: Gtk.Scale, event: Gdk.EventButton) -> bool:
        if event.type != Gdk.EventType.DOUBLE_BUTTON_PRESS:
            return False
        config.set_property(name, default)
        return True

    scale.connect("button-press-event", reset)
    call(scale, label)
    return scale


def _share(config: Gimp.ProcedureConfig, name: str, low: float, high: float) -> Gtk.Adjustment:
    adjustment = Gtk.Adjustment(
        lower=100 * low, upper=100 * high, step_increment=1, page_increment=10
    )
    config.bind_property(
        name, adjustment, "value", _BOTH_WAYS,
        lambda _, value: 100 * value, lambda _, value: round(value) / 100,
    )  # fmt: skip
    return adjustment


def _percent(
    config: Gimp.ProcedureConfig, name: str, low: float, high: float, _default: float
) -> Gtk.Box:
    field = Gtk.SpinButton(adjustment=_share(config, name, low, high), width_chars=5)
    box = Gtk.Box(spacing=_SPACE_PX)
    box.pack_start(field, False, False, 0)
    box.pack_start(Gtk.Label(label="%"), False, False, 0)
    return box


def _number(
    config: Gimp.ProcedureConfig, name: str, kind: str, low: float, high: float, _default: float
) -> Gtk.SpinButton:
    decimals = _DECIMALS.get(name, 2) if kind == "double" else 0
    step = 10.0**-decimals
    adjustment = Gtk.Adjustment(
        lower=low, upper=high, step_increment=step, page_increment=10 * step
    )
    number: Callable[[float], float] = float if kind == "double" else round
    config.bind_property(
        name, adjustment, "value", _BOTH_WAYS,
        lambda _, value: float(value), lambda _, value: number(value),
    )  # fmt: skip
    return Gtk.SpinButton(
        adjustment=adjustment, digits=decimals, width_chars=8, halign=Gtk.Align.START
    )


def _seed(config: Gimp.ProcedureConfig, field: Gtk.SpinButton) -> Gtk.Box:
    dice = Gtk.Button(label="⚄")
    dice.set_tooltip_text(_("Roll the dice"))
    call(dice, _("Roll the dice"))
    dice.connect("clicked", lambda _: config.set_property("seed", random.getrandbits(31)))
    box = Gtk.Box(spacing=_SPACE_PX)
    box.pack_start(field, False, False, 0)
    box.pack_start(dice, False, False, 0)
    return box


def custom_tick(config: Gimp.ProcedureConfig) -> Gtk.CheckButton:
    """Ticked while the painter's own steps and sizes count instead of a quality's."""
    own = tick(_("_Use my own steps and sizes"))
    own.set_tooltip_text(_("Instead of those of a quality"))
    config.bind_property(
        "quality", own, "active", _BOTH_WAYS,
        lambda _, quality: quality == "custom",
        lambda _, ticked: "custom" if ticked else "good",
    )  # fmt: skip
    return own


def sensitive_if(
    config: Gimp.ProcedureConfig, control: Gtk.Widget, argument: str, allows: Callable[[Any], bool]
) -> None:
    """Let a control be changed only while an argument's value allows it."""
    config.bind_property(
        argument, control, "sensitive", GObject.BindingFlags.SYNC_CREATE,
        lambda _, value: allows(value),
    )  # fmt: skip


def _choice(config: Gimp.ProcedureConfig, name: str, values: dict[str, str]) -> Gtk.ComboBoxText:
    combo = Gtk.ComboBoxText()
    for value, words in values.items():
        combo.append(value, words)
    config.bind_property(name, combo, "active-id", _BOTH_WAYS)
    return combo
