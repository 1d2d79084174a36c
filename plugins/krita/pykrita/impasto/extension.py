"""The actions: in Tools ▸ Scripts, and with shortcuts that the painter may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from krita import Extension, Krita

from impasto_protocol.translations import _

from .docker import Docker
from .qt import QtCore, guarded

_ACTIONS = {
    "impasto_choose": (_("Impasto: Choose Style and Settings"), Docker.choose),
    "impasto_stylise": (_("Impasto: Stylise Layer"), Docker.stylise),
    "impasto_again": (_("Impasto: Again"), Docker.again),
    "impasto_edit": (_("Impasto: Edit the Recipe"), Docker.edit),
    "impasto_apply_preset": (_("Impasto: Apply Preset…"), Docker.apply_preset),
    "impasto_cancel": (_("Impasto: Cancel"), Docker.cancel),
}


class Impasto(Extension):
    """What Krita knows of the plug-in beside its docker."""

    def setup(self) -> None:
        """Krita calls this once."""
        notifier = Krita.instance().notifier()
        notifier.setActive(True)
        # Krita 5.2 hides a new docker, and a painter would not find it.
        notifier.windowCreated.connect(lambda: QtCore.QTimer.singleShot(0, _show_once))

    def createActions(self, window: Any) -> None:
        """Krita calls this for each window."""
        for name, (text, act) in _ACTIONS.items():
            action = window.createAction(name, text, "tools/scripts")
            action.triggered.connect(lambda *_, act=act: _have(act))


def _have(act: Callable[[Docker], None]) -> None:
    """Do it in the active window's docker, shown, as there the painter reads what happens."""
    docker = Krita.instance().activeWindow().qwindow().findChild(Docker)
    _bring_up(docker)
    guarded(docker.fail, act)(docker)


def _show_once() -> None:
    if not Krita.instance().readSetting("impasto", "shown", ""):
        Krita.instance().writeSetting("impasto", "shown", "yes")
        for window in Krita.instance().windows():
            if docker := window.qwindow().findChild(Docker):
                _bring_up(docker)


def _bring_up(docker: Docker) -> None:
    docker.setVisible(True)
    docker.raise_()  # where it is a tab behind another
