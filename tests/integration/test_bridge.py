"""The bridge carries what ZeroMQ carries: the client without pyzmq, with the real daemon."""

import os
import select
import signal
import subprocess
import sys
import time

import pytest
from tests.conftest import GRAM

from impasto_protocol import errors, messages
from impasto_protocol.bridge import BridgeTransport
from impasto_protocol.settings import Settings

QUICK = Settings(iterations=4, tolerance=0, **GRAM)


@pytest.fixture
def bridged(daemon, monkeypatch, tmp_path):
    """A client in a Python that cannot load pyzmq."""
    impasto = tmp_path / "impasto"
    impasto.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m impasto_daemon.cli "$@"\n')
    impasto.chmod(0o755)
    monkeypatch.setenv("IMPASTO_COMMAND", str(impasto))
    monkeypatch.setitem(sys.modules, "impasto_protocol.zeromq", None)
    with daemon.connect("bridged") as client:
        assert isinstance(client._transport, BridgeTransport)
        yield client


def test_picture_comes_back_painted_as_without_it(daemon, bridged, picture):
    job = picture(30, 40, 4), picture(24, 24, seed=1), QUICK
    result, (painted,) = bridged.stylise(*job).result()
    assert result.steps == 4
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "impasto_protocol.zeromq")
        with daemon.connect() as direct:
            _, (same,) = direct.stylise(*job).result()
    assert bytes(painted.data) == bytes(same.data)


def test_foreign_event_loop_can_drive_it(bridged, picture):
    job = bridged.stylise(picture(), picture(seed=1), QUICK, preview_px=8)
    arrived, deadline = [], time.monotonic() + 60
    while not job.ended and time.monotonic() < deadline:
        select.select([bridged.fd], [], [], 0.2)
        bridged.pump()
        arrived += job.poll()
    assert isinstance(arrived[-1][0], messages.Result)


def test_large_pictures_pass(bridged, picture):
    content = picture(3000, 4000, 4)
    content = type(content)(3000, 4000, 4, "uint8", bytes(content.data[:3]) + bytes(47_999_997))
    small = Settings(working_px=400)
    result, (painted,) = bridged.stylise(content, picture(), small).result()
    assert result.steps == 0 and bytes(painted.data) == content.data


def test_cancel_and_requests_pass(bridged, picture):
    job = bridged.stylise(picture(64, 64), picture(), Settings(iterations=100_000, tolerance=0))
    for message, _ in job.events():
        if isinstance(message, messages.Progress) and message.step:
            break
    assert bridged.ask(messages.Status())[0].clients >= 1
    job.cancel()
    with pytest.raises(errors.Cancelled):
        job.result()


def test_killed_bridge_is_noticed(bridged):
    os.kill(bridged._transport._process.pid, signal.SIGKILL)
    with pytest.raises(errors.DaemonLost):
        bridged.ask(messages.Status())


def test_bridge_ends_with_its_editor(daemon, bridged):
    process = bridged._transport._process
    process.stdin.close()
    assert process.wait(timeout=10) == 0


def test_rubbish_on_the_bridges_input_ends_it(daemon):
    run = subprocess.run(
        [sys.executable, "-m", "impasto_daemon.cli", "bridge"], input=b"\x01\0\0\0\x02",
        env=daemon.environment, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert run.returncode == 0 and not run.stdout
