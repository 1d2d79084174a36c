"""A home of Impasto of its own, for proofs that wear it out. Linux only."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
from PIL import Image

from impasto_daemon.presets import preset_file
from impasto_protocol.client import Client
from impasto_protocol.connection import connection_file, read_connection

SIDE_PX = 64
LONGEST_S = 120


class Home:
    """A home with three pictures, a style, a pack of it, and nothing else.

    variables: what else is in the environment of its commands.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.presets = folder, folder / "data" / "presets"
        self.environment = {**os.environ, "IMPASTO_HOME": str(folder), **variables}
        if self.presets.exists():
            return
        # A home that is not new: without the starter styles.
        self.presets.mkdir(parents=True)
        for name, contrast in (("photo", 90), ("style", 160), ("other", 60)):
            noise = Image.effect_noise((SIDE_PX, SIDE_PX), contrast)
            noise.convert("RGB").save(folder / f"{name}.png")
        self.check("style", "add", "Kept", folder / "style.png")
        self.check("style", "export", "Kept", "-o", folder / "pack.zip")

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Begin a command."""
        command = [sys.executable, "-m", "impasto_daemon.cli", *map(str, arguments)]
        return subprocess.Popen(
            command, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: object) -> tuple[int, str]:
        """Run a command: how it ended, and what it said of errors."""
        process = self.start(*arguments)
        _, said = process.communicate(timeout=LONGEST_S)
        return process.returncode, said

    def check(self, *arguments: object) -> None:
        """Run a command that must succeed."""
        ended = self.run(*arguments)
        assert ended[0] == 0, (arguments, *ended)

    def connect(self, name: str) -> Client:
        """A client of the daemon, which must run."""
        return Client(read_connection(connection_file(self.folder / "run")), name=name)

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

    @contextlib.contextmanager
    def running(self) -> Iterator[psutil.Process]:
        """Its daemon, stopped in the end; nothing that nobody asked for may be left then."""
        self.check("daemon", "start")
        (daemon,) = self.processes()["daemon"]
        yield daemon
        self.check("daemon", "stop")
        assert not self.left(), self.left()

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
