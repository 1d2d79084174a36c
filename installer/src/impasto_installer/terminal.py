"""What the installer says and asks."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from impasto_protocol.errors import InstallFailed

_SILENT_S = 2.0


class Terminal:
    """Standard output, for people. yes: answer every question with yes."""

    def __init__(self, *, yes: bool) -> None:
        self._live, self._yes = sys.stdout.isatty(), yes

    def say(self, words: str = "") -> None:
        """Print a line."""
        print(words, flush=True)

    def agrees(self, question: str) -> bool:
        """Whether the painter wants it. Raises InstallFailed where nobody can be asked."""
        if self._yes:
            return True
        if not sys.stdin.isatty():
            raise InstallFailed("There is nobody to ask.", next_step="Add --yes.")
        try:
            return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")
        except EOFError:  # Ctrl-D
            self.say()
            return False

    @contextlib.contextmanager
    def doing(self, words: str) -> Iterator[None]:
        """Tell what is being done; what takes longer than two seconds shows that it goes on."""
        began, over = time.monotonic(), threading.Event()

        def show() -> None:
            pause = _SILENT_S
            while not over.wait(pause):
                took = f"{time.monotonic() - began:.0f} s"
                if self._live:
                    print(f"\r… {words} ({took})", end="", flush=True)
                else:
                    print(f"… {words} ({took})", flush=True)
                pause = 0.5 if self._live else 15.0

        shower = threading.Thread(target=show, daemon=True)
        shower.start()
        mark = "✗"
        try:
            yield
            mark = "✓"
        finally:
            over.set()
            shower.join()
            start = "\r" if self._live else ""
            print(f"{start}{mark} {words} ({time.monotonic() - began:.0f} s)", flush=True)
