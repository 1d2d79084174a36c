"""One daemon's long day: jobs of every kind, one in twenty of which something happens to.

    python tests/proofs/soak.py FOLDER [--jobs 2000] [--hours 24] [--faults 0.05] [--seed 0]

Until so many jobs are done or so much time has gone by; what was seen is written to FOLDER, and
the same command again goes on where it was ended. Things that happen: a cancel, with and without
what there is; a program that goes away; a message that cannot be read; a pixel of NaN; a worker
that is killed, after which the job must be done all the same. Ends with 1 when a job ends otherwise
than it must, the same job gives other bytes than at the start, a file is left over, or there are
more descriptors than at the start. Memory is printed as a slope over the last three quarters of
each process's life. Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from home import LONGEST_S, Home

from impasto_protocol import errors
from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.client import Client, Job, new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.messages import Ping, PresetDelete, PresetSave, Progress, Report, Status
from impasto_protocol.settings import Settings

SAMPLE_EVERY = 10
SAME_EVERY = 100
QUICK = Settings(iterations=4, tolerance=0, scales=1)
LONG = Settings(iterations=100_000, tolerance=0, scales=1)
KILLED = 1 / 30
"""Of what happens, how often it is the worker that is killed; it must live long to be measured."""


def noise(height: int, width: int, seed: int, channels: int = 3) -> Picture:
    """A picture that is another for each seed."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return Picture(height, width, channels, "uint8", values.tobytes())


class Day:
    """What is asked of the daemon of a home."""

    def __init__(self, home: Home, client: Client, seed: int) -> None:
        self.home, self.client, self.chance = home, client, random.Random(seed)

    def job(self) -> None:
        """Something that must succeed."""
        self.chance.choice((self.paint, self.paint_kept, self.paint_two, self.at_once, self.keep))()

    def fault(self) -> str:
        """Something that must not; its name."""
        if self.chance.random() < KILLED:
            self.killed()
            return "killed"
        happening: Callable[[], None] = self.chance.choice(
            (self.cancelled, self.concluded, self.gone, self.unreadable, self.nan)
        )
        happening()
        return happening.__name__

    def same(self) -> str:
        """The digest of what one and the same job gives."""
        _, (painted,) = self.client.stylise(noise(48, 64, 1), noise(40, 40, 2), QUICK).result()
        return hashlib.sha256(painted.data).hexdigest()

    def content(self) -> Picture:
        """A picture of any size."""
        height, width = self.chance.randint(1, 160), self.chance.randint(1, 160)
        return noise(height, width, self.chance.randrange(2**32), self.chance.choice((1, 3, 4)))

    def paint(self) -> None:
        """In the style of a picture."""
        self.client.stylise(self.content(), noise(64, 64, 3), QUICK, preview_px=64).result()

    def paint_kept(self) -> None:
        """In a style that is kept."""
        self.client.stylise(self.content(), "Kept", QUICK).result()

    def paint_two(self) -> None:
        """In two styles, one of them in a mask."""
        content = self.content()
        mask = noise(content.height, content.width, 5, 1)
        chosen = [ChosenStyle("Kept"), ChosenStyle(noise(64, 64, 6), mask=mask)]
        self.client.stylise(content, chosen, QUICK).result()

    def at_once(self) -> None:
        """In a style that is baked."""
        self.client.stylise(self.content(), "Kept", Settings(iterations=0)).result()

    def keep(self) -> None:
        """Keep a style, and remove it."""
        message = PresetSave(job=new_job_id(), name="Kept for a while", settings=QUICK)
        self.client.submit(message, {"style": noise(96, 96, 7)}).result()
        self.client.ask(PresetDelete(name=message.name))

    def long(self, client: Client) -> Job:
        """One that would not end, and has begun."""
        job = client.stylise(self.content(), noise(64, 64, 8), LONG)
        next(message for message, _ in job.events() if isinstance(message, Progress))
        return job

    def cancelled(self) -> None:
        """It is told so."""
        job = self.long(self.client)
        job.cancel()
        self.refused(job, errors.Cancelled)

    def concluded(self) -> None:
        """What there is comes back."""
        job = self.long(self.client)
        job.cancel(keep=True)
        job.result()

    def gone(self) -> None:
        """A program that goes away takes its job with it."""
        with self.home.connect("gone") as client:
            job = self.long(client)
        deadline = time.monotonic() + LONGEST_S
        while self.state(job) != "cancelled":
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def state(self, job: Job) -> str:
        """What the daemon says of it."""
        return next(info.state for info in self.report().jobs if info.job == job.id)

    def report(self) -> Report:
        """What the daemon says of itself."""
        found, _ = self.client.ask(Status())
        assert isinstance(found, Report)
        return found

    def unreadable(self) -> None:
        """It is dropped and counted, and nothing else."""
        before = self.report().dropped
        with self.home.connect("unreadable") as client:
            client._transport.send([b"\xc1"])
            client.ask(Ping())
        assert self.report().dropped == before + 1

    def nan(self) -> None:
        """A pixel of them is left as it is, and all others are painted."""
        values = np.random.default_rng(10).random((32, 32, 3), np.float32)
        values[3, 4] = np.nan
        job = self.client.stylise(Picture(32, 32, 3, "float32", values.tobytes()), "Kept", QUICK)
        _, (painted,) = job.result()
        found = np.frombuffer(painted.data, np.float32).reshape(values.shape)
        assert np.array_equal(np.isnan(found), np.isnan(values))

    def killed(self) -> None:
        """Another worker paints it."""
        job = self.client.stylise(noise(128, 128, 9), noise(64, 64, 3), Settings(iterations=40))
        next(message for message, _ in job.events() if isinstance(message, Progress))
        (worker,) = self.home.processes()["worker"]
        worker.kill()
        job.result()

    def refused(self, job: Job, kind: type[errors.ImpastoError]) -> None:
        """It ends so and not otherwise."""
        try:
            job.result()
        except kind:
            return
        raise AssertionError(f"{kind.__name__} was not raised")


def measure(home: Home, jobs: int, seconds: float) -> Iterator[dict[str, Any]]:
    """The memory and descriptors of the daemon and its worker."""
    for kind, processes in home.processes().items():
        for process in processes:
            yield {
                "jobs": jobs, "s": seconds, "kind": kind, "pid": process.pid,
                "mib": process.memory_info().rss / 2**20, "descriptors": process.num_fds(),
            }  # fmt: skip


def slope(samples: list[dict[str, Any]]) -> float:
    """MiB an hour over the last three quarters of each process's samples, all fitted together."""
    times, sizes = [], []
    lives = defaultdict(list)
    for sample in samples:
        lives[sample["pid"]].append((sample["s"] / 3600, sample["mib"]))
    for life in lives.values():
        settled = np.array(life[len(life) // 4 :])
        times.append(settled[:, 0] - settled[:, 0].mean())
        sizes.append(settled[:, 1] - settled[:, 1].mean())
    along = np.concatenate(times)
    return float(along @ np.concatenate(sizes) / max(1e-9, along @ along))


def report(seen: list[dict[str, Any]]) -> None:
    """Print what was seen. Raises where it is not what it must be."""
    samples = [line for line in seen if "mib" in line]
    print(f"{samples[-1]['jobs']} jobs in {samples[-1]['s'] / 3600:.2f} h")
    happened = [line["fault"] for line in seen if "fault" in line]
    print({name: happened.count(name) for name in sorted(set(happened))})
    for kind in ("daemon", "worker"):
        of_kind = [sample for sample in samples if sample["kind"] == kind]
        descriptors = [sample["descriptors"] for sample in of_kind]
        print(f"{kind}: {of_kind[0]['mib']:.0f} to {of_kind[-1]['mib']:.0f} MiB, "
              f"{slope(of_kind):+.1f} MiB an hour; "
              f"descriptors {descriptors[0]} to {descriptors[-1]}")  # fmt: skip
        assert descriptors[-1] <= descriptors[0] + 2


def main() -> None:
    """Have the day, or the rest of it, and print what was seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--faults", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    seen_file, home = arguments.folder / "seen.jsonl", Home(arguments.folder.resolve() / "home")
    seen = [json.loads(line) for line in seen_file.open()] if seen_file.exists() else []
    before = max((line["s"] for line in seen), default=0.0)
    first = max((line["jobs"] for line in seen), default=0)
    same = {line["same"] for line in seen if "same" in line}
    began = time.monotonic()
    with home.running(), home.connect("soak") as client, seen_file.open("a") as file:
        day = Day(home, client, arguments.seed + first)
        if not first:
            home.check("style", "bake", "Kept", "--minutes", 0.05)
        for number in itertools.count(first):
            seconds = before + time.monotonic() - began
            found: list[dict[str, Any]] = []
            if number % SAME_EVERY == 0:
                found.append({"same": day.same()})
                same.add(found[-1]["same"])
                assert len(same) == 1, "the same job gave other bytes"
            if number % SAMPLE_EVERY == 0:
                found += measure(home, number, seconds)
            ended = number >= arguments.jobs or seconds > 3600 * arguments.hours
            if not ended and day.chance.random() < arguments.faults:
                found.append({"fault": day.fault()})
            elif not ended:
                day.job()
            stamped = [{"jobs": number, "s": seconds, **line} for line in found]
            file.writelines(f"{json.dumps(line)}\n" for line in stamped)
            file.flush()
            seen += stamped
            if ended:
                break
    report(seen)


if __name__ == "__main__":
    main()
