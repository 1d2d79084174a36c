"""How much memory there is for a job. Loads no torch."""

from __future__ import annotations

import psutil

from impasto_protocol.settings import Settings

_SHARE = 0.7
"""Of what is free: an editor beside it works on."""

_STEPS_MIB = [step << power for power in range(6, 24) for step in (2, 3)]


def free_mib() -> int:
    """What a job may take of this machine's memory, in MiB."""
    return rounded_mib(int(psutil.virtual_memory().available * _SHARE) >> 20)


def rounded_mib(memory_mib: int) -> int:
    """So much or a little less, so that what is free now and then comes to the same plan."""
    return max((step for step in _STEPS_MIB if step <= memory_mib), default=memory_mib)


def allowed_mib(settings: Settings, free: int) -> int:
    """What a painting may take of so many MiB: all, unless its settings want less."""
    return min(settings.memory_mib or free, free)
