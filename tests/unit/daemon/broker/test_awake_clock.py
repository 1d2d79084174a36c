"""A machine that was asleep for an hour, where the clock goes on meanwhile."""

from impasto_daemon.broker.awake_clock import AwakeClock


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_hour_asleep_does_not_count_and_every_moment_awake_does():
    clock = Clock()
    awake = AwakeClock(clock)
    began = awake()
    for _ in range(40):
        clock.now += 0.25
        awake()
    clock.now += 3600
    assert awake() - began == 10
    clock.now += 0.25
    assert awake() - began == 10.25
