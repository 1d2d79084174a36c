"""SIGKILL at random to the daemon, its worker or a program that asked for something.

    python tests/proofs/kills.py [--kills 1000] [--seed 0]

Each time a picture is painted, a style is kept, a pack is imported and a style is baked at once;
one to six times a process of theirs is killed, a random while after the last. Then every program
that was not must have ended by itself, with a painting or an error, every style and picture must be
whole or absent, and the next painting must succeed, with one daemon and one worker. In the end no
process, and no file but what was asked for, is left. On two cores about two hours. Ends with 1 at
the first thing that is not so. Linux only.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from home import LONGEST_S, Home

MOST_AT_ONCE = 6


def main() -> None:
    """Print what was killed, and how the programs ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance, killed, ended = random.Random(arguments.seed), Counter[str](), Counter[str]()
    taken_mib: dict[str, list[int]] = {"daemon": [], "worker": []}
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        home, number = Home(Path(folder)), 0
        while killed.total() < arguments.kills:
            count = min(chance.randint(1, MOST_AT_ONCE), arguments.kills - killed.total())
            kill(home, number, count, chance, killed, ended)
            home.check_files()
            home.check("apply", home.folder / "photo.png", "--preset", "Kept",
                       "-o", home.folder / "next.png", "--iterations", 2)  # fmt: skip
            for kind, (process,) in home.processes().items():
                taken_mib[kind].append(process.memory_info().rss >> 20)
            number += 1
            if number % 10 == 0 or killed.total() == arguments.kills:
                memory = ", ".join(
                    f"{kind} {min(mib)} to {max(mib)} MiB" for kind, mib in taken_mib.items()
                )
                print(f"{number} times, {killed.total()} kills: {dict(killed)}; "
                      f"programs ended with {dict(ended)}; {memory}", flush=True)  # fmt: skip
        home.check("daemon", "stop")
        assert not home.left(), home.left()


def jobs(home: Home, number: int) -> list[subprocess.Popen[str]]:
    """A job of each kind."""
    photo, style = home.folder / "photo.png", home.folder / "style.png"
    painted = home.folder / f"painted-{number}.png"
    return [
        home.start("apply", photo, "--style", style, "-o", painted, "--iterations", 60),
        home.start("style", "add", f"Style {number}", style),
        home.start("style", "import", home.folder / "pack.zip", "--replace"),
        home.start("style", "bake", "Kept", "--minutes", 0.05),
    ]


def kill(
    home: Home, number: int, count: int, chance: random.Random, killed: Counter[str],
    ended: Counter[str],
) -> None:  # fmt: skip
    """Kill so many processes of a job of each kind; `killed` and `ended` are added to."""
    clients, victims = jobs(home, number), set[int]()
    for _ in range(count):
        time.sleep(chance.uniform(0, 3))
        running = home.processes()
        running["client"] = [psutil.Process(one.pid) for one in clients if one.poll() is None]
        living = {
            kind: left
            for kind, found in running.items()
            if (left := [process for process in found if process.pid not in victims])
        }
        if not living:
            break
        kind = chance.choice(list(living))
        victim = chance.choice(living[kind])
        victim.kill()
        victims.add(victim.pid)
        killed[kind] += 1
    for client in clients:
        _, said = client.communicate(timeout=LONGEST_S)
        if client.pid not in victims:
            assert client.returncode >= 0 and client.returncode != 2, said  # 2: a wrong option
            ended[str(client.returncode)] += 1


if __name__ == "__main__":
    main()
