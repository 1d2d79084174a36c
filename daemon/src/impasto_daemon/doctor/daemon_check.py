"""What `impasto doctor` looks at of the daemon itself: whether it is private, and alive."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial

from impasto_daemon import service
from impasto_daemon.doctor.checkup import Finding, Installation
from impasto_protocol.client import Client
from impasto_protocol.connection import (
    connection_file,
    daemon_is_running,
    impasto_command,
    make_private,
    read_connection,
)
from impasto_protocol.errors import DaemonLost, DaemonNotRunning, ImpastoError, UnsafeFolder
from impasto_protocol.messages import Report, Status

_PATIENCE_S = 5.0


def check_connection(installation: Installation) -> Iterator[Finding]:
    """Whether the private folder is private, and its connection file of a daemon that lives."""
    folder, file = installation.paths.runtime, connection_file(installation.paths.runtime)

    def close_off() -> None:
        if folder.is_symlink():
            folder.unlink()
            return
        folder.chmod(0o700)
        if file.exists():
            file.chmod(0o600)

    try:
        if os.path.lexists(folder):
            make_private(folder)
        read_connection(file)
    except UnsafeFolder as error:
        yield Finding("connection", False, str(error), error.next_step, close_off)
        return
    except DaemonNotRunning:
        pass  # there is none, or what tells of it is damaged
    if file.exists() and not daemon_is_running(folder):
        yield Finding(
            "connection", False, "The connection file is left over from a daemon that is gone.",
            f"Run: rm '{file}'; the next daemon also writes it anew.", file.unlink,
        )  # fmt: skip
        return
    yield Finding("connection", True, "The connection file and its folder are private.")


def check_daemon(installation: Installation) -> Iterator[Finding]:
    """Whether the daemon starts, as a plug-in would start it, and answers."""
    if os.environ.get("IMPASTO_CONNECTION"):
        yield _ask_named()
        return
    runtime = installation.paths.runtime
    try:
        found = impasto_command()
        if not daemon_is_running(runtime):
            with Client.connect(name="impasto doctor"):
                pass
        connection = read_connection(connection_file(runtime))
        with Client(connection, name="impasto doctor", timeout_s=_PATIENCE_S) as client:
            took_ms = _answers_in_ms(client)
    except ImpastoError as error:
        words, next_step, mend = str(error), error.next_step, None
        if isinstance(error, DaemonLost) and daemon_is_running(runtime):
            words = "A daemon is running but does not answer."
            next_step = "End it, with --fix or in the task manager."
            mend = partial(service.stop, installation.paths)
        elif isinstance(error, DaemonNotRunning) and daemon_is_running(runtime):
            words = "A daemon is running, but what tells of it is gone or damaged."
            next_step = "End the process `impasto daemon run`, or log out and in."
        yield Finding("daemon", False, words, next_step, mend)
        return
    yield Finding(
        "daemon", True,
        f"The daemon ({found[0]}) runs and answered in {took_ms:.0f} ms.",
    )  # fmt: skip


def _ask_named() -> Finding:
    """Whether the daemon answers that the plug-ins are told to use instead of one here."""
    try:
        with Client.connect(name="impasto doctor") as client:
            took_ms = _answers_in_ms(client)
    except ImpastoError as error:
        return Finding("daemon", False, str(error), error.next_step)
    words = f"The daemon that IMPASTO_CONNECTION names answered in {took_ms:.0f} ms."
    return Finding("daemon", True, words)


def _answers_in_ms(client: Client) -> float:
    began = time.monotonic()
    report, _ = client.ask(Status())
    assert isinstance(report, Report)
    return (time.monotonic() - began) * 1000
