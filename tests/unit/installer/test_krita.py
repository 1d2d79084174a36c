"""Krita's plug-in placed, turned on and taken away, by the layout of its folders alone."""

import dataclasses
import os
from pathlib import Path

import pytest
from tests.unit.installer.conftest import BEFORE, NoUv
from tests.unit.installer.test_transaction import listing

from impasto_installer import install as installing
from impasto_installer.hosts import Host
from impasto_installer.install import Options, Plan, install
from impasto_installer.kritarc import is_enabled
from impasto_installer.manifest import Manifest
from impasto_installer.plugins import ANY_PYTHON
from impasto_installer.terminal import Terminal
from impasto_installer.uninstall import uninstall


def krita(machine, packaging="package", python="3.13"):
    folder, settings = machine.home / ".local/share/krita", machine.home / ".config/kritarc"
    return Host("Krita", packaging, "5.2.9", python, folder, (), settings)


def test_plug_in_is_placed_turned_on_and_taken_away_again(machine):
    before = listing(machine.home)
    host = krita(machine)
    install(Plan(machine, Options(), [host]), Terminal(yes=True))
    for name in ("pykrita/impasto.desktop", "pykrita/impasto/__init__.py",
                 "pykrita/impasto/vendor/msgpack/__init__.py", "actions/impasto.action",
                 "pykrita/impasto/vendor/impasto_protocol/client.py"):  # fmt: skip
        assert (host.folder / name).exists(), name
    assert is_enabled(host.settings.read_bytes())
    assert host.settings.read_text().replace("enable_impasto=true\n", "") == BEFORE
    assert NoUv.asked == [("3.13", 2)]
    assert not list(Manifest.load(machine.data).damages())
    uninstall(machine, Terminal(yes=True), presets=True)
    assert listing(machine.home) == before


@pytest.mark.parametrize(
    ("pythons", "asked"),
    [
        (("3.13", "3.14"), ("3.13", 2)),
        (("3.10", "3.13"), (ANY_PYTHON, 1)),
        (("3.13", ""), (ANY_PYTHON, 1)),
    ],
)
def test_kritas_that_share_a_folder_get_one_plug_in_that_serves_all(machine, pythons, asked):
    """Where no build of pyzmq serves all of them, they speak through the bridge."""
    hosts = [krita(machine, f"package {python}", python) for python in pythons]
    install(Plan(machine, Options(), hosts), Terminal(yes=True))
    assert NoUv.asked == [asked]


def test_editor_that_is_gone_loses_its_plug_in_at_the_next_install(machine):
    host = krita(machine)
    other = dataclasses.replace(host, folder=machine.home / ".var/krita", settings=None)
    install(Plan(machine, Options(), [host, other]), Terminal(yes=True))
    assert other.plugin.exists()
    install(Plan(machine, Options(), [host]), Terminal(yes=True))
    assert host.plugin.exists() and not other.plugin.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_failure_leaves_kritas_settings_as_they_were(machine, monkeypatch):
    before = listing(machine.home)

    def fail(*_):
        raise OSError(28, "No space left on device", str(Path("x")))

    monkeypatch.setattr(installing.kritarc, "enable", fail)
    with pytest.raises(OSError, match="No space"):
        install(Plan(machine, Options(), [krita(machine)]), Terminal(yes=True))
    assert listing(machine.home) == before
