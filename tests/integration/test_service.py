"""The daemon as a process: started from anywhere, gone when it is said to be, refused in words."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.conftest import make_daemon

from impasto_protocol.client import Client, start_daemon, stop_daemon
from impasto_protocol.connection import connection_file, read_connection
from impasto_protocol.errors import DaemonNotRunning, UnsafeFolder
from impasto_protocol.messages import Progress, Status
from impasto_protocol.settings import Settings

LONG = Settings(iterations=100_000, tolerance=0, scales=1)


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """What a plug-in's process has: a home, and the command that starts the daemon."""
    command = tmp_path / "impasto"
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m impasto_daemon.cli \"$@\"\n")
    command.chmod(0o755)
    monkeypatch.setenv("IMPASTO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IMPASTO_COMMAND", str(command))
    monkeypatch.delenv("IMPASTO_WEIGHTS", raising=False)
    return tmp_path / "home"


@pytest.mark.parametrize("variables", [
    {"PYTHONHOME": "/snap/krita/1/usr"},
    {"PYTHONPATH": "FOLDER", "LD_LIBRARY_PATH": "/tmp/.mount_krita/usr/lib"},
    {"PYTHONSTARTUP": "/none", "LD_PRELOAD": "/none.so", "VIRTUAL_ENV": "/none"},
])  # fmt: skip
def test_daemon_starts_clean_from_an_editor_with_an_interpreter_of_its_own(
    plug_in, tmp_path, monkeypatch, variables
):
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('not the daemon's')")
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("FOLDER", str(tmp_path)))
    start_daemon()
    try:
        with Client.connect(name="test", start=False) as client:
            report, _ = client.ask(Status())
        environment = Path(f"/proc/{report.pid}/environ").read_text()
        assert "IMPASTO_HOME=" in environment
        assert not any(f"{name}=" in environment for name in variables)
    finally:
        stop_daemon()


def test_process_is_gone_when_stop_returns_also_while_it_paints(own_daemon, picture):
    daemon = own_daemon()
    with daemon.connect() as client:
        job = client.stylise(picture(300, 300), picture(seed=1), LONG)
        for message, _ in job.events():
            if isinstance(message, Progress) and message.step:
                break
        assert "has stopped" in daemon.impasto("daemon", "stop").stdout
    assert daemon.process.poll() == 0


def test_reason_is_told_once_and_with_its_own_code(plug_in, tmp_path):
    plug_in.mkdir()
    (plug_in / "run").mkdir(mode=0o755)
    with pytest.raises(UnsafeFolder, match="open to other users") as caught:
        Client.connect(name="test")
    assert "UNSAFE" not in str(caught.value) and "chmod" in caught.value.next_step


def test_runtime_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    daemon = make_daemon(tmp_path)
    (tmp_path / "run").touch()
    for command in ("start", "run"):
        said = daemon.impasto("daemon", command, check=False)
        assert said.returncode == 1 and "Traceback" not in said.stderr
        assert said.stderr.count("UNSAFE_FOLDER") == 1 and "is not a folder" in said.stderr


@contextmanager
def started(environment, **options):
    """A daemon that was started in the background, by what it said."""

    def impasto(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "impasto_daemon.cli", *arguments], env=environment,
            capture_output=True, text=True, check=False, **options,
        )  # fmt: skip

    try:
        yield impasto("daemon", "start")
    finally:
        impasto("daemon", "stop")


def test_daemon_starts_where_nothing_can_be_kept_in_the_home(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("IMPASTO_", "XDG_"))}
    environment |= {"HOME": "/proc/none", "XDG_RUNTIME_DIR": str(tmp_path)}
    with started(environment) as said:
        assert said.returncode == 0, said.stderr
        assert (tmp_path / "impasto" / "connection.json").exists()


def test_nobody_else_can_write_what_is_kept_whatever_the_umask(tmp_path):
    home, picture = tmp_path / "new" / "home", tmp_path / "style.png"
    Image.new("RGB", (32, 32), "teal").save(picture)
    with started({**os.environ, "IMPASTO_HOME": str(home)}, umask=0) as said:
        assert said.returncode == 0, said.stderr
        subprocess.run(
            [sys.executable, "-m", "impasto_daemon.cli", "style", "add", "Teal", picture],
            env={**os.environ, "IMPASTO_HOME": str(home)}, umask=0, capture_output=True, check=True,
        )  # fmt: skip
        made = [home.parent, home, *home.rglob("*")]
        assert (home / "data/presets/Teal.safetensors") in made
        for folder in filter(Path.is_dir, made):
            assert folder.stat().st_mode & 0o077 == 0, folder


def test_relative_home_is_where_it_was_named(tmp_path):
    (tmp_path / "here/data/presets").mkdir(parents=True)
    with started({**os.environ, "IMPASTO_HOME": "here"}, cwd=tmp_path) as said:
        assert said.returncode == 0, said.stderr
        assert (tmp_path / "here/run/connection.json").exists()


def test_daemon_imports_nothing_from_the_home_that_it_runs_in(tmp_path):
    (tmp_path / "random.py").write_text('raise SystemExit("a painter\'s own")')
    with started(
        {**os.environ, "IMPASTO_HOME": str(tmp_path / "h"), "HOME": str(tmp_path)}
    ) as said:
        assert said.returncode == 0, said.stderr


def test_runtime_folder_on_a_full_disk_is_a_sentence(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be had by root only")
    try:
        with contextlib.suppress(OSError), (home / "fill").open("wb") as fill:
            fill.write(bytes(1 << 20))
        with started({**os.environ, "IMPASTO_HOME": str(home)}) as said:
            assert said.returncode == 1 and said.stderr.startswith("DISK_FULL ")
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_address_that_cannot_be_listened_at_is_a_sentence(tmp_path):
    environment = {**os.environ, "IMPASTO_HOME": str(tmp_path), "IMPASTO_ALLOW_REMOTE": "true"}
    with started(environment | {"IMPASTO_ENDPOINT": "tcp://192.0.2.1:5555"}) as said:
        assert said.returncode == 1
        assert said.stderr.startswith("CONFIG_INVALID The daemon cannot listen at tcp://192.0.2.1")


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_text("x")])
def test_daemon_tells_anew_where_it_is_when_what_told_it_is_gone(own_daemon, damage):
    daemon = own_daemon()
    damage(daemon.home / "run" / "connection.json")
    report = daemon.impasto("daemon", "stop")
    assert "has stopped" in report.stdout and daemon.process.wait(timeout=15) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="it deletes no file that is open")
def test_daemon_whose_lock_was_taken_away_leaves_its_place_to_the_next(own_daemon, gone):
    """As by what clears old files out of a temporary folder."""
    first = own_daemon()
    first.process.send_signal(signal.SIGSTOP)
    (first.runtime / "daemon.lock").unlink()
    second = own_daemon(home=first.home)

    def is_first():
        with contextlib.suppress(DaemonNotRunning):
            return read_connection(connection_file(first.runtime)).pid != second.process.pid
        return True

    gone(is_first, timeout_s=60)
    first.process.send_signal(signal.SIGCONT)
    assert first.process.wait(timeout=60) == 0
    told = json.loads(second.impasto("daemon", "status", "--json").stdout)
    assert told["pid"] == second.process.pid


@pytest.mark.skipif(sys.platform == "win32", reason="it deletes no file that is open")
def test_daemon_whose_lock_was_taken_away_ends(own_daemon):
    daemon = own_daemon()
    (daemon.runtime / "daemon.lock").unlink()
    assert daemon.process.wait(timeout=60) == 0
    assert [path.name for path in daemon.runtime.iterdir()] == ["daemon.sock"]
