"""The browser of saved styles: thumbnails to choose from, and to drag pictures onto."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from impasto_protocol.client import pictures_in
from impasto_protocol.codec import Buffer, Picture
from impasto_protocol.errors import UnknownPreset
from impasto_protocol.messages import PresetGet, PresetInfo, PresetList, Presets, Report
from impasto_protocol.settings import Settings
from impasto_protocol.style_names import name_now
from impasto_protocol.translations import _

from .daemon_client import DaemonClient
from .layers import to_image
from .qt import QtCore, QtGui, QtWidgets
from .recent_styles import recent_styles
from .style_editor import StyleEditor
from .style_saver import StyleSaver
from .widgets import button, in_menu, narrow, plain

_THUMBNAIL_PX = 64
_STATES = {
    "other_weights": _("Made with other weights: studied anew when it is used"),
    "older_version": _("Made by an older Impasto: studied anew when it is used"),
}
_BAKED = _("Baked: the quality Instant paints it at once")
_EMPTY = _("No style yet. Press + and choose a picture whose style you want, or drag one here.")
_FETCHING = _("Fetching the styles")
_AWAY = _("The styles come from the daemon, which is not connected. Open More and press Start.")
_NONE_FOUND = _("No style is like that. Clear the words, or choose All styles.")
_ALL, _FAVOURITES, _RECENT = None, "/favourites", "/recent"
"""What the list of folders holds beside folders, whose names have no slash."""
_STAR = "★"
_INFO = QtCore.Qt.ItemDataRole.UserRole


class NamedStyle(NamedTuple):
    """A style by its name. style_hash: that of its picture, by which it is known when renamed."""

    name: str = ""
    style_hash: str = ""


class StyleBrowser(QtWidgets.QListWidget):
    """folders, sought, add: what narrows the list, and a button that adds a picture's style.

    picked is emitted when the painter chooses a style, by the mouse or the keyboard.
    tell: shows a sentence, and how much is done. progress: the same of what goes on already. fail:
    shows an error. settings: what is kept with a new style. listeners are called whenever `is_busy`
    changes.
    """

    picked = QtCore.pyqtSignal()

    def __init__(
        self,
        daemon: DaemonClient,
        tell: Callable[[str, float | None], None],
        progress: Callable[[str, float | None], None],
        fail: Callable[[Exception], None],
        settings: Callable[[], Settings],
    ) -> None:
        super().__init__()
        self._daemon, self._tell, self._fail, self._settings = daemon, tell, fail, settings
        self._awaited, self._without_icon = NamedStyle(), list[str]()
        self._saver = StyleSaver(
            daemon, tell, progress, fail, self.fetch, self._set_icon, _THUMBNAIL_PX
        )
        self.listeners = self._saver.listeners
        self._then: list[Callable[[], None]] = []
        self._there = False
        self.editor = StyleEditor(
            self, daemon, tell, fail, self.fetch, self._free_name, self._folder_names,
            self._saver.bake,
        )  # fmt: skip
        self.folders = QtWidgets.QComboBox()
        self.folders.setToolTip(_("Folders of styles"))
        self.folders.setAccessibleName(_("Folders of styles"))
        for name, value in ((_("All styles"), _ALL), (f"{_STAR} {_('Favourites')}", _FAVOURITES),
                            (_("Recent"), _RECENT)):  # fmt: skip
            self.folders.addItem(name, value)
        self._fixed = self.folders.count()
        self.folders.currentIndexChanged.connect(self._narrow)
        self.sought = QtWidgets.QLineEdit()
        self.sought.setPlaceholderText(_("Name or tag"))
        self.sought.setAccessibleName(_("Find styles by name or tag"))
        self.sought.setClearButtonEnabled(True)
        self.sought.textChanged.connect(self._narrow)
        self.add = narrow(
            button("+", _("Add a picture's style"), self.ask_for_picture, fail),
            _("Add a picture's style"),
        )
        self.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.setMovement(QtWidgets.QListView.Movement.Static)
        self.setIconSize(QtCore.QSize(_THUMBNAIL_PX, _THUMBNAIL_PX))
        self.setGridSize(QtCore.QSize(_THUMBNAIL_PX + 18, _THUMBNAIL_PX + 26))
        self.setMinimumHeight(_THUMBNAIL_PX + 32)
        # What does not move its items takes no drops, unless it is told so last.
        self.viewport().setAcceptDrops(True)
        self.setToolTip(_("Saved styles. Drag a picture here to add its style."))
        self.setAccessibleName(_("Styles"))
        self.itemClicked.connect(lambda _: self.picked.emit())
        self.picked.connect(self._await_none)
        daemon.listeners.append(self.viewport().update)

    @property
    def chosen(self) -> PresetInfo | None:
        """The style that is chosen, and to be seen."""
        item = self.currentItem()
        return item.data(_INFO) if item and item.isSelected() and not item.isHidden() else None

    @property
    def to_be_chosen(self) -> NamedStyle:
        """What will be chosen once it has come, or else is, even out of sight."""
        return self._awaited if self._awaited.name else self._marked

    @property
    def _marked(self) -> NamedStyle:
        item = self.currentItem()
        if item and item.isSelected():
            return NamedStyle(item.text(), item.data(_INFO).style)
        return NamedStyle()

    @property
    def infos(self) -> list[PresetInfo]:
        """All styles that have come, whether they are to be seen or not."""
        return [self.item(row).data(_INFO) for row in range(self.count())]

    def choose(self, name: str, style_hash: str = "") -> None:
        """Choose a style, now or when it has arrived; until then none is chosen."""
        self._awaited = NamedStyle(name, style_hash)
        self.clearSelection()
        self._choose_awaited()

    def choose_first(self) -> None:
        """Choose the first that is to be seen, unless one is chosen."""
        seen = (item for item in map(self.item, range(self.count())) if not item.isHidden())
        if not self.chosen and (first := next(seen, None)):
            self.choose(first.text())
            self.picked.emit()

    def when_there(self, act: Callable[[], None]) -> None:
        """Do something once the styles have come."""
        if self._there:
            act()
        else:
            self._tell(_("Fetching the saved styles"), None)
            self._wait_for([*self._then, act])
            self.fetch()

    @property
    def is_busy(self) -> bool:
        """Whether there is something to cancel."""
        return bool(self._then or self._saver.names)

    def hear(self, report: Report) -> None:
        """Tell of the styles that are being baked, be it for another window."""
        self._saver.hear(report)

    def cancel(self) -> None:
        """Add no style that is not there yet, and do nothing once they have come."""
        self._wait_for([])
        self._saver.cancel()
        self._tell(_("Cancelled."), None)

    def _wait_for(self, then: list[Callable[[], None]]) -> None:
        self._then = then
        for listener in self.listeners:
            listener()

    def fetch(self, choose: str = "") -> None:
        """Get the styles from the daemon anew, and choose one; else what is chosen stays so."""
        found: list[PresetInfo] = []
        damaged: list[str] = []

        def take(answer: Presets, _frames: object) -> None:
            found.extend(answer.presets)
            damaged.extend(answer.damaged)
            if answer.more:
                self._daemon.ask(PresetList(after=found[-1].name), take, give_up)
                return
            self._fill(found, choose)
            if damaged:
                names = ", ".join(damaged)
                self._tell(
                    _(
                        "Damaged, or made by a newer Impasto, and so not in the list: {names}. "
                        "Update Impasto, or import them again."
                    ).format(names=names),
                    None,
                )

        def give_up(error: Exception) -> None:
            self._wait_for([])
            self._fail(error)

        self._daemon.ask(PresetList(), take, give_up)

    def add_picture(self, path: str) -> None:
        """Keep the style of a picture file under the file's name, with what the controls say."""
        self._saver.add(self._free_name(Path(path).stem), self._settings(), path)

    def fill_menu(self, menu: QtWidgets.QMenu, take: Callable[[str], None]) -> None:
        """An entry for each style, in a menu for each folder. take: has the name chosen."""
        menus = {"": menu}
        for item in map(self.item, range(self.count())):
            info = item.data(_INFO)
            if info.folder not in menus:
                menus[info.folder] = menu.addMenu(in_menu(info.folder))
            name = in_menu(info.name)
            menus[info.folder].addAction(item.icon(), name, partial(take, info.name))
        if not self.count():
            menu.addAction(_("No style has been saved yet")).setEnabled(False)

    # Dragging ---------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QtGui.QDragEnterEvent) -> None:
        """Qt asks whether it may be dropped here."""
        if event.mimeData().hasUrls():
            # Whoever moves a file here would lose it.
            event.setDropAction(QtCore.Qt.DropAction.CopyAction)
            event.accept()

    def dragMoveEvent(self, event: QtGui.QDragMoveEvent) -> None:
        """And again, all the way."""
        self.dragEnterEvent(event)

    def dropEvent(self, event: QtGui.QDropEvent) -> None:
        """Each picture that was dropped becomes a style, and each saved style is imported."""
        self.dragEnterEvent(event)
        paths = [url.toLocalFile() for url in event.mimeData().urls()]
        # Only then is it known which names are taken.
        self.when_there(lambda: self._add(paths))

    def _add(self, paths: Sequence[str]) -> None:
        for path in paths:
            saved = path.lower().endswith((".safetensors", ".zip"))
            self.editor.add_saved(path) if saved else self.add_picture(path)

    # The list ---------------------------------------------------------------------------------

    def _fill(self, found: list[PresetInfo], choose: str = "") -> None:
        self._there = True
        marked = self._marked
        self.clear()
        for info in found:
            item = _Item(info.name, self)
            item.setData(_INFO, info)
            where = _("in {folder}").format(folder=info.folder) if info.folder else ""
            baked = _BAKED if info.is_baked else ""
            told = [info.name, where, ", ".join(info.tags), baked, _STATES.get(info.state, "")]
            item.setToolTip(plain("\n".join(filter(None, told))))
        self._fill_folders(sorted({info.folder for info in found} - {""}))
        self._without_icon = [info.name for info in found]
        self._ask_for_icon()
        if choose:
            self.choose(choose)
        elif not self._choose_awaited():
            self._select(marked)
        then = self._then
        self._wait_for([])
        for act in then:
            act()

    def _await_none(self) -> None:
        self._awaited = NamedStyle()

    def _choose_awaited(self) -> bool:
        """Whether it is there."""
        if not self._select(self._awaited):
            return False
        self._await_none()
        if self.currentItem().isHidden():
            self.folders.setCurrentIndex(0)
            self.sought.clear()
        return True

    def _select(self, wanted: NamedStyle) -> bool:
        """Whether it is there."""
        try:
            name = name_now(*wanted, self.infos) if wanted.name else ""
        except UnknownPreset:
            return False
        for item in self.findItems(name, QtCore.Qt.MatchFlag.MatchExactly):
            self.setCurrentItem(item)
            # The current one may be one that is not selected.
            item.setSelected(True)
        return bool(name)

    def _fill_folders(self, names: list[str]) -> None:
        chosen = self.folders.currentData()
        self.folders.blockSignals(True)
        while self.folders.count() > self._fixed:
            self.folders.removeItem(self._fixed)
        for name in names:
            self.folders.addItem(name, name)
        self.folders.setCurrentIndex(max(0, self.folders.findData(chosen)))
        self.folders.blockSignals(False)
        self._narrow()

    def _folder_names(self) -> list[str]:
        return [self.folders.itemText(row) for row in range(self._fixed, self.folders.count())]

    def _narrow(self, *_: object) -> None:
        folder, words = self.folders.currentData(), self.sought.text()
        recent = recent_styles() if folder == _RECENT else []
        for item in map(self.item, range(self.count())):
            info = item.data(_INFO)
            item.rank = recent.index(info.name) if info.name in recent else len(recent)
            shown = {
                _ALL: True,
                _FAVOURITES: info.is_favourite,
                _RECENT: info.name in recent,
            }.get(folder, folder == info.folder)
            item.setHidden(not (shown and info.matches(words)))
        self.sortItems()
        self.setAccessibleDescription(self._words_instead())

    def _words_instead(self) -> str:
        """What stands in the list where there is no style to be seen."""
        if any(not self.item(row).isHidden() for row in range(self.count())):
            return ""
        if self.count():
            return _NONE_FOUND
        if self._there:
            return _EMPTY
        return _AWAY if self._daemon.state == "away" else _FETCHING

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """The styles, or words on what to do first."""
        super().paintEvent(event)
        if words := self._words_instead():
            painter = QtGui.QPainter(self.viewport())
            painter.setPen(self.palette().color(QtGui.QPalette.ColorRole.Text))
            centred = QtGui.QTextOption(QtCore.Qt.AlignmentFlag.AlignCenter)
            room = QtCore.QRectF(self.viewport().rect().adjusted(8, 4, -8, -4))
            painter.drawText(room, words, centred)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """Whoever goes to another style by the arrows has chosen it, or presses space on one."""
        before = self.currentItem(), self.chosen
        super().keyPressEvent(event)
        if (self.currentItem(), self.chosen) != before:
            self.picked.emit()

    def _ask_for_icon(self, *_: object) -> None:
        """One after the other, as the daemon lets only so many requests wait."""
        if self._without_icon and self._daemon.state == "ready":
            message = PresetGet(name=self._without_icon.pop(0), thumbnail_only=True)
            self._daemon.ask(message, self._show_icon, self._ask_for_icon)

    def _show_icon(self, answer: Presets, frames: Sequence[Buffer]) -> None:
        (info,), (thumbnail,) = answer.presets, pictures_in(answer, frames)
        self._set_icon(info.name, thumbnail)
        # Qt looks for an item where it was before it had grown by its icon.
        self.scheduleDelayedItemsLayout()
        self._ask_for_icon()

    def _set_icon(self, name: str, picture: Picture) -> None:
        for item in self.findItems(name, QtCore.Qt.MatchFlag.MatchExactly):
            item.setIcon(icon_of(picture, starred=item.data(_INFO).is_favourite))

    def _free_name(self, stem: str) -> str:
        names = [*self._saver.names, *(self.item(row).text() for row in range(self.count()))]
        taken = {name.casefold() for name in names}
        stem = "".join(c if c.isalnum() or c in " -_" else " " for c in stem).strip()[:56] or _(
            "Style"
        )
        numbered = (stem if n == 1 else f"{stem} {n}" for n in range(1, 10_000))
        return next(name for name in numbered if name.casefold() not in taken)

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Whoever opens a style's menu has not chosen it."""
        if event.button() != QtCore.Qt.MouseButton.RightButton:
            super().mousePressEvent(event)

    def contextMenuEvent(self, event: QtGui.QContextMenuEvent) -> None:
        """The menu of the style under the mouse, or by the keyboard of the chosen one."""
        by_key = event.reason() == QtGui.QContextMenuEvent.Reason.Keyboard
        item = self.currentItem() if by_key else self.itemAt(event.pos())
        at = self.visualItemRect(item).center() if by_key and item else event.pos()
        menu = QtWidgets.QMenu(self)
        menu.addAction(_("Add a Picture's Style…"), self.ask_for_picture)
        if item:
            # Not the item itself, which is gone when the styles are fetched meanwhile.
            info = item.data(_INFO)
            menu.addAction(
                _("Keep These Settings with It"),
                lambda: self._saver.change(info.name, self._settings()),
            )
            self.editor.fill_menu(menu, info)
        menu.addAction(_("Import…"), self.editor.ask_what_to_import)
        menu.addAction(_("Refresh"), self.fetch)
        menu.exec(self.viewport().mapToGlobal(at))
        menu.deleteLater()

    def ask_for_picture(self) -> None:
        """Have the painter choose a picture file whose style is to be kept."""
        path = QtWidgets.QFileDialog.getOpenFileName(self, _("A Picture in the Style You Want"))[0]
        if path:
            self.add_picture(path)


class _Item(QtWidgets.QListWidgetItem):
    """A style in the list. rank: those of the same stand in the order of their names."""

    rank = 0

    def __lt__(self, other: _Item) -> bool:
        return (self.rank, self.text().casefold()) < (other.rank, other.text().casefold())


def icon_of(picture: Picture, *, starred: bool = False) -> QtGui.QIcon:
    """A picture as an icon, with a star on it."""
    pixmap = QtGui.QPixmap.fromImage(to_image(picture))
    if starred:
        painter, flags = QtGui.QPainter(pixmap), QtCore.Qt.AlignmentFlag
        font = painter.font()
        font.setPixelSize(max(1, pixmap.width() // 4))
        painter.setFont(font)
        # The black one below it is its edge on a light picture.
        for colour, shift in ((QtCore.Qt.GlobalColor.black, 1), (QtCore.Qt.GlobalColor.yellow, 0)):
            painter.setPen(colour)
            place = pixmap.rect().adjusted(shift, shift, shift, shift)
            painter.drawText(place, flags.AlignRight | flags.AlignTop, _STAR)
        painter.end()
    return QtGui.QIcon(pixmap)
