"""The window that shows style, layer and what would come of them before anything is painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from krita import Krita

from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.codec import Picture
from impasto_protocol.descriptions import describe_error
from impasto_protocol.errors import ImpastoError
from impasto_protocol.messages import PresetInfo, Report
from impasto_protocol.more_styles import Places
from impasto_protocol.settings import DRAFT_PX, Settings
from impasto_protocol.translations import _

from . import layers, masks, seen, style_files
from .daemon_client import DaemonClient
from .draft import WHOLE, Draft, Part
from .part_chooser import PartChooser
from .qt import QtCore, QtGui, QtWidgets, guarded
from .scaled_read import ScaledRead
from .subject import find_subject
from .widgets import button, label

_LOOK_MS = 400
_PATIENCE = 3
"""So many times in a row Krita may be busy before that is said."""
_THUMBNAIL_PX = 120
_GROUP, _SHOWN = "impasto", "preview"


class PreviewWindow(QtWidgets.QDialog):
    """chosen: the style, its picture and the settings. fail: shows an error.

    closed is emitted when the painter closes it. While `is_paused` nothing is painted. places: in
    which styles is painted beside the first, and where.
    """

    closed = QtCore.pyqtSignal()

    def __init__(
        self,
        parent: QtWidgets.QWidget,
        daemon: DaemonClient,
        chosen: Callable[[], tuple[PresetInfo | None, QtGui.QIcon, Settings]],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__(parent, QtCore.Qt.WindowType.Tool)
        self.setWindowTitle(_("Impasto: Preview"))
        self._daemon, self._chosen, self._fail = daemon, chosen, fail
        self._draft = Draft(daemon, self._show, self._give_up)
        self.places: Callable[[], Places] = Places
        self._seen: Any = None
        self._shown: Any = None
        self._read = ScaledRead(self._give_up_reading)
        self._looks: Any = None
        self._pictures: dict[tuple[str, layers.Box], QtGui.QImage] = {}
        self._style_maps: dict[str, Picture] = {}
        self._file_under_way = ""
        self._before, self._after = QtGui.QImage(), QtGui.QImage()
        self._is_free = self.is_paused = self._looking = False
        self._refused, self._interrupted = 0, ""
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
        before = button(_("Before"), _("Show the layer as it is, as long as it is pressed"),
                        lambda: None, self._fail)  # fmt: skip
        before.pressed.connect(lambda: self._paint_picture(self._before))
        before.released.connect(lambda: self._paint_picture(self._after))
        again = button(_("Again"), _("Paint the preview anew"), self.forget, self._fail)
        whole = button(_("Whole Layer"), _("Show all of it"), lambda: self._part.choose(WHOLE),
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
        self._read.cancel()
        self._clear()
        self._seen = self._shown = None
        self._is_free = False

    def _clear(self) -> None:
        self._pictures.clear()
        self._style_maps.clear()

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
        info, icon, settings = self._chosen()
        self._style.setPixmap(icon.pixmap(_THUMBNAIL_PX, _THUMBNAIL_PX))
        document = Krita.instance().activeDocument()
        if words := self._lacking(document, info):
            self._tell_instead(words)
            return
        if not info:
            return
        self._refused = 0 if layers.is_at_rest(document) else self._refused + 1
        if self._refused:
            if self._refused == _PATIENCE:
                self._interrupted = self._words.text()
                self._words.setText(layers.BUSY)
            return
        if self._words.text() == layers.BUSY:
            self._words.setText(self._interrupted)
        try:
            subject = find_subject(document)
            node, box = subject.layer, subject.box
        except ImpastoError as error:
            self._tell_instead(str(error))
            return
        part, places = self._part.part, self.places()
        inner = _part_of(box, part)
        looks = [node.uniqueId(), seen.trace(node, box)]
        keys = list(filter(None, [*places.keys, places.picture_map]))
        looks += [masks.trace(document, key, inner) for key in keys]
        if style_map := masks.layer_of(document, places.style_map):
            looks.append(seen.trace(style_map, layers.Box.of(style_map.bounds())))
        style = info.name, info.style, info.baked_minutes
        wanted = (looks, box, part, style, settings, places)
        settled, self._seen = wanted == self._seen, wanted
        at_once = not settings.iterations
        # What is painted at once is painted to its end, so that it follows what is moved.
        if wanted == self._shown or (at_once and self._draft.is_at_once):
            return
        self._draft.cancel()
        if not settled and not at_once:
            self._words.setText(_("Painted when the settings rest"))
        elif not self._is_free:
            self._words.setText(_("Painted when nothing else is"))
        elif self._has_read(document, node, looks, box, inner, keys) and self._has_read_file(
            places.style_map
        ):
            self._part.show_picture(self._pictures["", box])
            self._begin(document, inner, info.name, settings, part, places)
            self._shown = wanted

    def _tell_instead(self, words: str) -> None:
        """Why nothing is painted; it is painted anew as soon as it can be."""
        self._draft.cancel()
        self._shown = None
        self._words.setText(words)

    def _lacking(self, document: Any, info: PresetInfo | None) -> str:
        """What has to be done first."""
        if self._daemon.state != "ready":
            return _("The daemon is not connected.")
        if not document:
            return _("Open a picture first.")
        return "" if info else _("Choose a style first.")

    def _has_read(
        self, document: Any, node: Any, looks: Any, box: layers.Box, inner: layers.Box,
        keys: Sequence[str],
    ) -> bool:  # fmt: skip
        """Whether a layer, a part of it, and that part of masks have been read as they look now.

        Else that is begun.
        """
        wanted = [("", box), *((key, inner) for key in ("", *keys))]
        if looks != self._looks:
            self._looks = looks
            self._read.cancel()
            self._clear()
        lacking = next((one for one in wanted if one not in self._pictures), None)
        if lacking is None:
            return True

        def keep(picture: QtGui.QImage) -> None:
            self._pictures[lacking] = picture
            guarded(self._give_up, self._look)()

        if not self._read.is_under_way:
            self._words.setText(_("Looking at the layer"))
            key, place = lacking
            layer = masks.layer_of(document, key) if key else node
            if layer:
                self._read.begin(document, layer, place, DRAFT_PX, keep)
            else:
                image = _fitted(masks.read_image(document, key, place), DRAFT_PX)
                QtCore.QTimer.singleShot(0, lambda: keep(image))
        return False

    def _has_read_file(self, key: str) -> bool:
        """Whether the style's map has been read if it is a file; else that is begun."""
        path = masks.file_of(key)
        if not path or key in self._style_maps:
            return True

        def keep(picture: Picture) -> None:
            self._file_under_way = ""
            self._style_maps[key] = picture

        def give_up(error: Exception) -> None:
            self._file_under_way = ""
            self._give_up_reading(error)

        if self._file_under_way != path:
            self._file_under_way = path
            self._daemon.in_thread(partial(style_files.read_style, path), keep, give_up)
        return False

    def _begin(
        self, document: Any, inner: layers.Box, name: str, settings: Settings, part: Part,
        places: Places,
    ) -> None:  # fmt: skip
        self._before = _fitted(self._pictures["", inner], DRAFT_PX)
        if settings.iterations or self._after.size() != self._before.size():
            self._after = self._before
            self._paint_picture(self._before)
        self._words.setText(_("Painting the preview"))

        def small(key: str) -> QtGui.QImage:
            smooth = QtCore.Qt.TransformationMode.SmoothTransformation
            fit = QtCore.Qt.AspectRatioMode.IgnoreAspectRatio
            return self._pictures[key, inner].scaled(self._before.size(), fit, smooth)

        def look(key: str) -> Picture | None:
            return masks.grey(small(key)) if key else None

        styles = [ChosenStyle(name, look(places.mask))]
        styles += [style.chosen(style.name, look(style.mask)) for style in places.more]
        others: dict[str, Picture] = {}
        if strength := look(places.strength_mask):
            others["strength"] = strength
        if places.picture_map:
            others["map"] = layers.to_picture(small(places.picture_map))
            others["style_map"] = self._style_map_of(document, places.style_map)
        self._draft.begin(self._before, styles, others, settings, part)

    def _style_map_of(self, document: Any, key: str) -> Picture:
        """The map of the style, read once for as long as what is looked at stays as it is."""
        if key not in self._style_maps:
            converter = layers.ConversionDocument(document)
            try:
                self._style_maps[key] = masks.read_map(converter, document, key)
            finally:
                converter.close()
        return self._style_maps[key]

    def _show(self, picture: Picture, is_last: bool) -> None:
        self._after = layers.to_image(picture)
        self._paint_picture(self._after)
        if is_last:
            self._words.setText(
                _("About what it becomes. Drag over the layer to see a part of it.")
            )

    def _paint_picture(self, image: QtGui.QImage) -> None:
        self._picture.setPixmap(QtGui.QPixmap.fromImage(_fitted(image, DRAFT_PX)))

    def _give_up_reading(self, error: Exception) -> None:
        # Until something is another way it would fail again.
        self._shown = self._seen
        self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._words.setText(describe_error(error))


def _part_of(box: layers.Box, part: Part) -> layers.Box:
    """A part of a box in px, one at least."""
    return layers.Box(
        box.x + int(part.x * box.width), box.y + int(part.y * box.height),
        max(1, int(part.width * box.width)), max(1, int(part.height * box.height)),
    )  # fmt: skip


def _fitted(image: QtGui.QImage, longest_px: int) -> QtGui.QImage:
    if image.isNull():
        return image
    return image.scaled(
        longest_px, longest_px, QtCore.Qt.AspectRatioMode.KeepAspectRatio,
        QtCore.Qt.TransformationMode.SmoothTransformation,
    )  # fmt: skip
