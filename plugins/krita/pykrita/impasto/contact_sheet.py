"""The window that shows variations and snapshots side by side, to choose which is seen."""

from __future__ import annotations

from collections.abc import Callable

from impasto_protocol.translations import _

from .painting import Painting
from .qt import QtCore, QtGui, QtWidgets, guarded
from .widgets import label, plain

_SIDE_PX = 200
_IN_A_ROW = 4
_SLOT = QtCore.Qt.ItemDataRole.UserRole


class ContactSheet(QtWidgets.QDialog):
    """A click has a painting be seen instead of the others of its series; no undo step of it.

    of: any of them. fail: shows an error.
    """

    def __init__(
        self, parent: QtWidgets.QWidget, of: Painting, fail: Callable[[Exception], None]
    ) -> None:
        super().__init__(parent)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Impasto: Which One?"))
        self._painting = of
        self.paintings = self._list()
        self.paintings.itemSelectionChanged.connect(guarded(fail, self._show_chosen))
        words = label(_("Click the one that is to be seen; the others stay in the group."))
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(words)
        layout.addWidget(self.paintings, 1)
        layout.addWidget(buttons)

    def _list(self) -> QtWidgets.QListWidget:
        paintings = QtWidgets.QListWidget()
        paintings.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        paintings.setMovement(QtWidgets.QListView.Movement.Static)
        paintings.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        paintings.setIconSize(QtCore.QSize(_SIDE_PX, _SIDE_PX))
        paintings.setTextElideMode(QtCore.Qt.TextElideMode.ElideMiddle)
        paintings.setAccessibleName(_("Paintings"))
        cell = QtCore.QSize(_SIDE_PX + 16, _SIDE_PX + 2 * paintings.fontMetrics().height())
        paintings.setGridSize(cell)
        for slot, name, image in self._painting.in_series(_SIDE_PX):
            item = QtWidgets.QListWidgetItem(QtGui.QIcon(QtGui.QPixmap.fromImage(image)), name)
            item.setToolTip(plain(name))
            item.setData(_SLOT, slot)
            paintings.addItem(item)
            item.setSelected(slot == self._painting.slot)
        rows = min(3, -(-paintings.count() // _IN_A_ROW))
        columns = min(_IN_A_ROW, paintings.count())
        paintings.setMinimumSize(columns * cell.width() + 24, rows * cell.height() + 8)
        return paintings

    def _show_chosen(self) -> None:
        chosen = self.paintings.selectedItems()
        if chosen and self._painting.is_open:
            self._painting.show(chosen[0].data(_SLOT))
