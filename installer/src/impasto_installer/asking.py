"""Asking an editor itself whether it sees our plug-in."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from impasto_installer.hosts import Host

# In Script-Fu, as that is there also where GIMP finds the wrong Python.
_QUESTION = """(gimp-message
  (if (defined? 'plug-in-impasto-stylize) "Impasto is seen" "Impasto is missing"))"""
_PATIENCE_S = 180  # its first start asks every plug-in what is in it


@dataclass(frozen=True)
class Answer:
    """seen: None when the editor could not be asked. log: its own lines about us."""

    seen: bool | None
    log: str = ""


def run(command: Sequence[str]) -> str:
    """What a program says on both outputs. Raises OSError, subprocess.TimeoutExpired."""
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=_PATIENCE_S, check=False,
    )  # fmt: skip
    return ended.stdout.decode(errors="replace")


def ask(host: Host, run: Callable[[Sequence[str]], str] = run) -> Answer:
    """Start the editor without a window and ask. Krita has no way of being asked like that."""
    if host.editor != "GIMP" or not host.command:
        return Answer(None)
    question = ["--batch-interpreter=plug-in-script-fu-eval", "-b", _QUESTION, "--quit"]
    try:
        told = run([*host.command, "-idf", *question])
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(None, str(error))
    if "Impasto is seen" in told:
        return Answer(True)
    return Answer(False if "Impasto is missing" in told else None, _about_us(told))


def _about_us(told: str) -> str:
    """What an editor printed from the first line that names our plug-in on."""
    lines = told.splitlines()
    first = next((n for n, line in enumerate(lines) if "plug-ins/impasto" in line), len(lines))
    return "\n".join(lines[max(0, first - 1) : first + 12])
