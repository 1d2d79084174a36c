"""Memory of large pictures in a small budget: the real daemon, the default quality.

    python tests/proofs/large_pictures.py [--steps N] [WIDTHxHEIGHT:MIB …]

Each picture is painted by a daemon that may take so many MiB; printed is the most that its worker
took beyond what it has when idle, and what was told beforehand. With `--steps` every stage gets so
few evaluations, which is enough to see the memory, as every stage takes all of its own at once.
Ends with 1 when a promise was broken. Linux only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import psutil
from daemon_overhead import connected, running_daemon
from inputs import painting, photograph, picture_of
from PIL import Image

from impasto_protocol.client import Client
from impasto_protocol.settings import QUALITIES, Settings

PROMISES = ("1024x768:1024", "2000x1500:2048", "4000x3000:2048", "4000x3000:4096",
            "8192x8192:8192", "16384x8192:16384")  # fmt: skip
GOOD = Settings(**QUALITIES["good"])


def main() -> None:
    """Print a line for each promise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("promises", nargs="*", default=PROMISES)
    arguments = parser.parse_args()
    settings = GOOD
    if arguments.steps:
        count = len(Settings().style_layers)  # as many as there are scales, at most
        settings = replace(GOOD, iterations=count * arguments.steps, refinement=arguments.steps)
    broken = False
    print(f"{'picture':>14} {'budget':>8} {'told':>8} {'taken':>8} {'idle after':>10}   seconds")
    for promise in arguments.promises:
        size, budget = promise.split(":")
        width, height = map(int, size.split("x"))
        told, taken, left, took = paint(width, height, int(budget), settings)
        broken = broken or taken > int(budget)
        print(f"{size:>14} {budget:>8} {told:>8} {taken:>8} {left:>10}   {took:.0f}", flush=True)
    sys.exit(broken)


def paint(width: int, height: int, budget_mib: int, settings: Settings) -> tuple[int, ...]:
    """MiB told beforehand, MiB taken at most, MiB that the worker kept, and seconds."""
    with (
        tempfile.TemporaryDirectory(prefix="impasto-") as home,
        running_daemon(Path(home), IMPASTO_MEMORY_MIB=str(budget_mib)),
        connected(Path(home)) as client,
    ):
        style = picture_of(painting(640))
        client.stylise(picture_of(photograph(64)), style, Settings(iterations=1)).result()
        worker = the_worker(client)
        content = picture_of(photograph(1024).resize((width, height), Image.Resampling.BICUBIC))
        told = client.estimate((height, width), settings)
        assert told
        idle, began = memory_mib(worker), time.perf_counter()
        with peak(worker) as taken:
            client.stylise(content, style, settings).result()
        took = time.perf_counter() - began
        time.sleep(1)  # the worker gives its memory back after it has sent the result
        return told.memory_mib, taken[0] - idle, memory_mib(worker) - idle, int(took)


def the_worker(client: Client) -> psutil.Process:
    """The worker's process: of the daemon's children the largest."""
    from impasto_protocol.messages import Report, Status

    report, _ = client.ask(Status())
    assert isinstance(report, Report)
    children = psutil.Process(report.pid).children()
    return max(children, key=lambda child: child.memory_info().rss)


def memory_mib(process: psutil.Process) -> int:
    """What a process has in memory."""
    return int(process.memory_info().rss) >> 20


@contextmanager
def peak(process: psutil.Process) -> Iterator[list[int]]:
    """The most that a process had in memory meanwhile, in MiB."""
    folder, found = Path(f"/proc/{process.pid}"), [0]
    (folder / "clear_refs").write_text("5")
    yield found
    lines = (folder / "status").read_text().splitlines()
    found[0] = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10


if __name__ == "__main__":
    main()
