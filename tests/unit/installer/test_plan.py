"""What is chosen for a machine, and that the daemon agrees where things are."""

import errno
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.installer.test_transaction import without_rights

from impasto_daemon.paths import Paths
from impasto_installer import install as installing
from impasto_installer import main as command_line
from impasto_installer.environment import hardware, torch_backend
from impasto_installer.hosts import Host
from impasto_installer.install import Options, Plan
from impasto_installer.machine import Machine
from impasto_installer.main import main
from impasto_installer.manifest import Manifest
from impasto_installer.plugins import common_python
from impasto_installer.terminal import Terminal
from impasto_protocol import connection
from impasto_protocol.connection import impasto_command
from impasto_protocol.errors import DiskFull


@pytest.mark.parametrize(
    ("files", "found", "backend"),
    [([], "cpu", "cpu"), (["dev/nvidiactl"], "cuda", "auto"), (["dev/kfd"], "cpu", "cpu"),
     (["dev/kfd", "rocm_agent_enumerator"], "rocm", "auto"),
     (["usr/lib/wsl/lib/libcuda.so.1"], "cuda", "auto")],
)  # fmt: skip
def test_torch_fits_the_hardware(tmp_path, files, found, backend):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch(mode=0o755)
    machine = Machine("linux", tmp_path, {"PATH": str(tmp_path)}, tmp_path)
    assert hardware(machine) == found
    assert torch_backend("auto", found) == backend
    assert torch_backend("cu128", found) == "cu128"
    assert torch_backend("pypi", found) == ""


@pytest.mark.parametrize("own", [{}, {"IMPASTO_HOME": "/x/y"}, {"XDG_DATA_HOME": "/d"}])
def test_daemon_and_installer_agree_where_things_are(monkeypatch, own):
    for name in ("IMPASTO_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    machine, paths = Machine.this(), Paths.of()
    for name in ("data", "presets", "config", "log", "runtime"):
        assert getattr(machine, name) == getattr(paths, name)


def test_plug_ins_find_the_launcher_though_it_is_not_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    launcher = Machine.this().launcher
    launcher.parent.mkdir(parents=True)
    launcher.write_text("#!/bin/sh\n")
    launcher.chmod(0o755)
    monkeypatch.setattr("sys.executable", "/usr/bin/python3")
    assert impasto_command({"PATH": "/usr/bin:/bin"}) == [str(launcher)]


@pytest.mark.parametrize("own", [{}, {"IMPASTO_HOME": "/x/y"}])
def test_plug_ins_look_where_the_installer_puts_the_program_on_windows(tmp_path, monkeypatch, own):
    environment = {"LOCALAPPDATA": str(tmp_path), **own}
    monkeypatch.setattr("sys.platform", "win32")
    launcher = Machine("win32", tmp_path, environment).launcher
    assert connection._installed(environment) == launcher.parent


def test_relative_home_is_where_it_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMPASTO_HOME", "here")
    machine = Machine.this()
    assert machine.data == tmp_path / "here/data" and machine.runtime == tmp_path / "here/run"


@pytest.mark.parametrize(
    ("versions", "python"),
    [(["3.13"], "3.13"), (["3.13", "3.14"], "3.13"), (["3.10", "3.13"], ""), (["3.13", ""], ""),
     (["3.10"], "3.10"), ([""], "")],
)  # fmt: skip
def test_editors_that_share_a_folder_share_what_is_vendored(versions, python):
    assert common_python(versions) == python


def test_krita_whose_python_is_too_old_is_named_and_left_out(monkeypatch, tmp_path):
    old = Host("Krita", "AppImage", "5.1.5", "3.8", tmp_path)
    monkeypatch.setattr("impasto_installer.install.find_hosts", lambda machine: [old])
    plan = Plan.of(Machine("linux", tmp_path, {}), Options())
    assert plan.hosts == []
    assert any("Krita 5.1.5 (AppImage): its Python 3.8 is too old" in x for x in plan.lines())


@pytest.mark.parametrize("option", ["--wheels", "--weights"])
def test_file_that_is_not_there_is_told_before_anything_is_done(capsys, option):
    with pytest.raises(SystemExit):
        main(["--as-root", "--yes", option, "/none/such"])
    assert "/none/such is not there" in capsys.readouterr().err


@pytest.mark.parametrize(("backend", "kinds"), [("cpu", 3), ("cu130", 9), ("rocm7.1", 20), ("", 9),
                                                ("auto", 9)])  # fmt: skip
def test_space_is_needed_for_the_torch_that_is_chosen(tmp_path, monkeypatch, backend, kinds):
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidiactl").touch()
    machine = Machine("linux", tmp_path, {}, tmp_path)
    monkeypatch.setattr(installing, "free_gib", lambda folder: 2.0)
    with pytest.raises(DiskFull, match=f"and {kinds} are needed"):
        installing._check_space(machine, backend, None)


def test_what_an_old_terminal_cannot_show_is_no_failure():
    code = """
import sys
from impasto_installer import main
from impasto_installer.terminal import Terminal
def act(given, terminal):
    with terminal.doing("work"):
        return 0
main._act = act
sys.exit(main.main(["--as-root"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "? work (0 s)\n"), done.stderr


def test_dry_run_says_what_it_would_do_and_does_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("IMPASTO_", "XDG_"))]:
        monkeypatch.delenv(name)
    assert main(["--dry-run", "--as-root"]) == 0
    assert str(tmp_path / ".local/share/impasto/environment") in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_python_of_microsofts_store_is_sent_away(monkeypatch, capsys):
    """Windows keeps its files apart, where no editor finds them."""
    store = r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.13_3.13.2544.0_x64"
    monkeypatch.setattr("sys.base_prefix", store)
    assert main(["--dry-run", "--as-root"]) == 1
    assert r"--managed-python installer\install.py" in capsys.readouterr().err


def test_what_uninstalling_leaves_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("IMPASTO_", "XDG_"))]:
        monkeypatch.delenv(name)

    def said(*options):
        assert main(["uninstall", "--dry-run", "--as-root", *options]) == 0
        return capsys.readouterr().out.strip()

    assert said("--presets") == "Everything of Impasto will be removed."
    assert f"but the saved styles in {tmp_path}/.local/share/impasto/presets will" in said()
    (tmp_path / ".local/share/impasto/unsaved").mkdir(parents=True)
    assert "presets and the paintings in " in said() and "but the paintings in" in said("--presets")


def test_without_anybody_to_ask_nothing_happens(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["--as-root"]) == 1
    assert "Add --yes." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_ctrl_d_is_no(monkeypatch, capsys):
    class Ended(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Ended())
    assert not Terminal(yes=False).agrees("Go on?")
    assert capsys.readouterr().out == "Go on? [Y/n] \n"


def test_editor_in_a_sandbox_is_told_how_to_reach_the_daemon(monkeypatch, tmp_path):
    run = ("flatpak", "run", "--command=gimp-console-3.0", "org.gimp.GIMP")
    host = Host("GIMP", "flatpak", "3.0.6", "3.12", tmp_path, run)
    (said,) = (x for x in Plan(Machine("linux", tmp_path, {}), Options(), [host]).lines()
               if "flatpak override" in x)  # fmt: skip
    assert "flatpak override --user --filesystem=xdg-run/impasto org.gimp.GIMP`" in said


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="root alone is refused")
def test_root_is_sent_away(capsys):
    assert main(["--dry-run"]) == 1
    assert "without sudo" in capsys.readouterr().err


def test_damage_is_named_and_mended_from_the_spare_copies(tmp_path):
    place, spare = tmp_path / "plug-ins/impasto", tmp_path / "spare"
    (place / "vendor").mkdir(parents=True)
    spare.mkdir()
    for name in ("impasto.py", "vendor/a.py", "vendor/b.py", "vendor/c.py"):
        (place / name).write_text(name)
    (place / "impasto.py").chmod(0o755)
    manifest = Manifest("1")
    manifest.record(place, spare)
    (tmp_path / "installed.json").write_bytes(manifest.dump())
    manifest = Manifest.load(tmp_path)
    assert not list(manifest.damages())
    (place / "impasto.py").chmod(0o644)
    (place / "vendor/a.py").unlink()
    (place / "vendor/b.py").write_text("Vendor/b.py")
    damages = dict(manifest.damages())
    assert damages == {
        place / "impasto.py": "has other permissions",
        place / "vendor/a.py": "is missing",
        place / "vendor/b.py": "was changed",
    }
    for file in damages:
        manifest.mend(file, spare)
    assert not list(manifest.damages())


UNREADABLE = """
import sys
from pathlib import Path
from impasto_installer.manifest import Manifest
manifest = Manifest.load(Path(sys.argv[1]))
for file, what in manifest.damages():
    manifest.mend(file, Path(sys.argv[1]))
    print(file.name, what, *manifest.damages())
"""


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_file_that_cannot_be_read_is_a_damage_that_can_be_mended(tmp_path):
    place = tmp_path / "impasto.py"
    place.write_text("x")
    manifest = Manifest("1")
    manifest.record(place, tmp_path)
    (tmp_path / "installed.json").write_bytes(manifest.dump())
    place.chmod(0)
    assert without_rights(UNREADABLE, tmp_path) == "impasto.py cannot be read\n"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "files": 3}', '{"files": {}}'])
def test_damaged_manifest_is_none(tmp_path, text):
    Path(tmp_path / "installed.json").write_text(text)
    assert Manifest.load(tmp_path) is None


class WindowsFull(OSError):
    """As Windows words it."""

    def __str__(self):
        return "[WinError 112] There is not enough space on the disk: 'x'"


FULL = f"[Errno {errno.ENOSPC}] No space left on device: 'x'"


@pytest.mark.parametrize(
    ("error", "words"),
    [(OSError(errno.ENOSPC, "No space left on device", "x"), "The disk is full."),
     (shutil.Error([("a", "b", FULL)]), "The disk is full."),
     (WindowsFull(errno.ENOSPC, "not enough space"), "The disk is full."),
     (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "/x/y: Permission denied."),
     (KeyboardInterrupt(), "Stopped.")],
)  # fmt: skip
def test_error_after_the_changes_stand_does_not_say_that_they_do_not(
    monkeypatch, capsys, error, words
):
    def act(*_):
        raise error

    monkeypatch.setattr(command_line, "_act", act)
    assert main(["--as-root"])
    said = capsys.readouterr().err
    assert words in said and "as it was before" not in said


HANGS_UP = """
import os, signal, sys, time
from impasto_installer import main
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as in a terminal; under nohup it is ignored
def act(*_):
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(10)
    finally:
        os.kill(os.getpid(), signal.SIGHUP)
        print("put back")
main._act = act
sys.exit(main.main(["--as-root"]))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_closing_the_terminal_stops_the_installer_as_ctrl_c_does():
    done = subprocess.run([sys.executable, "-c", HANGS_UP], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (130, b"put back\n"), done.stderr
