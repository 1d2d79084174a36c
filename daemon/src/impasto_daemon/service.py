"""The daemon as a process of this machine: run here, started in the background, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import psutil

from impasto_daemon.config import Config
from impasto_daemon.logs import log_to, rotate
from impasto_daemon.paths import Paths
from impasto_protocol.connection import (
    connection_file,
    daemon_is_running,
    hold_lock,
    keeps_lock,
    make_folders,
    make_private,
    read_connection,
)
from impasto_protocol.errors import (
    AlreadyRunning,
    DaemonLost,
    DaemonNotRunning,
    DaemonStartFailed,
    ImpastoError,
    VersionSkew,
    error_from_lines,
)

_ANSWER_S = 5

_SAID_BYTES = 4096
"""What a daemon that does not come up says at most, about."""

_ALREADY_RUNNING = 3
"""The exit code of a daemon that found another one."""


def run(read: Callable[[], Config], paths: Paths) -> None:
    """Be the daemon until stopped, with the configuration that `read` reads.

    Raises AlreadyRunning, UnsafeFolder, ConfigInvalid.
    """
    config = read()
    make_private(paths.runtime)
    try:
        lock = hold_lock(paths.runtime)
    except AlreadyRunning as error:
        raise AlreadyRunning(f"A daemon is running already{_whose(paths)}.") from error
    with lock:
        connection_file(paths.runtime).unlink(missing_ok=True)
        rotate(paths.log)
        log_to(paths.log, config.log_level)
        # ZeroMQ's sockets need a loop that selects, which is not the usual one on Windows.
        loop = asyncio.SelectorEventLoop if sys.platform == "win32" else None
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(_serve(config, read, paths, lock))


async def _serve(config: Config, read: Callable[[], Config], paths: Paths, lock: BinaryIO) -> None:
    # Imported here, as the commands that only start or stop a daemon need none of it.
    from impasto_daemon.broker.address import Address
    from impasto_daemon.broker.broker import Broker

    address = Address.of(config, read, paths)
    await Broker(config, paths, address, is_daemon=partial(keeps_lock, lock, paths.runtime)).serve()


def start(options: Sequence[str], paths: Paths, timeout_s: float = 30) -> int:
    """Start the daemon in the background; its pid, also when one was running already.

    options: for `impasto daemon run`. Raises DaemonStartFailed with the reason.
    """
    make_private(paths.runtime)
    if pid := _daemon_pid(paths):
        return pid
    with _open_log(paths.log) as log:
        before = log.seek(0, os.SEEK_END)
        process = _start_process(options, log)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            ended = process.poll()
            if ended not in (None, _ALREADY_RUNNING):
                log.seek(before)
                said = log.read().decode(errors="replace").splitlines()[-2:]
                raise error_from_lines(said, "The daemon ended at once.")
            # Until it is the daemon or has given way to one: left behind, it would come up later.
            pid = _daemon_pid(paths)
            if pid and (_is_started(pid, process.pid) or ended == _ALREADY_RUNNING):
                return pid
            if ended is not None and not daemon_is_running(paths.runtime):
                process = _start_process(options, log)  # the other one was only ending
            time.sleep(0.05)
    raise DaemonStartFailed("The daemon did not come up in time.")


def _open_log(file: Path) -> BinaryIO:
    """The log, or a file that is gone with the daemon where there can be none."""
    try:
        make_folders(file.parent)
        # What is free says nothing of a quota.
        with tempfile.TemporaryFile(dir=file.parent, buffering=0) as tried:
            tried.write(bytes(_SAID_BYTES))
            os.fsync(tried.fileno())
        return file.open("a+b")
    except OSError:
        pass
    return cast(BinaryIO, tempfile.TemporaryFile())


def _start_process(options: Sequence[str], log: BinaryIO) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "impasto_daemon.cli", "daemon", "run", *options]
    environment = dict(os.environ)
    if home := environment.get("IMPASTO_HOME"):
        environment["IMPASTO_HOME"] = str(Path(home).absolute())
    # Elsewhere than here, so that it keeps no disk from being taken out.
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment,
        start_new_session=True, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        cwd=Path.home() if Path.home().is_dir() else None,
    )  # fmt: skip


def _is_started(pid: int, started: int) -> bool:
    """Whether a process is the one that was started, or its child, as behind a venv on Windows."""
    if pid == started:
        return True
    try:
        return psutil.Process(pid).ppid() == started
    except psutil.Error:
        return False


def stop(paths: Paths, timeout_s: float = 15) -> bool:
    """End the daemon, by force when it hangs; False when none was running.

    Raises DaemonStartFailed when it goes on all the same.
    """
    if not daemon_is_running(paths.runtime):
        return False
    pid = _daemon_pid(paths)
    if not (_ask_to_end(paths, timeout_s) and _ends(paths, pid, timeout_s)):
        _kill(paths)
        if not _ends(paths, pid, timeout_s):
            raise DaemonStartFailed(
                f"The daemon did not end in time{_whose(paths)}.",
                next_step="End its process in the task manager, or log out and in.",
            )
    return True


def _ask_to_end(paths: Paths, timeout_s: float) -> bool:
    """Whether the daemon has answered that it will end."""
    from impasto_protocol.client import Client
    from impasto_protocol.messages import Stop

    deadline = time.monotonic() + timeout_s
    while daemon_is_running(paths.runtime) and time.monotonic() < deadline:
        try:
            connection = read_connection(connection_file(paths.runtime))
            with Client(connection, name="impasto daemon stop", timeout_s=_ANSWER_S) as client:
                client.ask(Stop())
            return True
        except DaemonNotRunning:
            time.sleep(0.05)  # it is only just starting, or ending already
        except (DaemonLost, VersionSkew):
            break
    return False


def _ends(paths: Paths, pid: int, timeout_s: float) -> bool:
    """Whether the daemon lets go of its lock and its process, if known, is gone in time."""
    deadline = time.monotonic() + timeout_s
    while daemon_is_running(paths.runtime) or (pid and _is_alive(pid)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill(paths: Paths) -> None:
    """End by force the daemon that holds the lock, if it is a process of this machine."""
    pid = _daemon_pid(paths)
    if pid and _is_ours(pid):
        with contextlib.suppress(OSError):
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _is_ours(pid: int) -> bool:
    """Whether a process is a daemon: its number may be another program's by now."""
    try:
        line = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
    return "impasto" in line and "daemon run" in line


def _whose(paths: Paths) -> str:
    pid = _daemon_pid(paths)
    return f" (process {pid})" if pid else ""


def _daemon_pid(paths: Paths) -> int:
    """The process of the daemon that lives, for people; 0 when there is none or it is not up."""
    try:
        return (
            read_connection(connection_file(paths.runtime)).pid
            if daemon_is_running(paths.runtime)
            else 0
        )
    except ImpastoError:
        return 0
