"""A message of every type, made from what its fields say of themselves."""

import dataclasses

from impasto_protocol import fields
from impasto_protocol.messages import FileInfo, FrameInfo, JobInfo
from impasto_protocol.settings import Settings

JOB = "0123456789abcdef" * 2


def example(kind):
    """A value for a field, from its type and Spec alone."""
    known = {
        Settings: Settings(snapshots=(3, 5)),
        JobInfo: JobInfo(JOB, "test", "queued"),
        FrameInfo: FrameInfo("content", 1, 1, 3, "uint8", "bgr", b"d"),
        FileInfo: FileInfo(5),
    }
    return known.get(kind, ())


def sample(cls):
    """An instance of a message with every required field filled in."""
    values = {}
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            continue
        spec, hint = fields.field_spec(field), fields.type_hints(cls)[field.name]
        if field.name == "job":
            values["job"] = JOB
        elif spec.choices:
            values[field.name] = spec.choices[0]
        elif hint is str:
            values[field.name] = "BUSY" if field.name == "code" else "x"
        elif hint in (int, float):
            values[field.name] = hint(spec.low or 0)
        else:
            values[field.name] = example(hint)
    return cls(**values)
