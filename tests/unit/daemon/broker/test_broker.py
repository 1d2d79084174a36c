"""What the broker does where something fails that nobody thought of."""

import asyncio
import errno
import os
import time

import pytest
import zmq
from tests.unit.daemon.broker.test_scheduler import FakeWorker

from impasto_daemon.broker.address import Address
from impasto_daemon.broker.broker import Broker, ConnectedClient
from impasto_daemon.config import Config
from impasto_daemon.paths import Paths
from impasto_protocol import messages
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import encode
from impasto_protocol.settings import Settings


def fail(*_):
    raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def with_broker(tmp_path):
    """with_broker(do): what `do` gives for a broker that knows a client b"a", and its answers."""

    def run(do, clock=time.monotonic):
        async def main():
            paths = Paths(tmp_path, tmp_path / "data", tmp_path / "config.toml", tmp_path / "log")
            broker = Broker(Config(), paths, Address(f"ipc://{tmp_path}/socket"), clock)
            answers = []
            broker._send = lambda to, message, frames=(): answers.append(message) or True
            broker._clients[b"a"] = ConnectedClient("a", "local", 0)
            try:
                return await do(broker, answers)
            finally:
                broker._socket.close()
                broker._context.term()

        return asyncio.run(main())

    return run


def test_request_that_fails_unexpectedly_is_answered(with_broker):
    frame = messages.FrameInfo("content", 1, 1, 3, "uint8")
    order = messages.Stylise(
        job=new_job_id(), request=7, settings=Settings(), frames=(frame,), preset="Dusk"
    )

    async def ask(broker, answers):
        broker._presets.hold = fail
        broker._handle(b"a", encode(order, [bytes(3)]), "local")
        return answers

    (error,) = with_broker(ask)
    assert (error.code, error.request, error.job) == ("INTERNAL", 7, order.job)


def test_half_written_weights_go_at_the_start_unless_they_may_be_anothers(with_broker, tmp_path):
    weights = tmp_path / "data" / "weights"
    for folder in (weights, tmp_path / "data" / "presets"):
        folder.mkdir(parents=True)
    for name, age_s in ((".impasto-old", 3700), (".impasto-new", 3500), ("own.safetensors", 9999)):
        (weights / name).touch()
        os.utime(weights / name, (time.time() - age_s,) * 2)

    async def start(broker, _):
        broker._stopping.set()
        await broker.serve()

    with_broker(start)
    assert {path.name for path in weights.iterdir()} == {".impasto-new", "own.safetensors"}


def test_request_that_is_asked_again_is_met_once(with_broker):
    met = []

    async def ask(broker, answers):
        broker._preset_requests.answer = lambda *_: (met.append(1), (messages.Presets(), ()))[1]
        for request in (7, 7, 8):
            broker._handle(b"a", encode(messages.PresetList(request=request), []), "local")
        await asyncio.gather(*broker._pending)
        return [answer.request for answer in answers]

    assert sorted(with_broker(ask)) == [7, 8] and len(met) == 2


def test_running_job_is_reported_however_many_have_ended_since(with_broker, monkeypatch):
    monkeypatch.setattr(Broker, "_start_worker", lambda self, device: FakeWorker())
    frames = tuple(messages.FrameInfo(role, 8, 8, 3, "uint8") for role in ("content", "style"))
    orders = [
        messages.Stylise(job=new_job_id(), settings=Settings(), frames=frames) for _ in range(300)
    ]

    async def report(broker, _):
        broker._config = broker._scheduler._config = Config(queue=1000)
        for order in orders:
            broker._handle(b"a", encode(order, [bytes(192)] * 2), "local")
        for order in orders[1:]:
            broker._scheduler.cancel(order.job, "local", keep=False)
        return [job.job for job in broker._report("local").jobs]

    first, *others = (order.job for order in orders)
    assert with_broker(report) == [first, *others[-255:]]


def test_what_comes_with_time_goes_on_after_an_error(with_broker):
    async def wait(broker, _):
        ticks = []

        def act():
            ticks.append(0)
            fail()

        task = asyncio.create_task(broker._regularly(0.001, act))
        await asyncio.sleep(0.1)
        task.cancel()
        return len(ticks)

    assert with_broker(wait) > 1


def test_flood_of_messages_leaves_room_for_all_else(with_broker):
    """For jobs and their workers, and for what comes in through the gate."""

    async def flood(broker, _):
        client = broker._context.socket(zmq.DEALER)
        client.connect(broker._address.endpoint)
        for _ in range(500):
            await client.send(b"")
        await asyncio.sleep(0.3)
        task = asyncio.create_task(broker._receive())
        turns = 0
        while broker._dropped < 500:
            await asyncio.sleep(0)
            turns += 1
        task.cancel()
        client.close()
        return turns

    assert with_broker(flood) > 100


def test_machine_that_was_asleep_for_an_hour_has_lost_no_client_and_no_worker(
    with_broker, monkeypatch
):
    """Where the clock goes on meanwhile, as on Windows."""
    workers, now = [], [0.0]

    def start_worker(self, device):
        workers.append(FakeWorker())
        return workers[-1]

    monkeypatch.setattr(Broker, "_start_worker", start_worker)
    frame = messages.FrameInfo("content", 8, 8, 3, "uint8")
    style = messages.FrameInfo("style", 8, 8, 3, "uint8")
    order = messages.Stylise(job=new_job_id(), settings=Settings(), frames=(frame, style))

    async def sleep(broker, answers):
        broker._handle(b"a", encode(order, [bytes(192)] * 2), "local")
        acts = broker._look_around, broker._scheduler.tick
        tasks = [asyncio.create_task(broker._regularly(0.001, act)) for act in acts]
        await asyncio.sleep(0.05)
        now[0] += 3600
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        return broker._clients[b"a"].gone, broker._scheduler.jobs[order.job].lifecycle.state.value

    gone, state = with_broker(sleep, lambda: now[0])
    assert not gone and state == "queued"
    assert len(workers) == 1 and not workers[0].killed
