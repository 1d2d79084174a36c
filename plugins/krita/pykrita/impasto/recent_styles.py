"""The styles that were painted in last, remembered between Krita's starts."""

from __future__ import annotations

import json

from krita import Krita

_GROUP, _RECENT = "impasto", "recent-styles"
_MOST = 12


def recent_styles() -> list[str]:
    """Their names, the last one first."""
    try:
        names = json.loads(Krita.instance().readSetting(_GROUP, _RECENT, ""))
    except ValueError:
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def remember_style(name: str) -> None:
    """Put a style first."""
    names = [name, *(other for other in recent_styles() if other != name)]
    Krita.instance().writeSetting(_GROUP, _RECENT, json.dumps(names[:_MOST]))
