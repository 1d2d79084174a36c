"""Who gets in at a TCP port, and what those do that must not, while an honest client is served."""

import contextlib
import time
from dataclasses import replace

import pytest
import zmq
from tests.conftest import GRAM
from tests.hostile import clients
from tests.hostile.clients import Deaf, Proxy, Watch
from tests.integration.conftest import make_daemon

from impasto_protocol import errors, messages
from impasto_protocol.client import Client, new_job_id
from impasto_protocol.connection import connection_file, read_connection
from impasto_protocol.settings import Settings

QUICK = Settings(iterations=4, tolerance=0, **GRAM)
LONG = Settings(iterations=100_000, tolerance=0, **GRAM)


@pytest.fixture(scope="module")
def tcp_home(tmp_path_factory):
    return tmp_path_factory.mktemp("t")


@pytest.fixture(scope="module")
def guest_key():
    """A key that the daemon lets in, and its secret."""
    return tuple(key.decode() for key in zmq.curve_keypair())


@pytest.fixture(scope="module")
def tcp_daemon(tcp_home, guest_key):
    (tcp_home / "config.toml").write_text(f'allowed_keys = ["{guest_key[0]}"]\n')
    # As many threads as there are free cores, as everywhere but in tests.
    running = make_daemon(tcp_home, IMPASTO_THREADS="0").start("--endpoint", "tcp://127.0.0.1:*")
    yield running
    running.end()


@pytest.fixture
def found(tcp_daemon):
    return read_connection(connection_file(tcp_daemon.runtime))


@pytest.fixture
def honest(tcp_daemon):
    with tcp_daemon.connect("honest") as client:
        yield client


def refused(client):
    return client.ask(messages.Status())[0].refused


def test_what_is_no_client_is_dropped_at_once_counted_and_logged_once(tcp_daemon, found, honest):
    watch, before = Watch(tcp_daemon.process.pid), refused(honest)
    curve = clients.greeting(b"CURVE")
    for first in (b"", clients.HTTP, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                  curve + clients.LARGE_COMMAND, curve[:10]):  # fmt: skip
        assert clients.flood(found.endpoint, first, 100) < 30
    assert watch.grown_mib < 20
    report, _ = honest.ask(messages.Status())
    assert report.refused == before + 5 and report.dropped == 0
    assert tcp_daemon.log().count("refused a connection from 127.0.0.1") == 1


def test_silent_connections_make_room_for_a_client(tcp_daemon, found, honest, gone):
    watch = Watch(tcp_daemon.process.pid)
    descriptors = watch.descriptors
    with contextlib.ExitStack() as silent:
        for _ in range(600):
            silent.enter_context(clients.connect(found.endpoint))
        with tcp_daemon.connect() as client:
            client.ask(messages.Ping())
        honest.ask(messages.Ping())
        assert watch.descriptors < descriptors + 300
    gone(lambda: watch.descriptors > descriptors)
    assert watch.grown_mib < 20


def test_handshake_played_again_gets_nowhere(tcp_daemon, found, honest):
    with Proxy(found) as proxy, Client(proxy.connection) as client:
        client.ask(messages.Status())
        (said,) = proxy.said
    before, answered = refused(honest), b""
    with clients.connect(found.endpoint) as again, contextlib.suppress(OSError):
        again.settimeout(0.3)
        for data in said:
            again.sendall(data)
            with contextlib.suppress(TimeoutError):
                answered += again.recv(1 << 16)
    assert b"WELCOME" in answered and b"READY" not in answered
    report, _ = honest.ask(messages.Status())
    assert report.refused == before + 1 and report.dropped == 0


def test_bytes_changed_on_the_way_are_never_taken_for_a_message(found, honest, picture):
    def flip(data):
        return data[:-1] + bytes([data[-1] ^ 1])

    with Proxy(found) as proxy, Client(proxy.connection, timeout_s=2) as client:
        before = len(proxy.said)
        proxy.change = flip
        with pytest.raises(errors.DaemonLost):
            client.stylise(picture(), picture(seed=1), QUICK).result()
        assert len(proxy.said) > before  # ZeroMQ connects anew, and that is changed, too
        proxy.change = bytes
        with Client(proxy.connection) as anew:
            assert anew.ask(messages.Status())[0].dropped == 0


def test_job_ends_although_the_line_is_slow_and_breaks(found, picture):
    def hold_back(data):
        time.sleep(0.05)
        return data

    with Proxy(found, hold_back) as proxy, Client(proxy.connection) as client:
        job = client.stylise(picture(48, 48), picture(seed=1), LONG)
        heard = 0
        for message, _ in job.events():
            if isinstance(message, messages.Progress):
                heard += 1
                if heard in (2, 4):
                    proxy.cut()
                elif heard == 6:
                    job.cancel(keep=True)
        assert isinstance(message, messages.Result) and len(proxy.said) > 2


def test_painting_comes_although_it_takes_longer_on_the_line_than_a_daemon_may_be_silent(
    found, picture
):
    def hold_back(data):
        time.sleep(len(data) / 400_000)
        return data

    small = replace(QUICK, iterations=1, working_px=64, refinement=0)
    with Proxy(found) as proxy, Client(proxy.connection, timeout_s=3) as client:
        proxy.answer = hold_back
        _, (painted,) = client.stylise(picture(900, 900), picture(seed=1), small).result()
    assert (painted.height, painted.width) == (900, 900)


def test_picture_that_is_cut_off_is_no_job(found, honest, picture):
    told = []

    def cut(data):
        told.append(len(data))
        if sum(told) > 1 << 20:
            raise OSError
        return data

    with Proxy(found) as proxy, Client(proxy.connection, timeout_s=2) as client:
        proxy.change = cut
        job = client.stylise(picture(1000, 1000), picture(seed=1), QUICK)
        with pytest.raises(errors.DaemonLost):
            job.result()
    report, _ = honest.ask(messages.Status())
    assert job.id not in [info.job for info in report.jobs] and report.dropped == 0


def test_key_that_is_withdrawn_is_refused_at_once_and_its_jobs_end(
    tcp_daemon, tcp_home, found, honest, guest_key, picture, gone
):
    public, secret = guest_key
    guests = replace(found, public_key=public, secret_key=secret)
    with Client(guests, timeout_s=2) as guest:
        kept = guest.submit(
            messages.Stylise(job=new_job_id(), settings=LONG, keep=True),
            {"content": picture(48, 48), "style": picture(seed=1)},
        )
        next(kept.events())
        mine = honest.stylise(picture(), picture(seed=1), QUICK)
        (tcp_home / "config.toml").write_text("allowed_keys = []\n")
        with pytest.raises(errors.Cancelled):
            kept.result()
        before = refused(honest)
        with pytest.raises(errors.DaemonLost):
            guest.ask(messages.Status())
        assert refused(honest) > before
        with pytest.raises(errors.DaemonLost):
            Client(guests, timeout_s=2)
        assert mine.result()[0].steps == 4
    (tcp_home / "config.toml").write_text(f'allowed_keys = ["{public}"]\n')

    def is_out():
        with contextlib.suppress(errors.DaemonLost), Client(guests, timeout_s=1):
            return False
        return True

    gone(is_out)


def test_client_that_takes_nothing_in_loses_answers_and_no_result(daemon, client, picture):
    deaf = Deaf(read_connection(connection_file(daemon.runtime)))
    watch = Watch(daemon.process.pid)
    job = messages.Stylise(
        job=new_job_id(), settings=Settings(iterations=30, tolerance=0, scales=1), keep=True,
        preview_px=64, preview_every_s=0.1,
    )  # fmt: skip
    pictures = [("content", picture(64, 64)), ("style", picture(seed=1))]
    infos = tuple(shown.info(role, digest=False) for role, shown in pictures)
    deaf.send(replace(job, frames=infos), [shown.data for _, shown in pictures])
    for number in range(10_000):
        deaf.send(messages.Status(request=number))
        if number % 1000 == 0:
            client.ask(messages.Ping())
    client.stylise(picture(), picture(seed=1), QUICK).result()
    assert client.collect(job.job).result()[0].steps == 30
    assert deaf.read_all() < deaf.asked / 2
    assert watch.grown_mib < 20
    deaf.close()


def test_half_a_message_holds_nobody_up(daemon, client, gone):
    endpoint = read_connection(connection_file(daemon.runtime)).endpoint
    watch = Watch(daemon.process.pid)
    descriptors = watch.descriptors
    halves = [clients.half_a_message(endpoint) for _ in range(20)]
    assert client.ask(messages.Status())[0].clients > 20
    for half in halves:
        half.close()
    gone(lambda: watch.descriptors > descriptors)
    client.ask(messages.Ping())


def test_frame_over_the_limit_sent_all_the_same_ends_that_connection_alone(own_daemon):
    daemon = own_daemon("--frame-mib", "1")
    endpoint = read_connection(connection_file(daemon.runtime)).endpoint
    with daemon.connect() as client, clients.half_a_message(endpoint) as over:
        assert clients.is_closed(over)
        report, _ = client.ask(messages.Status())
        assert report.pid == daemon.process.pid and report.dropped == 0


@pytest.mark.parametrize("endpoint, host", [
    ("tcp://[::1]:*", "[::1]"), ("tcp://[::]:*", "[::1]"), ("tcp://*:*", "127.0.0.1"),
    ("tcp://localhost:*", "127.0.0.1"),
])  # fmt: skip
def test_address_that_is_listened_at_can_be_reached(own_daemon, endpoint, host):
    """A name may stand for further addresses, which a client might take first."""
    daemon = own_daemon("--endpoint", endpoint, IMPASTO_ALLOW_REMOTE="true")
    found = read_connection(connection_file(daemon.runtime))
    assert found.endpoint.startswith(f"tcp://{host}:")
    with daemon.connect() as client:
        assert client.ask(messages.Status())[0].pid == daemon.process.pid


def test_address_that_is_none_is_told_as_a_lost_daemon(found):
    with pytest.raises(errors.DaemonLost, match="no address"):
        Client(replace(found, endpoint="tcp://*:5555"))
