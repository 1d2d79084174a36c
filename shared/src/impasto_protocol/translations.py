"""The painter's language, for what runs inside an editor. Standard library only.

`locale/LANGUAGE/LC_MESSAGES/impasto.po` holds the words, one file for both editors; what is read is
the `.mo` beside it, which `shared/catalogues.py` makes of it. Until an editor asks for its language
all is in English, so that command line, logs and scripts are.
"""

from __future__ import annotations

import gettext
import locale
import os
from pathlib import Path

DOMAIN = "impasto"
LOCALE_DIR = Path(__file__).parent / "locale"

_catalogue = gettext.NullTranslations()


def follow_host() -> None:
    """Speak the language of the editor that this runs in; English where there is no catalogue.

    GIMP and Krita put the language that was chosen in their preferences into LANGUAGE.
    """
    global _catalogue
    asked = os.environ.get("LANGUAGE") or _of_system()
    _catalogue = gettext.translation(DOMAIN, LOCALE_DIR, languages=asked.split(":"), fallback=True)


def _(text: str) -> str:
    """A sentence in the painter's language. text: in English, without anything filled in yet."""
    return _catalogue.gettext(text) if text else ""  # which gettext takes for the catalogue itself


def ngettext(one: str, many: str, number: int) -> str:
    """A sentence about a number of things: as English has it for one and for many."""
    return _catalogue.ngettext(one, many, number)


def _of_system() -> str:
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next(filter(None, names), None) or locale.getlocale()[0] or ""
