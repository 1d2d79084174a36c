"""Whatever happens in the middle, everything is as it was; also when the process is killed."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from impasto_installer import transaction
from impasto_installer.transaction import Transaction
from impasto_protocol.errors import AlreadyRunning


def listing(folder):
    """Every file with its content and mode, every link, every folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            content = str(path.readlink())
        else:
            content = path.read_bytes() if path.is_file() else None
        found[path.relative_to(folder).as_posix()] = (content, path.lstat().st_mode & 0o7777)
    return found


@pytest.fixture
def home(tmp_path):
    """A home with a plug-in, an environment and an editor's settings in it."""
    home = tmp_path / "home"
    (home / "plug-ins/impasto").mkdir(parents=True)
    (home / "plug-ins/impasto/impasto.py").write_text("old")
    (home / "data/environment/bin").mkdir(parents=True)
    (home / "data/environment/bin/python").symlink_to("/usr/bin/python3")
    (home / "data/environment/lib.py").write_text("old")
    (home / "kritarc").write_text("[python]\n")
    return home


def change(home, changes):
    """One of everything that a transaction can do."""
    environment = changes.replace(home / "data/environment")
    environment.mkdir()
    (environment / "lib.py").write_text("new")
    plugin = changes.replace(home / "plug-ins/impasto")
    plugin.mkdir()
    (plugin / "impasto.py").write_text("new")
    changes.write(home / "kritarc", b"[python]\nenable_impasto=true\n")
    changes.write(home / "config/systemd/user/impasto.service", b"new")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left")])
def test_failure_puts_everything_back(home, error):
    before = listing(home)
    with pytest.raises((KeyboardInterrupt, OSError)), Transaction(home / "data") as changes:
        change(home, changes)
        assert (home / "plug-ins/impasto/impasto.py").read_text() == "new"
        raise error
    assert {*listing(home)} - {*before} == {"data/installer.lock"}
    (home / "data/installer.lock").unlink()
    assert listing(home) == before


def test_success_keeps_the_changes_and_nothing_else(home):
    with Transaction(home / "data") as changes:
        change(home, changes)
        assert changes.made == [home / "config", home / "config/systemd",
                                home / "config/systemd/user"]  # fmt: skip
    assert (home / "data/environment/lib.py").read_text() == "new"
    assert (home / "kritarc").read_text().endswith("enable_impasto=true\n")
    assert not (home / "data/unfinished").exists()


def test_first_install_that_fails_leaves_no_folder(tmp_path):
    with pytest.raises(RuntimeError), Transaction(tmp_path / "share/impasto") as changes:
        changes.write(tmp_path / "bin/impasto", b"")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_transaction import change
from impasto_installer import transaction
home, at = Path(sys.argv[1]), int(sys.argv[2])
write = transaction.write_file
def count(*arguments):
    global at
    at -= 1
    if at < 0:
        os.kill(os.getpid(), 9)
    return write(*arguments)
transaction.write_file = count
with transaction.Transaction(home / "data") as changes:
    change(home, changes)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("at", range(10))
def test_killed_at_any_write_is_put_back_by_the_next(home, at, request):
    before = listing(home)
    command = [sys.executable, "-c", KILLED, str(home), str(at), str(request.path.parent)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    with pytest.raises(RuntimeError), Transaction(home / "data"):
        raise RuntimeError
    (home / "data/installer.lock").unlink()
    after = {name: value for name, value in listing(home).items() if ".impasto-" not in name}
    assert after == before


def test_full_disk_in_the_middle_of_a_write_leaves_the_old_file(home, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    target = home / "kritarc"
    monkeypatch.setattr(transaction.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        transaction.write_file(target, b"new")
    assert target.read_text() == "[python]\n"
    assert {path.name for path in home.iterdir()} == {"kritarc", "data", "plug-ins"}


def test_two_installers_at_once_are_one_too_many(home):
    with Transaction(home / "data"), pytest.raises(AlreadyRunning):
        Transaction(home / "data")


def test_settings_keep_their_permissions(home):
    (home / "kritarc").chmod(0o600)
    with Transaction(home / "data") as changes:
        changes.write(home / "kritarc", b"new")
        changes.write(home / "launcher", b"new", 0o755)
    assert [(home / name).stat().st_mode & 0o777 for name in ("kritarc", "launcher")] == [
        0o600, 0o755,
    ]  # fmt: skip


def test_settings_that_are_a_link_stay_one(home, tmp_path):
    real = tmp_path / "dotfiles-kritarc"
    real.write_text("old")
    (home / "kritarc").unlink()
    (home / "kritarc").symlink_to(real)
    with Transaction(home / "data") as changes:
        changes.write(home / "kritarc", b"new")
    assert (home / "kritarc").is_symlink() and real.read_text() == "new"


def without_rights(code, *arguments):
    """What a Python program says that modes hold for, as they do not for root."""
    none = "-dac_override,-dac_read_search"
    plain = ["setpriv", f"--bounding-set={none}", f"--inh-caps={none}"] if not os.geteuid() else []
    done = subprocess.run(
        [*plain, sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


READ_ONLY = """
import sys
from pathlib import Path
from impasto_installer.transaction import Transaction
home = Path(sys.argv[1])
try:
    with Transaction(home / "data") as changes:
        changes.replace(home / "plug-ins/impasto")
except OSError as error:
    print(type(error).__name__)
with Transaction(home / "data"):
    print("and again")
"""


def test_folder_that_cannot_be_written_to_keeps_what_is_in_it(home):
    before = listing(home)
    (home / "plug-ins").chmod(0o555)
    assert without_rights(READ_ONLY, home) == "PermissionError\nand again\n"
    (home / "plug-ins").chmod(0o755)
    (home / "data/installer.lock").unlink()
    assert listing(home) == before


@pytest.fixture
def far(monkeypatch):
    """Moves into and out of what is aside cross file systems; far(n): the n-th copy fails."""
    rename, copytree = os.rename, shutil.copytree
    copies = []

    def rename_within(source, target):
        if Path(source).name != "unfinished" and (
            ("unfinished" in Path(source).parts) != ("unfinished" in Path(target).parts)
        ):
            raise OSError(errno.EXDEV, "Invalid cross-device link", str(source))
        return rename(source, target)

    def fail_at(number):
        def copy(source, target, *how, **named):
            copies.extend([] if how else [source])
            if len(copies) == number:
                Path(target).mkdir()
                full = f"[Errno {errno.ENOSPC}] No space left on device: '{target}/a'"
                raise shutil.Error([(str(source), str(target), full)])
            return copytree(source, target, *how, **named)

        monkeypatch.setattr(shutil, "copytree", copy)

    monkeypatch.setattr(os, "rename", rename_within)
    return fail_at


@pytest.mark.parametrize("number", [0, 1, 2])
def test_full_disk_while_moving_across_file_systems_loses_nothing(home, far, number):
    before = listing(home)
    far(number)
    with pytest.raises((shutil.Error, RuntimeError)), Transaction(home / "data") as changes:
        change(home, changes)
        raise RuntimeError
    (home / "data/installer.lock").unlink()
    assert listing(home) == before


def test_rollback_that_fails_is_tried_again_by_the_next(home, far):
    before = listing(home)
    far(3)
    said = []
    with pytest.raises(shutil.Error), Transaction(home / "data", said.append) as changes:
        change(home, changes)
        raise RuntimeError
    assert not said
    with pytest.raises(KeyError), Transaction(home / "data", said.append):
        raise KeyError
    assert said == ["An installation that was interrupted has been put back first.",
                    "Everything is as it was before."]  # fmt: skip
    (home / "data/installer.lock").unlink()
    assert listing(home) == before


def test_stopped_while_the_old_version_is_deleted_the_new_one_stands(home, monkeypatch):
    remove = transaction.remove

    def stop(path):
        if path.name == "removed" and path.exists():
            (path / "0/lib.py").unlink()
            raise KeyboardInterrupt
        remove(path)

    monkeypatch.setattr(transaction, "remove", stop)
    said = []
    with pytest.raises(KeyboardInterrupt), Transaction(home / "data", said.append) as changes:
        change(home, changes)
    assert not said
    assert (home / "data/environment/lib.py").read_text() == "new"
    assert not (home / "data/unfinished").exists()
    monkeypatch.undo()
    with Transaction(home / "data") as changes:
        change(home, changes)
    assert {path.name for path in (home / "data").iterdir()} == {"environment", "installer.lock"}
