"""What the plug-in remembers of the painter's habits; GIMP keeps it in its own folder."""

from __future__ import annotations

import json
from typing import Any

from gi.repository import Gimp

_PARASITE = "impasto-habits"
_RECENT = 12


def shows_preview() -> bool:
    """Whether the painter wants a preview."""
    return bool(_read().get("preview", True))


def show_preview(wanted: bool) -> None:
    """Remember whether the painter wants one."""
    _write(preview=wanted)


def recent_styles() -> list[str]:
    """Names of the saved styles that were used last, the newest first."""
    found = _read().get("recent", [])
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def use_style(name: str) -> None:
    """Remember that a saved style is being used."""
    others = [other for other in recent_styles() if other != name]
    _write(recent=[name, *others][:_RECENT])


def _read() -> dict[str, Any]:
    parasite = Gimp.get_parasite(_PARASITE)
    try:
        found = json.loads(bytes(parasite.get_data())) if parasite else {}
    except ValueError:  # any plug-in may write there
        return {}
    return found if isinstance(found, dict) else {}


def _write(**changed: Any) -> None:
    data = json.dumps(_read() | changed).encode()
    Gimp.attach_parasite(Gimp.Parasite.new(_PARASITE, Gimp.PARASITE_PERSISTENT, data))
