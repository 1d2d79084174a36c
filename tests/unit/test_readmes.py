"""The READMEs: every file of a part is named in its page, and what they name is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md"))
    if not {"vendor", "node_modules"} & set(path.relative_to(ROOT).parts)
)
PARTS = {
    "daemon/README.md": "daemon/src/impasto_daemon",
    "shared/README.md": "shared/src/impasto_protocol",
    "installer/README.md": "installer/src/impasto_installer",
    "plugins/README.md": "plugins",
}


def name(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PARTS)
def test_every_file_of_a_part_is_named_in_its_page(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for file in (ROOT / PARTS[page]).rglob("*.py"):
        parts = set(file.relative_to(ROOT).parts)
        if file.stem not in ("__init__", "__main__") and not {"vendor", "stubs"} & parts:
            assert re.search(rf"`(\w+/)*{file.stem}(\.py)?`", text), f"{page} does not name {file}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_links_to_is_there(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def functions(file):
    """`name` and `Class.name` of all that a file defines."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        for inner in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{node.name}.{inner.name}"


def test_the_ways_of_a_picture_and_of_a_cancel_pass_functions_that_are_there():
    text = (ROOT / "daemon/README.md").read_text(encoding="utf-8")
    stations = re.findall(r"^\| `([\w/]+\.py):([\w.]+)` \|", text, re.MULTILINE)
    assert len(stations) > 30
    for file, function in stations:
        assert function in set(functions(ROOT / file)), f"{file}:{function}"
