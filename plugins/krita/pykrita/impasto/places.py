"""Where each style goes, and how much is painted where: a dialog for that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from impasto_protocol.messages import STYLES
from impasto_protocol.more_styles import COLUMNS, MoreStyle
from impasto_protocol.translations import _

from .qt import QtWidgets, guarded
from .widgets import button, narrow

_ELSEWHERE = _("Where no mask is")


@dataclass(frozen=True)
class Places:
    """mask: where the first style goes, as `masks` knows it. strength_mask: how much is painted.

    more: the other styles.
    """

    mask: str = ""
    strength_mask: str = ""
    more: tuple[MoreStyle, ...] = ()

    @property
    def keys(self) -> list[str]:
        """All masks that there are, each as often as it is chosen."""
        return list(filter(None, [self.mask, self.strength_mask, *(s.mask for s in self.more)]))


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
            self._with(_("Everywhere"), places.strength_mask), places.strength_mask,
            _("Strength by"),
        )  # fmt: skip
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
        below.addRow(_("Strength by"), self._strength)
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
        return Places(self._first.currentData(), self._strength.currentData(), tuple(self._more))

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
        self._add.setEnabled(len(self._more) < STYLES - 1 and bool(self._presets))

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

        def change(*_: object) -> None:
            self._more[row] = replace(
                self._more[row], name=chosen.currentData(), weight=weight.value() / 100,
                scale=scale.value() / 100, layers=layers.currentData(), mask=mask.currentData(),
            )  # fmt: skip

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

    def _with(self, without: str, given: str) -> dict[str, str]:
        """What may be chosen; also what was given and is not there."""
        return {"": without, **({given: given} if given else {}), **self._masks}


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
