"""A line that tells what a painting would take; it follows the controls and the active layer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from krita import Krita

from impasto_protocol.descriptions import describe_estimate
from impasto_protocol.errors import ImpastoError
from impasto_protocol.messages import Estimate, Estimated
from impasto_protocol.settings import Settings

from . import layers
from .daemon_client import DaemonClient
from .qt import QtCore, QtGui, QtWidgets, guarded
from .recipe import Recipe

_LOOK_MS = 300
_RENEW_MS = 10_000
"""After that the answer may be another, as the memory is that of other programs too."""
_FONT_SIZE = 0.85


class EstimateLine(QtWidgets.QLabel):
    """Empty while no daemon is connected or no layer can be painted.

    settings, quality: what the controls say. fail: shows an error.
    """

    def __init__(
        self,
        daemon: DaemonClient,
        settings: Callable[[], Settings],
        quality: Callable[[], str],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self._daemon, self._settings, self._quality = daemon, settings, quality
        self._seen: Estimate | None = None
        self._asked: Estimate | None = None
        self._waits = False
        self._age = QtCore.QElapsedTimer()
        self.setWordWrap(True)
        font = self.font()
        font.setPointSizeF(QtGui.QFontInfo(font).pointSizeF() * _FONT_SIZE)
        self.setFont(font)
        # Krita does not tell when another layer becomes the active one, or what is selected.
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(guarded(fail, self._look))
        self._timer.start(_LOOK_MS)

    def showEvent(self, event: object) -> None:
        """The answer may be another than before it was hidden: a painting has ended."""
        self._forget()

    def _look(self) -> None:
        if self._waits or not self.isVisible():
            return
        question = self._question()
        settled, self._seen = question == self._seen, question
        if question is None:
            self._forget()
        elif settled and (question != self._asked or self._age.hasExpired(_RENEW_MS)):
            self._ask(question)

    def _question(self) -> Estimate | None:
        if not self._daemon.understands(Estimate):
            return None
        # Pressing the button says why nothing can be painted.
        with contextlib.suppress(ImpastoError):
            box = _box_to_send(Krita.instance().activeDocument())
            return Estimate(height=box.height, width=box.width, settings=self._settings())
        return None

    def _ask(self, question: Estimate) -> None:
        quality = self._quality()

        def show(answer: Estimated, _frames: object) -> None:
            self._waits = False
            self.setText(describe_estimate(answer, quality))

        def give_up(_error: Exception) -> None:
            self._waits = False
            self.clear()

        self._asked, self._waits = question, True
        self._age.start()
        self._daemon.ask(question, show, give_up)

    def _forget(self) -> None:
        self._asked = None
        self.clear()


def _box_to_send(document: layers.Document | None) -> layers.Box:
    node = layers.find_source(document)
    selection = document.selection()
    box = layers.box_to_paint(document, node, selection)
    return layers.box_to_send(document, box, selection, Recipe.margin_px)
