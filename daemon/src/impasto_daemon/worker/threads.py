"""How many threads the worker's arithmetic takes: as many as there are cores that nobody else uses.

A thread on a core that an editor keeps busy is starved, as the worker gives way, and all the
others wait for it at the end of every operation.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from impasto_daemon.worker import control_groups

_EVERY_S = 0.5
_FIRST_S = 0.1
"""After so long it is looked at again, and in a job that has just begun."""


@dataclass(frozen=True)
class Usage:
    """Seconds of all cores that were used, by everybody and by this process, and of the clock."""

    everybody_s: float
    own_s: float
    clock_s: float

    @classmethod
    def now(cls) -> Usage:
        """Until now, since some moment in the past."""
        whole, own = psutil.cpu_times(), psutil.Process().cpu_times()
        waited = whole.idle + getattr(whole, "iowait", 0.0)
        counted_twice = getattr(whole, "guest", 0.0) + getattr(whole, "guest_nice", 0.0)
        used = sum(whole) - waited - counted_twice
        return cls(used, own.user + own.system, time.monotonic())


class ThreadLimit:
    """most: the threads there may be at all. cores: those of the machine, ours or not.

    measure: tells the usage so far; a parameter for tests.
    """

    def __init__(
        self, most: int, cores: int = os.cpu_count() or 1, measure: Callable[[], Usage] = Usage.now
    ) -> None:
        self._most, self._cores, self._measure = most, cores, measure
        self._before, self._after_s = measure(), _EVERY_S
        self.threads = most

    def begin(self) -> int:
        """The threads to begin a job with: those of the last one, until a short look is over."""
        self._before, self._after_s = self._measure(), _FIRST_S
        return self.threads

    def follow(self) -> int:
        """The threads to go on with, looked at anew every half second."""
        now = self._measure()
        passed_s = now.clock_s - self._before.clock_s
        if passed_s > self._after_s:
            own_s = now.own_s - self._before.own_s
            others = max(0.0, (now.everybody_s - self._before.everybody_s - own_s) / passed_s)
            # Others first take the cores that we may not use.
            in_our_way = max(0.0, others - (self._cores - self._most))
            self.threads = max(1, min(self._most, round(self._most - in_our_way)))
            self._before, self._after_s = now, _EVERY_S
        return self.threads


def usable_cores() -> int:
    """The cores that this process may use at once, by its affinity and by a container's quota."""
    allowed = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    return max(1, min(allowed, int(control_groups.cores() or allowed)))
