"""Turning a plug-in on in Krita's settings, of any encoding; everything else in them stays."""

from __future__ import annotations

import re

_GROUP, _KEY = b"[python]", b"enable_impasto"
_EMPTY_GROUP = re.compile(rb"(?m)^[ \t]*\[python\][ \t\r]*(?:\Z|\n(?=\Z|[ \t]*\[))")


def enable(text: bytes) -> bytes:
    """The settings with the plug-in turned on."""
    if is_enabled(text):
        return text
    lines = disable(text).split(b"\n")
    if lines[-1]:
        lines.append(b"")
    heads = [number for number, line in enumerate(lines) if line.strip() == _GROUP]
    if not heads:
        heads = [len(lines) - 1]
        lines.insert(heads[0], _GROUP)
    lines.insert(heads[0] + 1, _KEY + b"=true")
    return b"\n".join(lines)


def disable(text: bytes) -> bytes:
    """The settings without a word about the plug-in."""
    lines = (line for line in text.split(b"\n") if _entry(line)[0] != _KEY)
    return _EMPTY_GROUP.sub(b"", b"\n".join(lines))


def is_enabled(text: bytes) -> bool:
    """Whether the settings turn the plug-in on."""
    group, value = b"", b""
    for line in text.split(b"\n"):
        if line.lstrip().startswith(b"["):
            group = line.strip()
        elif group == _GROUP and _entry(line)[0] == _KEY:
            value = _entry(line)[1]
    return value.lower() == b"true"


def _entry(line: bytes) -> tuple[bytes, bytes]:
    key, _, value = line.partition(b"=")
    return key.strip(), value.strip()
