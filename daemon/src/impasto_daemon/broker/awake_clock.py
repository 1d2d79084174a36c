"""Time without that in which the machine or this process was asleep, and could hear nobody."""

from __future__ import annotations

from collections.abc import Callable

_ASLEEP_S = 5
"""The daemon looks at its clock several times a second."""


class AwakeClock:
    """Seconds of another clock, which may go on during a suspend, less those it slept through."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._looked, self._asleep_s = clock, clock(), 0.0

    def __call__(self) -> float:
        """What it shows now."""
        now = self._clock()
        if now - self._looked > _ASLEEP_S:
            self._asleep_s += now - self._looked
        self._looked = now
        return now - self._asleep_s
