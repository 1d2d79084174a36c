"""Jobs and workers with a clock of our own: crashes, hangs, turns, idleness, kept results."""

import dataclasses

import pytest

from impasto_daemon.broker.scheduler import Scheduler
from impasto_daemon.config import Config
from impasto_daemon.worker.orders import (
    Alive,
    Idle,
    Interrupt,
    JobUpdate,
    MakeWay,
    PutBy,
    Quit,
    Ready,
    Run,
    Stored,
)
from impasto_protocol import messages
from impasto_protocol.client import new_job_id
from impasto_protocol.errors import Busy, Conflict, TooBig, UnknownJob
from impasto_protocol.settings import Settings


class FakeWorker:
    """Records its orders; what it says is up to the test. A real one cannot hang on demand."""

    def __init__(self):
        self.orders, self.killed, self.pid = [], False, 7

    def send(self, order):
        self.orders.append(order)

    def kill(self):
        self.killed = True


class Harness:
    """A scheduler whose time, workers and clients are the test's."""

    def __init__(self, **config):
        self.now, self.workers, self.told, self.reads = 0.0, [], [], True
        self.released = []
        self.scheduler = Scheduler(
            Config(**config), self.start_worker, self.tell, lambda request: None,
            self.released.append, lambda: "allowed_keys" in config, lambda: self.now,
        )  # fmt: skip

    def start_worker(self, device):
        self.workers.append(FakeWorker())
        return self.workers[-1]

    def tell(self, job, message, frames):
        if self.reads:
            self.told.append((job.owner, message))
        return self.reads

    def submit(
        self, owner=b"a", *, user="local", size=(8, 8), settings=None, picture=b"", **fields
    ):
        frame = messages.FrameInfo("content", *size, 3, "uint8")
        order = messages.Stylise(
            job=new_job_id(), settings=settings or Settings(), frames=(frame,), **fields
        )
        self.scheduler.submit(order, [picture], owner, user, owner.decode())
        self.scheduler.tick()
        return order.job

    def bake(self, owner=b"a"):
        order = messages.PresetBake(job=new_job_id(), name="x", minutes=20, anew=True)
        self.scheduler.submit(order, [], owner, "local", owner.decode())
        self.scheduler.tick()
        return order.job

    def put_by(self, job):
        rest = messages.PresetBake(job=job, name="x", minutes=12)
        self.say(PutBy(job, rest))
        self.say(Idle())

    def say(self, message, worker=-1):
        self.scheduler.on_worker_message(self.workers[worker], message)

    def ready(self):
        self.say(Ready("cpu", 1000))

    def wait(self, seconds):
        self.now += seconds
        self.scheduler.tick()

    def runs(self, worker=-1):
        return [o.message.job for o in self.workers[worker].orders if isinstance(o, Run)]

    def finish(self, job, worker=-1):
        result = messages.Result(job=job, steps=1, seconds=1, device="cpu", weights="", style="")
        self.say(JobUpdate(result, (memoryview(b"12345678"),)), worker)
        self.say(Idle(), worker)

    def endings(self, job):
        return [m for _, m in self.told if isinstance(m, messages.ENDINGS) and m.job == job]

    def state(self, job):
        return self.scheduler.jobs[job].lifecycle.state.value


@pytest.fixture
def harness():
    return Harness()


@pytest.fixture
def running(harness):
    job = harness.submit()
    harness.ready()
    return job


def test_first_job_hires_a_worker_and_waits_until_it_is_ready(harness):
    job = harness.submit()
    assert len(harness.workers) == 1 and not harness.runs()
    harness.ready()
    assert harness.runs() == [job] and harness.state(job) == "running"


def test_finished_job_is_told_once(harness, running):
    assert not harness.released
    harness.finish(running)
    harness.finish(running)
    assert harness.released == [running]
    assert [type(m) for m in harness.endings(running)] == [messages.Result]


def test_worker_is_busy_until_it_has_let_go_of_its_job(harness, running):
    assert harness.scheduler.busy_workers == [7]
    harness.finish(running)
    assert harness.scheduler.busy_workers == []


def test_worker_that_paints_beside_a_free_one_is_not_waited_for():
    harness = Harness(device="cuda:0,cuda:1")
    for worker in (0, 1):
        harness.submit()
        harness.say(Ready(f"cuda:{worker}", 1000), worker)
    assert harness.scheduler.busy_workers == [7, 7]
    harness.say(Idle(), 0)
    assert harness.scheduler.busy_workers == []


def test_crashed_worker_is_replaced_and_its_job_tried_once_more(harness, running):
    harness.say(None)
    assert len(harness.workers) == 2 and harness.state(running) == "queued"
    harness.scheduler.deliver(b"a")
    assert not harness.endings(running)
    harness.ready()
    assert harness.runs() == [running]
    harness.say(None)
    (failed,) = harness.endings(running)
    assert failed.code == "WORKER_FAILED" and failed.next_step
    harness.submit()
    harness.ready()
    assert len(harness.workers) == 3 and len(harness.runs()) == 1


def test_hung_worker_is_killed_and_its_job_fails_as_stalled(harness, running):
    for worker in harness.workers[0], None:
        harness.wait(119)
        assert not harness.workers[-1].killed
        harness.wait(2)
        assert harness.workers[-1].killed
        harness.say(None)
        if worker:
            harness.ready()
    assert [m.code for m in harness.endings(running)] == ["JOB_STALLED"]


def test_worker_that_says_when_it_will_be_heard_again_has_until_then(harness, running):
    harness.say(Alive(1000))
    harness.wait(900)
    assert not harness.workers[-1].killed
    harness.say(JobUpdate(messages.Progress(job=running, phase="painting", step=1, of=2)))
    harness.wait(900)
    assert not harness.workers[-1].killed
    harness.wait(101)
    assert harness.workers[-1].killed


def test_worker_that_never_comes_up_is_replaced(harness):
    harness.submit()
    harness.wait(121)
    assert harness.workers[0].killed
    harness.say(None)
    assert len(harness.workers) == 2


def test_worker_that_ends_as_it_starts_is_tried_thrice_and_then_the_jobs_are_told(harness):
    jobs = [harness.submit(), harness.submit()]
    for _ in range(2):
        harness.say(None)
    assert not any(map(harness.endings, jobs)) and len(harness.workers) == 3
    harness.say(None)
    for job in jobs:
        (failed,) = harness.endings(job)
        assert failed.code == "WORKER_FAILED" and "doctor" in failed.next_step
        assert "ends as it starts" in failed.message
    harness.wait(60)
    assert len(harness.workers) == 3
    later = harness.submit()
    harness.ready()
    assert harness.runs() == [later]


def test_worker_that_is_never_ready_is_given_up(harness):
    job = harness.submit()
    for _ in range(3):
        harness.wait(121)
        harness.say(None)
    (failed,) = harness.endings(job)
    assert failed.code == "WORKER_FAILED" and "no sign of life" in failed.message


def test_worker_that_ended_while_it_was_idle_is_no_failed_start(harness, running):
    harness.finish(running)
    for _ in range(5):
        harness.say(None)
        job = harness.submit()
        harness.ready()
        harness.finish(job)
    assert [type(ending) for ending in harness.endings(job)] == [messages.Result]


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), RuntimeError("no thread")])
def test_worker_that_cannot_be_started_is_tried_again(harness, error):
    def fail(device):
        raise error

    start, harness.scheduler._start_worker = harness.scheduler._start_worker, fail
    job = harness.submit()
    harness.wait(0.5)
    harness.scheduler._start_worker = start
    harness.wait(1)
    harness.ready()
    assert harness.runs() == [job]
    harness.finish(job)
    harness.say(None)
    harness.scheduler._start_worker = fail
    job = harness.submit()
    for _ in range(3):
        harness.wait(1)
    (failed,) = harness.endings(job)
    assert failed.code == "WORKER_FAILED" and str(error) in failed.message


def test_device_whose_worker_does_not_start_leaves_its_jobs_to_the_other():
    harness = Harness(device="cuda:0,cuda:1")
    first, second = harness.submit(), harness.submit()
    broken, works = harness.workers
    harness.scheduler.on_worker_message(works, Ready("cuda:1", 1000))
    for _ in range(3):
        harness.scheduler.on_worker_message(broken, None)
        broken = harness.workers[-1]
    assert len(harness.workers) == 4 and broken is harness.workers[3]
    harness.wait(30)
    assert len(harness.workers) == 4 and harness.runs(worker=1) == [first]
    assert not harness.endings(second)
    harness.wait(31)
    assert len(harness.workers) == 5


def test_jobs_are_told_where_one_device_does_not_start_and_the_other_is_missing():
    harness = Harness(device="cuda:0,cuda:1")
    jobs = [harness.submit(), harness.submit()]
    harness.say(Ready("", 0), 1)
    harness.say(None, 0)
    for _ in range(2):
        harness.wait(2)
        harness.say(None)
    assert [[end.code for end in harness.endings(job)] for job in jobs] == [["WORKER_FAILED"]] * 2


def test_user_with_many_names_gets_no_more_turns(harness):
    greedy = [harness.submit(b"n%d" % number, user="one") for number in range(4)]
    modest = harness.submit(b"m", user="other")
    harness.ready()
    harness.finish(greedy[0])
    assert harness.runs() == [greedy[0], modest]


def test_failed_gpu_costs_the_worker_and_the_job_is_tried_once_more(harness, running):
    failed = messages.Failed(job=running, code="GPU_FAILED", message="gone", next_step="x")
    for _ in range(2):
        harness.say(JobUpdate(failed, lost=True))
        assert harness.workers[-1].killed
        harness.say(None)
        harness.ready() if harness.state(running) == "queued" else None
    assert [m.code for m in harness.endings(running)] == ["GPU_FAILED"]


def lost(job):
    failed = messages.Failed(job=job, code="GPU_FAILED", message="Gone.", next_step="Go.")
    return JobUpdate(failed, lost=True)


def test_job_of_a_failed_gpu_ends_also_where_its_worker_says_more_before_it_is_gone(
    harness, running
):
    for _ in range(2):
        harness.say(lost(running))
        harness.say(Idle())
        assert harness.state(running) == "running" and harness.runs() == [running]
        harness.say(None)
        harness.ready() if harness.state(running) == "queued" else None
    assert [m.code for m in harness.endings(running)] == ["GPU_FAILED"]


def test_gpu_that_fails_as_its_job_is_cancelled_costs_the_worker(harness, running):
    harness.scheduler.cancel(running, "local", keep=False)
    harness.say(lost(running))
    assert harness.workers[-1].killed


def test_worker_that_is_killed_over_a_cancelled_job_is_given_no_other(harness, running):
    harness.scheduler.cancel(running, "local", keep=False)
    harness.wait(5.1)
    job = harness.submit()
    harness.say(Idle())
    assert harness.state(job) == "queued"
    harness.say(None)
    harness.ready()
    assert harness.runs() == [job]


def test_cancelled_job_is_told_at_once_and_the_worker_let_go_or_killed(harness, running):
    harness.scheduler.cancel(running, "local", keep=False)
    assert [type(m) for m in harness.endings(running)] == [messages.Cancelled]
    assert harness.workers[-1].orders[-1] == Interrupt(running)
    harness.say(JobUpdate(messages.Progress(job=running, phase="painting", step=1, of=2)))
    harness.wait(5.1)
    assert harness.workers[-1].killed


def test_worker_that_lets_go_of_a_cancelled_job_lives_and_works_on(harness, running):
    harness.scheduler.cancel(running, "local", keep=False)
    harness.say(Idle())
    job = harness.submit()
    harness.wait(60)
    assert not harness.workers[-1].killed and harness.runs() == [running, job]


def test_result_that_crosses_the_cancel_is_not_told(harness, running):
    harness.scheduler.cancel(running, "local", keep=False)
    harness.finish(running)
    assert [type(m) for m in harness.endings(running)] == [messages.Cancelled]


def test_clients_take_turns(harness):
    greedy = [harness.submit(b"greedy") for _ in range(3)]
    modest = harness.submit(b"modest")
    harness.ready()
    for job in (greedy[0], modest, greedy[1], greedy[2]):
        assert harness.runs()[-1] == job
        harness.finish(job)


def test_job_goes_on_for_an_owner_that_is_gone_only_when_it_is_to_be_kept(harness):
    dropped, kept = harness.submit(b"a"), harness.submit(b"b", keep=True)
    harness.ready()
    for owner in (b"a", b"b"):
        harness.scheduler.owner_gone(owner)
    assert (harness.state(dropped), harness.state(kept)) == ("cancelled", "queued")
    harness.say(Idle())
    harness.finish(kept)
    harness.told.clear()
    harness.scheduler.collect(kept, b"c", "local")
    harness.scheduler.deliver(b"c")
    assert [(owner, type(m)) for owner, m in harness.told] == [(b"c", messages.Result)]


def test_ending_that_could_not_be_handed_over_is_told_later(harness, running):
    harness.reads = False
    harness.finish(running)
    assert not harness.endings(running)
    harness.reads = True
    harness.scheduler.deliver(b"a")
    harness.scheduler.deliver(b"a")
    assert len(harness.endings(running)) == 1


def snapshot(harness, job, step, size=8):
    harness.say(JobUpdate(messages.Snapshot(job=job, step=step), (memoryview(bytes(size)),)))


def steps_told(harness):
    return [m.step for _, m in harness.told if hasattr(m, "step")]


def test_snapshots_that_could_not_be_handed_over_are_sent_later_before_the_end(harness, running):
    for step, harness.reads in ((10, True), (20, False), (30, False)):
        snapshot(harness, running, step)
    harness.reads = True
    harness.scheduler.deliver(b"a")
    assert steps_told(harness) == [10, 20, 30]
    harness.reads = False
    snapshot(harness, running, 40)
    harness.finish(running)
    harness.reads = True
    for _ in range(2):
        harness.scheduler.deliver(b"a")
    assert steps_told(harness) == [10, 20, 30, 40]
    assert isinstance(harness.told[-1][1], messages.Result) and len(harness.told) == 5


def test_snapshots_that_cannot_be_handed_over_take_no_more_memory_than_results_may():
    harness = Harness(results_mib=1)
    job = harness.submit()
    harness.ready()
    harness.reads = False
    for step in range(1, 4):
        snapshot(harness, job, step, 400 << 10)
    harness.reads = True
    harness.scheduler.deliver(b"a")
    assert steps_told(harness) == [1, 2]


def test_painting_that_begins_anew_or_is_cancelled_sends_no_snapshot_of_before(harness, running):
    harness.reads = False
    snapshot(harness, running, 10)
    harness.say(None)
    harness.ready()
    snapshot(harness, running, 10)
    harness.reads = True
    harness.scheduler.deliver(b"a")
    assert steps_told(harness) == [10]
    harness.reads = False
    snapshot(harness, running, 20)
    harness.reads = True
    harness.scheduler.cancel(running, "local", keep=False)
    assert steps_told(harness) == [10] and len(harness.endings(running)) == 1


def test_results_are_dropped_after_a_while(harness, running):
    harness.finish(running)
    harness.wait(599)
    assert running in harness.scheduler.jobs
    harness.wait(2)
    assert running not in harness.scheduler.jobs
    assert not harness.scheduler._last_served


def test_results_over_the_memory_limit_are_dropped_told_ones_first():
    harness = Harness(results_mib=1)
    jobs = []
    for _ in range(3):
        jobs.append(harness.submit(keep=True))
        harness.ready() if len(jobs) == 1 else None
        result = messages.Result(
            job=jobs[-1], steps=1, seconds=1, device="cpu", weights="", style=""
        )
        harness.reads = len(jobs) != 1
        harness.now += 1
        harness.say(JobUpdate(result, (memoryview(bytes(600 << 10)),)))
        harness.say(Idle())
    assert list(harness.scheduler.jobs) == [jobs[0]]


def test_result_larger_than_the_memory_limit_waits_for_its_owner():
    harness = Harness(results_mib=1)
    harness.reads = False
    jobs = [harness.submit(), harness.submit()]
    harness.ready()
    for job in jobs:
        harness.now += 1
        result = messages.Result(job=job, steps=1, seconds=1, device="cpu", weights="", style="")
        harness.say(JobUpdate(result, (memoryview(bytes(2 << 20)),)))
        assert job in harness.scheduler.jobs
        harness.say(Idle())
    assert list(harness.scheduler.jobs) == jobs[1:]
    harness.reads = True
    harness.scheduler.deliver(b"a")
    assert len(harness.endings(jobs[1])) == 1
    harness.wait(1)
    assert not harness.scheduler.jobs


def test_no_more_jobs_are_kept_than_a_few_thousand(harness, running, monkeypatch):
    monkeypatch.setattr("impasto_daemon.broker.scheduler._MOST_KEPT", 2)
    jobs = []
    for harness.reads in (True, False, False, True):
        harness.wait(1)
        jobs.append(harness.submit())
        harness.scheduler.cancel(jobs[-1], "local", keep=False)
    harness.wait(1)
    assert list(harness.scheduler.jobs) == [running, *jobs[1:3]]  # those that were told went first


def test_ending_stays_as_it_was_where_the_worker_dies_afterwards(harness, running):
    """Before it has said that it is idle, or because it did not let go."""
    result = messages.Result(job=running, steps=1, seconds=1, device="cpu", weights="", style="")
    harness.reads = False
    harness.say(JobUpdate(result, (memoryview(b"12345678"),)))
    harness.say(None)
    cancelled = harness.submit()
    harness.ready()
    harness.scheduler.cancel(cancelled, "local", keep=False)
    harness.say(None)
    harness.reads = True
    harness.scheduler.deliver(b"a")
    assert [type(m) for m in harness.endings(running)] == [messages.Result]
    assert [type(m) for m in harness.endings(cancelled)] == [messages.Cancelled]


def test_idle_worker_is_ended_and_hired_anew(harness, running):
    harness.finish(running)
    harness.wait(601)
    assert harness.workers[-1].orders[-1] == Quit()
    job = harness.submit()
    assert harness.state(job) == "queued"
    harness.say(None)
    harness.ready()
    assert harness.runs() == [job]


def test_idle_worker_that_does_not_end_is_killed(harness, running):
    harness.finish(running)
    harness.wait(601)
    job = harness.submit()
    harness.wait(5.1)
    assert harness.workers[-1].killed
    harness.say(None)
    harness.ready()
    assert harness.runs() == [job]


def test_worker_that_is_let_go_is_no_warning(harness, running, caplog):
    harness.finish(running)
    harness.wait(601)
    harness.say(None)
    assert not [each for each in caplog.records if each.levelname == "WARNING"]
    job = harness.submit()
    harness.ready()
    harness.say(None)
    assert "is gone" in caplog.text and harness.state(job) == "queued"


def test_two_devices_work_side_by_side():
    harness = Harness(device="cuda:0,cuda:1")
    jobs = [harness.submit(), harness.submit()]
    assert len(harness.workers) == 2
    for worker in (0, 1):
        harness.say(Ready(f"cuda:{worker}", 1000), worker)
    assert [harness.runs(0), harness.runs(1)] == [[jobs[0]], [jobs[1]]]


def test_device_that_is_missing_leaves_the_jobs_to_the_other_and_where_both_are_tells_them():
    harness = Harness(device="cuda:0,cuda:1")
    jobs = [harness.submit() for _ in range(3)]
    harness.say(Ready("", 0), 1)
    harness.say(Ready("cuda:0", 1000), 0)
    assert [harness.runs(0), harness.runs(1)] == [jobs[:1], []]
    result = messages.Result(job=jobs[0], steps=1, seconds=1, device="", weights="", style="")
    harness.say(JobUpdate(result, ()), 0)
    harness.say(Idle(), 0)
    assert [harness.runs(0), harness.runs(1)] == [jobs[:2], []]
    both = Harness(device="cuda:0,cuda:1")
    jobs = [both.submit() for _ in range(2)]
    for worker in (0, 1):
        both.say(Ready("", 0), worker)
    assert sorted(both.runs(0) + both.runs(1)) == sorted(jobs)


def test_jobs_of_another_user_are_not_to_be_seen(harness, running):
    with pytest.raises(UnknownJob):
        harness.scheduler.cancel(running, "someone else", keep=False)
    with pytest.raises(UnknownJob):
        harness.scheduler.collect(running, b"z", "someone else")
    order = harness.scheduler.jobs[running].request
    with pytest.raises(Conflict):
        harness.scheduler.submit(order, [], b"z", "someone else", "z")


def test_queue_that_is_full_takes_no_more():
    harness = Harness(queue=1)
    harness.submit()
    with pytest.raises(Busy):
        harness.submit()


KEYS = tuple(letter * 40 for letter in "abc")


def fill(harness, user):
    """How many jobs of a user are taken in, and what is said to the next."""
    before = len(harness.scheduler.jobs)
    with pytest.raises(Busy) as busy:
        for _ in range(harness.scheduler._config.queue + 1):
            harness.submit(user=user)
    return len(harness.scheduler.jobs) - before, busy.value


def test_one_key_cannot_fill_the_queue_and_is_told_whose_jobs_do():
    harness = Harness(queue=16, allowed_keys=KEYS)
    taken, busy = fill(harness, "own")
    assert taken == 8 and str(busy).startswith("8 of your jobs are waiting")
    assert [fill(harness, key)[0] for key in KEYS] == [4, 2, 1]
    harness.submit(user="another")
    _, busy = fill(harness, KEYS[0])
    assert str(busy) == "16 jobs are waiting already, 4 of them yours."


def test_every_key_finds_a_place_in_a_small_queue():
    harness = Harness(queue=2, allowed_keys=KEYS)
    assert fill(harness, "own")[0] == 1
    harness.submit(user=KEYS[0])


def test_user_of_a_machine_that_serves_nobody_else_has_the_whole_queue():
    taken, busy = fill(Harness(queue=16), "local")
    assert taken == 16 and str(busy) == "16 jobs are waiting already, 16 of them yours."


MIB = 1 << 20


def test_pictures_that_wait_take_no_more_memory_than_they_may():
    harness = Harness(queue_mib=8)
    harness.submit(picture=bytes(9 * MIB))  # alone, whatever it takes
    with pytest.raises(Busy) as busy:
        harness.submit(picture=bytes(1))
    assert str(busy.value) == "9 MiB of pictures are waiting already, 9 of them yours."
    harness.ready()
    for _ in range(2):
        harness.submit(picture=bytes(4 * MIB))
    with pytest.raises(Busy):
        harness.submit(picture=bytes(1))


def test_one_key_cannot_fill_the_memory_for_pictures_that_wait():
    harness = Harness(queue_mib=16, allowed_keys=KEYS)
    for user, taken in (("own", 8), (KEYS[0], 4), (KEYS[1], 2)):
        for _ in range(taken):
            harness.submit(user=user, picture=bytes(MIB))
        with pytest.raises(Busy, match="the other places are for others"):
            harness.submit(user=user, picture=bytes(MIB))
    # One is no share, but there must be room for it.
    with pytest.raises(Busy, match="14 MiB of pictures are waiting already, 0 of them yours"):
        harness.submit(user=KEYS[2], picture=bytes(3 * MIB))
    harness.submit(user=KEYS[2], picture=bytes(2 * MIB))


def test_key_that_has_its_share_is_served_again_when_a_job_of_its_own_has_begun():
    harness = Harness(queue=4, allowed_keys=KEYS)
    fill(harness, "own")
    harness.ready()
    harness.submit(user="own")


def test_size_is_checked_before_a_job_is_taken_in(harness):
    def refuse(request):
        raise TooBig("too big")

    harness.scheduler._check_size = refuse
    with pytest.raises(TooBig):
        harness.submit()
    assert not harness.scheduler.jobs


def test_same_request_again_is_the_same_job(harness, running):
    order = dataclasses.replace(harness.scheduler.jobs[running].request, request=99)
    harness.scheduler.submit(order, [b""], b"again", "local", "a")
    harness.finish(running)
    assert [owner for owner, m in harness.told if isinstance(m, messages.Result)] == [b"again"]


def test_closing_cancels_everything_and_ends_the_workers(harness, running):
    waiting = harness.submit()
    harness.scheduler.close()
    assert harness.state(running) == harness.state(waiting) == "cancelled"
    assert sorted(harness.released) == sorted([running, waiting])
    assert harness.workers[-1].orders[-1] == Quit()


def made_way(harness):
    return [o.job for o in harness.workers[-1].orders if isinstance(o, MakeWay)]


def test_baking_whose_worker_dies_goes_on_with_what_was_left_when_it_was_stored(harness):
    baked = harness.bake()
    harness.ready()
    rest = messages.PresetBake(job=baked, name="x", minutes=12)
    harness.say(Stored(baked, rest))
    assert harness.state(baked) == "running"
    harness.say(None)
    harness.ready()
    assert harness.runs() == [baked] and harness.workers[-1].orders[-1].message == rest


def test_baking_makes_way_for_a_painting_and_goes_on_with_what_is_left(harness):
    baked = harness.bake()
    harness.ready()
    painted, second = harness.submit(b"b"), harness.submit(b"c")
    assert made_way(harness) == [baked], "once"
    harness.put_by(baked)
    assert harness.state(baked) == "queued" and harness.runs() == [baked, painted]
    harness.finish(painted)
    harness.finish(second)
    assert harness.runs() == [baked, painted, second, baked]
    rest = harness.workers[-1].orders[-1].message
    assert (rest.minutes, rest.anew) == (12, False)
    for _ in range(3):  # making way is no failed attempt
        other = harness.submit(b"b")
        harness.put_by(baked)
        harness.finish(other)
    assert harness.state(baked) == "running"
    harness.finish(baked)
    assert [type(m) for m in harness.endings(baked)] == [messages.Result]


def test_baking_waits_for_every_painting_and_for_no_other_baking(harness):
    first, second = harness.bake(), harness.bake(b"b")
    painted = harness.submit(b"c")
    harness.ready()
    assert harness.runs() == [painted]
    harness.finish(painted)
    assert harness.runs() == [painted, first] and made_way(harness) == []
    harness.finish(first)
    assert harness.runs()[-1] == second


def test_baking_that_has_made_way_can_be_cancelled(harness):
    baked = harness.bake()
    harness.ready()
    painted = harness.submit(b"b")
    harness.put_by(baked)
    harness.scheduler.cancel(baked, "local", keep=False)
    assert harness.state(baked) == "cancelled"
    harness.finish(painted)
    assert harness.runs() == [baked, painted]


def test_baking_whose_worker_dies_as_it_has_made_way_goes_on_and_is_not_told_as_failed(harness):
    baked = harness.bake()
    harness.ready()
    painted = harness.submit(b"b")
    harness.say(PutBy(baked, messages.PresetBake(job=baked, name="x", minutes=12)))
    assert harness.runs() == [baked]
    harness.say(None)
    harness.scheduler.deliver(b"a")
    assert not harness.endings(baked)
    harness.ready()
    harness.finish(painted)
    assert harness.runs() == [painted, baked]


def test_baking_that_has_made_way_on_one_device_goes_on_on_another_whose_worker_dies():
    harness = Harness(device="cuda:0,cuda:1")
    baked, other = harness.bake(), harness.bake(b"b")
    for worker in (0, 1):
        harness.say(Ready(f"cuda:{worker}", 1000), worker)
    painted = harness.submit(b"c")
    harness.say(PutBy(baked, messages.PresetBake(job=baked, name="x", minutes=12)), 0)
    assert MakeWay(other) not in harness.workers[1].orders
    harness.finish(other, 1)
    assert harness.runs(1) == [other, painted]
    harness.finish(painted, 1)
    assert harness.runs(1) == [other, painted, baked]
    harness.say(None, 0)
    assert harness.state(baked) == "running"


def test_baking_cancelled_as_it_makes_way_is_not_queued_again(harness):
    baked = harness.bake()
    harness.ready()
    harness.submit(b"b")
    harness.scheduler.cancel(baked, "local", keep=False)
    harness.put_by(baked)
    assert harness.state(baked) == "cancelled" and harness.runs().count(baked) == 1
