"""Jobs and workers with a clock of our own: crashes, hangs, turns, idleness, kept results."""

import dataclasses

import pytest

from impasto_daemon.broker.scheduler import Workshop
from impasto_daemon.config import Config
from impasto_daemon.worker.orders import Alive, Idle, Interrupt, Quit, Ready, Run, Tell
from impasto_protocol import messages
from impasto_protocol.client import new_job_id
from impasto_protocol.errors import Busy, Conflict, TooBig, UnknownJob
from impasto_protocol.settings import Settings


class FakeWorker:
    """Records its orders; what it says is up to the test. A real one cannot hang on demand."""

    def __init__(self):
        self.orders, self.killed = [], False

    def send(self, order):
        self.orders.append(order)

    def kill(self):
        self.killed = True


class Shop:
    """A workshop whose time, workers and clients are the test's."""

    def __init__(self, **config):
        self.now, self.workers, self.told, self.reads = 0.0, [], [], True
        self.shop = Workshop(Config(**config), self.hire, self.tell, lambda: self.now)

    def hire(self, device):
        self.workers.append(FakeWorker())
        return self.workers[-1]

    def tell(self, job, message, frames):
        if self.reads:
            self.told.append((job.owner, message))
        return self.reads

    def submit(self, owner=b"a", *, user="local", size=(8, 8), settings=None, **fields):
        frame = messages.FrameInfo("content", *size, 3, "uint8")
        order = messages.Stylise(
            job=new_job_id(), settings=settings or Settings(), frames=(frame,), **fields
        )
        self.shop.submit(order, [b""], owner, user, owner.decode())
        self.shop.tick()
        return order.job

    def say(self, message, worker=-1):
        self.shop.heard(self.workers[worker], message)

    def ready(self):
        self.say(Ready("cpu", 1000))

    def wait(self, seconds):
        self.now += seconds
        self.shop.tick()

    def runs(self, worker=-1):
        return [o.message.job for o in self.workers[worker].orders if isinstance(o, Run)]

    def finish(self, job):
        result = messages.Result(job=job, steps=1, seconds=1, device="cpu", weights="", style="")
        self.say(Tell(result, (memoryview(b"12345678"),)))
        self.say(Idle())

    def endings(self, job):
        return [m for _, m in self.told if isinstance(m, messages.ENDINGS) and m.job == job]

    def state(self, job):
        return self.shop.jobs[job].life.state.value


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def running(shop):
    job = shop.submit()
    shop.ready()
    return job


def test_first_job_hires_a_worker_and_waits_until_it_is_ready(shop):
    job = shop.submit()
    assert len(shop.workers) == 1 and not shop.runs()
    shop.ready()
    assert shop.runs() == [job] and shop.state(job) == "running"


def test_finished_job_is_told_once(shop, running):
    shop.finish(running)
    shop.finish(running)
    assert [type(m) for m in shop.endings(running)] == [messages.Result]


def test_crashed_worker_is_replaced_and_its_job_tried_once_more(shop, running):
    shop.say(None)
    assert len(shop.workers) == 2 and shop.state(running) == "queued"
    shop.shop.deliver(b"a")
    assert not shop.endings(running)
    shop.ready()
    assert shop.runs() == [running]
    shop.say(None)
    (failed,) = shop.endings(running)
    assert failed.code == "WORKER_FAILED" and failed.next_step
    shop.submit()
    shop.ready()
    assert len(shop.workers) == 3 and len(shop.runs()) == 1


def test_hung_worker_is_killed_and_its_job_fails_as_stalled(shop, running):
    for worker in shop.workers[0], None:
        shop.wait(119)
        assert not shop.workers[-1].killed
        shop.wait(2)
        assert shop.workers[-1].killed
        shop.say(None)
        if worker:
            shop.ready()
    assert [m.code for m in shop.endings(running)] == ["JOB_STALLED"]


def test_worker_that_says_when_it_will_be_heard_again_has_until_then(shop, running):
    shop.say(Alive(1000))
    shop.wait(900)
    assert not shop.workers[-1].killed
    shop.say(Tell(messages.Progress(job=running, phase="painting", step=1, of=2)))
    shop.wait(900)
    assert not shop.workers[-1].killed
    shop.wait(101)
    assert shop.workers[-1].killed


def test_worker_that_never_comes_up_is_replaced(shop):
    shop.submit()
    shop.wait(121)
    assert shop.workers[0].killed
    shop.say(None)
    assert len(shop.workers) == 2


def test_failed_gpu_costs_the_worker_and_the_job_is_tried_once_more(shop, running):
    failed = messages.Failed(job=running, code="GPU_FAILED", message="gone", next_step="x")
    for _ in range(2):
        shop.say(Tell(failed, lost=True))
        assert shop.workers[-1].killed
        shop.say(None)
        shop.ready() if shop.state(running) == "queued" else None
    assert [m.code for m in shop.endings(running)] == ["GPU_FAILED"]


def test_cancelled_job_is_told_at_once_and_the_worker_let_go_or_killed(shop, running):
    shop.shop.cancel(running, "local", keep=False)
    assert [type(m) for m in shop.endings(running)] == [messages.Cancelled]
    assert shop.workers[-1].orders[-1] == Interrupt(running)
    shop.say(Tell(messages.Progress(job=running, phase="painting", step=1, of=2)))
    shop.wait(5.1)
    assert shop.workers[-1].killed


def test_worker_that_lets_go_of_a_cancelled_job_lives_and_works_on(shop, running):
    shop.shop.cancel(running, "local", keep=False)
    shop.say(Idle())
    job = shop.submit()
    shop.wait(60)
    assert not shop.workers[-1].killed and shop.runs() == [running, job]


def test_result_that_crosses_the_cancel_is_not_told(shop, running):
    shop.shop.cancel(running, "local", keep=False)
    shop.finish(running)
    assert [type(m) for m in shop.endings(running)] == [messages.Cancelled]


def test_clients_take_turns(shop):
    greedy = [shop.submit(b"greedy") for _ in range(3)]
    modest = shop.submit(b"modest")
    shop.ready()
    for job in (greedy[0], modest, greedy[1], greedy[2]):
        assert shop.runs()[-1] == job
        shop.finish(job)


def test_job_goes_on_for_an_owner_that_is_gone_only_when_it_is_to_be_kept(shop):
    dropped, kept = shop.submit(b"a"), shop.submit(b"b", keep=True)
    shop.ready()
    for owner in (b"a", b"b"):
        shop.shop.owner_gone(owner)
    assert (shop.state(dropped), shop.state(kept)) == ("cancelled", "queued")
    shop.say(Idle())
    shop.finish(kept)
    shop.told.clear()
    shop.shop.collect(kept, b"c", "local")
    shop.shop.deliver(b"c")
    assert [(owner, type(m)) for owner, m in shop.told] == [(b"c", messages.Result)]


def test_ending_that_could_not_be_handed_over_is_told_later(shop, running):
    shop.reads = False
    shop.finish(running)
    assert not shop.endings(running)
    shop.reads = True
    shop.shop.deliver(b"a")
    shop.shop.deliver(b"a")
    assert len(shop.endings(running)) == 1


def test_results_are_dropped_after_a_while(shop, running):
    shop.finish(running)
    shop.wait(599)
    assert running in shop.shop.jobs
    shop.wait(2)
    assert running not in shop.shop.jobs


def test_results_over_the_memory_limit_are_dropped_told_ones_first():
    shop = Shop(results_mib=1)
    jobs = []
    for _ in range(3):
        jobs.append(shop.submit(keep=True))
        shop.ready() if len(jobs) == 1 else None
        result = messages.Result(
            job=jobs[-1], steps=1, seconds=1, device="cpu", weights="", style=""
        )
        shop.reads = len(jobs) != 1
        shop.now += 1
        shop.say(Tell(result, (memoryview(bytes(600 << 10)),)))
        shop.say(Idle())
    assert list(shop.shop.jobs) == [jobs[0]]


def test_idle_worker_is_ended_and_hired_anew(shop, running):
    shop.finish(running)
    shop.wait(601)
    assert shop.workers[-1].orders[-1] == Quit()
    job = shop.submit()
    assert shop.state(job) == "queued"
    shop.say(None)
    shop.ready()
    assert shop.runs() == [job]


def test_two_devices_work_side_by_side():
    shop = Shop(device="cuda:0,cuda:1")
    jobs = [shop.submit(), shop.submit()]
    assert len(shop.workers) == 2
    for worker in (0, 1):
        shop.say(Ready(f"cuda:{worker}", 1000), worker)
    assert [shop.runs(0), shop.runs(1)] == [[jobs[0]], [jobs[1]]]


def test_jobs_of_another_user_are_not_to_be_seen(shop, running):
    with pytest.raises(UnknownJob):
        shop.shop.cancel(running, "someone else", keep=False)
    with pytest.raises(UnknownJob):
        shop.shop.collect(running, b"z", "someone else")
    order = shop.shop.jobs[running].order
    with pytest.raises(Conflict):
        shop.shop.submit(order, [], b"z", "someone else", "z")


def test_limits_on_queue_and_size():
    shop = Shop(queue=1, memory_mib=1000)
    shop.submit()
    with pytest.raises(Busy):
        shop.submit()
    shop = Shop(memory_mib=1000)
    with pytest.raises(TooBig, match="megapixels fit"):
        shop.submit(size=(20_000, 20_000))
    shop.submit(size=(1000, 1000), settings=Settings(working_px=400))


def test_same_request_again_is_the_same_job(shop, running):
    order = dataclasses.replace(shop.shop.jobs[running].order, request=99)
    shop.shop.submit(order, [b""], b"again", "local", "a")
    shop.finish(running)
    assert [owner for owner, m in shop.told if isinstance(m, messages.Result)] == [b"again"]


def test_closing_cancels_everything_and_ends_the_workers(shop, running):
    waiting = shop.submit()
    shop.shop.close()
    assert shop.state(running) == shop.state(waiting) == "cancelled"
    assert shop.workers[-1].orders[-1] == Quit()
