"""Crashes, signals, twins and strangers: what happens to the daemon, its worker and its clients."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgpack
import pytest
import zmq
from tests.conftest import GRAM
from tests.hostile.clients import HTTP
from tests.integration.conftest import make_daemon, painting

from impasto_daemon.images.pictures import write_picture
from impasto_protocol import errors, limits, messages
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import decode
from impasto_protocol.connection import connection_file, daemon_is_running, read_connection
from impasto_protocol.settings import Settings

QUICK = Settings(iterations=4, tolerance=0, **GRAM)
LONG = Settings(iterations=100_000, tolerance=0, **GRAM)


def workers_of(pid):
    """The daemon's worker processes; not multiprocessing's own helper."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z" and b"spawn_main" in command:
            found.append(int(path.parent.name))
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def raw(daemon):
    """A socket without our client: raw(*parts) sends them and gives the answer, or None."""
    context = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.linger = 0
    dealer.connect(read_connection(connection_file(daemon.runtime)).endpoint)

    def send(*parts, wait_ms=2000):
        dealer.send_multipart(parts)
        return decode(dealer.recv_multipart()) if dealer.poll(wait_ms) else None

    yield send
    dealer.close()
    context.term()


def test_killed_worker_is_replaced_and_the_job_done_all_the_same(own_daemon, picture):
    daemon = own_daemon()
    with daemon.connect() as client:
        settings = Settings(iterations=60, tolerance=0, scales=1, **GRAM)
        job = client.stylise(picture(48, 48), picture(seed=1), settings)
        painting(job)
        (worker,) = workers_of(daemon.process.pid)
        os.kill(worker, signal.SIGKILL)
        result, _ = job.result()
        assert result.steps == 60
    assert daemon.process.poll() is None


def test_stopped_worker_is_noticed_and_the_job_fails_as_stalled(own_daemon, picture):
    daemon = own_daemon("--stall-s", "10")
    with daemon.connect() as client:
        client.stylise(picture(), picture(seed=1), QUICK).result()
        job = client.stylise(picture(48, 48), picture(seed=1), LONG)
        painting(job)
        (worker,) = workers_of(daemon.process.pid)
        os.kill(worker, signal.SIGSTOP)
        began, stopped, gaps, seen = time.monotonic(), {worker}, [], []
        while not job.ended:
            asked = time.monotonic()
            client.ask(messages.Ping())
            gaps.append(time.monotonic() - asked)
            for pid in workers_of(daemon.process.pid):
                # The second worker is stopped as well, once it has begun.
                news = [message for message, _ in job.poll()]
                seen += news
                started = any(isinstance(message, messages.Progress) for message in news)
                if pid not in stopped and started:
                    os.kill(pid, signal.SIGSTOP)
                    stopped.add(pid)
            time.sleep(0.05)
            assert time.monotonic() - began < 300
        seen += [message for message, _ in job.poll()]
        assert isinstance(seen[-1], messages.Failed) and seen[-1].code == "JOB_STALLED"
        assert sorted(gaps)[len(gaps) // 2] < 0.5
        client.stylise(picture(), picture(seed=1), QUICK).result()


def test_killed_daemon_leaves_no_worker_and_the_next_one_takes_over(own_daemon, picture, gone):
    daemon = own_daemon()
    client = daemon.connect()
    job = client.stylise(picture(48, 48), picture(seed=1), LONG)
    painting(job)
    (worker,) = workers_of(daemon.process.pid)
    daemon.process.kill()
    daemon.process.wait()
    gone(lambda: is_alive(worker), timeout_s=60)
    with pytest.raises(errors.DaemonLost):
        job.result()
    client.close()
    assert connection_file(daemon.runtime).exists()
    assert not daemon_is_running(daemon.runtime)
    daemon.impasto("daemon", "start")
    try:
        with daemon.connect() as client:
            client.stylise(picture(), picture(seed=1), QUICK).result()
    finally:
        daemon.impasto("daemon", "stop")


def test_client_of_a_daemon_that_was_started_anew_does_not_wait_for_ever(own_daemon, picture):
    daemon = own_daemon()
    with daemon.connect() as client:
        job = client.stylise(picture(48, 48), picture(seed=1), LONG)
        painting(job)
        daemon.process.kill()
        daemon.process.wait()
        connection_file(daemon.runtime).unlink()
        own_daemon(home=daemon.home)
        began = time.monotonic()
        with pytest.raises(errors.DaemonLost):
            while time.monotonic() < began + 3 * limits.PING_EVERY_S:
                client.wait(0.1)
                client.pump()


def test_job_goes_on_while_its_editor_is_frozen(daemon, picture):
    with daemon.connect("frozen") as frozen, daemon.connect() as watching:
        job = frozen.stylise(picture(48, 48), picture(seed=1), LONG)
        painting(job)
        asleep = time.monotonic()
        while time.monotonic() < asleep + limits.SILENCE_S + 3:
            watching.ask(messages.Status())
            time.sleep(0.5)
        frozen.pump()
        assert not job.ended
        job.cancel()
        with pytest.raises(errors.Cancelled):
            job.result()


def test_waiting_job_of_a_client_that_vanished_is_cancelled(own_daemon, picture, gone):
    daemon = own_daemon()
    with daemon.connect() as client:
        busy = client.stylise(picture(48, 48), picture(seed=1), LONG)
        painting(busy)
        vanishing = daemon.connect("vanishing")
        job = vanishing.stylise(picture(48, 48), picture(), LONG)
        next(job.events())
        vanishing.close()

        def waits():
            report, _ = client.ask(messages.Status())
            return job.id in [info.job for info in report.jobs if info.state == "queued"]

        assert waits()
        gone(waits, timeout_s=9)


def test_daemon_that_was_stopped_leaves_nothing_but_its_lock(own_daemon, gone):
    daemon = own_daemon()
    assert {path.name for path in daemon.runtime.iterdir()} > {"daemon.sock", "connection.json"}
    daemon.impasto("daemon", "stop")
    gone(lambda: daemon.process.poll() is None)
    assert [path.name for path in daemon.runtime.iterdir()] == ["daemon.lock"]


def test_daemon_that_hangs_is_stopped_by_force(own_daemon, picture, gone):
    daemon = own_daemon()
    with daemon.connect() as client:
        painting(client.stylise(picture(48, 48), picture(seed=1), LONG))
        (worker,) = workers_of(daemon.process.pid)
        os.kill(daemon.process.pid, signal.SIGSTOP)
        assert "has stopped" in daemon.impasto("daemon", "stop").stdout
    assert not daemon_is_running(daemon.runtime)
    assert daemon.process.wait(timeout=20) == -signal.SIGKILL
    gone(lambda: is_alive(worker), timeout_s=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_terminated_daemon_cancels_its_jobs_and_exits_cleanly(own_daemon, picture, number):
    ours = signal.signal(number, signal.SIG_DFL)  # a test run under nohup ignores a terminal's end
    daemon = own_daemon()
    signal.signal(number, ours)
    with daemon.connect() as client:
        job = client.stylise(picture(48, 48), picture(seed=1), LONG)
        painting(job)
        (worker,) = workers_of(daemon.process.pid)
        daemon.process.send_signal(number)
        with pytest.raises(errors.Cancelled):
            job.result()
        assert daemon.process.wait(timeout=60) == 0
    assert not connection_file(daemon.runtime).exists()
    assert not is_alive(worker)


def test_of_many_daemons_started_at_once_one_lives(own_daemon, tmp_path):
    home = own_daemon()  # the environment; its own home is taken already
    command = [sys.executable, "-m", "impasto_daemon.cli", "daemon", "run"]
    twins = [
        subprocess.Popen(command, env=home.environment, stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    for twin in twins:
        _, said = twin.communicate(timeout=60)
        assert twin.returncode == 3
        assert f"process {home.process.pid}" in said
    with home.connect() as client:
        assert client.ask(messages.Status())[0].pid == home.process.pid


def test_many_starts_at_once_give_one_daemon(tmp_path):
    daemon = make_daemon(tmp_path)
    with ThreadPoolExecutor(6) as pool:
        starts = pool.map(lambda _: daemon.impasto("daemon", "start", "--json"), range(6))
        pids = {start.stdout.split('"pid": ')[1].split(",")[0] for start in starts}
    daemon.impasto("daemon", "stop")
    assert len(pids) == 1


@pytest.fixture
def open_folder():
    """One that other users may look into, as they may not into root's."""
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(
    not shutil.which("setpriv") or os.getuid() != 0, reason="root alone may be other users"
)
def test_users_of_one_machine_have_a_daemon_each(open_folder, picture):
    """Both are told of the one's runtime folder, as a shell is after `su`."""
    users = (65_531, 65_532)
    shared = open_folder / "runtime"
    homes = {user: open_folder / str(user) for user in users}
    shared.mkdir(mode=0o700)
    os.chown(shared, users[0], users[0])
    for user, home in homes.items():
        # One that is not new: without the starter styles.
        (home / ".local/share/impasto/presets").mkdir(parents=True)
        for folder in (home, *home.rglob("*")):
            os.chown(folder, user, user)
    write_picture(open_folder / "photo.png", picture(64, 64))

    def run(user, *arguments):
        # The interpreter that the tests run in may be in root's home.
        command = [
            "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
            "--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search",
            sys.executable, "-m", "impasto_daemon.cli", *arguments,
        ]  # fmt: skip
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("IMPASTO_", "XDG"))}
        environment |= {"HOME": str(homes[user]), "XDG_RUNTIME_DIR": str(shared)}
        return subprocess.run(
            command, cwd=homes[user], env=environment, capture_output=True, text=True
        )

    def both(*arguments):
        with ThreadPoolExecutor(2) as pool:
            ended = list(pool.map(lambda user: run(user, *arguments), users))
        assert [end.returncode for end in ended] == [0, 0], [end.stderr for end in ended]
        return ended

    fallback = Path(f"/tmp/impasto-{users[1]}")
    assert not fallback.exists()
    fallback.mkdir(mode=0o700)
    try:
        said = run(users[1], "daemon", "start").stderr
        assert f"sudo rm -r '{fallback}'" in said and "another user" in said
        fallback.rmdir()
        pids = {json.loads(end.stdout)["pid"] for end in both("daemon", "start", "--json")}
        assert len(pids) == 2
        owners = [connection_file(f).stat().st_uid for f in (shared / "impasto", fallback)]
        assert owners == list(users)
        both("apply", "../photo.png", "--style", "../photo.png", "--iterations", "2",
             "-o", "painted.png")  # fmt: skip
        painted = [(home / "painted.png").stat().st_uid for home in homes.values()]
        assert painted == list(users)
    finally:
        both("daemon", "stop")
        shutil.rmtree(fallback, ignore_errors=True)


def test_unsafe_runtime_folder_is_refused_with_the_command_to_run(tmp_path):
    daemon = make_daemon(tmp_path)
    daemon.runtime.mkdir(mode=0o755)
    ended = daemon.impasto("daemon", "start", check=False)
    assert ended.returncode == 1
    assert f"chmod 700 '{daemon.runtime}'" in ended.stderr


def test_client_that_never_reads_does_not_hold_up_the_others(daemon, picture):
    with daemon.connect("deaf") as deaf, daemon.connect("other") as other:
        message = messages.Stylise(
            job="ab" * 16, settings=Settings(iterations=30, tolerance=0, scales=1, **GRAM),
            preview_px=64, preview_every_s=0.1, keep=True,
        )  # fmt: skip
        deaf.submit(message, {"content": picture(64, 64), "style": picture(seed=1)})
        other.stylise(picture(), picture(seed=1), QUICK).result()
        report, _ = other.ask(messages.Status())
        assert report.pid == daemon.process.pid
        job = other.collect(message.job)
        assert job.result()[0].steps == 30


def test_unreadable_messages_are_answered_or_dropped_and_the_daemon_lives(daemon, raw, picture):
    rss = Path(f"/proc/{daemon.process.pid}/statm")
    answers = {
        b"\xc1": "BAD_MESSAGE",
        bytes(limits.HEADER_BYTES + 1): "TOO_LARGE",
        msgpack.packb({"type": "nonsense"}): "UNKNOWN_TYPE",
        msgpack.packb({"type": "hello", "major": True}): "BAD_FIELD",
        msgpack.packb({"type": "ping"}): "UNKNOWN_CLIENT",
    }
    for sent, code in answers.items():
        assert raw(sent).code == code
    job = "ab" * 16
    for named, told in (
        ({"request": 7, "job": job}, (7, job)), ({"request": -1, "job": job.upper()}, (0, "")),
        ({"request": True, "job": 5}, (0, "")),
    ):  # fmt: skip
        answer = raw(msgpack.packb({"type": "nonsense", **named}))
        assert (answer.request, answer.job) == told
    assert raw(b"", wait_ms=200) is None
    before = int(rss.read_text().split()[1])
    for _ in range(20_000):
        raw(b"\xc1\x00rubbish", wait_ms=0)
    raw(*[b"x"] * 5000, wait_ms=0)
    with daemon.connect() as client:
        client.stylise(picture(), picture(seed=1), QUICK).result()
        assert client.ask(messages.Status())[0].dropped >= 20_000
    pages = int(rss.read_text().split()[1]) - before
    assert pages * os.sysconf("SC_PAGE_SIZE") < 20 << 20


def test_other_major_version_is_told_which_side_to_update(raw):
    for major, side in ((2, "daemon"), (0, "plug-in")):
        answer = raw(msgpack.packb({"type": "hello", "major": major, "minor": 0, "client": "x"}))
        assert answer.code == "VERSION_SKEW" and side in answer.next_step


def test_newer_minor_version_is_welcome(raw):
    hello = {"type": "hello", "major": 1, "minor": 9, "client": "x", "mood": "fine"}
    assert isinstance(raw(msgpack.packb(hello)), messages.Welcome)


def test_no_tcp_port_is_open_unless_asked(daemon):
    def inodes(path):
        return {line.split()[9] for line in Path(path).read_text().splitlines()[1:]
                if line.split()[3] == "0A"}  # fmt: skip

    held = set()
    for entry in Path(f"/proc/{daemon.process.pid}/fd").iterdir():
        held.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
    assert not held & (inodes("/proc/net/tcp") | inodes("/proc/net/tcp6"))


@pytest.fixture
def tcp_daemon(own_daemon):
    return own_daemon("--endpoint", "tcp://127.0.0.1:*")


def test_tcp_works_for_who_has_the_key(tcp_daemon, picture):
    found = read_connection(connection_file(tcp_daemon.runtime))
    assert found.endpoint.startswith("tcp://127.0.0.1:") and len(found.secret_key) == 40
    message = messages.Stylise(job=new_job_id(), settings=QUICK)
    with tcp_daemon.connect() as client:
        result, _ = client.submit(message, {"content": picture(), "style": picture(1)}).result()
        # Between machines every frame has its digest, so that other pixels are told apart.
        assert result.frames[0].digest
        with pytest.raises(errors.Conflict):
            client.submit(message, {"content": picture(seed=5), "style": picture(1)}).result()


def test_tcp_lets_nothing_in_without_the_key(tcp_daemon, picture):
    import dataclasses

    from impasto_protocol.client import Client

    found = read_connection(connection_file(tcp_daemon.runtime))
    host, port = found.endpoint.removeprefix("tcp://").split(":")
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
    for sent in (HTTP, HTTP.replace(b"POST", b"PUT"), b"GET / HTTP/1.1\r\n\r\n", greeting,
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200)):  # fmt: skip
        with socket.create_connection((host, int(port))) as stranger:
            stranger.sendall(sent)
            stranger.settimeout(0.3)
            with contextlib.suppress(OSError):
                stranger.recv(1000)
    silent = [socket.create_connection((host, int(port))) for _ in range(200)]
    public, secret = (key.decode() for key in zmq.curve_keypair())
    for wrong in (
        dataclasses.replace(found, public_key=public, secret_key=secret),
        dataclasses.replace(found, server_key=public),
        dataclasses.replace(found, server_key="", public_key="", secret_key=""),
    ):
        with pytest.raises(errors.DaemonLost):
            Client(wrong, timeout_s=1)
    for stranger in silent:
        stranger.close()
    with tcp_daemon.connect() as client:
        report, _ = client.ask(messages.Status())
        assert report.dropped == 0 and report.clients == 1 and report.refused >= 208


def test_further_client_is_let_in_by_its_key_but_may_not_stop_the_daemon(own_daemon, picture):
    import dataclasses

    from impasto_protocol.client import Client

    public, secret = (key.decode() for key in zmq.curve_keypair())
    daemon = own_daemon("--endpoint", "tcp://127.0.0.1:*", "--allowed-keys", public)
    found = read_connection(connection_file(daemon.runtime))
    theirs = dataclasses.replace(found, public_key=public, secret_key=secret)
    with daemon.connect() as own, Client(theirs) as guest:
        job = own.stylise(picture(), picture(seed=1), QUICK)
        job.result()
        with pytest.raises(errors.UnknownJob):
            guest.collect(job.id).result()
        assert guest.ask(messages.Status())[0].jobs == ()
        with pytest.raises(errors.BadMessage):
            guest.ask(messages.Stop())
        own.ask(messages.Stop())
    assert daemon.process.wait(timeout=10) == 0


def test_further_client_reaches_a_daemon_that_was_started_anew(own_daemon, tmp_path):
    import dataclasses

    from impasto_protocol.client import Client

    public, secret = (key.decode() for key in zmq.curve_keypair())
    options = "--allowed-keys", public, "--endpoint"
    first = own_daemon(*options, "tcp://127.0.0.1:*", home=tmp_path / "h")
    found = read_connection(connection_file(first.runtime))
    first.end()
    again = own_daemon(*options, found.endpoint, home=tmp_path / "h")
    with Client(dataclasses.replace(found, public_key=public, secret_key=secret)) as guest:
        assert guest.ask(messages.Status())[0].pid == again.process.pid


def test_other_machines_are_not_let_in_by_accident(tmp_path):
    command = "daemon", "run", "--endpoint", "tcp://0.0.0.0:*"
    ended = make_daemon(tmp_path).impasto(*command, check=False)
    assert ended.returncode == 1 and "allow_remote" in ended.stderr


def test_endpoint_too_long_for_a_socket_file_becomes_tcp_with_keys(own_daemon, tmp_path):
    daemon = own_daemon(home=tmp_path / ("x" * 90))
    found = read_connection(connection_file(daemon.runtime))
    assert found.endpoint.startswith("tcp://127.0.0.1:") and found.server_key
    daemon.connect().close()
