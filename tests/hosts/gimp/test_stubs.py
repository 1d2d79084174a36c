"""The stubs that the plug-in is checked against, beside what GIMP's own Python finds."""

import ast
import json
import subprocess
import sys
from pathlib import Path

STUBS = Path(__file__).resolve().parents[3] / "plugins" / "gimp" / "stubs" / "gi" / "repository"
# What GIMP says of each name: a function's arguments, a number, a class with those above it,
# and of anything else whether it is there.
LOOK = """
import importlib, json, sys, gi
for module, version in {"Babl": "0.1", "Gegl": "0.4", "Gimp": "3.0", "GimpUi": "3.0"}.items():
    gi.require_version(module, version)

def describe(found):
    if isinstance(found, type):
        return [above.__name__ for above in found.__mro__]
    if isinstance(found, int):
        return int(found)
    if not callable(found):
        return found is not None
    arguments = found.__doc__.split("(", 1)[1].split(")", 1)[0]
    return [part.split(":")[0].split("=")[0] for part in arguments.split(", ") if part]

told = {}
for name in json.load(sys.stdin):
    module, *path = name.split(".")
    found = importlib.import_module(f"gi.repository.{module}")
    for part in path:
        found = getattr(found, part, None)
    told[name] = describe(found)
print(json.dumps(told))
"""


def declared(node, name):
    """What the stub says at a node and under it: pairs of a name and what must be found there."""
    if isinstance(node, ast.FunctionDef):
        yield name, [argument.arg for argument in node.args.args if argument.arg != "cls"]
    elif isinstance(node, ast.Assign):
        yield f"{name}.{node.targets[0].id}", ast.literal_eval(node.value)
    elif isinstance(node, ast.AnnAssign):
        yield f"{name}.{node.target.id}", True
    elif isinstance(node, ast.ClassDef):
        bases = [base.id if isinstance(base, ast.Name) else base.attr for base in node.bases]
        yield name, {*bases, node.name} - {"IntEnum", "IntFlag"}
        for member in node.body:
            inside = f"{name}.{member.name}" if isinstance(member, ast.FunctionDef) else name
            yield from declared(member, inside)


def test_stubs_say_what_gimp_has(tree):
    expected = {
        name: said
        for stub in STUBS.glob("*.pyi")
        for node in ast.parse(stub.read_text()).body
        for name, said in declared(node, f"{stub.stem}.{getattr(node, 'name', '')}".rstrip("."))
    }
    assert len(expected) > 100
    process = tree.start(
        ["python3", "-c", LOOK], {}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr,
    )  # fmt: skip
    told = json.loads(process.communicate(json.dumps(list(expected)))[0])
    wrong = {name: told[name] for name, said in expected.items() if not agree(said, told[name])}
    assert not wrong


def agree(said, told):
    if isinstance(said, set):
        return isinstance(told, list) and said <= set(told)
    return told is not False if said is True else told == said
