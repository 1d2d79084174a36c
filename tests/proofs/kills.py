"""SIGKILL at random to the daemon, its worker or a program that asked for something.

    python tests/proofs/kills.py [--kills 1000] [--seed 0]

Each time a picture is painted, a style is kept, a pack is imported and a style is baked at once; a
random while later one of the processes is killed. Then every program that was not must have ended
by itself, with a painting or an error, every style and picture must be whole or absent, and the
next painting must succeed. In the end no process, and no file but what was asked for, is left. On
two cores about ten seconds a kill. Ends with 1 at the first thing that is not so. Linux only.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from home import LONGEST_S, Home

VICTIMS = ("daemon", "worker", "client")


def main() -> None:
    """Print what was killed, and how the programs ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance, killed, ended = random.Random(arguments.seed), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        home = Home(Path(folder))
        for number in range(arguments.kills):
            killed[kill_one(home, number, chance, ended)] += 1
            home.check_files()
            home.check("apply", home.folder / "photo.png", "--preset", "Kept",
                       "-o", home.folder / "next.png", "--iterations", 2)  # fmt: skip
            running = {kind: len(found) for kind, found in home.processes().items()}
            assert running == {"daemon": 1, "worker": 1}, running
            if number % 20 == 19 or number + 1 == arguments.kills:
                print(
                    f"{number + 1}: {dict(killed)}; programs ended with {dict(ended)}", flush=True
                )
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


def kill_one(home: Home, number: int, chance: random.Random, ended: Counter[str]) -> str:
    """What was killed."""
    clients = jobs(home, number)
    time.sleep(chance.uniform(0, 6))
    wanted, victim = chance.choice(VICTIMS), None
    if wanted == "client":
        victim = chance.choice(clients)
        victim.kill()
    elif found := home.processes()[wanted]:
        found[0].kill()
    for client in clients:
        _, said = client.communicate(timeout=LONGEST_S)
        if client is not victim:
            assert client.returncode >= 0 and client.returncode != 2, said  # 2: a wrong option
            ended[str(client.returncode)] += 1
    return wanted


if __name__ == "__main__":
    main()
