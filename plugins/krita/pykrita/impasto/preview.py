"""The window that shows style, layer and what would come of them before anything is painted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from krita import Krita

from impasto_protocol.codec import Picture
from impasto_protocol.errors import ImpastoError
from impasto_protocol.messages import Report
from impasto_protocol.settings import DRAFT_PX, Settings

from . import layers, seen
from .daemon_client import DaemonClient
from .draft import WHOLE, Draft
from .part_chooser import PartChooser
from .qt import QtCore, QtGui, QtWidgets, guarded
from .subject import find_subject
from .widgets import button, label

_LOOK_MS = 400
_THUMBNAIL_PX = 120
_GROUP, _SHOWN = "impasto", "preview"


class PreviewWindow(QtWidgets.QDialog):
    """chosen: the style's name, its picture and the settings. fail: shows an error.

    closed is emitted when the painter closes it. While `is_paused` nothing is painted.
    """

    closed = QtCore.pyqtSignal()

    def __init__(
        self,
        parent: QtWidgets.QWidget,
        daemon: DaemonClient,
        chosen: Callable[[], tuple[str, QtGui.QIcon, Settings]],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__(parent, QtCore.Qt.WindowType.Tool)
        self.setWindowTitle("Impasto: Preview")
        self._daemon, self._chosen, self._fail = daemon, chosen, fail
        self._draft = Draft(daemon, self._show, self._give_up)
        self._seen: Any = None
        self._shown: Any = None
        self._read: Any = None
        self._before, self._after = QtGui.QImage(), QtGui.QImage()
        self._is_free = self.is_paused = self._looking = False
        self._build()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(guarded(self._give_up, self._look))

    def _build(self) -> None:
        self._style, self._part = QtWidgets.QLabel(), PartChooser(_THUMBNAIL_PX)
        self._style.setFixedSize(_THUMBNAIL_PX, _THUMBNAIL_PX)
        self._style.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._picture = QtWidgets.QLabel()
        self._picture.setFixedSize(DRAFT_PX, DRAFT_PX)
        self._picture.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._words = label()
        self._words.setMinimumHeight(2 * self._words.fontMetrics().height())
        before = button("Before", "Show the layer as it is, as long as it is pressed",
                        lambda: None, self._fail)  # fmt: skip
        before.pressed.connect(lambda: self._paint_picture(self._before))
        before.released.connect(lambda: self._paint_picture(self._after))
        again = button("Again", "Paint the preview anew", self.forget, self._fail)
        whole = button("Whole Layer", "Show all of it", lambda: self._part.choose(WHOLE),
                       self._fail)  # fmt: skip
        grid = QtWidgets.QGridLayout(self)
        grid.addWidget(self._style, 0, 0)
        grid.addWidget(self._part, 0, 1)
        grid.addWidget(self._picture, 1, 0, 1, 2)
        grid.addWidget(self._words, 2, 0, 1, 2)
        buttons = QtWidgets.QHBoxLayout()
        for each in (before, again, whole):
            buttons.addWidget(each)
        grid.addLayout(buttons, 3, 0, 1, 2)
        grid.setSizeConstraint(QtWidgets.QLayout.SizeConstraint.SetFixedSize)

    def open_if_remembered(self) -> bool:
        """Show it if it was when Krita was closed; whether it was."""
        was_shown = Krita.instance().readSetting(_GROUP, _SHOWN, "") == "yes"
        if was_shown:
            self.set_shown(True)
        return was_shown

    def set_shown(self, is_shown: bool) -> None:
        """Show or hide it, and remember that."""
        Krita.instance().writeSetting(_GROUP, _SHOWN, "yes" if is_shown else "no")
        self.setVisible(is_shown)

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        """It looks for changes only while it is seen."""
        self._timer.start(_LOOK_MS)

    def hideEvent(self, event: QtGui.QHideEvent) -> None:
        """Nothing is painted that nobody sees."""
        self._timer.stop()
        self.forget()

    def reject(self) -> None:
        """The painter has closed it."""
        self.set_shown(False)
        self.closed.emit()

    def pause(self, is_paused: bool) -> None:
        """Paint nothing while something else is to be painted."""
        self.is_paused = is_paused
        self.forget()

    def forget(self) -> None:
        """Let go of what is shown; it is painted anew when everything is at rest."""
        self._draft.cancel()
        self._seen = self._shown = self._read = None
        self._is_free = False

    def hear(self, report: Report) -> None:
        """What the daemon does: whatever is no draft comes first."""
        self._is_free = not report.before_drafts
        if not self._is_free and self._draft.is_painted:
            self._draft.cancel()
            self._shown = None

    # From the controls to the picture ---------------------------------------------------------

    def _look(self) -> None:
        if self._looking or self.is_paused:
            return
        self._looking = True
        try:
            self._follow()
        finally:
            self._looking = False

    def _follow(self) -> None:
        """Begin a draft once the controls and the layer have been the same for a while."""
        name, icon, settings = self._chosen()
        self._style.setPixmap(icon.pixmap(_THUMBNAIL_PX, _THUMBNAIL_PX))
        document = Krita.instance().activeDocument()
        if (words := self._lacking(document, name)) or not self._is_at_rest(document):
            self._words.setText(words or self._words.text())
            return
        try:
            node, _, _, box = find_subject(document)
        except ImpastoError as error:
            self._draft.cancel()
            self._words.setText(str(error))
            return
        wanted = (node.uniqueId(), box, self._part.part, name, settings)
        settled, self._seen = wanted == self._seen, wanted
        if wanted == self._shown:
            return
        self._draft.cancel()
        if not settled:
            self._words.setText("Painted when the settings rest")
        elif not self._is_free:
            self._words.setText("Painted when nothing else is")
        else:
            self._begin(document, node, box, name, settings)
            self._shown = wanted

    def _lacking(self, document: Any, name: str) -> str:
        """What has to be done first."""
        if self._daemon.state != "ready":
            return "The daemon is not connected."
        if not document:
            return "Open a picture first."
        return "" if name else "Choose a style first."

    def _is_at_rest(self, document: Any) -> bool:
        """While a pen is down Krita would wait for its end."""
        if at_rest := document.tryBarrierLock():
            document.unlock()
        return at_rest

    def _begin(
        self, document: Any, node: Any, box: layers.Box, name: str, settings: Settings
    ) -> None:
        part, whole = self._part.part, None
        if self._read != (node.uniqueId(), box):
            whole = _read(document, node, box)
            self._part.show_picture(whole)
            self._read = node.uniqueId(), box
        inner = layers.Box(
            box.x + int(part.x * box.width), box.y + int(part.y * box.height),
            max(1, int(part.width * box.width)), max(1, int(part.height * box.height)),
        )  # fmt: skip
        shown = whole if whole and inner == box else _read(document, node, inner)
        self._before = _fitted(shown, DRAFT_PX)
        self._after = self._before
        self._paint_picture(self._before)
        self._words.setText("Painting the preview")
        self._draft.begin(self._before, name, settings, part)

    def _show(self, picture: Picture, is_last: bool) -> None:
        self._after = layers.to_image(picture)
        self._paint_picture(self._after)
        if is_last:
            self._words.setText("About what it becomes. Drag over the layer to see a part of it.")

    def _paint_picture(self, image: QtGui.QImage) -> None:
        self._picture.setPixmap(QtGui.QPixmap.fromImage(_fitted(image, DRAFT_PX)))

    def _give_up(self, error: Exception) -> None:
        self._words.setText(f"{error} {getattr(error, 'next_step', '')}")


def _read(document: Any, node: Any, box: layers.Box) -> QtGui.QImage:
    """What can be seen of a layer in a box, in sRGB."""
    converter = layers.ConversionDocument(document)
    try:
        look = partial(seen.pixels, converter, document, node)
        picture = layers.read(converter, node, layers.SRGB, box, look)
    finally:
        converter.close()
    form = QtGui.QImage.Format.Format_ARGB32
    data = bytes(picture.data)
    return QtGui.QImage(data, picture.width, picture.height, 4 * picture.width, form).copy()


def _fitted(image: QtGui.QImage, longest_px: int) -> QtGui.QImage:
    if image.isNull():
        return image
    return image.scaled(
        longest_px, longest_px, QtCore.Qt.AspectRatioMode.KeepAspectRatio,
        QtCore.Qt.TransformationMode.SmoothTransformation,
    )  # fmt: skip
