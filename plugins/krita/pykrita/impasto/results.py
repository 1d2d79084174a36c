"""The strip of the last results: shown and hidden, compared, and their settings taken again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from krita import Krita

from impasto_protocol.descriptions import QUALITY_LABELS
from impasto_protocol.translations import _

from .contact_sheet import ContactSheet
from .controls import is_of_quality
from .document_settings import Choice
from .painting import Painting
from .qt import QtCore, QtGui, QtWidgets, guarded
from .recipe import Recipe
from .widgets import label, plain

_RESULTS = 12
_ICON_PX = 48
_PAINTING = QtCore.Qt.ItemDataRole.UserRole


class ResultStrip(QtWidgets.QListWidget):
    """A click shows or hides a result's layer, a double click takes its settings again.

    edit: has the controls say something. tell: shows a sentence. fail: shows an error.
    """

    def __init__(
        self,
        edit: Callable[[Choice], None],
        tell: Callable[[str], None],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self._edit, self._tell, self._fail = edit, tell, fail
        self.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.setFlow(QtWidgets.QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QtWidgets.QListView.Movement.Static)
        self.setIconSize(QtCore.QSize(_ICON_PX, _ICON_PX))
        self.setTextElideMode(QtCore.Qt.TextElideMode.ElideRight)
        cell = QtCore.QSize(_ICON_PX + 24, _ICON_PX + self.fontMetrics().height() + 8)
        self.setGridSize(cell)
        self.setFixedHeight(cell.height() + self.horizontalScrollBar().sizeHint().height() + 4)
        # Two of them can be compared.
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAccessibleName(_("Results"))
        self.setToolTip(_("The last results"))
        self.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(guarded(fail, self._show_menu))
        self.itemClicked.connect(guarded(fail, self._click))
        self.itemDoubleClicked.connect(guarded(fail, self.take_again))
        self.hide()

    def add(self, painting: Painting) -> None:
        """Put a finished painting in front."""
        item = QtWidgets.QListWidgetItem(painting.recipe.layer_name)
        told = [painting.recipe.layer_name, *describe(painting.recipe)]
        item.setToolTip(plain("\n".join(told)))
        item.setIcon(QtGui.QIcon(QtGui.QPixmap.fromImage(painting.thumbnail)))
        item.setData(_PAINTING, painting)
        self.insertItem(0, item)
        self.takeItem(_RESULTS)
        self.show()

    def choose_of(self, painting: Painting) -> None:
        """Show all of a painting's series side by side, where there are several."""
        if len(painting.series.painted) > 1 and painting.layer:
            ContactSheet(self.window(), painting, self._fail).show()

    def take_again(self, item: QtWidgets.QListWidgetItem) -> None:
        """Show a result's layer, and its style and settings in the controls."""
        painting = item.data(_PAINTING)
        # First, as with another document come the settings that were its own.
        self._show(painting, visible=True)
        self._edit(Choice.of(painting.recipe))

    def compare(self, *items: QtWidgets.QListWidgetItem) -> QtWidgets.QDialog:
        """Show results side by side in a window."""
        window = QtWidgets.QDialog(self.window())
        window.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        window.setWindowTitle(_("Impasto: Compare Results"))
        row = QtWidgets.QHBoxLayout(window)
        for painting in (item.data(_PAINTING) for item in items):
            picture = QtWidgets.QLabel()
            picture.setPixmap(QtGui.QPixmap.fromImage(painting.thumbnail))
            words = "\n".join([painting.recipe.layer_name, *describe(painting.recipe)])
            picture.setAccessibleName(words)
            column = QtWidgets.QVBoxLayout()
            column.addWidget(picture)
            column.addWidget(label(words, wraps=False))
            column.addStretch()
            row.addLayout(column)
        window.show()
        return window

    def _click(self, item: QtWidgets.QListWidgetItem) -> None:
        # Whoever selects two of them wants to compare them.
        if len(self.selectedItems()) < 2:
            layer = item.data(_PAINTING).layer
            self._show(item.data(_PAINTING), visible=bool(layer) and not layer.visible())

    def _show(self, painting: Painting, *, visible: bool) -> None:
        if not painting.layer:
            self._tell(_("That layer is gone. A double click takes its style and settings again."))
            return
        _bring_to_front(painting.document)
        # The active layer stays: the next press of Stylise is to paint the same one.
        painting.show(painting.slot if visible else None)

    def _show_menu(self, at: QtCore.QPoint) -> None:
        item = self.itemAt(at)
        if not item:
            return
        chosen = self.selectedItems()
        menu = QtWidgets.QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)

        def add(words: str, act: Callable[[], Any], enabled: bool = True) -> None:
            entry = menu.addAction(words)
            entry.triggered.connect(guarded(self._fail, lambda *_: act()))
            entry.setEnabled(enabled)

        layer = item.data(_PAINTING).layer
        visible = bool(layer) and layer.visible()
        words = _("Hide the Layer") if visible else _("Show the Layer")
        add(words, partial(self._show, item.data(_PAINTING), visible=not visible), bool(layer))
        add(_("Edit Its Settings"), partial(self.take_again, item))
        add(_("Compare Two That Are Selected"), partial(self.compare, *chosen), len(chosen) == 2)
        menu.popup(self.mapToGlobal(at))


def _bring_to_front(document: Any) -> None:
    """By a view, as Krita's own `setActiveDocument` leaves one in front that shows another."""
    if Krita.instance().activeDocument() == document:
        return
    for window in Krita.instance().windows():
        for view in window.views():
            if view.document() == document:
                view.setVisible()
                return


def describe(made: Recipe) -> list[str]:
    """The settings of a recipe that a painter has chosen, a line for each."""
    settings = made.settings
    quality = next(
        (QUALITY_LABELS[key] for key in QUALITY_LABELS if is_of_quality(settings, key)), ""
    )
    lines = [
        _("Strength {strength:.0%}").format(strength=settings.strength),
        _("Stroke size {style_scale:.0%}").format(style_scale=settings.style_scale),
        _("Quality: {quality}").format(quality=quality) if quality else "",
        _("Seed {seed}").format(seed=settings.seed) if settings.seed else "",
        _("Keeps the picture's colours") if settings.keep_colours else "",
    ]
    return [line for line in lines if line]
