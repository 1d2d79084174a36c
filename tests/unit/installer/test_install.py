"""Installing and uninstalling where not all is as it should be; nothing of others is lost."""

import contextlib
import os
import shlex
import subprocess
import sys

import pytest
from tests.unit.installer.test_krita import krita
from tests.unit.installer.test_transaction import listing

from impasto_installer import install as installing
from impasto_installer.hosts import Host
from impasto_installer.install import Options, Plan, install
from impasto_installer.machine import Machine
from impasto_installer.startup import startup
from impasto_installer.terminal import Terminal
from impasto_installer.uninstall import uninstall
from impasto_protocol.errors import InstallFailed

TERMINAL = Terminal(yes=True)


def installed(machine, **options):
    """The host that Impasto was installed for."""
    host = krita(machine)
    install(Plan(machine, Options(**options), [host]), TERMINAL)
    return host


@pytest.mark.parametrize("with_manifest", [True, False])
def test_uninstall_takes_nothing_that_is_not_ours(machine, tmp_path, with_manifest):
    own = tmp_path / "X"
    machine = Machine(machine.system, machine.home, {"IMPASTO_HOME": str(own)})
    for name in ("data/thesis/raw.csv", "log/mine.txt", "run/mine.pid"):
        (own / name).parent.mkdir(parents=True)
        (own / name).write_text("mine")
    before = listing(own)
    if with_manifest:
        installed(machine)
    (own / "data/styles").mkdir()
    for name in ("config.toml", "log/daemon.log", "log/daemon.log.1", "run/daemon.lock",
                 "data/styles/0.npz"):  # fmt: skip
        (own / name).touch()
    uninstall(machine, TERMINAL, presets=True)
    assert listing(own) == before


def find(host):
    return lambda machine: [host]


@pytest.mark.parametrize("damage", ["", "{"])
def test_uninstall_without_a_manifest_finds_the_plug_ins_by_their_places(
    machine, monkeypatch, damage
):
    before = listing(machine.home)
    machine.launcher.parent.mkdir(parents=True)
    host = installed(machine, starts_at_login=True)
    monkeypatch.setattr("impasto_installer.uninstall.find_hosts", find(host))
    (machine.data / "installed.json").write_text(damage)
    uninstall(machine, TERMINAL, presets=True)
    left = listing(machine.home).keys() - before.keys()
    assert not [name for name in left if (machine.home / name).is_file()]
    assert not [name for name in left if "impasto" in name]
    assert listing(machine.home)[".config/kritarc"] == before[".config/kritarc"]


def test_uninstall_without_a_manifest_leaves_another_program_of_that_name(machine, monkeypatch):
    monkeypatch.setattr("impasto_installer.uninstall.find_hosts", lambda machine: [])
    machine.data.mkdir(parents=True)
    machine.launcher.parent.mkdir(parents=True)
    machine.launcher.write_text("#!/usr/bin/python\n")
    uninstall(machine, TERMINAL, presets=True)
    assert machine.launcher.exists() and not machine.data.exists()


KILLED = """
import os, sys
from pathlib import Path
from impasto_installer import transaction, uninstall
from impasto_installer.machine import Machine
from impasto_installer.terminal import Terminal
transaction.Transaction._forget = lambda self: os.kill(os.getpid(), 9)
machine = Machine(sys.argv[1], Path(sys.argv[2]), {})
uninstall.uninstall(machine, Terminal(yes=True), presets=False)
"""


def test_uninstall_that_was_killed_is_done_by_the_next(machine):
    machine = Machine(machine.system, machine.home, {})
    before = listing(machine.home)
    host = installed(machine)
    command = [sys.executable, "-c", KILLED, machine.system, str(machine.home)]
    subprocess.run(command, check=False)
    assert not host.plugin.exists()
    uninstall(machine, TERMINAL, presets=False)
    assert listing(machine.home) == before


def test_space_is_looked_at_after_an_interrupted_installation_was_put_back(machine, monkeypatch):
    machine = Machine(machine.system, machine.home, {})
    installed(machine)
    before = listing(machine.home)
    command = [sys.executable, "-c", KILLED, machine.system, str(machine.home)]
    subprocess.run(command, check=False)
    monkeypatch.setattr(installing, "free_gib", lambda folder: 2.0)
    installed(machine)
    assert listing(machine.home).keys() == before.keys()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_others_see_into_none_of_impastos_folders_whatever_the_umask(machine):
    own = [machine.data, machine.config.parent, *machine.log.parents[:2]]
    umask = os.umask(0)
    try:
        for _ in range(2):
            installed(machine)
            assert {folder.stat().st_mode & 0o777 for folder in own} == {0o700}
            for folder in own:
                folder.chmod(0o755)  # as an older installer made them
    finally:
        os.umask(umask)


@pytest.mark.skipif(os.name != "posix", reason="there is no launcher on Windows")
def test_launcher_is_not_written_into_another_program(machine, tmp_path):
    other = tmp_path / "pipx-impasto"
    other.write_text("another program")
    machine.launcher.parent.mkdir(parents=True)
    machine.launcher.symlink_to(other)
    installed(machine)
    assert other.read_text() == "another program"
    assert not machine.launcher.is_symlink()
    uninstall(machine, TERMINAL, presets=True)
    assert other.read_text() == "another program"


@pytest.mark.skipif(os.name != "posix", reason="the program is a shell script")
@pytest.mark.parametrize("starts", [True, False])
def test_gimp_takes_over_older_settings_before_the_plug_in_is_there(
    machine, tmp_path, capsys, starts
):
    own, program = machine.home / ".config/GIMP/3.0", tmp_path / "gimp-console"
    own.with_name("2.10").mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nmkdir '{own}' && touch '{own}/gimprc'\n")
    program.chmod(0o755 if starts else 0o644)
    host = Host("GIMP", "package", "3.0.4", "3.13", own / "plug-ins", (str(program),))
    plan = Plan(machine, Options(), [host, host])
    assert any("started without a window" in line for line in plan.lines())
    install(plan, TERMINAL)
    assert (own / "gimprc").exists() == host.plugin.exists() == starts
    assert ("Not for GIMP 3.0.4 (package): start it once" in capsys.readouterr().out) != starts


@pytest.mark.skipif(os.name != "posix", reason="there is no launcher on Windows")
def test_impasto_imports_nothing_from_the_folder_that_it_is_run_in(machine, tmp_path, monkeypatch):
    installed(machine)
    machine.environment_dir.rmdir()
    machine.environment_dir.symlink_to(sys.prefix)
    (tmp_path / "random.py").write_text('raise SystemExit("a painter\'s own")')
    monkeypatch.chdir(tmp_path)
    for run in (
        subprocess.run([machine.launcher, "--version"], capture_output=True, check=False),
        installing._impasto(machine, "--version"),
    ):
        assert run.returncode == 0, run.stderr


def test_first_install_that_fails_takes_what_uv_fetched_with_it(machine, monkeypatch):
    def fail(self, folder, built, backend):
        for name in ("cache/archive", "python/cpython-3.13"):
            (machine.data / name).mkdir(parents=True)
        raise InstallFailed("no route to host")

    before = listing(machine.home)
    monkeypatch.setattr(installing.Uv, "install_daemon", fail)
    with pytest.raises(InstallFailed):
        installed(machine)
    assert listing(machine.home) == before


def test_cleaning_up_that_fails_is_no_failure_of_uninstalling(machine, monkeypatch):
    host = installed(machine)
    monkeypatch.setattr(
        "impasto_installer.transaction.shutil.rmtree", lambda path: (_ for _ in ()).throw(OSError)
    )
    uninstall(machine, TERMINAL, presets=True)
    assert not host.plugin.exists()


@pytest.mark.parametrize("fails", [False, True])
def test_daemon_that_is_started_during_an_upgrade_is_ended_after_it(machine, monkeypatch, fails):
    """It runs on files that are moved or deleted at the end."""
    installed(machine)
    at_work = []
    monkeypatch.setattr(
        installing, "stop_daemon", lambda _: at_work.append((machine.data / "unfinished").exists())
    )
    if fails:
        monkeypatch.setattr(installing.Uv, "install_daemon", fail)
    with pytest.raises(InstallFailed) if fails else contextlib.nullcontext():
        installed(machine)
    assert at_work == [True, False]


def fail(self, folder, built, backend):
    raise InstallFailed("no route to host")


@pytest.mark.parametrize("fails", [False, True])
def test_choosing_weights_leaves_those_of_other_networks(machine, tmp_path, monkeypatch, fails):
    installed(machine)
    folder = machine.data / "weights"
    folder.mkdir()
    for name in ("vgg19_features.safetensors", "resnet50.safetensors", "resnet50.sha256"):
        (folder / name).write_text("before")
    before = listing(folder)

    def use(machine, *arguments):
        assert arguments == ("weights", "use", str(tmp_path / "own.safetensors"))
        (folder / "vgg19_features.safetensors").write_text("own")
        (folder / "chosen").write_text("own")
        return subprocess.CompletedProcess(arguments, int(fails), b"", b"no")

    monkeypatch.setattr(installing, "_impasto", use)
    with pytest.raises(InstallFailed) if fails else contextlib.nullcontext():
        installed(machine, weights=tmp_path / "own.safetensors")
    after = listing(folder)
    assert (after == before) if fails else after.keys() == before.keys() | {"chosen"}
    assert (folder / "resnet50.safetensors").read_text() == "before"


def test_upgrade_keeps_the_torch_that_was_chosen(machine, monkeypatch):
    told = []
    monkeypatch.setattr(installing.Uv, "install_daemon", lambda self, *how: told.append(how[-1]))
    for chosen in ("cu128", "", "pypi", ""):
        installed(machine, torch=chosen)
    assert told == ["cu128", "cu128", "", ""]


def test_starting_at_login_that_the_system_refuses_is_told(machine, monkeypatch, capsys):
    monkeypatch.setattr("impasto_installer.startup.subprocess.run", refuse)
    installed(machine, starts_at_login=True)
    said = capsys.readouterr().out
    assert "stays as it is: " + shlex.join(startup(machine).register) in said


@pytest.mark.parametrize("fails", [False, True])
def test_uninstall_that_fails_leaves_starting_at_login_on(machine, monkeypatch, fails):
    installed(machine, starts_at_login=True)
    start, told = startup(machine), []

    def tell(command, terminal):
        assert start.file.exists()
        told.append(command)

    def leave(*_):
        if fails:
            raise OSError("no")

    monkeypatch.setattr("impasto_installer.uninstall.tell_system", tell)
    monkeypatch.setattr("impasto_installer.uninstall._leave_editors", leave)
    with pytest.raises(OSError, match="no") if fails else contextlib.nullcontext():
        uninstall(machine, TERMINAL, presets=True)
    assert told == [start.unregister, *[start.register] * fails]


def refuse(command, **_):
    raise subprocess.CalledProcessError(1, command)
