"""Asking an editor itself whether it sees our plug-in."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from impasto_installer.hosts import Host

# In Script-Fu, as that is there also where GIMP finds the wrong Python.
_GIMP_QUESTION = """(gimp-message
  (if (defined? 'plug-in-impasto-stylize) "Impasto is seen" "Impasto is missing"))"""
# Krita's own Python, and what it was compiled with, load the plug-in as Krita does at its start.
_KRITA_QUESTION = """
import sys
def ask(folders):
    sys.path[:0] = folders
    try:
        import impasto.docker
    except Exception as error:
        print(f"Impasto is missing: {type(error).__name__}: {error}", flush=True)
    else:
        print("Impasto is seen", flush=True)
"""
_PATIENCE_S = 180  # its first start asks every plug-in what is in it


@dataclass(frozen=True)
class Answer:
    """seen: None when the editor could not be asked. log: its own lines about us."""

    seen: bool | None
    log: str = ""


def run(command: list[str], **environment: str) -> str:
    """What a program says on both outputs. Raises OSError, subprocess.TimeoutExpired."""
    ended = subprocess.run(
        command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_PATIENCE_S, check=False,
    )  # fmt: skip
    return ended.stdout.decode(errors="replace")


def start_once(host: Host, run: Callable[..., str] = run) -> None:
    """Start GIMP and end it again, without a window."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        run([*host.command, "-idf", "--quit"])


def ask(host: Host, run: Callable[..., str] = run) -> Answer:
    """Start the editor without a window and ask; Krita needs a screen all the same."""
    try:
        told = (_ask_gimp if host.editor == "GIMP" else _ask_krita)(host, run)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(None, str(error))
    if "Impasto is seen" in told:
        return Answer(True)
    return Answer(False if "Impasto is missing" in told else None, _about_us(told))


def _ask_gimp(host: Host, run: Callable[..., str]) -> str:
    if not host.command:
        return ""
    question = ["--batch-interpreter=plug-in-script-fu-eval", "-b", _GIMP_QUESTION, "--quit"]
    return run([*host.command, "-idf", *question])


def _ask_krita(host: Host, run: Callable[..., str]) -> str:
    krita = Path(*host.command[:1])
    runner = krita.with_name(f"kritarunner{krita.suffix}")
    if host.packaging not in ("package", "installer") or not runner.exists():
        return ""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "impasto_question.py").write_text(_KRITA_QUESTION)
        question = ["-s", "impasto_question", "-f", "ask", str(host.plugin.parent)]
        # Away from the painter's own: it would write its brushes into a new home.
        aside = {"XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder}
        return run([str(runner), *question], PYTHONPATH=folder, **aside)


def _about_us(told: str) -> str:
    """What an editor printed from the first line that names our plug-in on."""
    lines = told.splitlines()
    ours = ("plug-ins/impasto", "Impasto is missing")
    first = next((n for n, line in enumerate(lines) if any(o in line for o in ours)), len(lines))
    return "\n".join(lines[max(0, first - 1) : first + 12])
