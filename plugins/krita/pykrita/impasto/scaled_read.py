"""What can be seen of a layer, scaled down; read a band at a time, so that Krita is not held up."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import pairwise

from . import layers, seen
from .layers import SRGB, Box, ConversionDocument, Document, Node
from .qt import QtCore, QtGui

_BAND_PIXELS = 200_000
_PAUSE_MS = 5
"""Between two bands, for whatever else Krita has to do."""
_FORM = QtGui.QImage.Format.Format_ARGB32
_SMOOTH = QtCore.Qt.TransformationMode.SmoothTransformation

Bands = Generator[None, None, QtGui.QImage]
"""The picture, a band at each step."""


class ScaledRead:
    """One at a time. fail: gets an error."""

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        self._fail = fail
        self._bands: Bands | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether something is being read."""
        return self._bands is not None

    def begin(
        self, document: Document, node: Node, box: Box, longest_px: int,
        done: Callable[[QtGui.QImage], None],
    ) -> None:  # fmt: skip
        """Read a box of a layer so small that no edge is longer. done: gets it, in sRGB."""
        self._bands = _read(document, node, box, longest_px)
        self._step(self._bands, document, done)

    def cancel(self) -> None:
        """Hear of it no more."""
        self._bands = None

    def _step(self, bands: Bands, document: Document, done: Callable[[QtGui.QImage], None]) -> None:
        if not layers.is_open(document):
            self.cancel()
        if bands is not self._bands:
            return
        try:
            if layers.is_at_rest(document):
                next(bands)
        except StopIteration as end:
            self._end(bands, partial(done, end.value))
        except Exception as error:
            self._end(bands, partial(self._fail, error))
        else:
            # Qt does not keep the owner of a method alive, but it does keep a lambda.
            QtCore.QTimer.singleShot(_PAUSE_MS, lambda: self._step(bands, document, done))

    def _end(self, bands: Bands, tell: Callable[[], None]) -> None:
        # Krita runs its event loop while it converts: this may have been cancelled by then.
        if bands is self._bands:
            self._bands = None
            tell()


def _read(document: Document, node: Node, box: Box, longest_px: int) -> Bands:
    """The picture, a band at each step. Raises TooLarge."""
    size = QtCore.QSize(box.width, box.height)
    if max(box.width, box.height) > longest_px:
        size.scale(longest_px, longest_px, QtCore.Qt.AspectRatioMode.KeepAspectRatio)
        size = size.expandedTo(QtCore.QSize(1, 1))
    rows = bytearray()
    converter = ConversionDocument(document)
    try:
        look = _reader(converter, document, node, box)
        for band, height in _bands(box, size.height()):
            data = bytes(layers.read(converter, node, SRGB, band, look).data)
            image = QtGui.QImage(data, band.width, band.height, 4 * band.width, _FORM)
            rows += layers.pixels_of(image.scaled(size.width(), height, transformMode=_SMOOTH))
            yield
    finally:
        converter.close()
    return QtGui.QImage(bytes(rows), size.width(), size.height(), 4 * size.width(), _FORM).copy()


def _reader(
    converter: ConversionDocument, document: Document, node: Node, box: Box
) -> Callable[[Box], QtCore.QByteArray]:
    """What gives bands of a box of a layer."""
    look = partial(seen.pixels, converter, document, node)
    if not seen.is_composed(node):
        return look
    # Krita puts together the whole of it, however little of it is asked for.
    whole = look(box)
    row_bytes = len(whole) // box.height
    return lambda band: whole.mid(row_bytes * (band.y - box.y), row_bytes * band.height)


def _bands(box: Box, height: int) -> Iterator[tuple[Box, int]]:
    """Bands of a box, and how high each is in a picture of that height."""
    count = min(height, 1 + box.width * box.height // _BAND_PIXELS)
    ends = [number * height // count for number in range(count + 1)]
    for above, below in pairwise(ends):
        top, bottom = above * box.height // height, below * box.height // height
        yield Box(box.x, box.y + top, box.width, bottom - top), below - above
