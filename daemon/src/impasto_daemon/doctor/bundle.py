"""One zip for a bug report: findings, settings and the log's end, with nothing private in it."""

from __future__ import annotations

import ipaddress
import json
import platform
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from impasto_daemon.doctor.checkup import Finding, Installation
from impasto_daemon.logs import written
from impasto_installer.hosts import find_hosts
from impasto_protocol.descriptions import diagnostics
from impasto_protocol.fields import to_dict

_LINES = 500
_START = r"(?:~\w*|[A-Za-z]:(?=[\\/])|(?<![\w.]))[\\/]"
_PRIVATE = ("allowed_keys", "endpoint", "weights")
_ELSEWHERE = re.compile(r"tcp://\S+|\b\d+(?:\.\d+){3}\b|(?<=key )\S+")
"""Where daemons and their clients are, and whose key is known."""


def write_bundle(target: BinaryIO, installation: Installation, findings: Sequence[Finding]) -> None:
    """Write the zip. Raises OSError."""
    machine, presets = installation.machine, installation.paths.presets
    own = {str(host.plugin): f"[{host.editor}]" for host in find_hosts(machine)}
    own |= {str(machine.data): "[data]"}
    names = [machine.home.name, platform.node(), *(file.stem for file in presets.rglob("*.*"))]

    def clean(text: str) -> str:
        return without_names(text, own, names)

    settings = {k: v for k, v in to_dict(installation.config).items() if k not in _PRIVATE}
    told = [{"check": f.check, "good": f.good, "words": clean(f.words)} for f in findings]
    parts = {
        "findings.json": json.dumps(told, indent=1, ensure_ascii=False),
        "settings.json": json.dumps(settings, indent=1),
        "system.txt": clean(diagnostics("impasto doctor")),
        "daemon.log": clean(next(written(installation.paths.log, _LINES))),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)


def without_names(text: str, own: Mapping[str, str], names: Sequence[str]) -> str:
    """A text without these names, addresses and keys, and no paths but those in our own folders.

    own: what each of our folders is called instead; the saved styles in it are private all the
    same. As a path may hold spaces, it is taken to last until its closing quote, or the line's end.
    """
    text = re.sub(r"[\da-fA-F:.]*:[\da-fA-F:.]+", _without_address, _ELSEWHERE.sub("…", text))
    ours = rf"(?:{'|'.join(map(re.escape, own))})(?![\w-]|\.\w|[\\/]presets\b)"
    quoted = rf"(?P<quote>['\"`])(?!{ours}){_START}(?:(?!(?P=quote)(?!\w)).)*"
    paths = re.compile(rf"(?P<own>{ours})|{quoted}|{_START}.*")
    text = paths.sub(lambda found: own.get(found["own"], f"{found['quote'] or ''}…"), text)
    for name in names:
        if len(name) > 2:
            text = re.sub(rf"\b{re.escape(name)}\b", "…", text, flags=re.IGNORECASE)
    return text


def _without_address(found: re.Match[str]) -> str:
    try:
        ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]
    return "…"
