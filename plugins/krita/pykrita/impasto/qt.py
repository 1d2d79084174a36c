"""The Qt that this Krita is made with. Both at once would crash it, so it is never tried out."""

import pykrita

if getattr(pykrita, "qt_major_version", lambda: 5)() == 6:
    from PyQt6 import QtCore, QtGui, QtWidgets
else:
    from PyQt5 import QtCore, QtGui, QtWidgets

__all__ = ["QtCore", "QtGui", "QtWidgets"]
