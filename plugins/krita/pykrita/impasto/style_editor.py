"""What can be done to saved styles: named, sorted, exported, imported, deleted; each a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from impasto_protocol.codec import Buffer
from impasto_protocol.errors import BadField, PresetExists, PresetInvalid
from impasto_protocol.messages import (
    FileInfo,
    PresetDelete,
    PresetExport,
    PresetFile,
    PresetImport,
    PresetInfo,
    PresetRename,
    PresetsImported,
    PresetSort,
)
from impasto_protocol.style_names import is_pack
from impasto_protocol.translations import _

from .daemon_client import DaemonClient
from .qt import QtCore, QtWidgets
from .style_files import read_saved, write_saved
from .widgets import plain

_FILES = _("Saved styles (*.safetensors);;Packs of styles (*.zip);;All files (*)")


@dataclass(frozen=True)
class StyleEditor:
    """parent: what its dialogs belong to. tell, fail: show a sentence, and how far it is; an error.

    fetch: gets the styles anew and chooses the one of that name, if any. free_name: a name for a
    style from a file's. folders: those there are. bake: has a style of a name baked.
    """

    parent: QtWidgets.QWidget
    daemon: DaemonClient
    tell: Callable[[str, float | None], None]
    fail: Callable[[Exception], None]
    fetch: Callable[[str], None]
    free_name: Callable[[str], str]
    folders: Callable[[], list[str]]
    bake: Callable[[str], None]

    def fill_menu(self, menu: QtWidgets.QMenu, info: PresetInfo) -> None:
        """The entries for one style."""
        favourite = menu.addAction(_("Favourite"), lambda: self.favour(info))
        favourite.setCheckable(True)
        favourite.setChecked(info.is_favourite)
        baking = _("Bake It Further (20 min)") if info.is_baked else _("Bake It (20 min)")
        menu.addAction(baking, lambda: self.bake(info.name))
        menu.addAction(_("Rename…"), lambda: self.rename(info.name))
        menu.addAction(_("Folder…"), lambda: self.move(info))
        menu.addAction(_("Tags…"), lambda: self.tag(info))
        menu.addAction(_("Export…"), lambda: self.ask_where_to(info.name))
        menu.addAction(_("Delete…"), lambda: self.delete(info.name))

    def favour(self, info: PresetInfo) -> None:
        """Make it a favourite, or one no longer."""
        tags = info.tags_as(favourite=not info.is_favourite)
        self.change(lambda: PresetSort(name=info.name, tags=tags))

    def rename(self, name: str) -> None:
        """Ask for another name."""
        new, accepted = QtWidgets.QInputDialog.getText(
            self.parent, "Impasto", _("New name:"), text=name
        )
        if accepted and new != name:
            self.change(lambda: PresetRename(name=name, new_name=new))

    def move(self, info: PresetInfo) -> None:
        """Ask for a folder."""
        shown = [info.folder, *(name for name in self.folders() if name != info.folder)]
        folder, accepted = QtWidgets.QInputDialog.getItem(
            self.parent, "Impasto", _("Folder (empty: none):"), shown
        )
        if accepted:
            self.change(lambda: PresetSort(name=info.name, folder=folder.strip()))

    def tag(self, info: PresetInfo) -> None:
        """Ask for tags."""
        words, accepted = QtWidgets.QInputDialog.getText(
            self.parent, "Impasto", _("Tags, with commas between them:"), text=", ".join(info.tags)
        )
        if accepted:
            tags = tuple(filter(None, map(str.strip, words.split(","))))
            self.change(lambda: PresetSort(name=info.name, tags=tags))

    def change(self, make: Callable[[], PresetRename | PresetSort]) -> None:
        """Have a style changed; it stays chosen if it is."""
        try:
            self.daemon.ask(make(), lambda *_: self.fetch(""), self.fail)
        except BadField:
            self.fail(PresetInvalid(
                _("A name or a folder has at most 64 letters, a tag 32, and a style 8 tags."),
                next_step=_("Make it shorter."),
            ))  # fmt: skip

    def ask_where_to(self, name: str) -> None:
        """Ask for a file to export it to."""
        path = QtWidgets.QFileDialog.getSaveFileName(
            self.parent, _("Export a Style"), f"{name}.safetensors", _FILES
        )[0]
        if path:
            self.export(name, path)

    def export(self, name: str, path: str) -> None:
        """Write a saved style to a file, or to a pack if the path ends in .zip."""

        def keep(answer: PresetFile, frames: Sequence[Buffer]) -> None:
            told = _("“{name}” was exported.").format(name=name)
            write = partial(write_saved, path, answer.file, frames[-1])
            self.daemon.in_thread(write, lambda _: self.tell(told, None), self.fail)

        message = PresetExport(names=(name,), pack=path.lower().endswith(".zip"))
        self.daemon.ask(message, keep, self.fail)

    def ask_what_to_import(self) -> None:
        """Ask for a saved style or a pack."""
        path = QtWidgets.QFileDialog.getOpenFileName(self.parent, _("Import Styles"), "", _FILES)[0]
        if path:
            self.add_saved(path)

    def add_saved(self, path: str) -> None:
        """Keep the saved style in a file, or all of a pack."""

        def take(answer: PresetsImported, _frames: object) -> None:
            self.tell(_("Imported: {names}.").format(names=", ".join(answer.names)), None)
            self.fetch(answer.names[0])

        def send(found: tuple[FileInfo, bytes], *, replace: bool = False) -> None:
            file, data = found
            name = "" if is_pack(data) else self.free_name(Path(path).stem)
            message = PresetImport(name=name, file=file, replace=replace)
            self.daemon.ask(message, take, lambda error: refused(error, found), [data])

        def refused(error: Exception, found: tuple[FileInfo, bytes]) -> None:
            if isinstance(error, PresetExists):
                # In a turn of its own, as all else waits while the question stands.
                QtCore.QTimer.singleShot(0, lambda: ask(error, found))
            else:
                self.fail(error)

        def ask(error: Exception, found: tuple[FileInfo, bytes]) -> None:
            if self._agrees(
                _("{error} Replace what is there by what is in this file?").format(error=error)
            ):
                send(found, replace=True)

        self.tell(_("Reading {name}").format(name=Path(path).name), None)
        self.daemon.in_thread(partial(read_saved, path), send, self.fail)

    def delete(self, name: str) -> None:
        """Delete it, if the painter agrees."""
        if self._agrees(_("Delete the style “{name}”? This cannot be undone.").format(name=name)):
            self.daemon.ask(PresetDelete(name=name), lambda *_: self.fetch(""), self.fail)

    def _agrees(self, question: str) -> bool:
        asked = QtWidgets.QMessageBox.question(self.parent, "Impasto", plain(question))
        return asked == QtWidgets.QMessageBox.StandardButton.Yes
