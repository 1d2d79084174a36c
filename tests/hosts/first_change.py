"""Where each millisecond goes between a painter's click and what is seen of it."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.hosts.conftest import running_daemon
from tests.integration.conftest import Daemon

from impasto_protocol.settings import QUALITIES

SIZES = {"1 megapixel": (1155, 866), "12 megapixels": (4000, 3000)}
SHORT = {"iterations": 3, "working_px": 768, "refinement": 0, "tolerance": 0.0}
"""As *Good* until its first preview, and soon at its end."""
WAYS = {"painted at once": QUALITIES["instant"], "optimised": SHORT}
ROUNDS = 6
"""The first of each with no daemon running."""

Marks = dict[str, float]
"""Seconds from the click until each step was over, in order."""


@contextlib.contextmanager
def daemon_with_styles(folder: Path) -> Iterator[Daemon]:
    """One with the starter styles, in whose place an editor may start another."""
    with running_daemon(folder, starter_styles=True) as daemon:
        try:
            yield daemon
        finally:
            stop(daemon)


def stop(daemon: Daemon) -> None:
    """End the one that runs in its home."""
    daemon.impasto("daemon", "stop", check=False)


def print_steps(editor: str, found: dict[tuple[str, str], Sequence[Marks]]) -> None:
    """Print what each step takes, and when a change is seen: the first time, and then."""
    for (size, way), rounds in found.items():
        print(f"\n{editor}, {size}, {way}: ms at which each step is over")
        print(f"  {'':<28}{'cold':>8}{'warm':>8}{'spread':>8}")
        for name, cold, warm in _by_step(rounds):
            spread = max(warm) - min(warm)
            middle = statistics.median(warm)
            print(f"  {name:<28}{cold * 1000:>8.0f}{middle * 1000:>8.0f}{spread * 1000:>8.0f}")


def _by_step(rounds: Sequence[Marks]) -> Iterator[tuple[str, float, list[float]]]:
    cold, *warm = rounds
    for name in warm[0]:
        yield name, cold.get(name, float("nan")), [marks[name] for marks in warm if name in marks]
