"""The painter's language, for what runs inside an editor. Standard library only.

`locale/LANGUAGE/LC_MESSAGES/impasto.po` holds the words, one file for both editors; what is read is
the `.mo` beside it, which `shared/catalogues.py` makes of it. Until an editor asks for its language
all is in English, so that command line, logs and scripts are.
"""

from __future__ import annotations

import gettext
import locale
import os
import re
from itertools import takewhile
from pathlib import Path

DOMAIN = "impasto"
LOCALE_DIR = Path(__file__).parent / "locale"

_UNTRANSLATED = {"en", "C", "POSIX"}
_OF_WINDOWS = {"French": "fr", "German": "de", "Japanese": "ja", "Spanish": "es"}
"""What Windows calls the languages of some countries that Python has no name for."""

_catalogue = gettext.NullTranslations()


def follow_host(system: str = "") -> None:
    """Speak the language of the editor that this runs in; English where there is no catalogue.

    GIMP and Krita put the language that was chosen in their preferences into LANGUAGE. system:
    that of the system, such as `de_AT`, where the editor knows it.
    """
    global _catalogue
    asked = os.environ.get("LANGUAGE") or _of_environment() or system or _of_system()
    # English has no catalogue: what is wanted less would be taken for it.
    languages = list(takewhile(_is_translated, asked.split(":")))
    _catalogue = gettext.translation(DOMAIN, LOCALE_DIR, languages=languages, fallback=True)


def _(text: str) -> str:
    """A sentence in the painter's language. text: in English, without anything filled in yet."""
    return _catalogue.gettext(text) if text else ""  # which gettext takes for the catalogue itself


def ngettext(one: str, many: str, number: int) -> str:
    """A sentence about a number of things: as English has it for one and for many."""
    return _catalogue.ngettext(one, many, number)


def _is_translated(language: str) -> bool:
    return re.split("[-_.@]", language)[0] not in _UNTRANSLATED


def _of_environment() -> str:
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next(filter(None, names), "")


def _of_system() -> str:
    found = locale.getlocale()[0] or ""
    return _OF_WINDOWS.get(found.split("_")[0], found)
