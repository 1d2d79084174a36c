"""The runtime folder, the connection file and the lock, also where somebody tampered with them."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from impasto_protocol import connection
from impasto_protocol.connection import Connection
from impasto_protocol.errors import AlreadyRunning, DaemonNotRunning, UnsafeFolder

FOUND = Connection("ipc:///run/x", 1, 0, "0.1.0", 7)


@pytest.fixture
def folder(tmp_path):
    return connection.make_private(tmp_path / "run")


def test_connection_file_comes_back_and_is_private(folder):
    path = connection.write_connection(folder, FOUND)
    assert connection.read_connection(path) == FOUND
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [item.name for item in folder.iterdir()] == ["connection.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"endpoint": "http://x"}', '{"endpoint": 3}', "\xff"]
)
def test_damaged_connection_file_means_that_no_daemon_runs(folder, text):
    path = connection.write_connection(folder, FOUND)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DaemonNotRunning):
        connection.read_connection(path)


def test_missing_connection_file_means_that_no_daemon_runs(tmp_path):
    with pytest.raises(DaemonNotRunning):
        connection.read_connection(tmp_path / "none")


def test_connection_file_open_to_others_is_not_trusted(folder):
    path = connection.write_connection(folder, FOUND)
    path.chmod(0o644)
    with pytest.raises(UnsafeFolder, match="open to other users") as caught:
        connection.read_connection(path)
    assert f"rm '{path}'" in caught.value.next_step


def test_link_in_place_of_the_connection_file_is_not_followed(folder, tmp_path):
    (tmp_path / "elsewhere").write_text("{}")
    (folder / "connection.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DaemonNotRunning):
        connection.read_connection(folder / "connection.json")


def test_folder_open_to_others_is_refused_with_the_command_to_run(tmp_path):
    (tmp_path / "run").mkdir(mode=0o755)
    with pytest.raises(UnsafeFolder) as caught:
        connection.make_private(tmp_path / "run")
    assert caught.value.next_step == f"Run: chmod 700 '{tmp_path / 'run'}'"


def test_link_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(UnsafeFolder):
        connection.make_private(tmp_path / "run")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_folder_of_another_user_is_refused(tmp_path):
    (tmp_path / "run").mkdir(mode=0o700)
    os.chown(tmp_path / "run", 12345, 12345)
    with pytest.raises(UnsafeFolder, match="another user"):
        connection.make_private(tmp_path / "run")


def test_lock_is_the_kernels_and_ends_with_its_process(folder):
    code = (
        "import sys, pathlib; from impasto_protocol.connection import hold_lock\n"
        f"lock = hold_lock(pathlib.Path({str(folder)!r})); print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        assert connection.daemon_is_running(folder)
        with pytest.raises(AlreadyRunning):
            connection.hold_lock(folder)
        holder.kill()
    assert not connection.daemon_is_running(folder)
    connection.hold_lock(folder).close()
    assert (folder / "daemon.lock").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="it deletes no file that is open")
def test_lock_whose_file_is_gone_or_anothers_is_kept_no_longer(folder):
    file = folder / "daemon.lock"
    with connection.hold_lock(folder) as lock:
        os.utime(file, (0, 0))
        assert connection.keeps_lock(lock, folder)
        assert file.stat().st_mtime > 0  # so that it is not taken for an old one
        file.unlink()
        assert not connection.keeps_lock(lock, folder)
        with connection.hold_lock(folder) as other:
            assert not connection.keeps_lock(lock, folder)
            assert connection.keeps_lock(other, folder)
            shutil.rmtree(folder)
            assert connection.keeps_lock(other, folder)


def test_no_daemon_lives_where_there_is_no_folder(tmp_path):
    assert not connection.daemon_is_running(tmp_path / "none")


@pytest.fixture
def run_user(tmp_path, monkeypatch):
    """Where the system would keep a folder for each user that is logged in."""
    monkeypatch.setattr(connection, "_RUN_USER", tmp_path / "user")
    return tmp_path / "user"


def test_runtime_folder_follows_the_environment(tmp_path, run_user):
    assert connection.runtime_dir({"IMPASTO_HOME": str(tmp_path)}) == tmp_path / "run"
    assert connection.runtime_dir({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "impasto"
    assert connection.runtime_dir({}).parent == Path(tempfile.gettempdir())


def test_shell_that_was_not_told_the_runtime_folder_finds_the_editors(run_user):
    own = run_user / str(os.getuid())
    own.mkdir(parents=True)
    told = connection.runtime_dir({"XDG_RUNTIME_DIR": str(own)})
    assert told == connection.runtime_dir({}) == own / "impasto"


def test_editor_in_a_snap_has_the_runtime_folder_of_everybody(run_user):
    own = run_user / str(os.getuid())
    (own / "snap.gimp").mkdir(parents=True)
    assert connection.runtime_dir({"XDG_RUNTIME_DIR": str(own / "snap.gimp")}) == own / "impasto"


def test_temporary_folder_of_ones_own_makes_no_second_daemon(tmp_path, run_user, monkeypatch):
    usual = connection.runtime_dir({})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert connection.runtime_dir({}) == usual


def test_lock_that_cannot_be_opened_is_said(tmp_path):
    (tmp_path / "daemon.lock").mkdir()
    for ask in (connection.hold_lock, connection.daemon_is_running):
        with pytest.raises(UnsafeFolder, match="cannot be used") as caught:
            ask(tmp_path)
        assert "IMPASTO_HOME" in caught.value.next_step


def test_folder_of_a_read_only_file_system_is_said(tmp_path):
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=16k,mode=700", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("it can be had by root only")
    try:
        connection.make_private(tmp_path)
        with pytest.raises(UnsafeFolder, match="Read-only file system") as caught:
            connection.hold_lock(tmp_path)
        assert "IMPASTO_HOME" in caught.value.next_step
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("kind", ["missing", "a file", "another user's"])
def test_runtime_folder_that_cannot_be_had_is_passed_over(tmp_path, run_user, monkeypatch, kind):
    folder = tmp_path / "x"
    if kind == "a file":
        folder.touch()
    elif kind == "another user's":
        folder.mkdir()
        monkeypatch.setattr(connection.os, "getuid", lambda: 12345)
    found = connection.runtime_dir({"XDG_RUNTIME_DIR": str(folder)})
    assert found.parent == Path(tempfile.gettempdir())


def test_private_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UnsafeFolder, match="cannot be made") as caught:
        connection.make_private(tmp_path / "file" / "run")
    assert "IMPASTO_HOME" in caught.value.next_step


@pytest.mark.skipif(sys.platform == "win32", reason="there are always locks")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_system_without_locks_is_said_at_once(tmp_path, monkeypatch, number):
    """No such file system can be had here."""

    def refuse(file, kind):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(connection.fcntl, "flock", refuse)
    (tmp_path / "daemon.lock").touch()
    for ask in (connection.hold_lock, connection.daemon_is_running):
        with pytest.raises(UnsafeFolder, match="cannot be locked") as caught:
            ask(tmp_path)
        assert "IMPASTO_HOME" in caught.value.next_step


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such modes")
def test_file_that_a_person_names_is_written_as_by_any_program(tmp_path, monkeypatch):
    def mode():
        return (tmp_path / "x").stat().st_mode & 0o777

    before = os.umask(0o027)
    try:
        with monkeypatch.context() as patched:
            patched.delattr(os, "umask")  # which is that of all threads
            connection.write_file(tmp_path / "x", b"new", mode=None)
            assert mode() == 0o640
            (tmp_path / "x").chmod(0o600)
            connection.write_file(tmp_path / "x", b"newer", mode=None)
            assert mode() == 0o600
    finally:
        os.umask(before)


def test_nothing_stays_beside_a_read_only_file_that_windows_replaces_not(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "x").chmod(0o444)
    unlink = Path.unlink

    def refuse(path, *_):
        raise PermissionError(errno.EACCES, "Access is denied")

    def unlink_as_windows(path, **named):
        if not path.stat().st_mode & 0o200:
            refuse(path)
        unlink(path, **named)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(Path, "unlink", unlink_as_windows)
    with pytest.raises(PermissionError):
        connection.write_file(tmp_path / "x", b"new", mode=None)
    assert [*tmp_path.iterdir()] == [tmp_path / "x"]


def test_daemon_gets_nothing_of_an_editors_interpreter_and_loader():
    theirs = {"PYTHONHOME": "/snap", "PYTHONPATH": "/app", "LD_LIBRARY_PATH": "/app/lib",
              "LD_PRELOAD": "x.so", "DYLD_LIBRARY_PATH": "/app", "VIRTUAL_ENV": "/v"}  # fmt: skip
    ours = {"PATH": "/bin", "HOME": "/home/ada", "IMPASTO_HOME": "/x", "LANG": "de_DE.UTF-8"}
    assert connection.clean_environment(theirs | ours) == ours
