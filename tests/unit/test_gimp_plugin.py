"""What can be said of GIMP's plug-in without GIMP: its arguments, its imports."""

import ast
import dataclasses
import sys
import types
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import MagicMock
from xml.etree import ElementTree

import numpy as np
import pytest

from impasto_protocol.fields import field_spec, type_hints
from impasto_protocol.settings import QUALITIES, QUALITY_WORDS, Settings

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "gimp" / "impasto"
LEFT_OUT = {"snapshots"}  # a painter watches instead


@pytest.fixture
def arguments(monkeypatch):
    """The module of the arguments, with nothing of GIMP behind it."""
    gi, repository = types.ModuleType("gi"), types.ModuleType("gi.repository")
    gi.require_version = lambda *_: None
    repository.Gimp = MagicMock()
    repository.GObject = types.SimpleNamespace(ParamFlags=types.SimpleNamespace(READWRITE=0))
    monkeypatch.setitem(sys.modules, "gi", gi)
    monkeypatch.setitem(sys.modules, "gi.repository", repository)
    monkeypatch.syspath_prepend(FOLDER)
    import arguments

    yield arguments
    del sys.modules["arguments"]


def test_dialog_has_every_setting_with_its_range_and_default(arguments):
    table = {a[1].replace("-", "_"): a for a in arguments.LOOK + arguments.ADVANCED}
    del table["quality"]
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    assert table.keys() == fields.keys() - LEFT_OUT
    for name, (kind, _, label, blurb, *rest) in table.items():
        field, spec = fields[name], field_spec(fields[name])
        assert label and blurb
        if kind == "bool":
            assert rest == [field.default]
        elif kind == "choice":
            assert (tuple(rest[0]), rest[1]) == (spec.choices, field.default)
        elif kind == "string":
            assert rest == [",".join(map(str, field.default))]
        elif field.default is None:
            assert rest == [-1, spec.high, -1]
        else:
            # GIMP's whole numbers have 32 bits.
            high = min(spec.high, 2**31 - 1) if type_hints(Settings)[name] is int else spec.high
            assert rest == [spec.low, high, field.default], name


def test_qualities_are_those_of_both_editors_in_a_painters_words(arguments):
    words = {name: f"{name.capitalize()}: {words}" for name, words in QUALITY_WORDS.items()}
    assert {**words, "custom": "As set below"} == arguments.QUALITY
    assert {name.replace("-", "_") for name in arguments.BY_QUALITY} == QUALITIES["good"].keys()


class Page(HTMLParser):
    """What a help page says, by the name of the argument: its label, and the words about it."""

    def __init__(self, path):
        super().__init__()
        self.labels, self.words, self.ranges, self._into, self._name = {}, {}, {}, None, ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        into = {"dt": self.labels, "dd": self.words, "small": self.ranges}
        self._into = into.get(tag, self._into)
        if tag == "dt":
            self._name = dict(attributes)["id"]

    def handle_endtag(self, tag):
        if tag in ("dt", "dd", "small"):
            self._into = None

    def handle_data(self, data):
        if self._into is not None:
            self._into[self._name] = " ".join(f"{self._into.get(self._name, '')}{data}".split())


def described(kind, rest):
    """An argument's range and default in the words of the help page."""
    if kind == "choice":
        return f"at first {rest[0][rest[1]].split(':')[0]}"
    if kind == "bool":
        return f"at first {'on' if rest[0] else 'off'}"
    if kind == "string":
        return f"at first {rest[0]}" if rest[0] else None
    low, high, default = (np.format_float_positional(value, trim="-") for value in rest)
    return f"{low} to {high}, at first {default}"


def test_help_page_explains_every_control_as_it_is(arguments):
    page = Page(FOLDER / "help/en/impasto.html")
    procedure = MagicMock()
    for add in arguments.ADD.values():
        add(procedure)
    labels = {name: label.replace("_", "") for _, (name, label, *_), _ in procedure.mock_calls}
    assert page.labels == labels and page.words.keys() == labels.keys()
    table = arguments.LOOK + arguments.RESULT + arguments.ADVANCED + arguments.APPLY
    for kind, name, _, _, *rest in table:
        assert page.ranges.get(name) == described(kind, rest), name
        for option in rest[0].values() if kind == "choice" else ():
            assert option in page.words[name]
    for option in arguments.STYLE_FROM.values():
        assert option in page.words["style-from"]
    for quality, settings in QUALITIES.items():
        numbers = f"{settings['iterations']} steps at {settings['working_px']}"
        assert numbers in page.words["quality"], quality


def test_every_procedure_has_its_help(arguments):
    index = ElementTree.parse(FOLDER / "help/en/gimp-help.xml")
    pages = {item.get("id"): item.get("ref") for item in index.iter("help-item")}
    assert pages.keys() == arguments.ADD.keys()
    assert all((FOLDER / "help/en" / page).exists() for page in pages.values())


def imported_at_the_top(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_only_gimps_own_python_is_imported_when_gimp_asks_what_is_there():
    for name in ("impasto.py", "arguments.py"):
        for module in imported_at_the_top(FOLDER / name):
            top = module.split(".")[0]
            assert top in {*sys.stdlib_module_names, "gi", "arguments"}, (name, module)


def test_plug_in_computes_nothing_itself():
    for path in FOLDER.glob("*.py"):
        tops = {module.split(".")[0] for module in imported_at_the_top(path)}
        ours = {other.stem for other in FOLDER.glob("*.py")}
        assert tops <= {*sys.stdlib_module_names, "gi", "impasto_protocol", *ours}, path
