"""Styles kept by name: one file each, in one folder."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from impasto_daemon.files import clear_temporary, not_written, write_file
from impasto_daemon.presets.baked_network import BakedNetwork
from impasto_daemon.presets.preset_file import (
    SUFFIX,
    Preset,
    check_name,
    pack,
    read,
    read_info,
    unpack,
)
from impasto_daemon.presets.statistics import Statistics
from impasto_protocol.connection import lock_file, make_folders, sync_names
from impasto_protocol.errors import PresetExists, PresetInvalid, UnknownPreset
from impasto_protocol.messages import PresetInfo
from impasto_protocol.style_names import name_now

log = logging.getLogger(__name__)

_INCOMING, _HELD = ".incoming-", ".held-"
_LOCK_S = 30
"""So long is another process waited for: more than it takes to write a large pack."""


class PresetStore:
    """The presets in a folder. Names that differ only in upper and lower case are the same.

    Broker and worker have one each, of the same folder; in a process, one thread changes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_changing = False

    @property
    def is_new(self) -> bool:
        """Nothing was ever kept in it."""
        return not self._folder.exists()

    def clear(self) -> None:
        """Remove what processes that were killed have left half-written.

        A folder in which all was to be put first, and was not, is new again.
        """
        with self.changing():
            clear_temporary(self._folder)
            if incoming := [*self._folder.glob(f"{_INCOMING}*")]:
                for left in incoming:
                    shutil.rmtree(left, ignore_errors=True)
                with contextlib.suppress(OSError):  # of which there are presets in it
                    self._folder.rmdir()

    def list_all(self, after: str = "") -> Iterator[tuple[str, PresetInfo | None]]:
        """The presets after a name, by name; None for one that is damaged."""
        for path in self._files():
            if path.stem.casefold() > after.casefold():
                try:
                    yield path.stem, read_info(path)
                except PresetInvalid:
                    yield path.stem, None

    def get(self, name: str) -> Preset:
        """The preset of that name. Raises UnknownPreset, or PresetInvalid when it is damaged."""
        return read(self._find(name))

    def info(self, name: str) -> PresetInfo:
        """The preset of that name without its pixels and statistics."""
        return read_info(self._find(name))

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Have no other process change presets between what is read and what is written of it.

        The lock's file is beside the folder. Where files cannot be locked nobody is kept out.
        """
        if self._is_changing:
            yield
            return
        with contextlib.ExitStack() as held:
            try:
                make_folders(self._folder.parent)
                file = held.enter_context(self._folder.with_suffix(".lock").open("ab"))
                deadline = time.monotonic() + _LOCK_S
                while not lock_file(file) and time.monotonic() < deadline:
                    time.sleep(0.01)
            except OSError as error:
                log.debug("the styles are not locked: %s", error)
            self._is_changing = True
            held.callback(setattr, self, "_is_changing", False)
            yield

    def save(self, preset: Preset, *, replace: bool = False) -> PresetInfo:
        """Write a preset. Raises PresetExists unless `replace`, PresetInvalid, NotWritten."""
        preset = _checked(preset)
        data = _packed(preset)
        with self.changing():
            return read_info(write_file(self._place(preset.name, replace=replace), data))

    def save_all(self, presets: Iterable[Preset], *, replace: bool = False) -> list[PresetInfo]:
        """Write presets of different names, or after an error none of them.

        Raises as `save` does, and what `presets` raises. Only one caller at a time.
        """
        places, was_new = {}, self.is_new
        try:
            make_folders(self._folder)
            with (
                tempfile.TemporaryDirectory(dir=self._folder, prefix=_INCOMING) as aside,
                self.changing(),
                contextlib.ExitStack() as undo,
            ):
                for number, preset in enumerate(map(_checked, presets)):
                    place = self._place(preset.name, replace=replace)
                    places[write_file(Path(aside, f"new-{number}"), _packed(preset))] = place
                for new, place in places.items():
                    if place.exists():
                        old = write_file(new.with_name(f"old-{new.name}"), place.read_bytes())
                        undo.callback(old.replace, place)
                    else:
                        undo.callback(place.unlink, missing_ok=True)
                    new.replace(place)
                undo.pop_all()
        except OSError as error:
            raise not_written("The styles could not be written", error) from error
        finally:
            if was_new:
                with contextlib.suppress(OSError):  # of which there are presets in it
                    self._folder.rmdir()
            sync_names(self._folder)
        return [read_info(place) for place in places.values()]

    def hold(self, job: str, names: Iterable[str]) -> PresetStore:
        """The presets of those names as they are now, whatever becomes of them; see `held`.

        Raises UnknownPreset. Where nothing can be written they are as they will be.
        """
        paths = {self._find(name) for name in names}
        folder = self._held(job)
        self.release(job)
        try:
            for path in paths:
                make_folders(folder)
                _link(path, folder / path.name)
        except OSError as error:
            log.warning("styles may be others by the time that they are painted: %s", error)
            self.release(job)
        return self.held(job)

    def held(self, job: str) -> PresetStore:
        """The presets that are held for a job; all there are where none is."""
        folder = self._held(job)
        return PresetStore(folder) if folder.is_dir() else self

    def release(self, job: str = "*") -> None:
        """Let go of what is held for a job, or for any."""
        for folder in self._folder.glob(f"{_HELD}{job}"):
            shutil.rmtree(folder, ignore_errors=True)

    def _held(self, job: str) -> Path:
        return self._folder / f"{_HELD}{job}"

    def sort(self, name: str, folder: str | None, tags: tuple[str, ...] | None) -> PresetInfo:
        """Put a preset into a folder and give it tags; None leaves what there is."""
        with self.changing():
            preset = self.get(name)
            sorted_anew = dataclasses.replace(
                preset,
                folder=preset.folder if folder is None else folder,
                tags=preset.tags if tags is None else tags,
            )
            return self.save(sorted_anew, replace=True)

    def folder_and_tags(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Folder and tags of the preset of that name, if there is one that can be read."""
        try:
            info = self.info(name)
        except (UnknownPreset, PresetInvalid):
            return "", ()
        return info.folder, info.tags

    def of_style(self, name: str, style: str) -> Preset | None:
        """The preset of that name, if it is of that style."""
        try:
            preset = self.get(name)
        except (UnknownPreset, PresetInvalid):
            return None
        return preset if preset.style == style else None

    def renew(
        self, info: PresetInfo, network: str, statistics: Statistics, arithmetic: str = ""
    ) -> None:
        """Store new statistics of a preset, unless it was replaced or taken away meanwhile."""
        self._change(info, network=network, statistics=statistics, arithmetic=arithmetic)

    def bake(self, info: PresetInfo, baked: BakedNetwork) -> bool:
        """Store the network that a preset is baked into; False when it is not there any more.

        A preset that was replaced meanwhile is not.
        """
        return self._change(info, baked=baked)

    def _change(self, info: PresetInfo, **fields: Any) -> bool:
        """Whether the preset was still there to be changed."""
        with contextlib.suppress(UnknownPreset), self.changing():
            now = self.get(self.now(info).name)
            self.save(dataclasses.replace(now, **fields), replace=True)
            return True
        return False

    def now(self, info: PresetInfo) -> PresetInfo:
        """What a preset is now, which may have been renamed meanwhile. Raises UnknownPreset."""
        found = {
            name: found
            for name, found in self.list_all()
            if found
            and found.style == info.style
            and (name == info.name or found.settings == info.settings)
        }
        return found[name_now(info.name, info.style, found.values())]

    def rename(self, name: str, new_name: str) -> PresetInfo:
        """Give a preset another name. Raises UnknownPreset, PresetExists, PresetInvalid."""
        with self.changing():
            path, new_name = self._find(name), check_name(new_name)
            if self.existing(new_name) not in (None, path):
                raise _exists(new_name)
            try:
                renamed = path.replace(path.with_name(f"{new_name}{SUFFIX}"))
            except OSError as error:
                raise not_written(f"{path} could not be renamed", error) from error
            sync_names(self._folder)
            return read_info(renamed)

    def delete(self, name: str) -> None:
        """Delete a preset. Raises UnknownPreset."""
        with self.changing():
            try:
                self._find(name).unlink()
            except OSError as error:
                raise not_written(f"{name!r} could not be deleted", error) from error
            sync_names(self._folder)

    def check_place(self, name: str, *, replace: bool) -> None:
        """Make sure that a preset of that name could be saved. Raises as `save` does for it."""
        self._place(check_name(name), replace=replace)

    def existing(self, name: str) -> Path | None:
        """The file of the preset of that name, if there is one."""
        wanted = same_name(check_name(name))
        return next((path for path in self._files() if same_name(path.stem) == wanted), None)

    def _place(self, name: str, *, replace: bool) -> Path:
        existing = self.existing(name)
        if existing and not replace:
            raise _exists(name)
        return existing or self._folder / f"{name}{SUFFIX}"

    def _find(self, name: str) -> Path:
        path = self.existing(name)
        if path is None:
            raise UnknownPreset(f"There is no style named {name!r}.")
        return path

    def _files(self) -> Iterator[Path]:
        if not self._folder.is_dir():
            return iter(())
        return iter(sorted(filter(_is_named, self._folder.iterdir()), key=_order))


def _link(path: Path, place: Path) -> None:
    """A second name for a file, which is replaced and never changed; or its copy."""
    try:
        os.link(path, place)
    except FileExistsError:
        raise
    except OSError:  # there is none on this file system
        shutil.copyfile(path, place, follow_symlinks=False)


def _is_named(path: Path) -> bool:
    """Whether a file's name can be a preset's."""
    try:
        check_name(path.stem)
    except PresetInvalid:
        return False
    return path.suffix == SUFFIX


def _order(path: Path) -> str:
    return path.stem.casefold()


def _checked(preset: Preset) -> Preset:
    return dataclasses.replace(
        preset,
        name=check_name(preset.name),
        folder=preset.folder and check_name(preset.folder, "folder's name"),
        tags=tuple(dict.fromkeys(check_name(tag, "tag") for tag in preset.tags)),
    )


def _packed(preset: Preset) -> bytes:
    """Its file. Raises PresetInvalid for one that could not be read again, as with a NaN in it."""
    data = pack(preset)
    unpack(preset.name, data)
    return data


def same_name(name: str) -> str:
    """What two names have in common that a file system may take for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _exists(name: str) -> PresetExists:
    return PresetExists(f"There is a style named {name!r} already.")
