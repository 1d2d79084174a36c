"""Where each style goes, and how much is painted where: a dialog for that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from impasto_protocol.descriptions import describe_error
from impasto_protocol.errors import BadField
from impasto_protocol.messages import STYLES
from impasto_protocol.more_styles import COLUMNS, WHERE, MoreStyle, Places
from impasto_protocol.translations import _

from .masks import FILE, file_of
from .qt import QtWidgets, guarded
from .widgets import button, narrow, plain

_ELSEWHERE = _("Everywhere else")


class PlacesDialog(QtWidgets.QDialog):
    """places, uncovered: at first those given, then what the painter has made of them.

    first: the name of the style that is chosen in the docker. presets: the saved styles.
    masks: what may be chosen, as `masks.offered` tells it.
    """

    def __init__(
        self,
        parent: QtWidgets.QWidget,
        places: Places,
        uncovered: str,
        first: str,
        presets: Collection[str],
        masks: Mapping[str, str],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Impasto: Styles and Masks"))
        self._masks, self._presets, self._fail = masks, list(presets), fail
        self._more = list(places.more)
        self._first = _chooser(self._with(_ELSEWHERE, places.mask), places.mask,
                               _("Where the first style goes"))  # fmt: skip
        self._strength = _chooser(
            self._with(_("None: the same everywhere"), places.strength_mask), places.strength_mask,
            _("Strength mask"),
        )  # fmt: skip
        self._first.setToolTip(WHERE)
        self._first.currentIndexChanged.connect(guarded(fail, self._follow_masks))
        self._strength.setToolTip(
            _("White gets all of the strength, grey less of it, and what is black stays as it is")
        )
        left = {"style": _("Is painted in the first style"), "photograph": _("Stays as it is")}
        self._uncovered = _chooser(left, uncovered, _("What no mask covers"))
        self._grid = QtWidgets.QGridLayout()
        self._add = button(
            _("Add a Style"), _("Another saved style in the same painting"), self._begin, fail
        )
        form = QtWidgets.QFormLayout()
        form.addRow(_("{name} goes").format(name=first or _("The style")), self._first)
        below = QtWidgets.QFormLayout()
        below.addRow(_("What no mask covers"), self._uncovered)
        below.addRow(_("Strength mask"), self._strength)
        flat = {key: words for key, words in masks.items() if key.startswith("layer:")}
        self._picture_map = _chooser(
            self._with(_("None"), places.picture_map, flat), places.picture_map,
            _("Map of the layer"),
        )  # fmt: skip
        self._picture_map.setToolTip(
            _("A layer of flat colours that say what is painted like what of the style")
        )
        self._style_map = _chooser(
            self._with(_("None"), places.style_map, {**flat, FILE: _("A picture file…")}),
            places.style_map, _("Map of the style"),
        )  # fmt: skip
        self._style_map.setToolTip(
            _("The same colours over the style's picture: a layer, or a picture file")
        )
        self._style_map_before = self._style_map.currentIndex()
        self._style_map.activated.connect(guarded(fail, self._take_file))
        below.addRow(_("Map of the layer"), self._picture_map)
        below.addRow(_("Map of the style"), self._style_map)
        kinds = QtWidgets.QDialogButtonBox.StandardButton
        buttons = QtWidgets.QDialogButtonBox(kinds.Ok | kinds.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addLayout(form)
        layout.addLayout(self._grid)
        layout.addWidget(self._add)
        layout.addLayout(below)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self._show()

    @property
    def places(self) -> Places:
        """What the painter has chosen."""
        maps = self._picture_map.currentData(), self._style_map.currentData()
        more = tuple(self._more)
        return Places(self._first.currentData(), self._strength.currentData(), more, *maps)

    def accept(self) -> None:
        """Close it, unless what is chosen does not go together."""
        try:
            self.places  # noqa: B018 - it is looked at
        except BadField as error:
            told = plain(describe_error(error))
            QtWidgets.QMessageBox.information(self, self.windowTitle(), told)
        else:
            super().accept()

    @property
    def uncovered(self) -> str:
        """What becomes of what no mask covers."""
        found: str = self._uncovered.currentData()
        return found

    def _show(self) -> None:
        while item := self._grid.takeAt(0):
            item.widget().deleteLater()
        heads = [QtWidgets.QLabel(words) for words in COLUMNS] if self._more else []
        rows = [heads, *(self._row(row, style) for row, style in enumerate(self._more))]
        for row, widgets in enumerate(rows):
            for column, widget in enumerate(widgets):
                self._grid.addWidget(widget, row, column)
        self._follow_masks()
        self._add.setEnabled(len(self._more) < STYLES - 1 and bool(self._presets))

    def _follow_masks(self, *_: object) -> None:
        """Only where every style has a mask is something left that none covers."""
        masked = [style.mask for style in self._more]
        self._uncovered.setEnabled(all([self._first.currentData(), *masked]))

    def _row(self, row: int, style: MoreStyle) -> list[QtWidgets.QWidget]:
        number = row + 2
        names = {name: name for name in [style.name, *self._presets]}
        chosen = _chooser(names, style.name, _("Style {number}").format(number=number))
        weight = _percent(
            style.weight, 1, _("Its weight where it meets others, in percent"),
            _("Weight of style {number}").format(number=number),
        )  # fmt: skip
        scale = _percent(
            style.scale, 10, _("The size of its strokes, in percent"),
            _("Stroke size of style {number}").format(number=number),
        )  # fmt: skip
        taken = {"all": _("All of it"), "fine": _("Its grain"), "coarse": _("Its shapes")}
        layers = _chooser(
            taken, style.layers, _("What is taken of style {number}").format(number=number)
        )
        mask = _chooser(
            self._with(_ELSEWHERE, style.mask), style.mask,
            _("Where style {number} goes").format(number=number),
        )  # fmt: skip
        mask.setToolTip(WHERE)

        def change(*_: object) -> None:
            self._more[row] = replace(
                self._more[row], name=chosen.currentData(), weight=weight.value() / 100,
                scale=scale.value() / 100, layers=layers.currentData(), mask=mask.currentData(),
            )  # fmt: skip
            self._follow_masks()

        for box in (chosen, layers, mask):
            box.currentIndexChanged.connect(guarded(self._fail, change))
        for field in (weight, scale):
            field.valueChanged.connect(guarded(self._fail, change))
        away = button("✕", _("Without this style"), lambda: self._leave_out(row), self._fail)
        return [chosen, weight, scale, layers, mask,
                narrow(away, _("Without style {number}").format(number=number))]  # fmt: skip

    def _begin(self) -> None:
        self._more.append(MoreStyle("preset", self._presets[0]))
        self._show()

    def _leave_out(self, row: int) -> None:
        del self._more[row]
        self._show()

    def _with(
        self, without: str, given: str, offered: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """What may be chosen, of all masks if not said otherwise; also what was given."""
        found = {"": without, **(self._masks if offered is None else offered)}
        name = PurePath(file_of(given)).name or given
        return {**found, **({} if given in found else {given: name})}

    def _take_file(self, *_: object) -> None:
        """Have the painter name a file where that is chosen."""
        box = self._style_map
        if box.currentData() == FILE:
            path, _kind = QtWidgets.QFileDialog.getOpenFileName(self, box.accessibleName())
            if path:
                box.addItem(PurePath(path).name, FILE + path)
            box.setCurrentIndex(box.count() - 1 if path else self._style_map_before)
        self._style_map_before = box.currentIndex()


def _percent(value: float, least: int, hint: str, name: str) -> Any:
    box = QtWidgets.QSpinBox()
    box.setRange(least, 1000)
    box.setSuffix(" %")
    box.setValue(round(100 * value))
    box.setToolTip(hint)
    box.setAccessibleName(name)
    return box


def _chooser(choices: Mapping[str, str], active: str, name: str) -> Any:
    box = QtWidgets.QComboBox()
    for key, words in choices.items():
        box.addItem(words, key)
    box.setCurrentIndex(box.findData(active))
    box.setAccessibleName(name)
    return box
