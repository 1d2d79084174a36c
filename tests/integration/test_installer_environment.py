"""uv from pip, for painters who have never heard of it; here from a folder, without a network."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from impasto_installer import environment
from impasto_installer.environment import Uv
from impasto_installer.machine import Machine
from impasto_installer.plugins import ANY_PYTHON, ROOT, build_gimp
from impasto_protocol.errors import DiskFull, InstallFailed

FAKE = """#!/bin/sh
[ $1 = --version ] && echo uv 9.1.0 && exit 0
echo $UV_CACHE_DIR $@ >&2
[ $1 = venv ] && exit 0
echo {} >&2
exit 2
"""


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
def test_uv_is_bootstrapped_into_an_environment_of_its_own(machine, wheels, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", getattr(sys, "_base_executable", sys.executable))
    (tmp_path / "logging.py").write_text('raise SystemExit("a painter\'s own")')
    monkeypatch.chdir(tmp_path)
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
def test_uv_is_had_from_pip_where_python_makes_no_whole_environment(
    machine, wheels, tmp_path, monkeypatch
):
    """As Debian's without python3-venv, which leaves the half of one."""
    python = getattr(sys, "_base_executable", sys.executable)
    debian = tmp_path / "python3"
    debian.write_text(
        f'#!/bin/sh\n[ $3 = venv ] || exec {python} "$@"\nmkdir -p $4/bin\n'
        "touch $4/bin/python3\nexit 1\n"
    )
    debian.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(debian))
    Uv(machine, wheels("no route to host")).bootstrap()
    assert not Uv(machine).missing


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
@pytest.mark.parametrize("folder", ["bin", "Scripts"])
def test_uv_is_found_where_either_way_of_pip_puts_it_on_windows(machine, folder):
    windows = dataclasses.replace(machine, system="win32")
    program = Uv(windows).private / folder / "uv.exe"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho uv 9.1.0\n")
    program.chmod(0o755)
    assert not Uv(windows).missing


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_pip_that_leaves_no_program_is_told(machine, monkeypatch):
    monkeypatch.setattr(environment, "_run", lambda *_: None)
    with pytest.raises(InstallFailed, match=r"could not be had: pip left no program"):
        Uv(machine).bootstrap()


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
@pytest.mark.parametrize(
    "words",
    [
        "No space left on device",
        "error: Disk quota exceeded '(os error 122)'",
        "error: Disc quota exceeded '(os error 69)'",
        "error: '(os error 112)'",
    ],
)
def test_full_disk_is_told_from_other_failures(machine, wheels, monkeypatch, words):
    monkeypatch.setattr(sys, "executable", getattr(sys, "_base_executable", sys.executable))
    uv = Uv(machine, wheels(words))
    uv.bootstrap()
    with pytest.raises(DiskFull):
        uv.vendor(machine.data / "vendor", "3.13", ("msgpack",))


def test_offline_with_no_python_that_the_daemon_runs_on_it_says_which(
    machine, tmp_path, monkeypatch
):
    def refuse(command, *_):
        assert "--offline" in command
        raise InstallFailed("No interpreter found")

    monkeypatch.setattr(environment, "_run", refuse)
    monkeypatch.setattr(environment, "_serves", lambda uv: True)
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    with pytest.raises(InstallFailed, match=r"3\.11 to 3\.14, which cannot be had offline"):
        Uv(machine, tmp_path).make(tmp_path / "environment")


def test_without_pip_and_network_it_says_what_to_install(machine, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InstallFailed, match="could not be had") as raised:
        Uv(machine, empty).bootstrap()
    assert "python3-venv" in raised.value.next_step


def uv_that(machine, folder, does):
    """The uv of a machine that has none but a shell script."""
    (folder / "uv").write_text(f"#!/bin/sh\n{does}\n")
    (folder / "uv").chmod(0o755)
    return Uv(dataclasses.replace(machine, environment={"PATH": f"{folder}:/usr/bin:/bin"}))


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
@pytest.mark.parametrize("does", ["echo uv 0.4.30", "exit 1", "echo no such version; exit 127"])
def test_uv_that_is_too_old_or_broken_is_no_uv(machine, tmp_path, does):
    assert uv_that(machine, tmp_path, does).missing


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_what_is_stopped_while_it_is_being_started_does_not_go_on(machine, tmp_path, monkeypatch):
    class Interrupted(subprocess.Popen):
        def _execute_child(self, *arguments, **options):
            super()._execute_child(*arguments, **options)
            if self.args[1] != "--version":
                signal.raise_signal(signal.SIGINT)

    uv = uv_that(machine, tmp_path, 'echo uv 9.1.0; sleep 0.5; touch "$0.went-on"')
    assert not uv.missing
    (tmp_path / "uv.went-on").unlink()
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        uv.make(tmp_path / "environment")
    time.sleep(1)
    assert not (tmp_path / "uv.went-on").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_what_ends_by_itself_while_it_is_being_stopped_is_stopped(machine, tmp_path, monkeypatch):
    class Interrupted(subprocess.Popen):
        def communicate(self, *arguments, **options):
            super().communicate(*arguments, **options)
            if self.args[1] != "--version":
                signal.raise_signal(signal.SIGINT)

    uv = uv_that(machine, tmp_path, "echo uv 9.1.0")
    assert not uv.missing
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        uv.make(tmp_path / "environment")


def test_offline_folder_without_packages_for_the_editors_python_still_gives_a_plug_in(tmp_path):
    def of_this_python_alone(folder, python, requirements):
        folder.mkdir()
        if python != ANY_PYTHON or len(requirements) > 1:
            raise InstallFailed("no such wheel")
        (folder / "msgpack").mkdir()

    plugin = build_gimp(tmp_path / "impasto", of_this_python_alone, "3.99")
    assert {p.name for p in (plugin / "vendor").iterdir()} == {"msgpack", "impasto_protocol"}
    with pytest.raises(InstallFailed):
        build_gimp(tmp_path / "other", of_this_python_alone, "3.99", pyzmq=False)


@pytest.mark.skipif(sys.platform == "win32", reason="it is for macOS")
def test_double_click_on_macos_takes_the_newest_python_and_passes_arguments_on(tmp_path):
    """Apple's own is 3.9."""
    for name in ("python3", "python3.12"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} $@\n")
        (tmp_path / name).chmod(0o755)
    command = ROOT / "installer/install.command"
    said = subprocess.run(
        ["/bin/sh", command, "--dry-run", "a b"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    assert said.startswith(f"python3.12 {command.parent}/install.py --dry-run a b\n")
