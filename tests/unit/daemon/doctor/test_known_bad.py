"""Versions that are known to be bad: told where they are there, and never pinned or asked for."""

import re
from importlib import metadata
from pathlib import Path

import pytest
import tomllib

from impasto_daemon.doctor import known_bad
from impasto_daemon.doctor.checkup import Installation
from impasto_daemon.doctor.known_bad import EDITORS, PACKAGES, check_known_bad
from impasto_installer import plugins
from impasto_installer.hosts import Host

ROOT = Path(__file__).parents[4]
ASKED_FOR = [
    *tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"],
    *plugins._REQUIREMENTS,
]
LOCKED = tomllib.loads((ROOT / "uv.lock").read_text())["package"]


@pytest.fixture
def found(home, monkeypatch):
    """found(editors=[(name, version)], name=version): what is told of these."""

    def look(editors=(), **packages):
        def version(name):
            if name not in packages:
                raise metadata.PackageNotFoundError(name)
            return packages[name]

        hosts = [Host(name, "package", number, "", home, ()) for name, number in editors]
        monkeypatch.setattr(known_bad.metadata, "version", version)
        monkeypatch.setattr(known_bad, "library_version", lambda: packages.get("libzmq", "4.3.5"))
        monkeypatch.setattr(known_bad, "find_hosts", lambda machine: hosts)
        return list(check_known_bad(Installation.here()))

    return look


@pytest.mark.parametrize("bad", PACKAGES, ids=lambda bad: bad.name)
def test_bad_library_is_told_with_what_happens_and_what_to_do(found, bad):
    (finding,) = found(**{bad.name: bad.last})
    assert finding.good is False and finding.next_step
    assert (
        finding.words == f"{bad.name} {bad.last} is known to be bad: {bad.happens} ({bad.told_by})."
    )


@pytest.mark.parametrize("bad", EDITORS, ids=lambda bad: bad.name)
def test_editor_with_known_faults_is_worth_knowing(found, bad):
    finding, fine = found(editors=[(bad.name, bad.last)])
    assert finding.good is None and bad.happens in finding.words and bad.name in finding.next_step
    assert fine.good is True
    (fine,) = found(editors=[(bad.name, "9.9.9"), (bad.name, bad.last[:3]), (bad.name, "")])
    assert fine.good is True


def test_what_is_installed_here_is_not_known_to_be_bad(home, monkeypatch):
    monkeypatch.setattr(known_bad, "find_hosts", lambda machine: [])
    (finding,) = check_known_bad(Installation.here())
    assert finding.good is True


@pytest.mark.parametrize(
    "bad", [bad for bad in PACKAGES if bad.name != "libzmq"], ids=lambda bad: bad.name
)
def test_nothing_is_pinned_or_allowed_that_is_known_to_be_bad(bad):
    locked = [each["version"] for each in LOCKED if each["name"] == bad.name]
    assert locked and not any(map(bad.includes, locked))
    asked = [each for each in ASKED_FOR if re.split("[<>=]", each)[0] == bad.name]
    lowest = [re.search(r">=([\d.]+)", each)[1] for each in asked]
    assert lowest and not any(map(bad.includes, lowest))
