"""One zip for a bug report: findings, settings and the log's end, with nothing private in it."""

from __future__ import annotations

import json
import platform
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from impasto_daemon.checkup import Finding, Patient
from impasto_daemon.logs import tail
from impasto_protocol.fields import plain
from impasto_protocol.words import diagnose

_LINES = 500
_PATH = re.compile(r"(?:~|[A-Za-z]:(?=[\\/])|(?<![\w.]))[\\/][^\s'\",;:)]+")
_PRIVATE = ("allowed_keys", "endpoint", "weights")


def write_bundle(target: Path, patient: Patient, findings: Sequence[Finding]) -> None:
    """Write the zip. Raises OSError."""
    settings = {k: v for k, v in plain(patient.config).items() if k not in _PRIVATE}
    told = [{"check": f.check, "good": f.good, "words": f.words} for f in findings]
    parts = {
        "findings.json": json.dumps(told, indent=1, ensure_ascii=False),
        "settings.json": json.dumps(settings, indent=1),
        "system.txt": diagnose("impasto doctor"),
        "daemon.log": "\n".join(tail(patient.paths.log, _LINES)),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, without_names(text, patient.machine.home))


def without_names(text: str, home: Path) -> str:
    """A text without the user's and the machine's name, and without paths.

    What lies in a folder named after Impasto may be told, as that is what is asked about.
    """
    text = text.replace(str(home), "~")

    def shorten(found: re.Match[str]) -> str:
        parts = re.split(r"[\\/]", found[0])
        ours = next((n for n, part in enumerate(parts) if part.startswith("impasto")), None)
        return "…" if ours is None else "/".join(["…", *parts[ours:]])

    text = _PATH.sub(shorten, text)
    for name in (home.name, platform.node()):
        if len(name) > 2:
            text = re.sub(rf"\b{re.escape(name)}\b", "…", text)
    return text
