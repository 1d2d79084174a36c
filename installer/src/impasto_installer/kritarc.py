"""Turning a plug-in on in Krita's settings, as text; everything else in them stays."""

from __future__ import annotations

import re

_GROUP = re.compile(r"^\[python\][^\n]*\n", re.MULTILINE)
_KEY = re.compile(r"^enable_impasto=[^\n]*\n?", re.MULTILINE)


def enable(text: str) -> str:
    """The settings with the plug-in turned on."""
    text = disable(text)
    if text and not text.endswith("\n"):
        text += "\n"
    if _GROUP.search(text):
        return _GROUP.sub(lambda group: f"{group[0]}enable_impasto=true\n", text, count=1)
    return f"{text}[python]\nenable_impasto=true\n"


def disable(text: str) -> str:
    """The settings without a word about the plug-in."""
    return re.sub(r"(?m)^\[python\]\n(?=\Z|\[)", "", _KEY.sub("", text))


def is_enabled(text: str) -> bool:
    """Whether the settings turn the plug-in on."""
    return bool(re.search(r"^\[python\]\n(?:[^\[].*\n|\n)*?enable_impasto=true$", text, re.M))
