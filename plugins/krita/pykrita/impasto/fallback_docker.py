"""The docker of a plug-in whose own files are not complete. Imports nothing of it but Qt."""

from __future__ import annotations

import platform
import sys

from krita import DockWidget, Krita

from .qt import QtCore, QtWidgets


def make_docker(error: Exception) -> type[DockWidget]:
    """A docker that says what is missing and what to do."""
    name = getattr(error, "name", None) or type(error).__name__
    told = (
        f"Impasto's own files are not complete: {name} cannot be loaded.\n\n"
        "Install Impasto again; your styles and settings stay."
    )
    if sys.version_info < (3, 10):  # noqa: UP036 - this file is for Kritas that are too old, too
        told = (
            f"Impasto needs a Krita with Python 3.10 or newer; this one has "
            f"{platform.python_version()}.\n\nGet Krita 5.2 or newer from krita.org."
        )

    class FallbackDocker(DockWidget):
        def __init__(self) -> None:
            super().__init__()
            self.setWindowTitle("Impasto")
            words = QtWidgets.QLabel(told)
            words.setTextFormat(QtCore.Qt.TextFormat.PlainText)
            words.setWordWrap(True)
            copy = QtWidgets.QPushButton("Copy diagnostics")
            copy.clicked.connect(self._copy)
            box = QtWidgets.QWidget()
            layout = QtWidgets.QVBoxLayout(box)
            for widget in (words, copy):
                layout.addWidget(widget)
            layout.addStretch()
            self.setWidget(box)

        def _copy(self) -> None:
            QtWidgets.QApplication.clipboard().setText(
                f"Krita {Krita.instance().version()}\n{platform.platform()}\n"
                f"python: {platform.python_version()}\nerror: {type(error).__name__}: {error}"
            )

        def canvasChanged(self, canvas: object) -> None:
            pass

    return FallbackDocker
