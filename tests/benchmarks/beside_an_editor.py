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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon_overhead import connected, running_daemon
from figures import Figure, print_table, ratios, seconds

from impasto_protocol.client import Client
from impasto_protocol.codec import Picture
from impasto_protocol.settings import Settings

ROUNDS = 3
PROGRAMS = max(1, (os.cpu_count() or 1) // 4)
LIMIT = 2.2 if (os.cpu_count() or 1) <= 2 else 1.5

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


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as home:
        with running_daemon(Path(home)), connected(Path(home)) as client:
            print_table(f"beside {PROGRAMS} busy of {os.cpu_count()} cores", beside(client))
        if hasattr(os, "sched_setaffinity"):
            print_table("on one core", on_one_core(Path(home)))


def beside(client: Client) -> Iterator[Figure]:
    """Seconds alone and beside the busy programs, and what these keep of their speed."""
    paint = painter(client)
    paint()
    alone, together, kept = [], [], []
    for _ in range(ROUNDS):
        alone.append(seconds(paint))
        with busy() as undisturbed:
            time.sleep(5)
        with busy() as disturbed:
            together.append(seconds(paint))
        kept.append(sum(disturbed) / sum(undisturbed))
    yield Figure("thirty steps alone", alone, "s")
    yield Figure("thirty steps beside", together, "s")
    yield Figure("beside : alone", ratios(together, alone), "times", below=LIMIT)
    yield Figure("what the programs keep of their speed", kept, at_least=0.9)


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
    from inputs import painting, photograph

    content, style = (
        Picture(image.height, image.width, 3, "uint8", image.tobytes())
        for image in (photograph(256), painting(256))
    )
    settings = Settings(iterations=30, scales=1, tolerance=0)
    return lambda: client.stylise(content, style, settings).result() and None


@contextmanager
def busy() -> Iterator[list[float]]:
    """Programs that each keep a core busy; afterwards the list has how fast each was."""
    command = [sys.executable, "-c", BUSY]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROGRAMS)
    ]
    time.sleep(0.5)
    speeds: list[float] = []
    try:
        yield speeds
    finally:
        for program in running:
            program.send_signal(signal.SIGTERM)
            speeds.append(float(program.communicate()[0]))


if __name__ == "__main__":
    main()
