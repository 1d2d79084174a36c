"""The daemon as a process: started from anywhere, gone when it is said to be, refused in words."""

import sys
from pathlib import Path

import pytest
from tests.integration.conftest import make_daemon

from impasto_protocol.client import Client, start_daemon, stop_daemon
from impasto_protocol.errors import UnsafeFolder
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
