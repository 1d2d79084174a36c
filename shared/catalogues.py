"""Brings the catalogues of words up to date: `uv run python shared/catalogues.py`.

Whatever stands in `_()` or `ngettext()` in the plug-ins and the protocol, each error's usual next
step, and what each setting means, is what a painter may read. What is new comes into each
language's `.po` without a translation, what has gone leaves it, and the `.mo` files are made of
them. A test holds all three.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from impasto_protocol.errors import ImpastoError
from impasto_protocol.fields import field_spec
from impasto_protocol.settings import Settings
from impasto_protocol.translations import DOMAIN, LOCALE_DIR

ROOT = Path(__file__).parents[1]
SOURCES = ("shared/src/impasto_protocol", "plugins/gimp/impasto", "plugins/krita/pykrita/impasto")
LANGUAGES = ("de", "es", "fr", "ja")
_SINCE = datetime(2026, 11, 28, tzinfo=timezone.utc)
"""In the files' headers, so that the same words are the same bytes."""


def extracted() -> Catalog:
    """Every sentence in the sources, untranslated."""
    found = Catalog(creation_date=_SINCE)
    for source in SOURCES:
        words = extract_from_dir(
            ROOT / source, [("**.py", "python")], keywords={"_": None, "ngettext": (1, 2)},
            comment_tags=("Translators:",), strip_comment_tags=True,
        )  # fmt: skip
        for _, _, message, comments, context in words:
            found.add(message, auto_comments=comments, context=context)
    for kind in _kinds_of(ImpastoError):
        found.add(kind.default_next_step)
    for field in dataclasses.fields(Settings):
        found.add(field_spec(field).doc)
    return found


def po_file(language: str) -> Path:
    """Where the words of a language are."""
    return LOCALE_DIR / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """The words of a language as they are kept."""
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalogue: Catalog) -> bytes:
    """A catalogue as gettext reads it."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def updated() -> Iterator[tuple[str, Catalog]]:
    """Every language with its words, whatever of them is still asked for."""
    template = extracted()
    for language in LANGUAGES:
        catalogue = read(language) if po_file(language).exists() else Catalog(
            locale=language, project="Impasto", version="1", header_comment="", fuzzy=False,
            last_translator="Impasto", language_team="Impasto", msgid_bugs_address="Impasto",
        )  # fmt: skip
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        catalogue.revision_date = _SINCE
        yield language, catalogue


def _kinds_of(error: type[ImpastoError]) -> Iterator[type[ImpastoError]]:
    yield error
    for kind in error.__subclasses__():
        yield from _kinds_of(kind)


def main() -> None:
    """Write them all, and say what has no translation yet."""
    for language, catalogue in updated():
        path = po_file(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, width=100, no_location=True, sort_output=True)
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        missing = [message.id for message in catalogue if message.id and not message.string]
        print(f"{language}: {len(catalogue)} sentences, {len(missing)} without a translation")


if __name__ == "__main__":
    main()
