"""Changing files so that everything can be put back, also after the power went.

What is about to change is first moved aside, into `unfinished` in Impasto's own folder, and a
journal there says where it belongs. The next transaction puts back what an interrupted one left.
Once that folder is called `removed` the changes stand, and what is in it is litter.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from impasto_protocol.connection import TEMPORARY, lock_file, sync_names, write_file
from impasto_protocol.errors import AlreadyRunning


class Transaction:
    """Changes below any folders, undone together unless the `with` ends well.

    folder: Impasto's own. say: told when things have been put back as they were.
    made: the folders that had to be made on the way.
    """

    def __init__(self, folder: Path, say: Callable[[str], object] = lambda words: None) -> None:
        self._aside, self._lock_file = folder / "unfinished", folder / "installer.lock"
        self._removed, self._journal = folder / "removed", self._aside / "journal.json"
        self._steps: list[dict[str, str | bool]] = []
        self._say = say
        self.made: list[Path] = []
        self.make(folder)
        self._lock = self._hold()
        if self._journal.exists():
            self._steps = json.loads(self._journal.read_text(encoding="utf-8"))
            self._put_back()
            say("An installation that was interrupted has been put back first.")

    def __enter__(self) -> Transaction:
        remove(self._aside)
        remove(self._removed)
        self._aside.mkdir()
        sync_names(self._aside.parent)
        for made in self.made:
            self._note(made=str(made))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            if error is None:
                self._forget()
            else:
                self._put_back()
        if error:
            self.clear()
            self._say("Everything is as it was before.")

    def clear(self) -> None:
        """Remove the folders that were made and hold nothing more."""
        with contextlib.suppress(OSError):
            if self._aside.parent in self.made:
                self._lock_file.unlink()
        for folder in reversed(self.made):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def replace(self, target: Path) -> Path:
        """Move away what is at `target`, so that something new can be made there; its path."""
        self.make(target.parent)
        backup = self._aside / str(len(self._steps))
        there = os.path.lexists(target)
        self._note(target=str(target), backup=str(backup), there=there)
        if there:
            _move(target, backup)
        return target

    def write(self, target: Path, content: bytes, mode: int | None = None) -> Path:
        """A file at `target`, whole or not at all; without a mode it keeps the one it had.

        What is a link stays one: that is for files of others.
        """
        if target.is_symlink():
            target = target.resolve()
        self.make(target.parent)
        backup = self._aside / str(len(self._steps))
        there = target.exists()
        if there:
            kept = stat.S_IMODE(target.stat().st_mode)
            write_file(backup, target.read_bytes(), kept)
            mode = mode or kept
        self._note(target=str(target), backup=str(backup), there=there)
        return write_file(target, content, mode or 0o644)

    def _hold(self) -> BinaryIO:
        file = self._lock_file.open("ab")
        if lock_file(file):
            return file
        file.close()
        raise AlreadyRunning(
            "Another installer of Impasto is at work.", next_step="Wait until it is done."
        )

    def make(self, folder: Path) -> None:
        """Make a folder and those above it that are missing, each for its owner alone."""
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            if self._journal.parent.exists():
                self._note(made=str(path))
            path.mkdir(mode=0o700)
            sync_names(path.parent)
            self.made.append(path)

    def _note(self, **step: str | bool) -> None:
        self._steps.append(step)
        write_file(self._journal, json.dumps(self._steps).encode())

    def _put_back(self) -> None:
        made: list[Path] = []
        while self._steps:
            step = self._steps.pop()
            if "made" in step:
                made.insert(0, Path(str(step["made"])))
                with contextlib.suppress(OSError):
                    made[0].rmdir()
                continue
            target, backup = Path(str(step["target"])), Path(str(step["backup"]))
            for half_written in target.parent.glob(f"{TEMPORARY}*"):
                with contextlib.suppress(OSError):  # it may be another program's, and gone by now
                    remove(half_written)
            if not step["there"]:
                remove(target)
            elif os.path.lexists(backup):
                # Aside before anything is deleted, for that may stop halfway.
                if os.path.lexists(target):
                    remove(_beside(target))
                    target.rename(_beside(target))
                _move(backup, target)
            with contextlib.suppress(OSError):
                remove(_beside(target))
        self.made = [folder for folder in made if folder.exists()]
        remove(self._removed)
        self._forget()

    def _forget(self) -> None:
        """From one moment to the next what is aside is needed no more."""
        self._steps = []
        _settle()
        self._aside.rename(self._removed)
        sync_names(self._removed.parent)
        with contextlib.suppress(OSError):
            remove(self._removed)


def remove(path: Path) -> None:
    """Delete a file or folder, if it is there, also when it has become read-only."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(stat.S_IRWXU)
        shutil.rmtree(path)


def _move(source: Path, target: Path) -> None:
    """Move a file or folder, at any moment whole at one of the two. Raises OSError."""
    try:
        source.rename(target)
        sync_names(target.parent)
        sync_names(source.parent)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = _beside(target)
        remove(part)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, part, symlinks=True)
        else:
            shutil.copy2(source, part, follow_symlinks=False)
        _settle()
        part.rename(target)
        sync_names(target.parent)
        source.rename(_beside(source))
        sync_names(source.parent)
        remove(_beside(source))


def _settle() -> None:
    """Have all that was written outlast a loss of power, where a system can be asked for it."""
    if hasattr(os, "sync"):
        os.sync()


def _beside(path: Path) -> Path:
    """Where on the same file system something is for the time that a move takes."""
    return path.with_name(f"{path.name}.impasto-aside")
