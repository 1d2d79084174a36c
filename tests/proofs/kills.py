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
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from PIL import Image

from impasto_daemon.presets import preset_file

SIDE_PX = 64
LONGEST_S = 120
VICTIMS = ("daemon", "worker", "client")


class Home:
    """A home of Impasto with two pictures, a pack, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.presets = folder, folder / "data" / "presets"
        # A home that is not new: without the starter styles.
        self.presets.mkdir(parents=True)
        self.environment = {**os.environ, "IMPASTO_HOME": str(folder)}
        for name, colour in (("photo", 90), ("style", 160)):
            noise = Image.effect_noise((SIDE_PX, SIDE_PX), colour)
            noise.convert("RGB").save(folder / f"{name}.png")
        self.check("style", "add", "Kept", folder / "style.png")
        self.check("style", "export", "Kept", "-o", folder / "pack.zip")

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Begin a command."""
        command = [sys.executable, "-m", "impasto_daemon.cli", *map(str, arguments)]
        return subprocess.Popen(
            command, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def check(self, *arguments: object) -> None:
        """Run a command that must succeed."""
        process = self.start(*arguments)
        _, said = process.communicate(timeout=LONGEST_S)
        assert process.returncode == 0, (arguments, process.returncode, said)

    def jobs(self, number: int) -> list[subprocess.Popen[str]]:
        """A job of each kind."""
        photo, style = self.folder / "photo.png", self.folder / "style.png"
        painted = self.folder / f"painted-{number}.png"
        return [
            self.start("apply", photo, "--style", style, "-o", painted, "--iterations", 60),
            self.start("style", "add", f"Style {number}", style),
            self.start("style", "import", self.folder / "pack.zip", "--replace"),
            self.start("style", "bake", "Kept", "--minutes", 0.05),
        ]

    def processes(self) -> dict[str, list[psutil.Process]]:
        """The daemons and workers of this home."""
        found: dict[str, list[psutil.Process]] = {"daemon": [], "worker": []}
        for process in psutil.process_iter():
            try:
                if process.environ().get("IMPASTO_HOME") != str(self.folder):
                    continue
                command = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if "spawn_main" in command:
                found["worker"].append(process)
            elif "daemon run" in command:
                found["daemon"].append(process)
        return found

    def check_files(self) -> None:
        """Every style and every picture is whole."""
        for path in self.presets.glob("*.safetensors"):
            preset_file.read(path)
        for path in self.folder.glob("painted-*.png"):
            with Image.open(path) as image:
                image.load()

    def left(self) -> list[str]:
        """Files and processes that nobody asked for, once the daemon has been stopped."""
        odd = [path.name for path in self.presets.iterdir() if path.suffix != ".safetensors"]
        odd += [path.name for path in (self.folder / "run").iterdir() if path.suffix != ".lock"]
        odd += [path.name for path in self.folder.iterdir() if path.name.startswith((".", "tmp"))]
        return odd + [str(process) for found in self.processes().values() for process in found]


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


def kill_one(home: Home, number: int, chance: random.Random, ended: Counter[str]) -> str:
    """What was killed."""
    clients = home.jobs(number)
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
