"""What a large layer takes in an editor and in the worker, and how sharp it has become."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from PIL import Image


class Watch:
    """The most memory of the daemon's worker and of an editor, in MiB, beyond the beginning."""

    def __init__(self, daemon_pid: int, name: str) -> None:
        self._daemon, self._name = psutil.Process(daemon_pid), name
        self._editor: list[psutil.Process] = []
        self._most = {"worker": 0, "editor": 0}
        self.over = False

    def follow(self, command: str) -> None:
        """Watch the processes of that name, too."""
        self._editor = [p for p in psutil.process_iter() if p.name().startswith(command)]

    def look(self) -> None:
        """Take in what they have now."""
        for who, processes in (("worker", self._daemon.children()), ("editor", self._editor)):
            held = 0
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    held = max(held, process.memory_info().rss >> 20)
            self._most[who] = max(self._most[who], held)

    def keep(self, saved: Path) -> None:
        """Say how sharp a painting is, and keep it where artefacts go."""
        light = np.asarray(Image.open(saved).convert("L"), np.float32)
        steps = float(np.abs(np.diff(light, axis=1)).mean())
        with Image.open(saved) as image:
            small = image.convert("RGB").resize((768, 576)).resize(image.size)
            blurred = np.asarray(small, np.float32)
            difference = float(
                np.abs(np.asarray(image.convert("RGB"), np.float32) - blurred).mean()
            )
        print(f"\n{self._name}: mean step between neighbours {steps:.2f} of 255; "
              f"{difference:.2f} from its own 768 px version")  # fmt: skip
        assert difference > 4
        if folder := os.environ.get("IMPASTO_ARTEFACTS"):
            shutil.copy(saved, Path(folder) / f"{self._name}-4000x3000.png")

    def __str__(self) -> str:
        told = ", ".join(f"{who} {most} MiB" for who, most in self._most.items())
        return f"{self._name}: at most {told}"


@contextlib.contextmanager
def report(daemon, name: str) -> Iterator[Watch]:
    """Watch memory meanwhile, and print it and the time at the end."""
    watch, began = Watch(daemon.process.pid, name), time.monotonic()

    def look() -> None:
        while not watch.over:
            watch.look()
            time.sleep(0.2)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        watch.over = True
        thread.join()
        print(f"\n{watch}; {time.monotonic() - began:.0f} s")
