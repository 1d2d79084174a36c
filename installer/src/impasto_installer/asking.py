"""Asking an editor itself whether it sees our plug-in."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from impasto_installer.hosts import Host

_QUESTION = (
    "from gi.repository import Gimp; "
    "found = Gimp.get_pdb().lookup_procedure('plug-in-impasto-stylize'); "
    "print('Impasto is', 'seen' if found else 'missing', flush=True)"
)
_PATIENCE_S = 180  # its first start asks every plug-in what is in it


@dataclass(frozen=True)
class Answer:
    """seen: None when the editor could not be asked. log: its own lines about us."""

    seen: bool | None
    log: str = ""


def ask(host: Host, environment: Mapping[str, str]) -> Answer:
    """Start the editor without a window and ask. Krita has no way of being asked like that."""
    if host.editor != "GIMP" or not host.command:
        return Answer(None)
    command = [
        *host.command, "-idf", "--batch-interpreter=python-fu-eval", "-b", _QUESTION, "--quit",
    ]  # fmt: skip
    try:
        ended = subprocess.run(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(None, str(error))
    told = ended.stdout.decode(errors="replace")
    if "Impasto is seen" in told:
        return Answer(True)
    return Answer(False if "Impasto is missing" in told else None, _about_us(told))


def _about_us(told: str) -> str:
    """What an editor printed from the first line that names our plug-in on."""
    lines = told.splitlines()
    first = next((n for n, line in enumerate(lines) if "plug-ins/impasto" in line), len(lines))
    return "\n".join(lines[max(0, first - 1) : first + 12])
