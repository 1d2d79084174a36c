"""Many clients at once, each with one job after the other, and what each gets of the daemon.

    python tests/proofs/load.py [--minutes 30] [--clients 64] [--queue 64] [--seed 0]

Each client has a size and a way to paint of its own, watches previews, and when it is told that
there is no place waits a second and asks again. Beside them one more asks the daemon for a sign of
life ten times a second. Printed are the jobs of the best and the worst served client (as whoever
was served longest ago comes next, they must not be a factor of two apart), the median and the 99th
percentile of the sign of life, and the memory of the daemon and its worker. Ends with 1 when a
picture is another's, a job is lost, somebody is told of a full queue that is not, or a client gets
less than half of another. Linux only.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from home import Home

from impasto_protocol.codec import Picture
from impasto_protocol.errors import Busy
from impasto_protocol.messages import Ping
from impasto_protocol.settings import Settings

SIZES_PX = (32, 48, 64, 96, 192)
PING_EVERY_S = 0.1
AGAIN_S = 1.0


class Load:
    """What the clients of a home have seen until `end`, in seconds of the clock.

    queue: how many jobs may wait.
    """

    def __init__(self, home: Home, queue: int, end: float) -> None:
        self.home, self.queue, self.end = home, queue, end
        self.jobs, self.busy = Counter[int](), Counter[int]()
        self.pings_s: list[float] = []
        self.most_mib: dict[str, float] = {}

    def paint(self, number: int, seed: int) -> None:
        """One client: jobs until the end, each of which must end with its own size."""
        chance = random.Random(seed + number)
        side = chance.choice(SIZES_PX)
        height, width = side, side + number  # no other client's
        noise = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        content = Picture(height, width, 3, "uint8", noise.tobytes())
        settings = Settings(iterations=chance.randint(1, 6), scales=1, tolerance=0)
        with self.home.connect(f"client {number}") as client:
            while time.monotonic() < self.end:
                try:
                    job = client.stylise(
                        content, "Kept", settings, preview_px=chance.choice((0, 64))
                    )
                    _, (painted,) = job.result()
                except Busy as error:
                    assert str(error).startswith(f"{self.queue} jobs are waiting"), error
                    self.busy[number] += 1
                    time.sleep(AGAIN_S)
                    continue
                assert (painted.height, painted.width) == (height, width)
                self.jobs[number] += 1

    def ping(self) -> None:
        """Ask for a sign of life until the end."""
        with self.home.connect("ping") as client:
            while time.monotonic() < self.end:
                asked = time.perf_counter()
                client.ask(Ping())
                self.pings_s.append(time.perf_counter() - asked)
                time.sleep(PING_EVERY_S)

    def watch(self) -> None:
        """See what memory they take, once a second."""
        while time.monotonic() < self.end:
            for kind, processes in self.home.processes().items():
                for process in processes:
                    mib = process.memory_info().rss / 2**20
                    self.most_mib[kind] = max(self.most_mib.get(kind, 0), mib)
            time.sleep(1)


def main() -> None:
    """Load a daemon and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--queue", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        home = Home(Path(folder), IMPASTO_QUEUE=str(arguments.queue))
        with home.running() as daemon:
            home.check("apply", home.folder / "photo.png", "--preset", "Kept", "-o",
                       home.folder / "painted-0.png", "--iterations", 2)  # fmt: skip
            before = daemon.memory_info().rss / 2**20, daemon.num_fds()
            load = Load(home, arguments.queue, time.monotonic() + 60 * arguments.minutes)
            with ThreadPoolExecutor(arguments.clients + 2) as pool:
                running = [pool.submit(load.ping), pool.submit(load.watch)]
                running += [
                    pool.submit(load.paint, number, arguments.seed)
                    for number in range(arguments.clients)
                ]
            for one in running:
                one.result()
            after = daemon.memory_info().rss / 2**20, daemon.num_fds()
    jobs = [load.jobs[number] for number in range(arguments.clients)]
    median_ms, most_ms = 1000 * np.percentile(load.pings_s, [50, 99])
    print(f"{sum(jobs)} jobs, of a client {min(jobs)} to {max(jobs)}; "
          f"no place {sum(load.busy.values())} times")  # fmt: skip
    print(f"a sign of life: median {median_ms:.1f} ms, 99th percentile {most_ms:.1f} ms")
    print(f"the daemon: {before[0]:.0f} MiB and {before[1]} descriptors before, "
          f"{after[0]:.0f} and {after[1]} after")  # fmt: skip
    print("most: " + ", ".join(f"{kind} {mib:.0f} MiB" for kind, mib in load.most_mib.items()))
    assert bool(load.busy) == (arguments.clients > arguments.queue + 1)
    assert max(jobs) <= 2 * min(jobs) + 1  # the one that is painted when it ends


if __name__ == "__main__":
    main()
