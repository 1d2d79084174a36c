"""What the daemon adds to the painting itself: time per job, to start, to show and to answer.

    python tests/benchmarks/daemon_overhead.py

A wholly transparent picture is painted in no evaluation and comes back unchanged, so all the time
of such a job is the daemon's own. It is held against a bare echo of the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import zmq
from figures import Figure, in_turns, print_table, seconds

from impasto_protocol.client import Client, Job
from impasto_protocol.codec import Picture
from impasto_protocol.connection import connection_file, read_connection
from impasto_protocol.messages import Ping, Progress
from impasto_protocol.settings import QUALITIES, Settings

SIDES_PX = {1: (1000, 1000), 12: (3000, 4000), 48: (6000, 8000)}
"""Height and width by megapixels."""

LARGEST_PX = (2**17, 2**17), (60_000, 50_000), (2**17, 300)
ROUNDS = {1: 9, 12: 5, 48: 3}
STARTS = 7
PREVIEWS = 5
PINGS = 100
CANCELS = ENDS = 5


def main() -> None:
    """Print every table, or, given an endpoint, be the echo there."""
    if len(sys.argv) > 1:
        echo(sys.argv[1])
        return
    with tempfile.TemporaryDirectory(prefix="impasto-") as home:
        print_table("start", [Figure("process start to hello answered", start_times(Path(home)),
                                     "s", below=0.5)])  # fmt: skip
        with running_daemon(Path(home)), connected(Path(home)) as client:
            print_table("a warm job that paints nothing", overheads(client, Path(home)))
            print_table("an estimate, which all others wait for", [longest_estimate(client)])
            print_table(
                "while it paints at 512 px",
                [*previews(client), *pings(client, home), cancels(client)],
            )
        print_table("end, while it paints", [Figure("daemon ended", end_times(Path(home)),
                                                    "s", below=10)])  # fmt: skip


def overheads(client: Client, home: Path) -> Iterator[Figure]:
    """From submission to result, against twice the time of a bare echo and 50 ms."""
    with bare_echo(f"ipc://{home}/echo") as exchange:
        for megapixels, (height, width) in SIDES_PX.items():
            picture = transparent(height, width)
            _, (painted,) = client.stylise(picture, small_style()).result()
            assert bytes(painted.data) == picture.data

            def job(picture: Picture = picture) -> None:
                client.stylise(picture, small_style()).result()

            def raw(picture: Picture = picture) -> None:
                exchange.send_multipart([b"header", picture.data])
                exchange.recv_multipart()

            jobs, raws = in_turns(ROUNDS[megapixels], job, raw)
            over = [(one - 2 * other) * 1e3 for one, other in zip(jobs, raws, strict=True)]
            yield Figure(f"job of {megapixels} megapixels", [t * 1e3 for t in jobs], "ms")
            yield Figure(f"bare echo of {megapixels} megapixels", [t * 1e3 for t in raws], "ms")
            yield Figure(f"job less twice the echo, {megapixels} megapixels", over, "ms", below=50)


def longest_estimate(client: Client) -> Figure:
    """Milliseconds that the slowest estimate of the largest pictures takes."""
    settings = [
        Settings(**known, memory_mib=memory_mib)
        for known in QUALITIES.values()
        for memory_mib in (100, 3000, 100_000)
    ]
    times = [
        seconds(partial(client.estimate, size, chosen)) * 1e3
        for size in LARGEST_PX
        for chosen in settings
    ]
    return Figure("estimate of up to 131072 px a side, longest", [max(times)], "ms", below=100)


def start_times(home: Path) -> list[float]:
    """Seconds from starting the process to its answer to hello."""
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        with running_daemon(home), connected(home):
            times.append(time.perf_counter() - began)
    return times


def previews(client: Client) -> Iterator[Figure]:
    """Seconds from submission to the first preview: with a new style, then with a known one."""
    content, style = pictures()
    times = [seconds(lambda: first_preview(client, content, style)) for _ in range(PREVIEWS)]
    yield Figure("first preview, new style", times[:1], "s", below=2)
    yield Figure("first preview, known style", times[1:], "s", below=2)


def first_preview(client: Client, content: Picture, style: Picture) -> None:
    """Paint until a preview has come."""
    job = client.stylise(content, style, preview_px=256)
    for message, _ in job.events():
        if isinstance(message, Progress) and message.frames:
            job.cancel()
            return


def pings(client: Client, home: str) -> Iterator[Figure]:
    """How long another client waits for the answer to ping while a job runs."""
    job = begun(client)
    times = []
    with connected(Path(home)) as other:
        for _ in range(PINGS):
            times.append(seconds(lambda: other.ask(Ping())) * 1e3)
            time.sleep(0.05)
            client.pump()
    job.cancel()
    yield Figure("ping answered, median", [statistics.median(times)], "ms", below=100)
    yield Figure("ping answered, longest", [max(times)], "ms")


def cancels(client: Client) -> Figure:
    """Seconds from a cancel until its end is told."""
    times = []
    for _ in range(CANCELS):
        job = begun(client)
        job.cancel()
        times.append(seconds(lambda job=job: [*job.events()]))
    return Figure("a cancel told", times, "s", below=1)


def end_times(home: Path) -> list[float]:
    """Seconds from the daemon's signal to end until it is gone."""
    times = []
    for _ in range(ENDS):
        with running_daemon(home):
            with connected(home) as client:
                begun(client)
            began = time.perf_counter()
        times.append(time.perf_counter() - began)
    return times


def begun(client: Client) -> Job:
    """A job that paints."""
    content, style = pictures()
    job = client.stylise(content, style, Settings(scales=1), preview_px=256, keep=True)
    for message, _ in job.events():
        if isinstance(message, Progress) and message.step:
            break
    return job


def transparent(height: int, width: int) -> Picture:
    """Colours that alpha hides everywhere."""
    return Picture(height, width, 4, "uint8", bytes((10, 100, 200, 0)) * (height * width))


def small_style() -> Picture:
    """A style that costs nothing to send."""
    return Picture(16, 16, 3, "uint8", bytes(16 * 16 * 3))


def pictures() -> tuple[Picture, Picture]:
    """Content at 512 px and a style of 1024."""
    # Imported here, as the echo shall be light.
    from inputs import painting, photograph, picture_of

    return tuple(picture_of(image) for image in (photograph(512), painting(1024)))


@contextlib.contextmanager
def running_daemon(home: Path, **variables: str) -> Iterator[None]:
    """A daemon in a home of its own that takes a picture of any size."""
    environment = {name: value for name, value in os.environ.items() if "IMPASTO" not in name}
    environment |= {"IMPASTO_HOME": str(home), "IMPASTO_MEMORY_MIB": "1000000", **variables}
    if weights := os.environ.get("IMPASTO_WEIGHTS"):
        environment["IMPASTO_WEIGHTS"] = weights
    command = [sys.executable, "-m", "impasto_daemon.cli", "daemon", "run"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextlib.contextmanager
def connected(home: Path) -> Iterator[Client]:
    """A client of the daemon there, as soon as it answers."""
    file = connection_file(home / "run")
    while not file.exists():
        time.sleep(0.002)
    with Client(read_connection(file), name="benchmark") as client:
        yield client


@contextlib.contextmanager
def bare_echo(endpoint: str) -> Iterator[zmq.Socket[bytes]]:
    """A socket whose messages come back from another process."""
    process = subprocess.Popen([sys.executable, __file__, endpoint])
    with zmq.Context() as context, context.socket(zmq.DEALER) as exchange:
        exchange.linger = 0
        exchange.connect(endpoint)
        try:
            yield exchange
        finally:
            process.terminate()
            process.wait()


def echo(endpoint: str) -> None:
    """Send every message back to where it came from."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.bind(endpoint)
        while True:
            router.send_multipart(router.recv_multipart())


if __name__ == "__main__":
    main()
