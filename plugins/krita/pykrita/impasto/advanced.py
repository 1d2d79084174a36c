"""The dialog with everything that can be set about a painting and is not in the docker."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

from impasto_protocol.errors import BadField
from impasto_protocol.fields import field_spec
from impasto_protocol.networks import NETWORKS
from impasto_protocol.settings import QUALITIES, Settings
from impasto_protocol.translations import _

from .qt import QtCore, QtWidgets
from .widgets import label

_SPECS = {field.name: field_spec(field) for field in dataclasses.fields(Settings)}
EFFORT = tuple(QUALITIES["good"])
"""The settings that a quality stands for."""
_LARGEST_INT = 2**31 - 1
_HEIGHT_PX = 560
_DECIMALS = {"content_weight": 6, "style_weight": 6}
"""Of those that may be small and large."""

_GROUPS: dict[str, dict[str, str]] = {
    _("Size and steps"): {
        "iterations": _("Iterations"), "working_px": _("Working size"),
        "refinement": _("Refinement"),
        "scales": _("Scales"), "memory_mib": _("Memory"), "snapshots": _("Snapshots"),
    },
    _("Content and style"): {
        "content_weight": _("Content weight (α)"), "style_weight": _("Style weight (β)"),
        "total_variation": _("Smoothing"), "normalisation": _("Loss"),
        "style_loss": _("Match"),
        "start_noise": _("Start from noise"),
    },
    _("Colours"): {
        "colours": _("Colours"), "colour_strength": _("Strength of colour"),
        "colour_mixing": _("Mixed in"),
    },
    _("Brush strokes"): {
        "style_rotation": _("Turned to the left (°)"), "style_rotations": _("Directions"),
        "style_sizes": _("Sizes"),
    },
    _("Network"): {
        "network": _("Network"), "pooling": _("Pooling"), "content_layers": _("Content layers"),
        "content_layer_weights": _("Their weights"), "style_layers": _("Style layers"),
        "style_layer_weights": _("Their weights"),
    },
    _("Optimiser"): {
        "optimiser": _("Optimiser"), "history": _("History"), "learning_rate": _("Learning rate"),
        "averaging": _("Averaging"), "tolerance": _("Tolerance"), "box": _("Keep within range"),
    },
}  # fmt: skip
_CHOICES = {
    "lbfgs": "L-BFGS", "adam": "Adam", "relative": _("Relative"), "even": _("Every layer alike"),
    "gatys": _("As in the paper"), "gram": _("Gram matrices"),
    "wasserstein": _("Mean and covariance"), "histogram": _("Gram matrices and histograms"),
    "shifted": _("Gram matrices of neighbours"),
    "max": _("Maximum"), "average": _("Average"),
    "style": _("The style's"), "matched": _("Matched to the picture's"),
    "cholesky": _("Matched, red first"),
    "luminance": _("Light and dark only"),
    "encoded": _("Their numbers"), "linear": _("Linear light"), "oklab": "Oklab",
    **{name: shape.label for name, shape in NETWORKS.items()},
}  # fmt: skip
_LEAST = {
    "working_px": _("The layer's own"), "refinement": _("None"), "scales": _("By size"),
    "memory_mib": _("What is free"), "tolerance": _("Never stop"), "averaging": _("None"),
    "content_weight": _("From the strength"), "style_weight": _("From the strength"),
}  # fmt: skip
"""What the least value of a setting means."""
_LEFT = (_("Size and steps"), _("Brush strokes"), _("Optimiser"))
"""The groups in the left column; all others are in the right one."""


class _Editor(NamedTuple):
    """A widget for one setting."""

    widget: QtWidgets.QWidget
    read: Callable[[], Any]
    show: Callable[[Any], None]


class AdvancedDialog(QtWidgets.QDialog):
    """settings: at first those given, and once accepted what the painter has made of them.

    by_quality: whether how long to paint is left to the quality.
    """

    def __init__(self, parent: QtWidgets.QWidget, settings: Settings, *, by_quality: bool) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Impasto: Advanced"))
        self.settings = settings
        self._editors: dict[str, _Editor] = {}
        self._by_quality = QtWidgets.QCheckBox(_("As the quality says"))
        columns = QtWidgets.QHBoxLayout()
        for headings in (_LEFT, [heading for heading in _GROUPS if heading not in _LEFT]):
            column = QtWidgets.QVBoxLayout()
            for heading in headings:
                column.addWidget(self._group(heading))
            column.addStretch(1)
            columns.addLayout(column)
        inside = QtWidgets.QWidget()
        inside.setLayout(columns)
        scroll = QtWidgets.QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        # By the keyboard one goes from control to control, and they move into sight.
        scroll.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        self._words = label()
        self._words.hide()
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(scroll, 1)
        layout.addWidget(self._words)
        layout.addWidget(self._buttons())
        self._by_quality.toggled.connect(self._enable)
        self._by_quality.setChecked(by_quality)
        self._show(settings)
        wanted = inside.sizeHint() + QtCore.QSize(40, 90)
        self.resize(wanted.width(), min(_HEIGHT_PX, wanted.height()))

    @property
    def is_by_quality(self) -> bool:
        """Whether how long to paint is left to the quality."""
        return self._by_quality.isChecked()

    def accept(self) -> None:
        """Close it, unless what was entered cannot be."""
        try:
            # What stands as it was shown may be rounded.
            changes = {
                name: value for name, value in self._entered().items() if value != self._shown[name]
            }
            self.settings = dataclasses.replace(self._given, **changes)
        except (BadField, ValueError) as error:
            self._words.setText(str(error))
            self._words.show()
        else:
            super().accept()

    def _buttons(self) -> QtWidgets.QDialogButtonBox:
        kinds = QtWidgets.QDialogButtonBox.StandardButton
        buttons = QtWidgets.QDialogButtonBox(kinds.Ok | kinds.Cancel | kinds.RestoreDefaults)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        buttons.button(kinds.RestoreDefaults).clicked.connect(lambda _: self._restore())
        return buttons

    def _group(self, heading: str) -> QtWidgets.QGroupBox:
        group = QtWidgets.QGroupBox(heading)
        form = QtWidgets.QFormLayout(group)
        if "iterations" in _GROUPS[heading]:
            form.addRow(self._by_quality)
        for name, text in _GROUPS[heading].items():
            editor = _make_editor(name)
            editor.widget.setToolTip(_sentence(_(_SPECS[name].doc)))
            editor.widget.setAccessibleName(f"{heading}: {text}")
            self._editors[name] = editor
            words = QtWidgets.QLabel(text)
            words.setBuddy(editor.widget)
            form.addRow(words, editor.widget)
        return group

    def _show(self, settings: Settings) -> None:
        for name, editor in self._editors.items():
            editor.show(getattr(settings, name))
        self._given, self._shown = settings, self._entered()
        self._enable()

    def _entered(self) -> dict[str, Any]:
        """Raises ValueError where a number is none."""
        return {name: editor.read() for name, editor in self._editors.items()}

    def _restore(self) -> None:
        """All as at first; how long to paint as the quality says, if it says so."""
        self._by_quality.setChecked(True)
        at_first = {name: getattr(Settings(), name) for name in self._editors if name not in EFFORT}
        self._show(dataclasses.replace(self.settings, **at_first))

    def _enable(self, *_: object) -> None:
        for name in EFFORT:
            self._editors[name].widget.setEnabled(not self.is_by_quality)


def _sentence(doc: str) -> str:
    return doc[:1].upper() + doc[1:]


def _make_editor(name: str) -> _Editor:
    spec, default = _SPECS[name], getattr(Settings(), name)
    if isinstance(default, bool):
        check = QtWidgets.QCheckBox()
        return _Editor(check, check.isChecked, check.setChecked)
    if isinstance(default, tuple):
        kind = str if spec.choices else int if name == "snapshots" else float
        line = QtWidgets.QLineEdit()
        line.setPlaceholderText(_("All equal") if kind is float else "")
        return _Editor(
            line,
            lambda: _items(line.text(), kind),
            lambda value: line.setText(", ".join(map(_plain, value))),
        )
    if spec.choices:
        box = QtWidgets.QComboBox()
        for choice in spec.choices:
            box.addItem(_CHOICES[choice], choice)
        return _Editor(box, box.currentData, lambda value: box.setCurrentIndex(box.findData(value)))
    return _number_editor(name, default)


def _number_editor(name: str, default: float | None) -> _Editor:
    spec = _SPECS[name]
    whole = isinstance(default, int)
    spin = QtWidgets.QSpinBox() if whole else QtWidgets.QDoubleSpinBox()
    # None has no number of its own, and so stands below the least.
    low = -1 if default is None else spec.low
    if not whole:
        is_share = spec.high is not None and spec.high <= 1
        spin.setDecimals(_DECIMALS.get(name, 5 if is_share else 3))
        spin.setSingleStep(0.01 if is_share else 1)
    spin.setRange(low, min(spec.high, _LARGEST_INT) if whole else spec.high)
    # Degrees stand in the label.
    spin.setSuffix(f" {spec.unit}" if spec.unit not in ("", "degrees") else "")
    spin.setSpecialValueText(_LEAST.get(name, ""))
    # The largest of some would make the dialog as wide as a screen.
    spin.setMaximumWidth(spin.fontMetrics().horizontalAdvance("M") * 16)
    if default is None:
        return _Editor(
            spin,
            lambda: None if spin.value() < 0 else spin.value(),
            lambda value: spin.setValue(-1 if value is None else value),
        )
    return _Editor(spin, spin.value, spin.setValue)


def _items(text: str, kind: Callable[[str], Any]) -> tuple[Any, ...]:
    """What stands between commas. Raises ValueError where that is not a number but should be."""
    try:
        return tuple(kind(item) for item in map(str.strip, text.split(",")) if item)
    except ValueError as error:
        raise ValueError(
            _("“{text}” is not a list of numbers with commas between.").format(text=text)
        ) from error


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
