"""A real daemon in its own process, in a home of its own."""

import os
import subprocess
import sys
import time

import pytest

from impasto_protocol import messages
from impasto_protocol.client import Client
from impasto_protocol.connection import connection_file, read_connection

ONE_THREAD = {"IMPASTO_THREADS": "1"} if "PYTEST_XDIST_WORKER" in os.environ else {}
"""For daemons while two tests run: two that paint with two threads each take five times as long."""


class Daemon:
    """What a test does to a daemon."""

    def __init__(self, home, environment):
        self.home, self.runtime, self.environment = home, home / "run", environment

    def start(self, *options):
        """Start it in the foreground of a process of our own, and wait until it answers."""
        command = [sys.executable, "-m", "impasto_daemon.cli", "daemon", "run", *options]
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while not connection_file(self.runtime).exists():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline, "the daemon did not come up"
            time.sleep(0.02)
        return self

    def connect(self, name="test"):
        return Client(read_connection(connection_file(self.runtime)), name=name)

    def impasto(self, *arguments, check=True, **options):
        """Run the command line in the daemon's home."""
        return self.run(*arguments, stdout=subprocess.PIPE, check=check, **options)

    def run(self, *arguments, stdout, check=False, **options):
        """Run it with a standard output of one's own."""
        return subprocess.run(
            [sys.executable, "-m", "impasto_daemon.cli", *map(str, arguments)],
            env=self.environment, stdout=stdout, stderr=subprocess.PIPE, text=True, check=check,
            **options,
        )  # fmt: skip

    def log(self):
        return (self.home / "log" / "daemon.log").read_text()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=60)
        self.process.stderr.close()


def make_daemon(home, **variables):
    # A home that is not new: without the starter styles.
    (home / "data" / "presets").mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("IMPASTO_")}
    environment |= {"IMPASTO_HOME": str(home), **ONE_THREAD, **variables}
    return Daemon(home, environment)


def painting(job):
    """Wait until a job paints."""
    for message, _ in job.events():
        if isinstance(message, messages.Progress) and message.step > 1:
            return


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """One daemon for the tests of a module that leave it as they found it."""
    running = make_daemon(tmp_path_factory.mktemp("h")).start()
    yield running
    running.end()


@pytest.fixture
def own_daemon(tmp_path):
    """Starts daemons for tests that break them: own_daemon("--stall-s", "3")."""
    running = []

    def start(*options, home=None, **variables):
        home = home or tmp_path / f"h{len(running)}"
        running.append(make_daemon(home, **variables).start(*options))
        return running[-1]

    yield start
    for daemon in running:
        daemon.end()


@pytest.fixture
def client(daemon):
    with daemon.connect() as client:
        yield client


@pytest.fixture
def gone():
    """Waits until something is no longer so."""

    def wait(is_so, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while is_so():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return wait
