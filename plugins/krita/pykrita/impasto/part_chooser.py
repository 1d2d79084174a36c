"""A small picture over which a part of it is chosen by dragging."""

from __future__ import annotations

from impasto_protocol.translations import _

from .draft import WHOLE, Part
from .qt import QtCore, QtGui, QtWidgets

_LEAST_PX = 8


class PartChooser(QtWidgets.QWidget):
    """part: what is chosen, the whole at first and after a double click."""

    def __init__(self, longest_px: int) -> None:
        super().__init__()
        self.part = WHOLE
        self._picture, self._from = QtGui.QPixmap(), QtCore.QPoint()
        self.setFixedSize(longest_px, longest_px)
        self.setToolTip(_("Drag over a part to see that alone. Double click: all of it."))
        self.setAccessibleName(_("The layer"))

    def show_picture(self, image: QtGui.QImage) -> None:
        """Show another picture; the part stays where it is."""
        size = self.size() * self.devicePixelRatioF()
        fitted = image.scaled(
            size, QtCore.Qt.AspectRatioMode.KeepAspectRatio,
            QtCore.Qt.TransformationMode.SmoothTransformation,
        )  # fmt: skip
        self._picture = QtGui.QPixmap.fromImage(fitted)
        self.update()

    def choose(self, part: Part) -> None:
        """Choose a part."""
        self.part = part
        self.update()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """One corner of the part."""
        self._from = event.pos()

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """And the other."""
        place = self._place()
        dragged = QtCore.QRect(self._from, event.pos()).normalized() & place
        if dragged.width() >= _LEAST_PX and dragged.height() >= _LEAST_PX:
            self.choose(Part(
                (dragged.x() - place.x()) / place.width(),
                (dragged.y() - place.y()) / place.height(),
                dragged.width() / place.width(),
                dragged.height() / place.height(),
            ))  # fmt: skip

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        """All of it again."""
        self.choose(WHOLE)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """The picture, and a frame around the part."""
        painter, place = QtGui.QPainter(self), self._place()
        painter.drawPixmap(place, self._picture)
        if self.part != WHOLE:
            frame = QtCore.QRectF(
                place.x() + self.part.x * place.width(), place.y() + self.part.y * place.height(),
                self.part.width * place.width() - 1, self.part.height * place.height() - 1,
            )  # fmt: skip
            # Two lines, of which one is seen on any picture.
            for colour, style in (
                (QtCore.Qt.GlobalColor.black, QtCore.Qt.PenStyle.SolidLine),
                (QtCore.Qt.GlobalColor.white, QtCore.Qt.PenStyle.DashLine),
            ):
                painter.setPen(QtGui.QPen(colour, 1, style))
                painter.drawRect(frame)

    def _place(self) -> QtCore.QRect:
        """Where the picture is drawn."""
        if self._picture.isNull():
            return self.rect()
        size = self._picture.size().scaled(self.size(), QtCore.Qt.AspectRatioMode.KeepAspectRatio)
        place = QtCore.QRect(QtCore.QPoint(0, 0), size)
        place.moveCenter(self.rect().center())
        return place
