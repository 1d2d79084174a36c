"""Small pictures of layers."""

from __future__ import annotations

from .layers import Box, Node, pixels_of
from .qt import QtCore, QtGui


def of(node: Node, box: Box, side_px: int) -> QtGui.QImage:
    """Of what is in a box, no side longer than that, and no larger than it is."""
    size, longest = box.qt().size(), QtCore.QSize(side_px, side_px)
    if max(size.width(), size.height()) > side_px:
        size = size.scaled(longest, QtCore.Qt.AspectRatioMode.KeepAspectRatio)
    return _without_margins(node.thumbnail(max(1, size.width()), max(1, size.height())))


def _without_margins(image: QtGui.QImage) -> QtGui.QImage:
    """What of an image is not transparent, or all of it."""
    pixels = pixels_of(image.convertToFormat(QtGui.QImage.Format.Format_ARGB32))
    alpha, width = pixels[3::4], image.width()
    columns = [x for x in range(width) if any(alpha[x::width])]
    rows = [y for y in range(image.height()) if any(alpha[y * width : (y + 1) * width])]
    if not rows:
        return image
    corners = QtCore.QPoint(columns[0], rows[0]), QtCore.QPoint(columns[-1], rows[-1])
    return image.copy(QtCore.QRect(*corners))
