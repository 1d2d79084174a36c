"""The settings in the docker: strength, stroke size and quality, the rest below "More"."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from impasto_protocol.descriptions import QUALITY_LABELS, describe_quality
from impasto_protocol.messages import Estimated
from impasto_protocol.settings import QUALITIES, QUALITY_WORDS, VARIATION_NOISE, Settings
from impasto_protocol.translations import _

from .advanced import EFFORT, AdvancedDialog
from .percent_slider import PercentSlider
from .qt import QtCore, QtWidgets
from .widgets import button, narrow, row

_CUSTOM = ""
_CUSTOM_NAME = _("As set in Advanced")


class Controls(QtWidgets.QWidget):
    """more: what stands below "More", which whoever shows these puts where there is room for it.

    changed is emitted whenever the settings are others. fail: shows an error.
    """

    changed = QtCore.pyqtSignal()

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        super().__init__()
        self._base, self._custom = Settings(), dict[str, int]()
        self.strength = PercentSlider(
            _("Strength"), 0, 100, 50, (_("picture"), _("style")),
            _("How much of the style: 0 % keeps the picture, 100 % keeps little of it"),
        )  # fmt: skip
        self.scale = PercentSlider(
            _("Stroke size"), 10, 400, 100, (_("fine"), _("broad")), _("Size of the brush strokes")
        )
        self.quality = _quality_box()
        self.keep_colours = QtWidgets.QCheckBox(_("Keep the picture's colours"))
        self.seed = QtWidgets.QSpinBox()
        self.seed.setAccessibleName(_("Seed"))
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip(_("Another seed, another painting of the same kind"))
        self.variations = QtWidgets.QSpinBox()
        self.variations.setAccessibleName(_("Variations"))
        self.variations.setRange(1, 8)
        self.variations.setToolTip(_("So many paintings, one after the other, with a seed each"))
        dice = narrow(button("⚄", _("Roll the dice"), self._roll, fail), _("Roll the dice"))
        advanced = button(
            _("Advanced…"),
            _("Everything that can be set about a painting"),
            self.ask_advanced,
            fail,
        )
        form = _form(
            (_("Strength"), self.strength),
            (_("Stroke size"), self.scale),
            (_("Quality"), self.quality),
        )
        self.setLayout(form)
        seed = row(self.seed, dice, advanced)
        seed.setStretch(0, 1)
        self.more = QtWidgets.QWidget()
        below = _form((_("Seed"), self.seed, seed), (_("Variations"), self.variations))
        below.addRow(self.keep_colours)
        self.more.setLayout(below)
        for signal in (
            self.strength.changed, self.scale.changed, self.quality.currentIndexChanged,
            self.keep_colours.toggled, self.seed.valueChanged,
        ):  # fmt: skip
            signal.connect(lambda *_: self.changed.emit())

    def settings(self) -> Settings:
        """What the controls say, and of all else what was shown last."""
        seed, base = self.seed.value(), self._base
        return replace(
            base,
            strength=self.strength.value() / 100,
            style_scale=self.scale.value() / 100,
            keep_colours=self.keep_colours.isChecked(),
            seed=seed,
            # Without noise every seed would give the same painting.
            start_noise=base.start_noise or (VARIATION_NOISE if seed else 0.0),
            **self._effort(),
        )

    def show_settings(self, settings: Settings) -> None:
        """Have the controls say this."""
        told_by_seed = settings.seed and settings.start_noise == VARIATION_NOISE
        self._base = replace(settings, start_noise=0.0) if told_by_seed else settings
        self.strength.setValue(round(settings.strength * 100))
        self.scale.setValue(round(settings.style_scale * 100))
        self.keep_colours.setChecked(settings.keep_colours)
        self.seed.setValue(min(settings.seed, self.seed.maximum()))
        named = (name for name in QUALITIES if is_of_quality(settings, name))
        self._choose_quality(next(named, _CUSTOM), settings)
        self.changed.emit()

    def show_style(self, settings: Settings) -> None:
        """Have the controls say what was saved with a style, at the quality that is chosen.

        What no mask covers goes with the masks, which stay as they are.
        """
        uncovered = self._base.uncovered
        self.show_settings(replace(settings, uncovered=uncovered, **self._effort()))

    def show_times(self, found: Mapping[str, Estimated]) -> None:
        """Have each quality say how long it would take, where that is known."""
        for index, (value, name) in enumerate(QUALITY_LABELS.items()):
            self.quality.setItemText(index, describe_quality(name, found.get(value)))

    def ask_advanced(self) -> None:
        """Have the painter set everything else."""
        chosen = self.quality.currentData()
        dialog = AdvancedDialog(self, self.settings(), by_quality=chosen != _CUSTOM)
        if dialog.exec():
            effort = QUALITIES[chosen or "good"] if dialog.is_by_quality else {}
            self.show_settings(replace(dialog.settings, **effort))
        dialog.deleteLater()

    def _roll(self) -> None:
        self.seed.setValue(random.getrandbits(31))

    def _effort(self) -> dict[str, int]:
        """How long to paint, and at which sizes."""
        return QUALITIES.get(self.quality.currentData()) or self._custom

    def _choose_quality(self, value: str, settings: Settings) -> None:
        if value == _CUSTOM:
            self._custom = {name: getattr(settings, name) for name in EFFORT}
            if self.quality.findData(_CUSTOM) < 0:
                self.quality.addItem(_CUSTOM_NAME, _CUSTOM)
        self.quality.setCurrentIndex(self.quality.findData(value))


def is_of_quality(settings: Settings, quality: str) -> bool:
    """Whether a quality says how long to paint, and at which sizes."""
    return settings == replace(settings, **QUALITIES[quality])


def _quality_box() -> QtWidgets.QComboBox:
    box = QtWidgets.QComboBox()
    # The time that is told later must not widen the docker.
    box.setSizeAdjustPolicy(
        QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    box.setMinimumContentsLength(8)
    expanding = QtWidgets.QSizePolicy.Policy.Expanding
    box.setSizePolicy(expanding, box.sizePolicy().verticalPolicy())
    for value, name in QUALITY_LABELS.items():
        box.addItem(name, value)
        box.setItemData(box.count() - 1, QUALITY_WORDS[value], QtCore.Qt.ItemDataRole.ToolTipRole)
    box.setCurrentIndex(box.findData("good"))
    box.setToolTip(
        "\n".join(f"{name}: {QUALITY_WORDS[value]}" for value, name in QUALITY_LABELS.items())
    )
    return box


def _form(*rows: Any) -> QtWidgets.QFormLayout:
    """rows: a label, what it names, and what stands there if that is more."""
    form = QtWidgets.QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setSpacing(4)
    form.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    for text, widget, *there in rows:
        words = QtWidgets.QLabel(text)
        words.setBuddy(widget)
        form.addRow(words, there[0] if there else widget)
    return form
