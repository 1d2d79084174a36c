"""The Qt that this Krita is made with. Both at once would crash it, so it is never tried out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pykrita

if getattr(pykrita, "qt_major_version", lambda: 5)() == 6:
    from PyQt6 import QtCore, QtGui, QtWidgets
else:
    from PyQt5 import QtCore, QtGui, QtWidgets

__all__ = ["QtCore", "QtGui", "QtWidgets", "guarded"]


def guarded(fail: Callable[[Exception], None], act: Callable[..., object]) -> Callable[..., None]:
    """`act` for Qt to call: what it raises goes to `fail`, and not into a window of Krita's."""

    def slot(*arguments: Any) -> None:
        try:
            act(*arguments)
        except Exception as error:
            fail(error)

    return slot
