"""As many threads as there are cores that nobody else uses."""

import itertools

import pytest

from impasto_daemon.worker import threads
from impasto_daemon.worker.threads import ThreadLimit, Usage, usable_cores


def limit(most, cores, *, others, own=1.0):
    """A limit on a machine where each second others and this process use so many cores."""
    seconds = itertools.count()
    return ThreadLimit(most, cores, lambda: at(next(seconds), others, own))


def at(second, others, own):
    return Usage((others + own) * second, own * second, float(second))


@pytest.mark.parametrize(("others", "threads"), [
    (0.0, 2), (0.1, 2), (0.4, 2), (0.9, 1), (1.0, 1), (2.0, 1),
])  # fmt: skip
def test_thread_is_left_to_whoever_keeps_a_core_busy(others, threads):
    assert limit(2, 2, others=others, own=1.5).follow() == threads


@pytest.mark.parametrize(("busy", "threads"), [(0, 16), (1, 15), (4, 12), (16, 1), (20, 1)])
def test_many_cores_are_shared_likewise(busy, threads):
    assert limit(16, 16, others=busy).follow() == threads


def test_others_first_take_the_cores_that_we_may_not_use():
    assert limit(2, 8, others=6.0).follow() == 2
    assert limit(2, 8, others=7.0).follow() == 1


def test_own_arithmetic_is_not_in_its_own_way():
    assert limit(4, 4, others=0.0, own=4.0).follow() == 4


def test_threads_come_back_when_the_other_program_rests():
    seconds = iter([at(0, 0, 1), at(1, 1, 1), Usage(4.0, 3.0, 2.0)])
    follows = ThreadLimit(2, 2, lambda: next(seconds))
    assert [follows.follow(), follows.follow()] == [1, 2]


def test_it_is_not_looked_at_more_often_than_every_half_second():
    moments = iter([at(0, 1, 1), at(0.2, 1, 1), at(0.4, 1, 1), at(0.6, 1, 1)])
    follows = ThreadLimit(2, 2, lambda: next(moments))
    assert [follows.follow() for _ in range(3)] == [2, 2, 1]


def test_job_begins_as_the_last_one_ended_and_looks_soon():
    later = [Usage(18.05, 9.05, 9.05), Usage(18.2, 9.2, 9.2)]
    moments = iter([at(0, 1, 1), at(1, 1, 1), at(9, 1, 1), *later])
    follows = ThreadLimit(2, 2, lambda: next(moments))
    assert [follows.follow(), follows.begin(), follows.follow(), follows.follow()] == [1, 1, 1, 2]


def test_usage_of_this_machine_grows_with_what_is_done():
    before = Usage.now()
    while Usage.now().own_s - before.own_s < 0.2:
        sum(range(10_000))
    after = Usage.now()
    assert after.everybody_s - before.everybody_s > 0.15
    assert after.clock_s > before.clock_s


@pytest.mark.parametrize(
    ("given", "cores"), [(0.0, 8), (0.5, 1), (1.0, 1), (1.5, 1), (2.0, 2), (64, 8)]
)
def test_no_more_threads_than_affinity_and_quota_let_run(monkeypatch, given, cores):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(threads.control_groups, "cores", lambda: given)
    assert usable_cores() == cores
