"""The daemon's process as others see it: whom `stop` may end, and where its words go."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from impasto_daemon import service
from impasto_daemon.paths import Paths
from impasto_protocol.connection import (
    Connection,
    hold_lock,
    make_private,
    write_connection,
)
from impasto_protocol.errors import DaemonStartFailed, VersionSkew

WAITS = "import time; time.sleep(60)"


@pytest.fixture
def paths(tmp_path):
    make_private(tmp_path / "run")
    return Paths.of({"IMPASTO_HOME": str(tmp_path)})


@pytest.mark.parametrize("arguments", [[], ["impasto_daemon.cli", "apply"], ["gimp", "daemon run"]])
def test_program_that_has_the_daemons_number_by_now_is_not_ended(paths, arguments):
    other = subprocess.Popen([sys.executable, "-c", WAITS, *arguments])
    try:
        address = f"ipc://{paths.runtime}/nobody"
        write_connection(paths.runtime, Connection(address, 1, 0, "0.1.0", other.pid))
        with hold_lock(paths.runtime), pytest.raises(DaemonStartFailed, match=str(other.pid)):
            service.stop(paths, timeout_s=0.5)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_daemon_of_another_protocol_is_ended_by_force(paths, monkeypatch):
    def refuse(*_, **__):
        raise VersionSkew("The daemon speaks another version of the protocol.")

    lock = hold_lock(paths.runtime)
    write_connection(paths.runtime, Connection("ipc://x", 2, 0, "9", 0))
    monkeypatch.setattr("impasto_protocol.client.Client", refuse)
    monkeypatch.setattr(service, "_kill", lambda _: lock.close())
    assert service.stop(paths, timeout_s=0.5)


def test_daemon_that_a_virtual_environments_python_starts_as_its_child_has_come_up(
    paths, tmp_path, monkeypatch
):
    """As on Windows, where the python.exe of such an environment only starts the real one."""
    daemon = (
        "import os, time\n"
        "from impasto_daemon.paths import Paths\n"
        "from impasto_protocol.connection import Connection, hold_lock, write_connection\n"
        "folder = Paths.of().runtime\n"
        "with hold_lock(folder):\n"
        "    write_connection(folder, Connection('ipc://x', 1, 0, '0.1.0', os.getpid()))\n"
        f"    {WAITS}\n"
    )
    monkeypatch.setenv("IMPASTO_HOME", str(tmp_path))
    child = [sys.executable, "-c", daemon]
    redirector = [sys.executable, "-c", f"import subprocess; subprocess.run({child})"]
    started = []

    def start(options, log):
        started.append(subprocess.Popen(redirector))
        return started[0]

    monkeypatch.setattr(service, "_start_process", start)
    pid = 0
    try:
        pid = service.start((), paths, timeout_s=10)
        assert psutil.Process(pid).ppid() == started[0].pid
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
        started[0].wait()


def test_daemon_is_started_again_where_the_one_that_it_gave_way_to_was_only_ending(
    paths, monkeypatch
):
    ending = hold_lock(paths.runtime)  # and its connection file is gone
    starts = []

    def start(options, log):
        starts.append(options)
        if len(starts) == 1:
            return SimpleNamespace(poll=lambda: service._ALREADY_RUNNING, pid=1)
        starts.append(hold_lock(paths.runtime))
        write_connection(paths.runtime, Connection("ipc://x", 1, 0, "0.1.0", 2))
        return SimpleNamespace(poll=lambda: None, pid=2)

    monkeypatch.setattr(service, "_start_process", start)
    monkeypatch.setattr(service.time, "sleep", lambda _: ending.close())
    assert service.start([], paths) == 2
    starts[-1].close()


@pytest.mark.parametrize("disk", ["full", "full for this user"])
def test_words_of_a_daemon_that_does_not_come_up_are_not_lost_on_a_full_disk(
    tmp_path, monkeypatch, disk
):
    """The second is a quota: the disk itself has space."""
    folder = tmp_path / "log"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be had by root only")
    if disk == "full for this user":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    try:
        with contextlib.suppress(OSError), (folder / "fill").open("wb") as fill:
            fill.write(bytes(1 << 20))
        with service._open_log(folder / "daemon.log") as log:
            log.write(b"DISK_FULL why")
            log.seek(0)
            assert log.read() == b"DISK_FULL why"
    finally:
        subprocess.run(["umount", str(folder)], check=True)
