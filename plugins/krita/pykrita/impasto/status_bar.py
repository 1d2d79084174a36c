"""A painting's progress in Krita's status bar, where it is seen while the docker is not."""

from __future__ import annotations

from collections.abc import Callable

from impasto_protocol.translations import _

from .qt import QtCore, QtWidgets
from .widgets import button, label, plain

_WORDS_PX, _BAR_PX = 220, 90


class StatusBarProgress(QtWidgets.QWidget):
    """In the status bar of a window of Krita's, hidden while nothing is painted.

    finish, cancel: what its buttons do. fail: shows what goes wrong with that.
    """

    def __init__(
        self,
        finish: Callable[[], None],
        cancel: Callable[[], None],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self._words = label(wraps=False)
        self._words.setMaximumWidth(_WORDS_PX)
        self._bar = QtWidgets.QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_BAR_PX)
        self._bar.setAccessibleName(_("Progress of the painting"))
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._words)
        layout.addWidget(self._bar)
        for text, tip, act in (
            (_("Finish Now"), _("End now, and keep what has been painted so far"), finish),
            (_("Cancel"), _("End it and leave all as it was"), cancel),
        ):
            pressed = button(text, tip, act, fail)
            pressed.setFlat(True)
            layout.addWidget(pressed)
        self.hide()

    def put_into(self, window: QtWidgets.QMainWindow) -> None:
        """Into a window's status bar, unless it is there already."""
        if self.parentWidget() is not window.statusBar():
            window.statusBar().addPermanentWidget(self)
            self.hide()

    def tell(self, words: str, share: float | None) -> None:
        """Words, and how much is done if that is known."""
        metrics = self._words.fontMetrics()
        side = QtCore.Qt.TextElideMode.ElideRight
        self._words.setText(metrics.elidedText(f"Impasto: {words}", side, _WORDS_PX))
        self._words.setToolTip(plain(words))
        show_share(self._bar, share)


def show_share(bar: QtWidgets.QProgressBar, share: float | None) -> None:
    """Have a bar show how much is done; None: nobody knows."""
    bar.setRange(0, 0 if share is None else 1000)
    if share is not None:
        bar.setValue(round(share * 1000))
