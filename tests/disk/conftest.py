"""What this process does to a folder, on record."""

import os
from pathlib import Path

import pytest
from tests.disk.crash_states import Record


@pytest.fixture
def record(monkeypatch):
    """Begins a record of a folder: record(folder)."""

    def begin(root):
        kept = Record(root)
        fsync, sync, moves = (
            os.fsync,
            os.sync,
            {name: getattr(os, name) for name in ("rename", "replace")},
        )

        def synced(file):
            number = file if isinstance(file, int) else file.fileno()
            path = Path(f"/proc/self/fd/{number}").readlink()
            fsync(number)
            if path.is_relative_to(root):
                kept.synced(path)

        def all_synced():
            sync()
            kept.synced(None)

        def moved(name):
            def move(old, new):
                kept.move(lambda: moves[name](old, new), Path(old), Path(new))

            return move

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "sync", all_synced)
        for name in moves:
            monkeypatch.setattr(os, name, moved(name))
        return kept

    yield begin
    monkeypatch.undo()
