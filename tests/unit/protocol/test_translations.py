import gettext
import io
import locale
import string
import sys
from pathlib import Path

import pytest

from impasto_protocol import translations
from impasto_protocol.errors import ImpastoError

sys.path.insert(0, str(Path(__file__).parents[3] / "shared"))

import catalogues

A_SENTENCE = ImpastoError.default_next_step


@pytest.fixture(params=catalogues.LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(autouse=True)
def english_again(monkeypatch):
    monkeypatch.setattr(translations, "_catalogue", translations._catalogue)


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_every_sentence_is_translated_and_no_other(language):
    kept = {message.id: message for message in catalogues.read(language) if message.id}
    assert kept.keys() == {message.id for message in catalogues.extracted() if message.id}
    without = [
        words for words, message in kept.items()
        if message.fuzzy or not all([message.string] if isinstance(words, str) else message.string)
    ]  # fmt: skip
    assert without == []


def test_what_is_filled_in_is_filled_in_in_every_language(language):
    for message in catalogues.read(language):
        if not message.id:
            continue
        many = [message.id, message.string] if isinstance(message.id, str) else [
            message.id[-1], *message.string
        ]  # fmt: skip
        told = [set(fields(text)) for text in many]
        # One of a thing may be said without its number.
        assert all(told[0] - {"number"} <= of <= told[0] for of in told), message.id


def test_what_is_read_is_what_is_kept(language):
    read = catalogues.po_file(language).with_suffix(".mo").read_bytes()
    assert words(read) == words(catalogues.compiled(catalogues.read(language)))


def words(compiled):
    """What a .mo file says of everything but itself."""
    found = gettext.GNUTranslations(io.BytesIO(compiled))._catalog
    return {asked: said for asked, said in found.items() if asked}


def test_all_is_in_english_until_a_host_asks_for_its_language(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    assert translations._(A_SENTENCE) == A_SENTENCE
    translations.follow_host()
    assert translations._(A_SENTENCE) != A_SENTENCE


def test_nothing_stays_nothing_in_every_language(monkeypatch, language):
    """An error that has no next step ended with the catalogue's own heading."""
    monkeypatch.setenv("LANGUAGE", language)
    translations.follow_host()
    assert translations._("") == ""


@pytest.mark.parametrize("asked, english", [
    ({"LANGUAGE": "de_AT:en"}, False),
    ({"LANGUAGE": "", "LANG": "fr_FR.UTF-8"}, False),
    ({"LANGUAGE": "", "LC_ALL": "ja_JP.UTF-8", "LANG": "C.UTF-8"}, False),
    ({"LANGUAGE": "tlh", "LANG": "de_DE.UTF-8"}, True),
    ({"LANGUAGE": "en_GB", "LANG": "de_DE.UTF-8"}, True),
    ({"LANGUAGE": "en_US:de"}, True),
    ({"LANGUAGE": "C:de"}, True),
    ({"LANGUAGE": "tlh:de:en"}, False),
    ({"LANG": "C.UTF-8"}, True),
    ({}, True),
])  # fmt: skip
def test_language_is_that_of_the_host(monkeypatch, asked, english):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    translations.follow_host()
    assert (translations._(A_SENTENCE) == A_SENTENCE) == english


@pytest.mark.parametrize("told, of_editor, english", [
    ("German_Austria", "", False),
    ("Japanese_Japan", "", False),
    ("English_United States", "", True),
    ("German_Austria", "en_GB", True),
    ("English_United States", "de_AT", False),
    (None, "", True),
])  # fmt: skip
def test_language_of_windows_is_known_by_its_name_or_the_editors(
    monkeypatch, told, of_editor, english
):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(locale, "getlocale", lambda: (told, "1252"))
    translations.follow_host(of_editor)
    assert (translations._(A_SENTENCE) == A_SENTENCE) == english
