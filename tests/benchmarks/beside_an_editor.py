"""What a painting loses beside other programs that work, and what it takes from them.

    python tests/benchmarks/beside_an_editor.py

As many programs as a quarter of the cores, one at least, each keep a core busy, as an editor does
that draws. Thirty steps at 256 px, alone and beside them, in turns. Takes two minutes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from daemon_overhead import connected, running_daemon
from figures import Figure, print_table, ratios, seconds

from impasto_daemon.worker.threads import usable_cores
from impasto_protocol.client import Client
from impasto_protocol.settings import Settings

ROUNDS = 3
CORES = usable_cores()
PROGRAMS = max(1, CORES // 4)
LIMIT = 2.2 if CORES <= 2 else 1.5

BUSY = """
import signal, sys, time
count, began = 0, time.perf_counter()
def tell(*_):
    print(count / (time.perf_counter() - began), flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, tell)
while True:
    for _ in range(10_000):
        pass
    count += 1
"""
"""Prints how many times a second it went round when it is ended."""


@dataclass
class Told:
    """What programs beside tell when they are ended. speed: in any unit, of all together.

    frames_ms: how long each picture took, of a program that draws.
    """

    speed: float = 0.0
    frames_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Round:
    """Seconds of a painting alone and beside others; what these told without it and with it."""

    alone_s: float
    beside_s: float
    undisturbed: Told
    disturbed: Told


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as home:
        with running_daemon(Path(home)), connected(Path(home)) as client:
            rounds = rounds_beside(client, busy)
            print_table(f"beside {PROGRAMS} busy of {CORES} cores", beside(rounds))
        if hasattr(os, "sched_setaffinity"):
            print_table("on one core", on_one_core(Path(home)))


def rounds_beside(
    client: Client, others: Callable[[], AbstractContextManager[Told]]
) -> list[Round]:
    """Thirty steps alone, `others` alone for five seconds, and both, in turns."""
    paint = painter(client)
    paint()
    rounds = []
    for _ in range(ROUNDS):
        alone_s = seconds(paint)
        with others() as undisturbed:
            time.sleep(5)
        with others() as disturbed:
            beside_s = seconds(paint)
        rounds.append(Round(alone_s, beside_s, undisturbed, disturbed))
    return rounds


def beside(rounds: Sequence[Round]) -> Iterator[Figure]:
    """Seconds alone and beside the others, and what these keep of their speed."""
    alone, together = [each.alone_s for each in rounds], [each.beside_s for each in rounds]
    kept = [each.disturbed.speed / each.undisturbed.speed for each in rounds]
    yield Figure("thirty steps alone", alone, "s")
    yield Figure("thirty steps beside", together, "s")
    yield Figure("beside : alone", ratios(together, alone), "times", below=LIMIT)
    yield Figure("what the others keep of their speed", kept, at_least=0.9)


def on_one_core(home: Path) -> Iterator[Figure]:
    """A daemon that may use one core, against one that was told to take one thread."""
    cores = os.sched_getaffinity(0)
    told, bound = [], []
    for _ in range(ROUNDS):
        with running_daemon(home, IMPASTO_THREADS="1"), connected(home) as client:
            told.append(second_run(painter(client)))
        os.sched_setaffinity(0, {min(cores)})
        with running_daemon(home), connected(home) as client:
            bound.append(second_run(painter(client)))
        os.sched_setaffinity(0, cores)
    yield Figure("bound to one core : one thread", ratios(bound, told), "times", below=1.15)


def second_run(paint: Callable[[], None]) -> float:
    """Seconds of a run whose network and style are there already."""
    paint()
    return seconds(paint)


def painter(client: Client) -> Callable[[], None]:
    """Paints thirty steps at 256 px."""
    from inputs import painting, photograph, picture_of

    content, style = (picture_of(image) for image in (photograph(256), painting(256)))
    settings = Settings(iterations=30, scales=1, tolerance=0)
    return lambda: client.stylise(content, style, settings).result() and None


@contextmanager
def busy() -> Iterator[Told]:
    """Programs that each keep a core busy."""
    command = [sys.executable, "-c", BUSY]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROGRAMS)
    ]
    time.sleep(0.5)
    told = Told()
    try:
        yield told
    finally:
        for program in running:
            program.send_signal(signal.SIGTERM)
            told.speed += float(program.communicate()[0])


if __name__ == "__main__":
    main()
