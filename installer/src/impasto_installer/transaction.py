"""Changing files so that everything can be put back, also after the power went.

What is about to change is first moved aside, into `unfinished` in Impasto's own folder, and a
journal there says where it belongs. The next transaction puts back what an interrupted one left.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from impasto_protocol.connection import lock_file, write_file
from impasto_protocol.errors import AlreadyRunning


class Transaction:
    """Changes below any folders, undone together unless the `with` ends well.

    folder: Impasto's own. made: the folders that had to be made on the way.
    recovered: whether an earlier one had been interrupted; it has been put back.
    """

    def __init__(self, folder: Path) -> None:
        self._aside, self._lock_file = folder / "unfinished", folder / "installer.lock"
        self._journal = self._aside / "journal.json"
        self._steps: list[dict[str, str | bool]] = []
        self.made: list[Path] = []
        self.make(folder)
        self._lock = self._hold()
        self.recovered = self._journal.exists()
        if self.recovered:
            self._steps = json.loads(self._journal.read_text(encoding="utf-8"))
            self._put_back()

    def __enter__(self) -> Transaction:
        self._aside.mkdir(exist_ok=True)
        for made in self.made:
            self._note(made=str(made))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._forget()
        else:
            self._put_back()
        self._lock.close()
        if error:
            self.clear()

    def clear(self) -> None:
        """Remove the folders that were made and hold nothing more."""
        if self._aside.parent in self.made:
            self._lock_file.unlink(missing_ok=True)
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
            shutil.move(target, backup)
        return target

    def write(self, target: Path, content: bytes, mode: int | None = None) -> Path:
        """A file at `target`, whole or not at all; without a mode it keeps the one it had."""
        if target.is_symlink():
            target = target.resolve()
        self.make(target.parent)
        backup = self._aside / str(len(self._steps))
        there = target.exists()
        if there:
            shutil.copy2(target, backup)
            mode = mode or stat.S_IMODE(target.stat().st_mode)
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
        """Make a folder and those above it that are missing."""
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            if self._journal.parent.exists():
                self._note(made=str(path))
            path.mkdir()
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
            if not step["there"]:
                remove(target)
            elif os.path.lexists(backup):
                remove(target)
                shutil.move(backup, target)
        self.made = [folder for folder in made if folder.exists()]
        self._forget()

    def _forget(self) -> None:
        self._steps = []
        # The journal first: what is aside without one is only litter.
        self._journal.unlink(missing_ok=True)
        remove(self._aside)


def remove(path: Path) -> None:
    """Delete a file or folder, if it is there, also when it has become read-only."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(stat.S_IRWXU)
        shutil.rmtree(path)
