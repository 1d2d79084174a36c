"""Where things are kept, also where the environment names folders that are not this user's."""

import os
import sys
from pathlib import Path

import pytest

from impasto_daemon.paths import Paths
from impasto_installer.machine import Machine
from impasto_protocol.errors import UnsafeFolder


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "IMPASTO_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_terminal_of_a_snap_has_the_folders_of_everybody(home, monkeypatch):
    usual, snap = Paths.of(), home / "snap/code/1"
    for name, part in (("DATA", ".local/share"), ("CONFIG", ".config"), ("STATE", ".local/state")):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(snap / part))
    assert Paths.of() == usual
    machine = Machine("linux", Path.home(), os.environ)
    assert (machine.data, machine.config, machine.log) == (usual.data, usual.config, usual.log)


def test_shell_on_macos_with_variables_of_linux_has_the_folders_of_everybody(home, monkeypatch):
    """An editor started from the Dock has none of them, and the installer may have either."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    from_the_dock = Paths.of()
    for name in ("DATA_HOME", "CONFIG_HOME", "STATE_HOME", "RUNTIME_DIR"):
        folder = home / name
        folder.mkdir(mode=0o700)
        monkeypatch.setenv(f"XDG_{name}", str(folder))
    assert Paths.of() == from_the_dock
    assert from_the_dock.data == home / "Library/Application Support/impasto"
    machine = Machine.this()
    assert machine.system == "darwin"
    for name in ("data", "presets", "config", "log", "runtime"):
        assert getattr(machine, name) == getattr(from_the_dock, name)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_root_leaves_nothing_in_the_home_of_a_user(home, monkeypatch):
    os.chown(home, 12345, 12345)
    with pytest.raises(UnsafeFolder, match="belongs to a user") as caught:
        Paths.of()
    assert "without sudo" in caught.value.next_step
    monkeypatch.setenv("IMPASTO_HOME", str(home / "x"))
    assert Paths.of().data == home / "x" / "data"
