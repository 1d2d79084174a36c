"""What can be said of GIMP's plug-in without GIMP: its arguments, its imports."""

import ast
import dataclasses
import sys
import types
from pathlib import Path

import pytest

from impasto_protocol.fields import hints, spec_of
from impasto_protocol.settings import QUALITIES, Settings

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "gimp" / "impasto"
LEFT_OUT = {"snapshots"}  # a painter watches instead


@pytest.fixture
def arguments(monkeypatch):
    """The module of the arguments, with nothing of GIMP behind it."""
    gi, repository = types.ModuleType("gi"), types.ModuleType("gi.repository")
    gi.require_version = lambda *_: None
    repository.Gimp = None
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
        field, spec = fields[name], spec_of(fields[name])
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
            high = min(spec.high, 2**31 - 1) if hints(Settings)[name] is int else spec.high
            assert rest == [spec.low, high, field.default], name


def test_qualities_are_those_of_both_editors(arguments):
    assert set(arguments.QUALITY) == {*QUALITIES, "custom"}


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
