"""Command-line options made from a dataclass's field specs, so that they never disagree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import click

from impasto_protocol.fields import describe_type, field_spec, type_hints

F = TypeVar("F", bound=Callable[..., Any])


def options_of(kind: type, *, only: tuple[str, ...] = ()) -> Callable[[F], F]:
    """An option for each field of `kind`, or for those named `only`; None where it is not given."""

    def decorate(function: F) -> F:
        fields = [f for f in dataclasses.fields(kind) if not only or f.name in only]
        for field in reversed(fields):
            function = _option(field, type_hints(kind)[field.name])(function)
        return function

    return decorate


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in values.items() if value is not None}


def _option(field: dataclasses.Field[Any], hint: Any) -> Callable[[F], F]:
    spec, name = field_spec(field), field.name.replace("_", "-")
    kind = describe_type(hint).removesuffix(" or nil")
    described = spec.doc[0].upper() + spec.doc[1:] + _range(spec.low, spec.high) + _default(field)
    if kind == "bool":
        return click.option(f"--{name}/--no-{name}", field.name, default=None, help=described)
    if kind.startswith("list of "):
        item = {"int": int, "float": float, "str": str}[kind.removeprefix("list of ")]
        return click.option(
            f"--{name}", field.name, metavar="A,B,…", help=described,
            callback=lambda context, option, text: _split(text, item),
        )  # fmt: skip
    chosen: Any = {"int": int, "float": float, "str": str}[kind]
    if spec.choices:
        chosen = click.Choice(spec.choices)
    return click.option(f"--{name}", field.name, type=chosen, default=None, help=described)


def _split(text: str | None, item: Callable[[str], Any]) -> tuple[Any, ...] | None:
    if text is None:
        return None
    try:
        return tuple(item(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise click.BadParameter(f"{error}") from error


def _range(low: float | None, high: float | None) -> str:
    return f" [{low:g} to {high:g}]" if low is not None and high is not None else ""


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default in (None, (), "", dataclasses.MISSING):
        return ""
    value = field.default
    return f" [default: {','.join(value) if isinstance(value, tuple) else value}]"
