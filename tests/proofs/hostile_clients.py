"""Bad clients by the thousand, at a private socket and a TCP port, while an honest one is served.

    python tests/proofs/hostile_clients.py [--connects 10000] [--silent 2000] [--asks 30000]

One after the other: connections that end at once; silent ones, all at the same time; 100 MB before
a handshake; requests by a client that reads none of their answers and of one that reads slowly;
messages that stop in the middle. All the while a client pings, and a painting of its own must end.
Tells how long the pings took, what the daemon's process has grown by at most and in the end, and
how many descriptors it had. Ends with 1 if the painting does not end, a ping takes longer than a
second, more than 20 MiB are taken, or a descriptor is left. Some three minutes. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from tests.hostile import clients
from tests.integration.conftest import make_daemon

from impasto_protocol import messages
from impasto_protocol.client import Client
from impasto_protocol.codec import Picture
from impasto_protocol.connection import connection_file, read_connection
from impasto_protocol.settings import Settings

LONGEST_PING_S = 1.0
GROWTH_MIB = 20
SETTLES_S = 60
LONG = Settings(iterations=100_000, tolerance=0)


def main() -> None:
    """As the options have it, at both kinds of address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--connects", type=int, default=10_000)
    parser.add_argument("--silent", type=int, default=2000)
    parser.add_argument("--asks", type=int, default=30_000)
    arguments = parser.parse_args()
    for options in ([], ["--endpoint", "tcp://127.0.0.1:*"]):
        with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
            daemon = make_daemon(Path(folder)).start(*options)
            try:
                besiege(daemon, arguments)
            finally:
                daemon.end()


def besiege(daemon: Any, arguments: argparse.Namespace) -> None:
    """Print a line for each kind of bad client."""
    connection = read_connection(connection_file(daemon.runtime))
    endpoint = connection.endpoint
    kinds: dict[str, Callable[[], None]] = {
        f"{arguments.connects} connects": lambda: connects(endpoint, arguments.connects),
        f"{arguments.silent} silent at once": lambda: silent(endpoint, arguments.silent),
        f"{arguments.asks} requests, no answer read": lambda: deaf(connection, arguments.asks),
        "as many, one answer read in 10": lambda: deaf(connection, arguments.asks, every=10),
    }
    if endpoint.startswith("tcp"):
        first = clients.greeting(b"CURVE") + clients.LARGE_COMMAND
        kinds["100 MB before the handshake"] = lambda: print(
            f"  {clients.flood(endpoint, first, 100)} MB were taken"
        )
    else:
        kinds["10 stopped in mid-message, after 1 MiB"] = lambda: halves(endpoint, 10)
    print(endpoint.partition(":")[0], flush=True)
    with daemon.connect() as client, pinging(daemon.connect) as took_s:
        noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
        content, style = (Picture(64, 64, 3, "uint8", pixels.tobytes()) for pixels in noise)
        job = client.stylise(content, style, LONG)
        next(message for message, _ in job.events() if isinstance(message, messages.Progress))
        for name, act in kinds.items():
            watch = clients.Watch(daemon.process.pid)
            descriptors = watch.descriptors
            took_s.clear()
            with watching(watch) as most:
                act()
            until(lambda: watch.descriptors <= descriptors)  # noqa: B023 - called at once
            pinged = len(took_s)
            until(lambda: len(took_s) > pinged)  # noqa: B023 - called at once: it pings on
            client.pump()
            print(
                f"  {name}: at most {most[0]:.1f} MiB more and {most[1] - descriptors} descriptors,"
                f" {watch.grown_mib:.1f} MiB in the end; pings at most {1000 * max(took_s):.0f} ms,"
                f" 99 % under {1000 * np.percentile(took_s, 99):.0f} ms",
                flush=True,
            )
            assert most[0] < GROWTH_MIB and max(took_s) < LONGEST_PING_S
        job.cancel(keep=True)
        print(f"  painting: {job.result()[0].steps} steps", flush=True)


def connects(endpoint: str, count: int) -> None:
    """Connections that end at once."""
    for _ in range(count):
        clients.connect(endpoint).close()


def silent(endpoint: str, count: int) -> None:
    """Connections of which nothing is heard, for five seconds."""
    with contextlib.ExitStack() as held:
        for _ in range(count):
            held.enter_context(clients.connect(endpoint))
        time.sleep(5)


def deaf(connection: Any, asks: int, every: int = 0) -> None:
    """Requests by a client that reads nothing, or one answer in `every`."""
    client = clients.Deaf(connection)
    read = 0
    for number in range(asks):
        client.send(messages.Status(request=number))
        if every and number % every == 0:
            client.read()
            read += 1
    print(f"  {read + client.read_all()} of {client.asked} answers were there to be read")
    client.close()


def halves(endpoint: str, count: int) -> None:
    """Messages that stop in the middle, for five seconds."""
    with contextlib.ExitStack() as held:
        for _ in range(count):
            held.enter_context(clients.half_a_message(endpoint))
        time.sleep(5)


@contextlib.contextmanager
def watching(watch: clients.Watch) -> Iterator[list[float]]:
    """The most memory more, in MiB, and the most descriptors that a process has meanwhile."""
    most, over = [0.0, 0.0], threading.Event()

    def look() -> None:
        while True:
            most[0] = max(most[0], watch.grown_mib)
            most[1] = max(most[1], watch.descriptors)
            if over.wait(0.02):
                return

    with thread(look, over):
        yield most


@contextlib.contextmanager
def pinging(connect: Callable[[str], Client]) -> Iterator[list[float]]:
    """How long each ping takes, in seconds, of a client that does nothing else."""
    took_s, over = list[float](), threading.Event()

    def ping() -> None:
        with connect("honest") as client:
            while not over.wait(0.02):
                asked = time.monotonic()
                client.ask(messages.Ping())
                took_s.append(time.monotonic() - asked)

    with thread(ping, over):
        yield took_s


@contextlib.contextmanager
def thread(act: Callable[[], None], over: threading.Event) -> Iterator[None]:
    """Something done beside, until it is over."""
    beside = threading.Thread(target=act)
    beside.start()
    try:
        yield
    finally:
        over.set()
        beside.join()


def until(is_so: Callable[[], bool]) -> None:
    """Wait; fails after a minute."""
    deadline = time.monotonic() + SETTLES_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


if __name__ == "__main__":
    main()
