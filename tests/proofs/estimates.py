"""Whether what is told beforehand comes true: twelve sizes and settings, the real daemon.

    python tests/proofs/estimates.py [CASE …]

The machine paints once, so that its rate is known; then each painting is told, painted and
measured. Memory is to be right within 25 %, beyond the small, and time within 40 %; the seconds
left never jump by more than a third after the first tenth. CASE is the number of one, from 0.
Takes a quarter of an hour on two cores. Ends with 1 when one was not right. Linux only.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from daemon_overhead import connected, running_daemon
from inputs import painting, photograph, picture_of
from large_pictures import GOOD, memory_mib, peak, the_worker
from PIL import Image

from impasto_protocol.client import Client
from impasto_protocol.messages import Progress
from impasto_protocol.settings import QUALITIES, Settings

DRAFT = Settings(**QUALITIES["draft"])
SHORT = replace(GOOD, iterations=60, refinement=4)
CASES = (
    (320, 240, GOOD), (512, 512, DRAFT), (640, 480, SHORT), (800, 600, GOOD), (1000, 1000, DRAFT),
    (1200, 900, replace(SHORT, memory_mib=1000)), (1600, 1200, DRAFT),
    (1600, 1200, replace(SHORT, optimiser="adam")), (2000, 1500, SHORT),
    (2400, 1600, replace(DRAFT, memory_mib=2000)), (3000, 2000, DRAFT), (4000, 3000, DRAFT),
)  # fmt: skip


def main() -> None:
    """Print a line for each case."""
    print(f"{'picture':>12} {'MiB told':>9} {'taken':>6} {'s told':>7} {'taken':>6} {'jump':>5}")
    right = True
    with (
        tempfile.TemporaryDirectory(prefix="impasto-") as home,
        running_daemon(Path(home), IMPASTO_MEMORY_MIB="4096"),
        connected(Path(home)) as client,
    ):
        style = picture_of(painting(640))
        client.stylise(picture_of(photograph(640)), style, SHORT).result()
        for width, height, settings in [CASES[int(case)] for case in sys.argv[1:]] or CASES:
            right = measure(client, width, height, settings) and right
    sys.exit(not right)


def measure(client: Client, width: int, height: int, settings: Settings) -> bool:
    """Print what was told and what came true; whether it was right."""
    content = picture_of(photograph(1024).resize((width, height), Image.Resampling.BICUBIC))
    told, worker = client.estimate((height, width), settings), the_worker(client)
    assert told and told.seconds
    time.sleep(1)  # by then the worker has given back what the painting before took
    idle, began = memory_mib(worker), time.perf_counter()
    left: list[tuple[float, float]] = []

    def note(message: object, _: object) -> None:
        if isinstance(message, Progress) and message.seconds_left is not None:
            left.append((time.perf_counter() - began, message.seconds_left))

    with peak(worker) as taken:
        client.stylise(content, picture_of(painting(640)), settings).result(note)
    took, memory = time.perf_counter() - began, taken[0] - idle
    jump = largest_jump([at for at in left if at[0] > took / 10])
    print(f"{width}x{height}".rjust(12), f"{told.memory_mib:>9} {memory:>6} {told.seconds:>7.1f} "
          f"{took:>6.1f} {jump:>5.0%}", flush=True)  # fmt: skip
    within = abs(told.memory_mib - memory) <= max(0.25 * memory, 150)
    return within and 0.6 <= told.seconds / took <= 1.4 and jump <= 1 / 3


def largest_jump(left: list[tuple[float, float]]) -> float:
    """The largest share by which the end was moved from one moment to the next."""
    ends = [at + seconds for at, seconds in left]
    return max(
        (abs(after - before) / max(seconds, 5) for (_, seconds), before, after
         in zip(left, ends, ends[1:], strict=False)), default=0.0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
