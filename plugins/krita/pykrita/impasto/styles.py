"""The browser of saved styles: thumbnails to choose from, and to drag pictures onto."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from impasto_protocol.client import pictures_in
from impasto_protocol.codec import Buffer, Picture
from impasto_protocol.errors import BadField, PresetExists, PresetInvalid
from impasto_protocol.messages import (
    FileInfo,
    PresetDelete,
    PresetExport,
    PresetFile,
    PresetGet,
    PresetImport,
    PresetInfo,
    PresetList,
    PresetRename,
    Presets,
    PresetsImported,
    PresetSort,
)
from impasto_protocol.settings import Settings

from .daemon_client import DaemonClient
from .layers import to_image
from .qt import QtCore, QtGui, QtWidgets
from .style_files import read_saved, write_saved
from .style_saver import StyleSaver

_THUMBNAIL_PX = 64
_STATES = {
    "other_weights": "Made with other weights: studied anew when it is used",
    "older_version": "Made by an older Impasto: studied anew when it is used",
}
_FILES = "Saved styles (*.safetensors);;Packs of styles (*.zip);;All files (*)"
_INFO = QtCore.Qt.ItemDataRole.UserRole


class StyleBrowser(QtWidgets.QListWidget):
    """folders and sought: a folder to choose and words to type, which narrow the list.

    tell: shows a sentence, and how much is done. fail: shows an error. settings: what is kept with
    a new style. listeners are called whenever `is_busy` changes.
    """

    def __init__(
        self,
        daemon: DaemonClient,
        tell: Callable[[str, float | None], None],
        fail: Callable[[Exception], None],
        settings: Callable[[], Settings],
    ) -> None:
        super().__init__()
        self._daemon, self._tell, self._fail, self._settings = daemon, tell, fail, settings
        self._wanted, self._without_icon = "", list[str]()
        self._saver = StyleSaver(daemon, tell, fail, self.fetch)
        self.listeners = self._saver.listeners
        self._then: list[Callable[[], None]] = []
        self._there = False
        self.folders = QtWidgets.QComboBox()
        self.folders.setToolTip("Folders of styles")
        self.folders.addItem("All styles", None)
        self.folders.currentIndexChanged.connect(self._narrow)
        self.sought = QtWidgets.QLineEdit()
        self.sought.setPlaceholderText("Name or tag")
        self.sought.setClearButtonEnabled(True)
        self.sought.textChanged.connect(self._narrow)
        self.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.setMovement(QtWidgets.QListView.Movement.Static)
        self.setIconSize(QtCore.QSize(_THUMBNAIL_PX, _THUMBNAIL_PX))
        self.setGridSize(QtCore.QSize(_THUMBNAIL_PX + 18, _THUMBNAIL_PX + 26))
        self.setMinimumHeight(_THUMBNAIL_PX + 40)
        # What does not move its items takes no drops, unless it is told so last.
        self.viewport().setAcceptDrops(True)
        self.setToolTip("Saved styles. Drag a picture here to add its style.")
        self.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)

    @property
    def chosen(self) -> PresetInfo | None:
        """The style that is chosen, and to be seen."""
        item = self.currentItem()
        return item.data(_INFO) if item and item.isSelected() and not item.isHidden() else None

    def choose(self, name: str) -> None:
        """Choose a style by name, now or when it has arrived."""
        self._wanted = name
        for item in self.findItems(name, QtCore.Qt.MatchFlag.MatchExactly):
            if item.isHidden():
                self.folders.setCurrentIndex(0)
                self.sought.clear()
            self.setCurrentItem(item)

    def when_there(self, act: Callable[[], None]) -> None:
        """Do something once the styles have come."""
        if self._there:
            act()
        else:
            self._tell("Fetching the saved styles", None)
            self._wait_for([*self._then, act])
            self.fetch()

    @property
    def is_busy(self) -> bool:
        """Whether there is something to cancel."""
        return bool(self._then or self._saver.names)

    def cancel(self) -> None:
        """Add no style that is not there yet, and do nothing once they have come."""
        self._wait_for([])
        self._saver.cancel()
        self._tell("Cancelled.", None)

    def _wait_for(self, then: list[Callable[[], None]]) -> None:
        self._then = then
        for listener in self.listeners:
            listener()

    def fetch(self, choose: str = "") -> None:
        """Get the styles from the daemon anew, and choose one of them."""
        chosen = self.chosen
        self._wanted = choose or (chosen.name if chosen else self._wanted)
        found: list[PresetInfo] = []
        damaged: list[str] = []

        def take(answer: Presets, _frames: object) -> None:
            found.extend(answer.presets)
            damaged.extend(answer.damaged)
            if answer.more:
                self._daemon.ask(PresetList(after=found[-1].name), take, give_up)
                return
            self._fill(found)
            if damaged:
                names = ", ".join(damaged)
                self._tell(f"Damaged, and so not in the list: {names}. Import them again.", None)

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
                menus[info.folder] = menu.addMenu(info.folder)
            menus[info.folder].addAction(item.icon(), info.name, partial(take, info.name))
        if not self.count():
            menu.addAction("No style has been saved yet").setEnabled(False)

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
            self.add_saved(path) if saved else self.add_picture(path)

    # The list ---------------------------------------------------------------------------------

    def _fill(self, found: list[PresetInfo]) -> None:
        self.clear()
        for info in found:
            item = QtWidgets.QListWidgetItem(info.name, self)
            item.setData(_INFO, info)
            where = f"in {info.folder}" if info.folder else ""
            told = [info.name, where, ", ".join(info.tags), _STATES.get(info.state, "")]
            item.setToolTip("\n".join(filter(None, told)))
        self._fill_folders(sorted({info.folder for info in found} - {""}))
        self._without_icon = [info.name for info in found]
        self._ask_for_icon()
        if self._wanted:
            self.choose(self._wanted)
        if not found:
            self._tell("No style has been saved yet. Drag a picture onto the list.", None)
        self._there, then = True, self._then
        self._wait_for([])
        for act in then:
            act()

    def _fill_folders(self, names: list[str]) -> None:
        chosen = self.folders.currentData()
        self.folders.blockSignals(True)
        while self.folders.count() > 1:
            self.folders.removeItem(1)
        for name in names:
            self.folders.addItem(name, name)
        self.folders.setCurrentIndex(max(0, self.folders.findData(chosen)))
        self.folders.blockSignals(False)
        self._narrow()

    def _narrow(self, *_: object) -> None:
        folder, words = self.folders.currentData(), self.sought.text()
        for item in map(self.item, range(self.count())):
            info = item.data(_INFO)
            item.setHidden(folder not in (None, info.folder) or not info.matches(words))

    def _ask_for_icon(self, *_: object) -> None:
        """One after the other, as the daemon lets only so many requests wait."""
        if self._without_icon and self._daemon.state == "ready":
            message = PresetGet(name=self._without_icon.pop(0), thumbnail_only=True)
            self._daemon.ask(message, self._show_icon, self._ask_for_icon)

    def _show_icon(self, answer: Presets, frames: Sequence[Buffer]) -> None:
        (info,), (thumbnail,) = answer.presets, pictures_in(answer, frames)
        for item in self.findItems(info.name, QtCore.Qt.MatchFlag.MatchExactly):
            item.setIcon(icon_of(thumbnail))
        self._ask_for_icon()

    def _free_name(self, stem: str) -> str:
        names = [*self._saver.names, *(self.item(row).text() for row in range(self.count()))]
        taken = {name.casefold() for name in names}
        stem = (
            "".join(c if c.isalnum() or c in " -_" else " " for c in stem).strip()[:56] or "Style"
        )
        numbered = (stem if n == 1 else f"{stem} {n}" for n in range(1, 10_000))
        return next(name for name in numbered if name.casefold() not in taken)

    def _show_menu(self, at: QtCore.QPoint) -> None:
        menu = QtWidgets.QMenu(self)
        menu.addAction("Add a Picture's Style…", self.ask_for_picture)
        if item := self.itemAt(at):
            # Not the item itself, which is gone when the styles are fetched meanwhile.
            info = item.data(_INFO)
            menu.addAction("Rename…", lambda: self._rename(info.name))
            menu.addAction("Folder…", lambda: self._move(info))
            menu.addAction("Tags…", lambda: self._tag(info))
            menu.addAction(
                "Keep These Settings with It",
                lambda: self._saver.change(info.name, self._settings()),
            )
            menu.addAction("Export…", lambda: self._ask_where_to(info.name))
            menu.addAction("Delete…", lambda: self._delete(info.name))
        menu.addAction("Import…", self._ask_what_to_import)
        menu.addAction("Refresh", self.fetch)
        menu.exec(self.mapToGlobal(at))
        menu.deleteLater()

    def ask_for_picture(self) -> None:
        """Have the painter choose a picture file whose style is to be kept."""
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, "A Picture in the Style You Want")
        if path:
            self.add_picture(path)

    def _rename(self, name: str) -> None:
        new, accepted = QtWidgets.QInputDialog.getText(self, "Impasto", "New name:", text=name)
        if accepted and new != name:
            self._change(lambda: PresetRename(name=name, new_name=new), new)

    def _move(self, info: PresetInfo) -> None:
        names = [self.folders.itemText(row) for row in range(1, self.folders.count())]
        shown = [info.folder, *(name for name in names if name != info.folder)]
        folder, accepted = QtWidgets.QInputDialog.getItem(
            self, "Impasto", "Folder (empty: none):", shown
        )
        if accepted:
            self._change(lambda: PresetSort(name=info.name, folder=folder.strip()), info.name)

    def _tag(self, info: PresetInfo) -> None:
        words, accepted = QtWidgets.QInputDialog.getText(
            self, "Impasto", "Tags, with commas between them:", text=", ".join(info.tags)
        )
        if accepted:
            tags = tuple(filter(None, map(str.strip, words.split(","))))
            self._change(lambda: PresetSort(name=info.name, tags=tags), info.name)

    def _change(self, make: Callable[[], PresetRename | PresetSort], name: str) -> None:
        """Have a style changed, and choose it under the name it has then."""
        try:
            self._daemon.ask(make(), lambda *_: self.fetch(name), self._fail)
        except BadField:
            self._fail(PresetInvalid(
                "A name or a folder has at most 64 letters, a tag 32, and a style 8 tags.",
                next_step="Make it shorter.",
            ))  # fmt: skip

    def _ask_where_to(self, name: str) -> None:
        path, _ = QtWidgets.QFileDialog.getSaveFileName(
            self, "Export a Style", f"{name}.safetensors", _FILES
        )
        if path:
            self.export(name, path)

    def export(self, name: str, path: str) -> None:
        """Write a saved style to a file, or to a pack if the path ends in .zip."""

        def keep(answer: PresetFile, frames: Sequence[Buffer]) -> None:
            told = f"“{name}” was exported."
            write = partial(write_saved, path, answer.file, frames[-1])
            self._daemon.in_thread(write, lambda _: self._tell(told, None), self._fail)

        message = PresetExport(names=(name,), pack=path.lower().endswith(".zip"))
        self._daemon.ask(message, keep, self._fail)

    def _ask_what_to_import(self) -> None:
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Import Styles", "", _FILES)
        if path:
            self.add_saved(path)

    def add_saved(self, path: str) -> None:
        """Keep the saved style in a file, or all of a pack."""

        def take(answer: PresetsImported, _frames: object) -> None:
            self._tell(f"Imported: {', '.join(answer.names)}.", None)
            self.fetch(answer.names[0])

        def send(found: tuple[FileInfo, bytes], *, replace: bool = False) -> None:
            file, data = found
            name = self._free_name(Path(path).stem)
            message = PresetImport(name=name, file=file, replace=replace)
            self._daemon.ask(message, take, lambda error: refused(error, found), [data])

        def refused(error: Exception, found: tuple[FileInfo, bytes]) -> None:
            if isinstance(error, PresetExists):
                # In a turn of its own, as all else waits while the question stands.
                QtCore.QTimer.singleShot(0, lambda: ask(error, found))
            else:
                self._fail(error)

        def ask(error: Exception, found: tuple[FileInfo, bytes]) -> None:
            if self._agrees(f"{error} Replace what is there by what is in this file?"):
                send(found, replace=True)

        self._tell(f"Reading {Path(path).name}", None)
        self._daemon.in_thread(partial(read_saved, path), send, self._fail)

    def _delete(self, name: str) -> None:
        if self._agrees(f"Delete the style “{name}”? This cannot be undone."):
            self._daemon.ask(PresetDelete(name=name), lambda *_: self.fetch(), self._fail)

    def _agrees(self, question: str) -> bool:
        asked = QtWidgets.QMessageBox.question(self, "Impasto", question)
        return asked == QtWidgets.QMessageBox.StandardButton.Yes


def icon_of(picture: Picture) -> QtGui.QIcon:
    """A picture as an icon."""
    return QtGui.QIcon(QtGui.QPixmap.fromImage(to_image(picture)))
