"""Command-line options made from a dataclass's field specs, so that they never disagree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from impasto_protocol.errors import BadField
from impasto_protocol.fields import describe_type, field_spec, from_dict, type_hints
from impasto_protocol.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


def options_of(
    kind: type, *, only: tuple[str, ...] = (), defaults: Mapping[str, str] | None = None
) -> Callable[[F], F]:
    """An option for each field of `kind`, or for those named `only`; None where it is not given.

    defaults: what is told of those that this command has another default for than `kind`.
    """

    def decorate(function: F) -> F:
        fields = [f for f in dataclasses.fields(kind) if not only or f.name in only]
        for field in reversed(fields):
            default = (defaults or {}).get(field.name, _default(field))
            function = _option(field, type_hints(kind)[field.name], default)(function)
        return function

    return decorate


def settings_from(options: dict[str, Any], base: dict[str, Any] | None = None) -> Settings:
    """The settings that were given as options, over those of `base`. Raises UsageError."""
    try:
        return from_dict(Settings, (base or {}) | given(options), known_only=True)
    except BadField as error:
        raise click.UsageError(f"{error}") from error


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in values.items() if value is not None}


def _option(field: dataclasses.Field[Any], hint: Any, default: str) -> Callable[[F], F]:
    spec, name = field_spec(field), field.name.replace("_", "-")
    kind = describe_type(hint).removesuffix(" or nil")
    described = spec.doc[0].upper() + spec.doc[1:] + (f" [default: {default}]" if default else "")
    if kind == "bool":
        return click.option(f"--{name}/--no-{name}", field.name, default=None, help=described)
    if kind.startswith("list of "):
        item = {"int": int, "float": float, "str": str}[kind.removeprefix("list of ")]
        return click.option(
            f"--{name}", field.name, metavar="A,B,…", help=described,
            callback=lambda context, option, text: _split(text, item),
        )  # fmt: skip
    chosen: Any = str
    if spec.choices:
        chosen = click.Choice(spec.choices)
    elif kind == "float":
        chosen = click.FloatRange(spec.low, spec.high)
    elif kind == "int":
        low, high = (None if end is None else int(end) for end in (spec.low, spec.high))
        chosen = click.IntRange(low, high)
    return click.option(f"--{name}", field.name, type=chosen, default=None, help=described)


def _split(text: str | None, item: Callable[[str], Any]) -> tuple[Any, ...] | None:
    if text is None:
        return None
    try:
        return tuple(item(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise click.BadParameter(f"{error}") from error


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default in (None, (), "", dataclasses.MISSING):
        return ""
    value = field.default
    return ",".join(value) if isinstance(value, tuple) else str(value)
