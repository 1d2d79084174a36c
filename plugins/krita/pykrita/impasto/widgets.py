"""How the plug-in's widgets are made and put beside each other; knows nothing of paintings."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from .qt import QtCore, QtWidgets, guarded

_SPACE_PX = 4
_ARROWS = {False: QtCore.Qt.ArrowType.RightArrow, True: QtCore.Qt.ArrowType.DownArrow}


def button(
    text: str, tip: str, pressed: Callable[[], None], fail: Callable[[Exception], None]
) -> QtWidgets.QPushButton:
    """A button. fail: gets what goes wrong when it is pressed."""
    made = QtWidgets.QPushButton(text)
    made.setToolTip(tip)
    made.clicked.connect(guarded(fail, lambda _: pressed()))
    return made


def narrow(made: QtWidgets.QPushButton, name: str) -> QtWidgets.QPushButton:
    """The same button, no wider than its sign; `name` is what a screen reader says."""
    made.setAccessibleName(name)
    made.setMaximumWidth(made.sizeHint().height() + 8)
    return made


def label(words: str = "", *, wraps: bool = True) -> QtWidgets.QLabel:
    """Words as they are, which may take several lines; Qt would take some for HTML."""
    made = QtWidgets.QLabel(words)
    made.setTextFormat(QtCore.Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    return made


def plain(words: str) -> str:
    """Words for a tooltip or a message box, where Qt would take some for HTML."""
    if not {"<", "&"} & {*words}:
        return words
    return f"<p>{html.escape(words)}</p>".replace("\n", "<br>")


def in_menu(words: str) -> str:
    """Words for a menu's entry, where Qt would take a & for the sign of a key."""
    return words.replace("&", "&&")


def column(first: QtWidgets.QWidget, *others: Any) -> QtWidgets.QWidget:
    """The first takes what room is left. others: widgets and layouts."""
    layout = QtWidgets.QVBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(_SPACE_PX)
    layout.addWidget(first, 1)
    for other in others:
        add = layout.addLayout if isinstance(other, QtWidgets.QLayout) else layout.addWidget
        add(other)
    widget = QtWidgets.QWidget()
    widget.setLayout(layout)
    return widget


def row(*widgets: QtWidgets.QWidget) -> QtWidgets.QHBoxLayout:
    """Widgets beside each other."""
    layout = QtWidgets.QHBoxLayout()
    layout.setSpacing(_SPACE_PX)
    for widget in widgets:
        layout.addWidget(widget)
    return layout


class Section(QtWidgets.QWidget):
    """Widgets that a click on their heading shows and hides; at first they are hidden.

    beside: stands beside the heading, and is always shown.
    """

    def __init__(self, heading: str, content: QtWidgets.QWidget, beside: QtWidgets.QWidget) -> None:
        super().__init__()
        self.heading = QtWidgets.QToolButton()
        self.heading.setText(heading)
        self.heading.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setCheckable(True)
        self.heading.setAutoRaise(True)
        self.content = content
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_SPACE_PX)
        headings = row(self.heading, beside)
        headings.insertStretch(1, 1)
        layout.addLayout(headings)
        layout.addWidget(content)
        self.heading.toggled.connect(self.open)
        self.open(False)

    def open(self, is_open: bool) -> None:
        """Show or hide what is in it."""
        self.heading.setChecked(is_open)
        self.heading.setArrowType(_ARROWS[is_open])
        self.content.setVisible(is_open)
