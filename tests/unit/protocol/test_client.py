"""The client alone: what it makes of what arrives, with a link and a clock that are not real."""

import threading
from collections import deque
from dataclasses import replace

import msgpack
import pytest

from impasto_protocol import client as client_module
from impasto_protocol import errors, limits, messages
from impasto_protocol.bridge import BridgeTransport
from impasto_protocol.client import Client, start_daemon, stop_daemon
from impasto_protocol.codec import Picture, decode, encode
from impasto_protocol.connection import (
    Connection,
    hold_lock,
    make_private,
    write_connection,
)


class Link:
    """Answers `hello`, and beyond that has what the test lets arrive."""

    def __init__(self):
        self.sent, self.arrived, self.answer = [], deque(), None

    def send(self, parts):
        self.sent.append(decode(parts))
        if isinstance(self.sent[-1], messages.Hello):
            self.arrive(messages.Welcome(
                request=self.sent[-1].request, major=limits.PROTOCOL_MAJOR, minor=0, version="1",
                frame_bytes=1 << 20, queue=1, capabilities=("preset.bake",),
            ))  # fmt: skip
        elif self.answer:
            self.arrive(replace(self.answer, request=self.sent[-1].request))

    def arrive(self, message):
        self.arrived.append(encode(message, ()))

    def receive(self):
        return self.arrived.popleft() if self.arrived else None

    def wait(self, seconds):
        pass

    def close(self):
        pass


class Clock:
    """It is whatever time it is set to."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def link(monkeypatch):
    link = Link()
    monkeypatch.setattr(client_module, "_open_transport", lambda connection: link)
    return link


@pytest.fixture
def client(link, clock):
    return Client(Connection("ipc://x", 1, 0, "1", 1), clock=clock)


def refusal(code, *, request=0, job=""):
    return messages.Error(request=request, code=code, message="No.", next_step="Go.", job=job)


@pytest.mark.parametrize(("endpoint", "key", "longer_s"), [
    ("ipc://x", "", 0), ("tcp://x:1", "k" * 40, 2),
])  # fmt: skip
def test_what_is_under_way_from_another_machine_is_waited_for(link, clock, endpoint, key, longer_s):
    client = Client(Connection(endpoint, 1, 0, "1", 1, server_key=key), clock=clock)
    client.stylise(Picture(1000, 1000, 1, "uint8", bytes(10**6)), "Dusk")
    assert longer_s <= silence_borne_s(client, clock) - limits.SILENCE_S <= longer_s + 0.5


def silence_borne_s(client, clock):
    with pytest.raises(errors.DaemonLost):
        for _ in range(1000):
            clock.now += 0.25
            client.pump()
    return clock.now


@pytest.mark.parametrize("ask, longer_s", [
    (lambda client, picture: client.stylise(picture, picture), 4),
    (lambda client, picture: [client.stylise(picture, "Dusk") for _ in range(2)], 4),
    (lambda client, picture: client.bake("Dusk", [picture] * 3), 6),
    (lambda client, picture: client.request(
        messages.PresetImport(file=messages.FileInfo(10**6)), [bytes(10**6)]), 2),
    (lambda client, picture: client.request(messages.PresetGet(name="Dusk")), (8 << 20) / 5e5),
    (lambda client, picture: client.request(
        messages.PresetGet(name="Dusk", thumbnail_only=True)), 0),
    (lambda client, picture: client.request(
        messages.PresetExport(names=("Dusk", "Swirls"))), (40 << 20) / 5e5),
])  # fmt: skip
def test_all_that_is_sent_and_asked_for_is_waited_for(link, clock, ask, longer_s):
    client = Client(Connection("tcp://x:1", 1, 0, "1", 1, server_key="k" * 40), clock=clock)
    ask(client, Picture(1000, 1000, 1, "uint8", bytes(10**6)))
    assert longer_s <= silence_borne_s(client, clock) - limits.SILENCE_S <= longer_s + 0.5


def test_daemon_that_stays_silent_is_lost(client, clock):
    assert silence_borne_s(client, clock) < limits.PING_EVERY_S + limits.SILENCE_S + 1


@pytest.mark.parametrize("spoil", [
    lambda told: told.unlink(),
    lambda told: told.write_text("{"),
    lambda told: told.write_text(told.read_text().replace("k" * 40, "")),
    lambda told: told.write_text(told.read_text().replace("k" * 40, "k" * 39)),
    lambda told: told.write_text(told.read_text().replace("k" * 40, "ä" * 40)),
])  # fmt: skip
def test_connection_file_of_ones_own_that_is_no_good_is_named(tmp_path, monkeypatch, spoil):
    keys = {"server_key": "s" * 40, "public_key": "p" * 40, "secret_key": "k" * 40}
    told = write_connection(tmp_path, Connection("tcp://127.0.0.1:1", 1, 0, "1", 1, **keys))
    spoil(told)
    monkeypatch.setenv("IMPASTO_CONNECTION", str(told))
    with pytest.raises(errors.DaemonNotRunning, match=r"connection\.json") as caught:
        Client.connect()
    assert "IMPASTO_CONNECTION" in caught.value.next_step


@pytest.fixture
def named(tmp_path, monkeypatch):
    """A connection file that a person has named, and its name, which is a link."""
    told = write_connection(tmp_path, Connection("ipc://x", 1, 0, "1", 1))
    (tmp_path / "link.json").symlink_to(told)
    monkeypatch.setenv("IMPASTO_CONNECTION", str(tmp_path / "link.json"))
    return told


def test_connection_file_of_ones_own_may_be_a_link(link, named):
    Client.connect().close()


def test_connection_file_of_ones_own_is_closed_to_others_not_deleted(link, named):
    named.chmod(0o644)
    with pytest.raises(errors.UnsafeFolder, match="open to other users") as caught:
        Client.connect()
    assert "rm" not in caught.value.next_step
    assert "chmod 600" in caught.value.next_step and "link.json" in caught.value.next_step


@pytest.mark.parametrize("is_loop", [False, True])
def test_connection_file_of_ones_own_that_cannot_be_read_says_why(named, is_loop):
    named.unlink()
    named.symlink_to(named) if is_loop else named.mkdir()
    with pytest.raises(errors.DaemonNotRunning, match=r"link\.json cannot be read: .+\.") as caught:
        Client.connect()
    assert "IMPASTO_CONNECTION" in caught.value.next_step


def test_key_that_there_cannot_be_is_told():
    keys = {"server_key": "#" * 40, "public_key": "p" * 40, "secret_key": "k" * 40}
    with pytest.raises(errors.DaemonLost, match="A key in the connection file"):
        Client(Connection("tcp://127.0.0.1:1", 1, 0, "1", 1, **keys))


def test_pack_whose_file_has_a_long_name_is_imported(client, link):
    link.answer = refusal("PRESET_INVALID")
    for data, name in ((b"PK\x03\x04", "x" * 99), (b"a style", "Dusk")):
        with pytest.raises(errors.PresetInvalid):
            client.import_presets(data, name=name)
    assert [message.name for message in link.sent[1:]] == ["", "Dusk"]


def test_bridge_to_which_nobody_listens_any_more_can_be_closed(tmp_path, monkeypatch):
    """Each four bytes are a message of no parts."""
    impasto = tmp_path / "impasto"
    impasto.write_text("#!/bin/sh\nhead -c 400000 /dev/zero\ncat > /dev/null\n")
    impasto.chmod(0o755)
    monkeypatch.setenv("IMPASTO_COMMAND", str(impasto))
    closing = threading.Thread(
        target=BridgeTransport(Connection("ipc://x", 1, 0, "0", 1)).close, daemon=True
    )
    closing.start()
    closing.join(60)
    assert not closing.is_alive()


def test_guest_of_another_machine_is_not_told_to_end_its_own_daemon(
    link, clock, tmp_path, monkeypatch
):
    write_connection(tmp_path, Connection("ipc://x", 1, 0, "1", 1))
    monkeypatch.setenv("IMPASTO_CONNECTION", str(tmp_path / "connection.json"))
    client = Client.connect()
    client._clock, client._pinged, client._looked = clock, 0.0, 0.0
    with pytest.raises(errors.DaemonLost) as caught:
        for _ in range(100):
            clock.now += 0.25
            client.pump()
    assert "impasto daemon stop" not in caught.value.next_step


def test_daemon_is_started_where_the_one_that_runs_is_only_ending(link, tmp_path, monkeypatch):
    monkeypatch.delenv("IMPASTO_CONNECTION", raising=False)
    monkeypatch.setenv("IMPASTO_HOME", str(tmp_path))
    folder, started = make_private(tmp_path / "run"), []
    ending = hold_lock(folder)  # and its connection file is gone
    monkeypatch.setattr(client_module.time, "sleep", lambda _: ending.close())

    def start():
        started.append(hold_lock(folder))
        write_connection(folder, Connection("ipc://x", 1, 0, "1", 1))

    monkeypatch.setattr(client_module, "start_daemon", start)
    Client.connect().close()
    (daemon,) = started
    daemon.close()


def test_editor_that_froze_does_not_take_its_daemon_for_lost(client, link, clock):
    clock.now += limits.PING_EVERY_S
    client.pump()
    clock.now += 15
    client.pump()  # the answer is here, but a bridge's reader has had no turn to hand it over
    link.arrive(messages.Pong(request=link.sent[-2].request))
    clock.now += 0.25
    client.pump()


def test_pings_that_are_refused_are_no_sign_of_life(client, link, clock):
    clock.now += limits.PING_EVERY_S
    client.pump()
    link.arrive(refusal("UNKNOWN_CLIENT", request=link.sent[-1].request))
    with pytest.raises(errors.DaemonLost) as caught:
        client.pump()
    assert caught.value.next_step == errors.DaemonLost.default_next_step


def test_hours_of_pings_leave_nothing_behind(client, link, clock):
    for _ in range(100):
        clock.now += limits.PING_EVERY_S
        client.pump()
        link.arrive(messages.Pong(request=link.sent[-1].request))
    client.pump()
    assert not client._answers


def test_jobs_that_ended_leave_nothing_behind(client, link):
    done, refused = client.collect("a" * 32), client.collect("b" * 32)
    for message in (messages.Cancelled(job=done.id), refusal("UNKNOWN_JOB", job=refused.id)):
        link.arrive(message)
    client.pump()
    done.cancel()  # too late, and refused
    link.arrive(refusal("UNKNOWN_JOB", request=link.sent[-1].request, job=done.id))
    link.arrive(messages.Cancelled(job=done.id))
    client.pump()
    assert [type(message) for message, _ in done.poll()] == [messages.Cancelled]
    assert not client._jobs and not client._answers


def quiet_for(client, link, clock, seconds):
    """The daemon answers every ping, and says nothing else."""
    for _ in range(round(seconds / limits.PING_EVERY_S)):
        clock.now += limits.PING_EVERY_S
        client.pump()
        asked = [message for message in link.sent if isinstance(message, messages.Ping)]
        link.arrive(messages.Pong(request=asked[-1].request))


def test_job_that_was_lost_on_the_way_is_asked_after_and_ends(client, link, clock, picture):
    job = client.stylise(picture(2, 2), "Dusk")
    quiet_for(client, link, clock, 20)
    (asked,) = [message for message in link.sent if isinstance(message, messages.Collect)]
    assert asked.job == job.id
    link.arrive(refusal("UNKNOWN_JOB", request=asked.request, job=job.id))
    client.pump()
    with pytest.raises(errors.UnknownJob):
        job.poll()


def test_end_that_was_lost_is_asked_for_and_one_that_paints_is_not_put_back(client, link, clock):
    job = client.collect("a" * 32)
    link.arrive(messages.Progress(job=job.id, phase="painting", step=1, of=9))
    client.pump()
    quiet_for(client, link, clock, 20)
    link.arrive(messages.Accepted(job=job.id, position=0))
    quiet_for(client, link, clock, 20)
    assert sum(isinstance(message, messages.Collect) for message in link.sent) == 3
    link.arrive(messages.Cancelled(job=job.id))
    client.pump()
    assert [type(message) for message, _ in job.poll()] == [messages.Progress, messages.Cancelled]


def test_request_whose_answer_was_lost_is_sent_again_unless_it_would_do_more(client, link, clock):
    asked = client.request(messages.PresetList())
    client.request(messages.PresetDelete(name="Dusk"))
    quiet_for(client, link, clock, 20)
    again = [m.request for m in link.sent if isinstance(m, messages.PresetList)]
    assert again == [asked, asked]
    assert sum(isinstance(m, messages.PresetDelete) for m in link.sent) == 1
    link.arrive(messages.Presets(request=asked))
    client.pump()
    assert client.answer(asked)
    quiet_for(client, link, clock, 20)
    assert sum(isinstance(m, messages.PresetList) for m in link.sent) == 2


def test_refusal_is_told_to_who_forgets_a_job_that_ended(client, link):
    job = client.collect("a" * 32)
    link.arrive(messages.Accepted(job=job.id, position=0))
    link.arrive(refusal("UNKNOWN_JOB", job=job.id))
    client.pump()
    assert job.ended
    with pytest.raises(errors.UnknownJob):
        job.poll()


def test_answer_of_a_newer_daemon_that_cannot_be_read_fails_its_request_alone(client, link):
    job, asked = client.collect("a" * 32), client.request(messages.PresetList())
    for told in (
        {"type": "presets", "request": asked, "presets": [{"state": "faded"}]},
        {"type": "progress", "job": job.id, "phase": 5},
    ):
        link.arrived.append([msgpack.packb(told)])
    client.pump()
    with pytest.raises(errors.ProtocolError) as caught:
        client.answer(asked)
    assert caught.value.next_step == errors.ProtocolError.default_next_step
    with pytest.raises(errors.ProtocolError):
        job.poll()
    link.arrived.append([msgpack.packb({"type": "sunset"})])
    with pytest.raises(errors.UnknownType):
        client.pump()


def test_daemon_that_cannot_be_stopped_is_told(tmp_path, monkeypatch):
    impasto = tmp_path / "impasto"
    impasto.write_text("#!/bin/sh\necho DAEMON_START_FAILED It goes on. >&2\nexit 1\n")
    impasto.chmod(0o755)
    monkeypatch.setenv("IMPASTO_COMMAND", str(impasto))
    with pytest.raises(errors.DaemonStartFailed, match="It goes on"):
        stop_daemon()


@pytest.mark.parametrize("content", [None, "", "#!/gone/python\n"])
def test_program_that_cannot_be_run_is_said(tmp_path, monkeypatch, content):
    """As when the Python of its launcher was taken away."""
    impasto = tmp_path / "impasto"
    if content is not None:
        impasto.write_text(content)
        impasto.chmod(0o755 if content else 0o644)
    monkeypatch.setenv("IMPASTO_COMMAND", str(impasto))
    for run in (start_daemon, lambda: BridgeTransport(Connection("ipc://x", 1, 0, "0", 1))):
        with pytest.raises(errors.DaemonNotRunning, match="could not be run") as caught:
            run()
        assert "installer" in caught.value.next_step
