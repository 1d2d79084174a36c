"""A machine in a folder, on which installing takes no time as there is no uv."""

import sys

import pytest
from tests.unit.installer.test_release import vendor

from impasto_installer import install as installing
from impasto_installer.machine import Machine

BEFORE = "[General]\nlocale=de\n[python]\nenable_comics=true\n"


class NoUv:
    """Puts nothing together, at once. asked: for which Python, and what."""

    missing = False
    asked = None

    def __init__(self, machine, wheels):
        pass

    def make(self, folder):
        folder.mkdir()

    def install_daemon(self, folder, built, backend):
        pass

    def vendor(self, folder, python, requirements):
        self.asked.append((python, len(requirements)))
        vendor(folder, python, requirements)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose Krita has settings already."""
    monkeypatch.setattr(installing, "Uv", NoUv)
    monkeypatch.setattr(NoUv, "asked", [])
    home = tmp_path / "home"
    (home / ".config").mkdir(parents=True)
    (home / ".config/kritarc").write_text(BEFORE)
    system = sys.platform if sys.platform in ("darwin", "win32") else "linux"
    return Machine(system, home, {"XDG_RUNTIME_DIR": str(tmp_path / "run")})
