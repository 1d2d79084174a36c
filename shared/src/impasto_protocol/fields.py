"""What a field may hold, said once: the validator, the command line's options and the table in
the README all read it. Standard library only.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from impasto_protocol.errors import BadField, ProtocolError

T = TypeVar("T")

_LONGEST_TEXT = 256
_KINDS: dict[type, str] = {
    int: "a whole number", float: "a number", str: "text", bytes: "bytes", bool: "true or false",
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class FieldSpec:
    """What one field means and which values it takes; `low` to `choices` bind each item of a list.

    `longest` is the most characters, bytes, or items of a list; None leaves a side open. `form`
    says in words what the pattern asks for.
    """

    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    form: str = ""
    longest: int = _LONGEST_TEXT
    since: str = "1.0"


def spec_field(doc: str, *, default: Any = dataclasses.MISSING, **spec: Any) -> Any:
    """A dataclass field with its FieldSpec."""
    return dataclasses.field(default=default, metadata={"spec": FieldSpec(doc, **spec)})


def field_spec(field: dataclasses.Field[Any]) -> FieldSpec:
    """The FieldSpec that `spec_field` gave to `field`."""
    spec: FieldSpec = field.metadata["spec"]
    return spec


@cache
def type_hints(cls: type) -> dict[str, Any]:
    """The resolved annotations of `cls`, by field name."""
    return typing.get_type_hints(cls)


def validate(instance: Any) -> None:
    """Raise BadField for the first field of a dataclass whose value breaks its FieldSpec.

    Whole numbers where the field is a float become floats.
    """
    kind: Any = type(instance)
    for field in dataclasses.fields(instance):
        value = _floated(getattr(instance, field.name), type_hints(kind)[field.name])
        object.__setattr__(instance, field.name, value)
        _check(value, type_hints(kind)[field.name], field)


def from_dict(cls: type[T], values: Mapping[str, Any], *, known_only: bool = False) -> T:
    """A `cls` from untrusted `values`.

    Unknown keys are ignored, as a newer peer may send them, or raise when `known_only`.
    Raises BadField naming the field that is missing or wrong.
    """
    kind: Any = cls
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in unknown_names(kind, values) if known_only else ():
        raise BadField(f"There is no setting named {name!r}.", field=name)
    for name, field in fields.items():
        if field.default is dataclasses.MISSING and name not in values:
            raise BadField(
                f"The field {name!r} is missing.",
                field=name,
                next_step=ProtocolError.default_next_step,
            )
    return cls(**{n: _convert(values[n], type_hints(kind)[n]) for n in fields if n in values})


def unknown_names(cls: type, values: Mapping[str, Any]) -> set[str]:
    """Those of `values` that `cls` has no field for."""
    kind: Any = cls
    return values.keys() - {field.name for field in dataclasses.fields(kind)}


def to_dict(instance: Any) -> dict[str, Any]:
    """The reverse of `from_dict`: nested dicts and lists that msgpack and JSON can carry."""
    return {
        field.name: _plain(getattr(instance, field.name)) for field in dataclasses.fields(instance)
    }


def describe_type(hint: Any) -> str:
    """`hint` as the README's table names it."""
    inner, optional = _unwrap(hint)
    if typing.get_origin(inner) is tuple:
        name = f"list of {describe_type(typing.get_args(inner)[0])}"
    elif typing.get_origin(inner) is dict:
        name = "map of float"
    else:
        name = inner.__name__
    return f"{name} or nil" if optional else name


def _unwrap(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (inner,) = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return inner, True
    return hint, False


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _convert(value: Any, hint: Any) -> Any:
    inner, _ = _unwrap(hint)
    if typing.get_origin(inner) is tuple and isinstance(value, (list, tuple)):
        item_hint = typing.get_args(inner)[0]
        return tuple(_convert(item, item_hint) for item in value)
    if dataclasses.is_dataclass(inner) and isinstance(value, Mapping):
        return from_dict(typing.cast(type, inner), value)
    return value


def _floated(value: Any, hint: Any) -> Any:
    inner, _ = _unwrap(hint)
    if inner is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    if inner == tuple[float, ...] and isinstance(value, tuple):
        return tuple(_floated(item, float) for item in value)
    return value


def _check(value: Any, hint: Any, field: dataclasses.Field[Any]) -> None:
    spec, name = field_spec(field), field.name
    inner, optional = _unwrap(hint)
    if value is None and optional:
        return
    if typing.get_origin(inner) is tuple:
        _require(isinstance(value, tuple), name, "must be a list")
        _require(len(value) <= spec.longest, name, f"has more than {spec.longest} items")
        each = dataclasses.replace(spec, longest=_LONGEST_TEXT)
        for item in value:
            _check_scalar(item, typing.get_args(inner)[0], each, name)
    elif typing.get_origin(inner) is dict:
        _require(isinstance(value, dict), name, "must be a map")
        _require(len(value) <= spec.longest, name, f"has more than {spec.longest} items")
        for key, item in value.items():
            _check_scalar(key, str, FieldSpec("", longest=64), name)
            _check_scalar(item, float, spec, name)
    else:
        _check_scalar(value, inner, spec, name)


def _check_scalar(value: Any, kind: type, spec: FieldSpec, name: str) -> None:
    # `type(...) is` and not isinstance: True must not pass for the number 1.
    _require(type(value) is kind, name, f"must be {_KINDS.get(kind, 'a map')}")
    if kind is float:
        _require(math.isfinite(value), name, "must be a finite number")
    if kind in (int, float):
        low = -(2**63) if spec.low is None else spec.low
        high = 2**63 - 1 if spec.high is None else spec.high
        _require(low <= value <= high, name, f"must lie between {low:g} and {high:g}")
    if kind in (str, bytes):
        unit = "letters" if kind is str else "bytes"
        _require(len(value) <= spec.longest, name, f"has more than {spec.longest} {unit}")
    if kind is str:
        _require(not _SURROGATE.search(value), name, "is not text")
    if spec.choices:
        _require(value in spec.choices, name, f"must be one of {', '.join(spec.choices)}")
    if spec.pattern:
        _require(re.fullmatch(spec.pattern, value) is not None, name, f"must be {spec.form}")


def _require(fulfilled: bool, name: str, complaint: str) -> None:
    if not fulfilled:
        raise BadField(f"The field {name!r} {complaint}.", field=name)
