"""The docker: styles, settings, progress, the last results, and the daemon's state."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from krita import DockWidget, Krita

from impasto_protocol.errors import BadField
from impasto_protocol.messages import Report, Result, Status
from impasto_protocol.settings import QUALITIES, Settings
from impasto_protocol.words import diagnose

from . import recipe
from .link import Link
from .painting import Painting, Watcher
from .qt import QtCore, QtWidgets, guarded
from .recipe import Recipe
from .styles import StyleBrowser, icon_of

_QUALITY_NAMES = {"draft": "Draft", "good": "Good", "best": "Best"}
_RESULTS = 12
_REPORT_MS = 2000


class Docker(DockWidget):
    """One for each of Krita's windows."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Impasto")
        self.painting: Painting | None = None
        self._error: Exception | None = None
        self._link = Link()
        self._link.watchers.append(self._show_state)
        self._build()
        self._show_state()
        self._reporter = QtCore.QTimer()
        self._reporter.timeout.connect(self._ask_report)
        self._reporter.start(_REPORT_MS)
        with contextlib.suppress(BadField):
            last = recipe.last()
            self.styles.choose(last.style)
            self.show_settings(last.settings)
        QtWidgets.QApplication.instance().aboutToQuit.connect(self._link.close)
        # Not a method, which Qt would forget before the docker is gone.
        self.destroyed.connect(lambda: self._let_go())

    def _let_go(self) -> None:
        if self.painting:
            self.painting.abandon()
        self._link.close()

    def canvasChanged(self, canvas: object) -> None:
        """Krita wants every docker to have this."""

    def showEvent(self, event: object) -> None:
        """The styles are fetched when somebody can see them."""
        if self._link.state == "away":
            self.styles.fetch()

    # What actions and buttons do --------------------------------------------------------------

    def stylise(self) -> None:
        """Paint the active layer in the chosen style."""

        def paint() -> None:
            chosen = self.styles.chosen
            self._paint(lambda: Recipe(chosen.name if chosen else "", self.settings()))

        self.styles.when_there(paint)

    def again(self) -> None:
        """Paint the active layer as the last one was painted."""
        self._paint(recipe.last)

    def apply_preset(self) -> None:
        """Have the painter choose a style from a menu; its own settings count."""

        def ask() -> None:
            menu = QtWidgets.QMenu(self)
            self.styles.fill_menu(menu, self.apply)
            menu.popup(self.cursor().pos())

        self.styles.when_there(ask)

    def apply(self, name: str) -> None:
        """Paint the active layer in a saved style, with its own settings at the quality chosen."""
        self.styles.choose(name)
        self._take_settings_of_style()
        self.stylise()

    def cancel(self) -> None:
        """End the painting and leave the document as it was."""
        if self.painting:
            self._tell("Ending", None)
            self.painting.cancel()

    def conclude(self) -> None:
        """End the painting as it stands."""
        if self.painting:
            self._tell("Ending", None)
            self.painting.conclude()

    def restart(self) -> None:
        """Start the daemon, or start it anew."""
        self._error = None
        self._link.open(restart=self._link.state == "ready")
        self.styles.fetch()

    def settings(self) -> Settings:
        """What the controls say, and of all else what was saved with the chosen style."""
        chosen = self.styles.chosen
        return replace(
            chosen.settings if chosen else Settings(),
            strength=self._strength.value() / 100,
            style_scale=self._scale.value() / 100,
            keep_colours=self._keep_colours.isChecked(),
            seed=self._seed.value(),
            **QUALITIES[self._quality.currentData()],
        )

    def show_settings(self, settings: Settings) -> None:
        """Have the controls say this."""
        self._strength.setValue(round(settings.strength * 100))
        self._scale.setValue(round(settings.style_scale * 100))
        self._keep_colours.setChecked(settings.keep_colours)
        self._seed.setValue(settings.seed)
        for row, quality in enumerate(map(self._quality.itemData, range(self._quality.count()))):
            if replace(settings, **QUALITIES[quality]) == settings:
                self._quality.setCurrentIndex(row)

    # A painting's life ------------------------------------------------------------------------

    def _paint(self, make: Any) -> None:
        if self.painting:
            self._tell("A layer is being painted already.", None)
            return
        self._error = None
        try:
            watcher = Watcher(self._tell, guarded(self.fail, self._done), self._failed)
            self._set_painting(Painting(self._link, make(), watcher))
            self._tell(
                "Waiting for the daemon" if self._link.state != "ready" else "Starting", None
            )
            self.painting.begin()
        except Exception as error:
            self.fail(error)

    def _done(self, painting: Painting, result: Result) -> None:
        self._set_painting(None)
        words = f"Done in {result.seconds:.0f} s, {result.steps} steps."
        self._tell(" ".join([words, *result.notes]), None)
        item = QtWidgets.QListWidgetItem()
        item.setToolTip(f"{painting.recipe.layer_name}. Click to go back to it.")
        if painting.thumbnail:
            item.setIcon(icon_of(painting.thumbnail))
        item.setData(QtCore.Qt.ItemDataRole.UserRole, painting)
        self.results.insertItem(0, item)
        self.results.takeItem(_RESULTS)
        self.results.show()

    def _failed(self, painting: Painting, error: Exception) -> None:
        self._set_painting(None)
        if getattr(error, "code", "") == "CANCELLED":
            self._tell(str(error), None)
        else:
            self.fail(error)

    def _go_back(self, item: QtWidgets.QListWidgetItem) -> None:
        """Show a result's layer, and its settings in the controls."""
        painting = item.data(QtCore.Qt.ItemDataRole.UserRole)
        self.styles.choose(painting.recipe.style)
        self.show_settings(painting.recipe.settings)
        if canvas := painting.canvas:
            if Krita.instance().activeDocument() != painting.document:
                Krita.instance().setActiveDocument(painting.document)
            canvas.setVisible(True)
            painting.document.setActiveNode(canvas)
            painting.document.refreshProjection()
        else:
            self._tell("That layer is gone; its style and settings are set again.", None)

    def _set_painting(self, painting: Painting | None) -> None:
        self.painting = painting
        self._stylise.setVisible(painting is None)
        self._cancel.setVisible(painting is not None)
        self._conclude.setVisible(painting is not None)
        self._bar.setVisible(painting is not None)

    # Words ------------------------------------------------------------------------------------

    def _tell(self, words: str, share: float | None) -> None:
        self.words.setText(words)
        self._bar.setRange(0, 0 if share is None else 1000)
        if share is not None:
            self._bar.setValue(round(share * 1000))

    def fail(self, error: Exception) -> None:
        """Show what went wrong and what to do."""
        self._error = error
        if getattr(error, "code", ""):
            self.words.setText(f"{error} {getattr(error, 'next_step', '')}")
        else:
            self.words.setText(
                f"Something went wrong inside Impasto ({type(error).__name__}: {error}). Nothing "
                "was changed. Try once more; if it happens again, report it."
            )

    def _show_state(self) -> None:
        state = self._link.state
        self._start.setText("Restart" if state == "ready" else "Start")
        self._start.setEnabled(state != "connecting")
        if state == "connecting":
            self.state_words.setText("Waiting for the daemon to start")
        elif state == "away":
            self.state_words.setText("The daemon is not connected.")
            if self._link.error:
                self.fail(self._link.error)
        else:
            self._ask_report()

    def _ask_report(self) -> None:
        if self._link.state == "ready" and self.isVisible():
            self._link.ask(Status(), lambda report, _: self._show_report(report), lambda _: None)

    def _show_report(self, report: Report) -> None:
        waiting = sum(job.state == "queued" for job in report.jobs)
        parts = [report.device or "No job has been done yet",
                 report.weights or ("untrained" if report.device else ""),
                 f"{waiting} waiting" if waiting else ""]  # fmt: skip
        self.state_words.setText(" · ".join(filter(None, parts)))

    def _copy_diagnostics(self) -> None:
        words = diagnose(f"Krita {Krita.instance().version()}", self._error)
        QtWidgets.QApplication.clipboard().setText(words)
        self._tell("The diagnostics are in the clipboard.", None)

    # Widgets ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self.styles = StyleBrowser(self._link, self._tell, self.fail)
        self.styles.itemClicked.connect(
            guarded(self.fail, lambda _: self._take_settings_of_style())
        )
        self._strength = _percent(0, 100, 50, "0 keeps the picture, 100 keeps little of it")
        self._scale = _percent(10, 400, 100, "Size of the brush strokes")
        self._quality = QtWidgets.QComboBox()
        for value, name in _QUALITY_NAMES.items():
            self._quality.addItem(name, value)
        self._quality.setCurrentIndex(1)
        self._quality.setToolTip("How long to paint, and at which size")
        self._keep_colours = QtWidgets.QCheckBox("Keep the picture's colours")
        self._seed = QtWidgets.QSpinBox()
        self._seed.setRange(0, 2**31 - 1)
        self._seed.setToolTip("Another seed, another painting of the same kind")
        dice = self._button(
            "⚄", "Roll the dice", lambda: self._seed.setValue(random.getrandbits(31))
        )
        dice.setMaximumWidth(dice.sizeHint().height() + 8)
        seed = _row(self._seed, dice)
        seed.setStretch(0, 1)
        self._stylise = self._button("Stylise", "Paint the layer, or the selection", self.stylise)
        self._cancel = self._button("Cancel", "Leave the document as it was", self.cancel)
        self._conclude = self._button("Keep It as It Is", "End now, as it stands", self.conclude)
        self._bar = QtWidgets.QProgressBar()
        self._bar.setTextVisible(False)
        self.words, self.state_words = _label(), _label()
        self.results = QtWidgets.QListWidget()
        self.results.setFlow(QtWidgets.QListView.Flow.LeftToRight)
        self.results.setIconSize(QtCore.QSize(48, 48))
        self.results.setFixedHeight(66)
        self.results.setToolTip("The last results")
        self.results.itemClicked.connect(guarded(self.fail, self._go_back))
        self.results.hide()
        self._start = self._button("Start", "Start the daemon, or start it anew", self.restart)
        copy = self._button("Copy Diagnostics", "What a bug report needs", self._copy_diagnostics)
        form = QtWidgets.QFormLayout()
        form.setRowWrapPolicy(QtWidgets.QFormLayout.RowWrapPolicy.WrapLongRows)
        for label, field in (
            ("Strength", self._strength), ("Stroke size", self._scale),
            ("Quality", self._quality), ("Seed", seed),
        ):  # fmt: skip
            form.addRow(label, field)
        form.addRow(self._keep_colours)
        styles = _column(self.styles, _row(self.styles.folders, self.styles.sought))
        scrolled = _column(styles, form, self.results, self.state_words, _row(self._start, copy))
        scroll = QtWidgets.QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(scrolled)
        # However low the docker is, what starts and ends a painting is in sight.
        buttons = _row(self._stylise, self._conclude, self._cancel)
        self.setWidget(_column(scroll, self._bar, self.words, buttons))
        self._set_painting(None)

    def _button(self, text: str, tip: str, pressed: Callable[[], None]) -> QtWidgets.QPushButton:
        button = QtWidgets.QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(guarded(self.fail, lambda _: pressed()))
        return button

    def _take_settings_of_style(self) -> None:
        if chosen := self.styles.chosen:
            quality = QUALITIES[self._quality.currentData()]
            self.show_settings(replace(chosen.settings, **quality))


def _percent(low: int, high: int, value: int, tip: str) -> QtWidgets.QSpinBox:
    box = QtWidgets.QSpinBox()
    box.setRange(low, high)
    box.setSuffix(" %")
    box.setValue(value)
    box.setToolTip(tip)
    return box


def _label() -> QtWidgets.QLabel:
    label = QtWidgets.QLabel()
    label.setWordWrap(True)
    return label


def _column(first: QtWidgets.QWidget, *others: Any) -> QtWidgets.QWidget:
    """The first takes what room is left. others: widgets and layouts."""
    column = QtWidgets.QVBoxLayout()
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(first, 1)
    for other in others:
        add = column.addLayout if isinstance(other, QtWidgets.QLayout) else column.addWidget
        add(other)
    widget = QtWidgets.QWidget()
    widget.setLayout(column)
    return widget


def _row(*widgets: QtWidgets.QWidget) -> QtWidgets.QHBoxLayout:
    row = QtWidgets.QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
