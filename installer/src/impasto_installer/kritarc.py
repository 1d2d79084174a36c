"""Turning a plug-in on in Krita's settings, of any encoding; everything else in them stays."""

from __future__ import annotations

import re

_GROUP = re.compile(rb"^\[python\][^\n]*\n", re.MULTILINE)
_ON = re.compile(rb"^\[python\]\r?\n(?:[^\[].*\n|\n)*?enable_impasto=true\r?$", re.MULTILINE)
_KEY = re.compile(rb"^enable_impasto=[^\n]*\n?", re.MULTILINE)


def enable(text: bytes) -> bytes:
    """The settings with the plug-in turned on."""
    text = disable(text)
    if text and not text.endswith(b"\n"):
        text += b"\n"
    if _GROUP.search(text):
        return _GROUP.sub(lambda group: group[0] + b"enable_impasto=true\n", text, count=1)
    return text + b"[python]\nenable_impasto=true\n"


def disable(text: bytes) -> bytes:
    """The settings without a word about the plug-in."""
    return re.sub(rb"(?m)^\[python\]\r?\n(?=\Z|\[)", b"", _KEY.sub(b"", text))


def is_enabled(text: bytes) -> bool:
    """Whether the settings turn the plug-in on."""
    return bool(_ON.search(text))
