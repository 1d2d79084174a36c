"""A slider in percent whose ends have names, and a box to type the number into."""

from __future__ import annotations

from impasto_protocol.translations import _

from .qt import QtCore, QtGui, QtWidgets

_PAD_PX = 6
_MIN_WIDTH_PX = 90


class PercentSlider(QtWidgets.QWidget):
    """A double click sets it back to what it was made with. ends: what its least and most mean.

    name: what it sets, for a screen reader.
    """

    changed = QtCore.pyqtSignal(int)

    def __init__(
        self, name: str, low: int, high: int, value: int, ends: tuple[str, str], tip: str
    ) -> None:
        super().__init__()
        self.bar = _Bar(low, high, value, ends)
        self.bar.setAccessibleName(name)
        self.box = QtWidgets.QSpinBox()
        self.box.setRange(low, high)
        self.box.setSuffix(" %")
        self.box.setValue(value)
        self.box.setAccessibleName(_("{name} in percent").format(name=name))
        for widget in (self.bar, self.box):
            widget.setToolTip(_("{tip}. Double click: {value} %.").format(tip=tip, value=value))
        self.bar.valueChanged.connect(self.box.setValue)
        self.box.valueChanged.connect(self.bar.setValue)
        self.box.valueChanged.connect(self.changed)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.bar, 1)
        layout.addWidget(self.box)
        self.setFocusProxy(self.bar)

    def value(self) -> int:
        """In percent."""
        return self.box.value()

    def setValue(self, value: int) -> None:
        """In percent."""
        self.box.setValue(value)


class _Bar(QtWidgets.QSlider):
    """Filled up to its value, the names of its ends written on it."""

    def __init__(self, low: int, high: int, value: int, ends: tuple[str, str]) -> None:
        super().__init__(QtCore.Qt.Orientation.Horizontal)
        self._usual, self._ends = value, ends
        self.setRange(low, high)
        self.setValue(value)
        self.setSingleStep(1)
        self.setPageStep(10)
        self.setMinimumWidth(_MIN_WIDTH_PX)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QtCore.QSize:
        """As high as a line of text needs."""
        return QtCore.QSize(2 * _MIN_WIDTH_PX, self.fontMetrics().height() + _PAD_PX)

    def minimumSizeHint(self) -> QtCore.QSize:
        """As high as a line of text needs."""
        return QtCore.QSize(_MIN_WIDTH_PX, self.sizeHint().height())

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """It goes to where it is pressed."""
        if event.button() == QtCore.Qt.MouseButton.LeftButton:
            self._go_to(event)

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """And is dragged along."""
        if event.buttons() & QtCore.Qt.MouseButton.LeftButton:
            self._go_to(event)

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        """What Qt does here belongs to a handle, and there is none."""

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        """Back to the usual value."""
        self.setValue(self._usual)

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """The wheel moves what the slider stands in, so that scrolling changes nothing."""
        event.ignore()

    def _go_to(self, event: QtGui.QMouseEvent) -> None:
        share = event.pos().x() / max(1, self.width() - 1)
        span = self.maximum() - self.minimum()
        self.setValue(self.minimum() + round(share * span))

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Each part in colours of the theme that can be read on each other."""
        painter, palette, roles = QtGui.QPainter(self), self.palette(), QtGui.QPalette.ColorRole
        whole = self.rect().adjusted(0, 0, -1, -1)
        share = (self.value() - self.minimum()) / (self.maximum() - self.minimum())
        filled, rest = QtCore.QRect(whole), QtCore.QRect(whole)
        filled.setWidth(round(share * whole.width()))
        rest.setLeft(filled.right() + 1)
        for part, ground, ink in (
            (rest, roles.Base, roles.Text),
            (filled, roles.Highlight, roles.HighlightedText),
        ):
            painter.setClipRect(part)
            painter.fillRect(part, palette.color(ground))
            painter.setPen(palette.color(ink))
            self._write_ends(painter, whole)
        painter.setClipping(False)
        painter.setPen(palette.color(roles.WindowText if self.hasFocus() else roles.Mid))
        painter.drawRect(whole)

    def _write_ends(self, painter: QtGui.QPainter, whole: QtCore.QRect) -> None:
        flags = QtCore.Qt.AlignmentFlag
        inside = whole.adjusted(_PAD_PX, 0, -_PAD_PX, 0)
        for words, side in zip(self._ends, (flags.AlignLeft, flags.AlignRight), strict=True):
            painter.drawText(inside, side | flags.AlignVCenter, words)
