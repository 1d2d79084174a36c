"""An editor that runs pieces of tests: they go into a folder, and what they answer comes out."""

import itertools
import json
import os
import subprocess
import time
from pathlib import Path

from PIL import ImageGrab

AS_NICE_AS_THE_WORKER = ["nice", "-n", "10"]
"""What draws all the time in software would leave nothing to a worker that makes way for it."""


class Host:
    """A running editor. place: where it is started, a Tree or Here. display: its screen, if any."""

    def __init__(self, place, folder, command, environment, display=None):
        self.folder, self.display, self._numbers = folder, display, itertools.count(1)
        self._log = (folder / "host.log").open("w")
        (folder / "work").mkdir()
        variables = {"HOME": str(folder), "IMPASTO_TEST_FOLDER": str(folder / "work")}
        if display:
            variables["DISPLAY"] = display
        self.process = place.start(
            [*AS_NICE_AS_THE_WORKER, *command], {**variables, **environment},
            stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def begin(self, code, *, where="", **values):
        """Have a piece of code run with these values; its number, for `end`.

        where: the folder that a second server serves.
        """
        number = f"{where}/{next(self._numbers):04}".lstrip("/")
        lines = [f"{name} = {value!r}" for name, value in values.items()]
        piece = self.folder / "work" / f"{number}.part"
        piece.write_text(
            "\n".join(["from pathlib import PosixPath", *lines, code]), encoding="utf-8"
        )
        piece.rename(piece.with_suffix(".py"))
        return number

    def end(self, number, timeout_s=300):
        """What that piece of code left in `answer`."""
        file, deadline = self.folder / "work" / f"{number}.json", time.monotonic() + timeout_s
        while not file.exists():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)
        told = json.loads(file.read_text())
        assert "error" not in told, f"{told['error']}\n{self.log()}"
        return told["answer"]

    def run(self, code, **values):
        """What a piece of code leaves in `answer`."""
        return self.end(self.begin(code, **values))

    def log(self):
        self._log.flush()
        return (self.folder / "host.log").read_text()[-4000:]

    def xdotool(self, *arguments):
        """What the program that plays the painter's hands says."""
        environment = {**os.environ, "DISPLAY": self.display}
        return subprocess.run(
            ["xdotool", *arguments], env=environment, capture_output=True, text=True, check=False
        ).stdout.split()

    def picture(self, name):
        """Keep a picture of the screen among the test's artefacts."""
        folder = Path(os.environ.get("IMPASTO_ARTEFACTS", self.folder))
        folder.mkdir(parents=True, exist_ok=True)
        ImageGrab.grab(xdisplay=self.display).save(folder / f"{name}.png")

    def close(self):
        (self.folder / "work" / "end").touch()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()
