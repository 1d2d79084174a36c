"""Times taken in turns, and the table of what they say.

Other programs slow a machine down for seconds at a time, so only what ran in turns is compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """A line of the table. values: one of each round. limit: what their median must keep to."""

    name: str
    values: Sequence[float]
    unit: str = ""
    at_least: float | None = None
    below: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """The target and whether it is met; empty when there is none."""
        for sign, limit, met in (
            ("≥", self.at_least, self.median >= (self.at_least or 0)),
            ("<", self.below, self.median < (self.below or 0)),
        ):
            if limit is not None:
                return f"{sign} {_short(limit):<8} {'met' if met else 'NOT MET'}"
        return ""


def print_table(title: str, figures: Iterable[Figure]) -> None:
    """Print the median, unit, spread (most less least) and target of each as it is found."""
    print(f"\n{title:<62}{'median':>9} {'':<9}{'spread':>9}   target", flush=True)
    for figure in figures:
        spread = _short(max(figure.values) - min(figure.values)) if len(figure.values) > 1 else ""
        print(
            f"  {figure.name:<60}{_short(figure.median):>9} {figure.unit:<9}{spread:>9}   "
            f"{figure.verdict}",
            flush=True,
        )


def seconds(work: Work) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(rounds: int, *works: Work) -> list[list[float]]:
    """Seconds of each of `works`, `rounds` times in turns, after a first turn that does not count.

    The order is turned round each time, so that none always runs on the heels of the same other.
    """
    for work in works:
        work()
    times: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        order = list(enumerate(works))
        for index, work in order if number % 2 else reversed(order):
            times[index].append(seconds(work))
    return times


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """`over` / `under`, round by round."""
    return [one / other for one, other in zip(over, under, strict=True)]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
