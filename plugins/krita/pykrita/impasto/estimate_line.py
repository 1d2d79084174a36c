"""A line that tells what a painting would take; it follows the controls and the active layer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from krita import Krita

from impasto_protocol.descriptions import describe_estimate
from impasto_protocol.errors import ImpastoError
from impasto_protocol.messages import Estimate, Estimated
from impasto_protocol.settings import QUALITIES, Settings

from . import layers
from .daemon_client import DaemonClient
from .qt import QtCore, QtGui, QtWidgets, guarded
from .recipe import Recipe
from .subject import find_subject

_LOOK_MS = 300
_RENEW_MS = 10_000
"""After that the answer may be another, as the memory is that of other programs too."""
_FONT_SIZE = 0.85


_Questions = dict[str, Estimate]


class EstimateLine(QtWidgets.QLabel):
    """Empty while no daemon is connected or no layer can be painted.

    settings, quality, planes, paintings: what the controls say, how many masks there are, and how
    many paintings there are to be; a quality of no name is neither of QUALITIES.
    show_times: gets what each quality would take. fail: shows an error.
    """

    def __init__(
        self,
        daemon: DaemonClient,
        settings: Callable[[], Settings],
        quality: Callable[[], str],
        planes: Callable[[], int],
        paintings: Callable[[], int],
        show_times: Callable[[Mapping[str, Estimated]], None],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self._daemon, self._settings, self._quality = daemon, settings, quality
        self._planes, self._paintings, self._show_times = planes, paintings, show_times
        self._answers: Mapping[str, Estimated] = {}
        self._seen: _Questions | None = None
        self._asked: _Questions | None = None
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
        questions = self._questions()
        settled, self._seen = questions == self._seen, questions
        if questions is None:
            self._forget()
        elif settled and (questions != self._asked or self._age.hasExpired(_RENEW_MS)):
            self._asked, self._waits = questions, True
            self._age.start()
            self._ask(questions, list(questions), {})
        elif questions == self._asked:  # or the answers are to others, of another picture maybe
            self._tell()

    def _questions(self) -> _Questions | None:
        """What to ask, by quality; of the one that is chosen, too, where it has no name."""
        if not self._daemon.understands(Estimate):
            return None
        # Pressing the button says why nothing can be painted.
        with contextlib.suppress(ImpastoError):
            box = _box_to_send(Krita.instance().activeDocument())
            settings = self._settings()
            efforts = {self._quality(): {}, **QUALITIES}
            return {
                quality: Estimate(
                    height=box.height,
                    width=box.width,
                    settings=replace(settings, **effort),
                    planes=self._planes(),
                )
                for quality, effort in efforts.items()
            }
        return None

    def _ask(self, questions: _Questions, left: list[str], answers: dict[str, Estimated]) -> None:
        """One after the other, as the daemon lets only so many requests wait."""

        def take(answer: Estimated, _frames: object) -> None:
            answers[left[0]] = answer
            if len(left) > 1:
                self._ask(questions, left[1:], answers)
            else:
                self._show(answers)

        def give_up(_error: Exception) -> None:
            self._waits, self._answers = False, {}
            self.clear()

        self._daemon.ask(questions[left[0]], take, give_up)

    def _show(self, answers: dict[str, Estimated]) -> None:
        self._waits, self._answers = False, answers
        self._tell()
        self._show_times(answers)

    def _tell(self) -> None:
        chosen = self._quality()
        if answer := self._answers.get(chosen):
            self.setText(describe_estimate(answer, chosen, self._paintings()))

    def _forget(self) -> None:
        self._asked, self._answers = None, {}
        self.clear()
        self._show_times({})


def _box_to_send(document: layers.Document | None) -> layers.Box:
    subject = find_subject(document)
    return layers.box_to_send(document, subject.box, subject.selection, Recipe.margin_px)
