"""How much memory there is for a job, and how much it takes. Loads no torch."""

from __future__ import annotations

import psutil

from impasto_daemon.engine.budget import Plan, evaluation_work, make_plan
from impasto_daemon.engine.schedule import Size, Stage, schedule
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


def plans(
    whole: Size, part: Size, settings: Settings, number_bytes: int, budget_mib: int
) -> list[tuple[Stage, Plan]]:
    """The stages of a painting and how each is painted.

    whole, part: (height, width) of a picture and of what is painted of it. number_bytes: of a
    number of the feature maps. budget_mib: as much as it may take.
    """
    pixels = whole[0] * whole[1]
    return [
        (stage, make_plan(stage, pixels, number_bytes, budget_mib << 20))
        for stage in schedule(whole, part, settings)
    ]


def peak_mib(planned: list[tuple[Stage, Plan]]) -> int:
    """What a painting takes at most, in MiB, beside the network itself."""
    return max(plan.peak_bytes for _, plan in planned) >> 20


def work(planned: list[tuple[Stage, Plan]]) -> float:
    """What a painting costs, in floating-point operations."""
    return sum(stage.iterations * evaluation_work(stage, plan) for stage, plan in planned)
