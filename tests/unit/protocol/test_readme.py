"""The README's table of wire fields is what the code says, and the package what it promises."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import impasto_protocol
from impasto_protocol import fields
from impasto_protocol.colour_space import ColourSpace
from impasto_protocol.messages import (
    MESSAGES,
    FileInfo,
    FrameInfo,
    JobInfo,
    Message,
    PresetInfo,
    StyleUse,
)
from impasto_protocol.settings import Settings

README = Path(__file__).parents[3] / "shared" / "README.md"


def rows(name, cls):
    shared = {f.name for f in dataclasses.fields(Message)} if name in MESSAGES else set()
    for field in dataclasses.fields(cls):
        if field.name in shared:
            continue
        spec = fields.field_spec(field)
        yield " | ".join(
            [
                f"| `{name}`",
                f"`{field.name}`",
                fields.describe_type(fields.type_hints(cls)[field.name]),
                spec.unit,
                ", ".join(spec.choices) if len(spec.choices) <= 8 else "a layer of a network",
                "" if spec.low is None else f"{spec.low:g}",
                "" if spec.high is None else f"{spec.high:g}",
                "required" if field.default is dataclasses.MISSING else f"`{field.default!r}`",
                spec.since,
                f"{spec.doc} |",
            ]
        )


def table():
    heads = ["message or part", "field", "type", "unit", "one of", "low", "high", "default",
             "since", "meaning"]  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + "-|" * len(heads)]
    parts = {"every message": Message, "Settings": Settings, "FrameInfo": FrameInfo,
             "ColourSpace": ColourSpace, "FileInfo": FileInfo, "PresetInfo": PresetInfo,
             "JobInfo": JobInfo, "StyleUse": StyleUse}  # fmt: skip
    for name, cls in {**parts, **dict(sorted(MESSAGES.items()))}.items():
        lines += rows(name, cls)
    return "\n".join(lines)


def test_table_of_wire_fields_is_what_the_code_says():
    _, found = README.read_text(encoding="utf-8").split("## Every field\n\n")
    assert found.strip() == table(), "run this file as a program to write the table anew"


def test_vocabulary_needs_the_standard_library_alone():
    code = (
        "import sys; sys.modules['zmq'] = sys.modules['msgpack'] = None\n"
        "import impasto_protocol.settings, impasto_protocol.errors, impasto_protocol.messages\n"
        "import impasto_protocol.connection"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_package_itself_exports_nothing():
    assert not [name for name in vars(impasto_protocol) if name in ("Client", "Settings")]


if __name__ == "__main__":
    before, _ = README.read_text(encoding="utf-8").split("## Every field\n\n")
    README.write_text(f"{before}## Every field\n\n{table()}\n", encoding="utf-8")
