"""After the power went each stored file is the old one or the new one, whole.

Once a change has been done it is the new one. What the real programs do, on a file system that
forgets, is tried by `tests/proofs/power_loss.py`.
"""

import contextlib
import errno
import os
import sys

import numpy as np
import pytest
import torch
from tests.disk.crash_states import put
from tests.unit.installer.test_transaction import change, listing

from impasto_daemon.images.pictures import write_picture
from impasto_daemon.presets.preset_file import Preset
from impasto_daemon.presets.store import PresetStore
from impasto_daemon.weights import store as weights
from impasto_installer.transaction import Transaction
from impasto_protocol import connection
from impasto_protocol.codec import Picture
from impasto_protocol.connection import Connection
from impasto_protocol.errors import DiskFull
from impasto_protocol.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="files are known by /proc")


def preset(name, shade=0):
    dot = Picture(1, 1, 3, "uint8", bytes([shade] * 3))
    return Preset(name, Settings(), dot, dot, "net", "0f", {})


def kept(store):
    """The shades of the styles in a store, all of which can be read."""
    return {name: store.get(name).picture.data[0] for name, _ in store.list_all()}


OLD = {"A": 1, "B": 2}

CHANGES = {
    "a new style": (lambda store: store.save(preset("C", 3)), OLD | {"C": 3}),
    "a replaced style": (lambda store: store.save(preset("A", 4), replace=True), OLD | {"A": 4}),
    "a renamed style": (lambda store: store.rename("A", "C"), {"C": 1, "B": 2}),
    "a deleted style": (lambda store: store.delete("A"), {"B": 2}),
    "a sorted style": (lambda store: store.sort("A", "Oils", ("blue",)), OLD),
}


@pytest.fixture
def store(tmp_path):
    store = PresetStore(tmp_path / "data/presets")
    for name, shade in OLD.items():
        store.save(preset(name, shade))
    return store


@pytest.mark.parametrize("kind", CHANGES)
def test_style_is_the_old_or_the_new(store, record, tmp_path, kind):
    act, new = CHANGES[kind]
    changes = record(tmp_path / "data")
    act(store)
    for state, done in changes.states():
        put(state, tmp_path / "data")
        assert kept(store) in ([new] if done else [OLD, new])


@pytest.mark.parametrize("fails", [False, True])
def test_each_style_of_a_pack_is_the_old_or_the_new(store, record, tmp_path, monkeypatch, fails):
    new, replaced = {"C": 5, "A": 6, "B": 7}, store._folder / "B.safetensors"
    changes = record(tmp_path / "data")
    replace = os.replace

    def full(source, target):
        if target == replaced and "new" in source.name and fails:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiskFull) if fails else contextlib.nullcontext():
        store.save_all([preset(*each) for each in new.items()], replace=True)
    for state, done in changes.states():
        put(state, tmp_path / "data")
        found = kept(store)
        assert found.keys() >= OLD.keys()
        for name, shade in found.items():
            assert shade in (OLD.get(name), new[name])
        if done:
            assert found == (OLD if fails else new)


@pytest.mark.parametrize("old", [None, 1.0])
def test_weights_are_the_old_or_the_new(record, tmp_path, monkeypatch, old):
    monkeypatch.setattr(weights, "_check_shapes", lambda *_: None)
    path = tmp_path / "data/weights/own.safetensors"
    path.parent.mkdir(parents=True)
    if old:
        weights.keep({"x": torch.tensor([old] * 64)}, path)
    changes = record(tmp_path / "data")
    weights.keep({"x": torch.tensor([2.0] * 64)}, path)
    for state, done in changes.states():
        put(state, tmp_path / "data")
        found = (
            float(weights.load(path, data_dir=tmp_path / "data")["x"][0]) if path.exists() else None
        )
        assert found in ([2.0] if done else [old, 2.0])


def test_painting_is_the_old_picture_or_the_new(record, tmp_path):
    path = tmp_path / "painted.png"
    pictures = [
        Picture(8, 8, 3, "uint8", np.random.default_rng(seed).bytes(192)) for seed in (0, 1)
    ]
    write_picture(path, pictures[0])
    old = path.read_bytes()
    changes = record(tmp_path)
    write_picture(path, pictures[1])
    new = path.read_bytes()
    for state, done in changes.states():
        put(state, tmp_path)
        assert path.read_bytes() in ([new] if done else [old, new])


def test_connection_file_is_whole_private_and_the_old_or_the_new(record, tmp_path):
    old, new = (Connection(f"ipc:///{name}", 1, 0, "0.1.0", 7) for name in "ab")
    path = connection.write_connection(tmp_path, old)
    changes = record(tmp_path)
    connection.write_connection(tmp_path, new)
    for state, done in changes.states():
        put(state, tmp_path)
        assert connection.read_connection(path) in ([new] if done else [old, new])


@pytest.fixture
def home(tmp_path):
    """A home with a plug-in, an environment and an editor's settings in it."""
    home = tmp_path / "home"
    for name in ("plug-ins/impasto/impasto.py", "data/environment/lib.py", "kritarc"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("old")
    return home


def found_after(home, data):
    """What an installer leaves that begins where the last one was interrupted, and then fails."""
    with contextlib.suppress(KeyError), Transaction(data):
        raise KeyError
    return {name: kept for name, kept in listing(home).items() if "installer.lock" not in name}


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("file_systems", [1, 2])
def test_installation_is_the_old_or_the_new(home, record, monkeypatch, fails, file_systems):
    old = listing(home)
    changes = record(home)
    if file_systems == 2:
        apart_from(home / "data", monkeypatch)
    with contextlib.suppress(KeyError), Transaction(home / "data") as transaction:
        change(home, transaction)
        if fails:
            raise KeyError
    states = list(changes.states())
    monkeypatch.undo()
    monkeypatch.setattr(os, "fsync", lambda file: None)  # which takes long, and is of no use below
    monkeypatch.setattr(os, "sync", lambda: None)
    new = found_after(home, home / "data")
    assert (new == old) == fails
    for state, done in states:
        put(state, home)
        assert found_after(home, home / "data") in ([new] if done else [old, new])


def apart_from(folder, monkeypatch):
    """Have what is in a folder be on a file system of its own."""
    rename = os.rename

    def within(old, new):
        if old.is_relative_to(folder) != new.is_relative_to(folder):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(old, new)

    monkeypatch.setattr(os, "rename", within)
