"""uv from pip, for painters who have never heard of it; here from a folder, without a network."""

import os
import sys
import zipfile

import pytest

from impasto_installer.environment import Uv
from impasto_installer.machine import Machine
from impasto_protocol.errors import DiskFull, InstallFailed

FAKE = "#!/bin/sh\necho $UV_CACHE_DIR $@ >&2\n[ $1 = venv ] && exit 0\necho {} >&2\nexit 2\n"


@pytest.fixture
def wheels(tmp_path):
    """A folder with a package `uv` whose program makes environments, but does no more."""
    folder = tmp_path / "wheels"
    folder.mkdir()

    def make(words):
        with zipfile.ZipFile(folder / "uv-1-py3-none-any.whl", "w") as wheel:
            program = zipfile.ZipInfo("uv-1.data/scripts/uv")
            program.external_attr = 0o100755 << 16
            wheel.writestr(program, FAKE.format(words))
            wheel.writestr(
                "uv-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 1\n"
            )
            wheel.writestr("uv-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr("uv-1.dist-info/RECORD", "")
        return folder

    return make


@pytest.fixture
def machine(tmp_path):
    return Machine("linux", tmp_path, {**os.environ, "PATH": "/nowhere"})


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_uv_is_bootstrapped_into_an_environment_of_its_own(machine, wheels, monkeypatch):
    monkeypatch.setattr(sys, "executable", getattr(sys, "_base_executable", sys.executable))
    uv = Uv(machine, wheels("no route to host"))
    assert uv.missing
    uv.bootstrap()
    assert machine.program(uv.private, "uv").exists()
    assert not Uv(machine).missing
    uv.make(machine.data / "environment")
    with pytest.raises(InstallFailed, match="no route to host") as raised:
        uv.vendor(machine.data / "vendor", "3.13", ("msgpack",))
    assert "--wheels" in raised.value.next_step
    assert f"{machine.data}/cache pip install" in str(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_full_disk_is_told_from_other_failures(machine, wheels, monkeypatch):
    monkeypatch.setattr(sys, "executable", getattr(sys, "_base_executable", sys.executable))
    uv = Uv(machine, wheels("No space left on device"))
    uv.bootstrap()
    with pytest.raises(DiskFull):
        uv.vendor(machine.data / "vendor", "3.13", ("msgpack",))


def test_without_pip_and_network_it_says_what_to_install(machine, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InstallFailed, match="could not be had") as raised:
        Uv(machine, empty).bootstrap()
    assert "python3-venv" in raised.value.next_step
