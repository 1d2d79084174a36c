"""The daemon's configuration: one schema, and where each value comes from."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

from impasto_protocol.errors import BadField, ConfigInvalid
from impasto_protocol.fields import from_dict, spec_field, type_hints, validate

ENVIRONMENT, COMMAND_LINE = "environment", "command line"
_GONE = ("download",)
"""Settings of older versions, which a file may still hold."""

WEIGHTS_SOURCES = ("oxford", "torchvision", "own")
"""What the setting `weights` may name but a file."""


@dataclass(frozen=True)
class Config:
    """Everything about the daemon that can be set. Raises BadField for values out of range."""

    device: str = spec_field(
        "auto, cpu, mps, cuda or cuda:N; several, by commas, work side by side",
        default="auto",
        pattern=r"(auto|cpu|mps|cuda(:\d+)?)(,cuda:\d+)*",
        form="auto, cpu, mps, cuda or, with commas, several like cuda:0",
    )
    weights: str = spec_field(
        "network: oxford, torchvision, or a file with VGG-19's weights; empty: as chosen by "
        "`impasto weights use`, at first oxford",
        default="", longest=4096,
    )  # fmt: skip
    endpoint: str = spec_field(
        "ZeroMQ endpoint; empty: a private socket, or TCP on this machine where there is none",
        default="", pattern=r"|tcp://.+:(\d+|\*)", form="like tcp://127.0.0.1:5555, or empty",
    )  # fmt: skip
    allow_remote: bool = spec_field("let other machines connect", default=False)
    allowed_keys: tuple[str, ...] = spec_field(
        "CURVE public keys of further clients; a change of the file holds at once",
        default=(),
        pattern=".{40}",
        form="keys of 40 letters",
    )
    precision: str = spec_field(
        "of the convolutions; auto: bfloat16 where the device computes in it, else float32",
        default="auto", choices=("auto", "float32", "bfloat16"),
    )  # fmt: skip
    threads: int = spec_field(
        "CPU threads; 0 takes as many as there are cores that nobody uses",
        default=0,
        low=0,
        high=1024,
    )
    queue: int = spec_field(
        "most jobs that may wait; of what others leave, half for each of several clients' keys",
        default=64, low=1, high=10_000,
    )  # fmt: skip
    queue_mib: int = spec_field(
        "most memory for the pictures of jobs that wait, shared likewise; one job always may",
        unit="MiB", default=4096, low=1, high=2**24,
    )  # fmt: skip
    frame_mib: int = spec_field(
        "most memory of one picture", unit="MiB", default=2048, low=1, high=2**20
    )
    memory_mib: int = spec_field(
        "most memory for one job; 0: most of what the device has", unit="MiB",
        default=0, low=0, high=2**24,
    )  # fmt: skip
    idle_unload_s: float = spec_field(
        "end the worker, and free the GPU, after so long without a job", unit="s",
        default=600, low=1, high=1e6,
    )  # fmt: skip
    result_keep_s: float = spec_field(
        "how long a result can still be collected", unit="s", default=600, low=1, high=1e6
    )
    results_mib: int = spec_field(
        "most memory for kept results; one that is yet to be told always may", unit="MiB",
        default=1024, low=1, high=2**20,
    )  # fmt: skip
    stall_s: float = spec_field(
        "replace a worker that gives no sign of life for so long", unit="s",
        default=120, low=1, high=1e5,
    )  # fmt: skip
    cancel_grace_s: float = spec_field(
        "replace a worker that has not let go of a cancelled job after so long", unit="s",
        default=5, low=0.1, high=1e4,
    )  # fmt: skip
    style_cache_mib: int = spec_field(
        "most disk space for what is known of the styles used last; 0 keeps none", unit="MiB",
        default=256, low=0, high=2**20,
    )  # fmt: skip
    log_level: str = spec_field(
        "least that is logged", default="info", choices=("debug", "info", "warning", "error")
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class Origins:
    """A configuration, and for each name where its value comes from, for people."""

    config: Config
    origin: dict[str, str]


def load_config(
    file: Path,
    environment: Mapping[str, str] = os.environ,
    options: Mapping[str, Any] | None = None,
) -> Origins:
    """Defaults, overruled by the TOML `file`, `IMPASTO_<NAME>` variables, and `options`.

    A missing file is an empty one. A path is absolute, as the daemon works in another folder: one
    from `file` begins where that is, any other here. Raises ConfigInvalid naming the source and
    the key.
    """
    values: dict[str, Any] = {}
    origin = {field.name: "default" for field in dataclasses.fields(Config)}
    here = Path()
    sources = (
        (str(file), _read_toml(file), file.parent),
        (ENVIRONMENT, _read_environment(environment), here),
        (COMMAND_LINE, {k: v for k, v in (options or {}).items() if v is not None}, here),
    )
    for source, found, folder in sources:
        values |= _with_absolute_path(found, folder)
        try:
            config = from_dict(Config, values, known_only=True)
        except BadField as error:
            next_step = _how_to_correct(source, error.field)
            raise ConfigInvalid(f"{source}: {error}", next_step=next_step) from error
        origin |= dict.fromkeys(found, source)
    return Origins(config, origin)


def _with_absolute_path(found: dict[str, Any], folder: Path) -> dict[str, Any]:
    named = found.get("weights")
    if not isinstance(named, str) or named in ("", *WEIGHTS_SOURCES):
        return found
    path = Path(named)
    with contextlib.suppress(RuntimeError):  # it is nobody's home
        path = path.expanduser()
    return found | {"weights": str((folder / path).absolute())}


def _how_to_correct(source: str, name: str) -> str:
    if source == ENVIRONMENT:
        return f"Correct or unset the variable {_variable(name)}."
    if source == COMMAND_LINE:
        return f"Correct --{name.replace('_', '-')}."
    return f"Correct or remove {name} in that file."


def _variable(name: str) -> str:
    return f"IMPASTO_{name.upper()}"


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigInvalid(
            f"{file} cannot be read: {error.strerror}.",
            next_step="See that it is a file, and yours to read, or remove it.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigInvalid(
            f"{file} cannot be read: {error}.", next_step="Correct or remove that line."
        ) from error
    return {name: value for name, value in found.items() if name not in _GONE}


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, kind in type_hints(Config).items():
        text = environment.get(_variable(name))
        if text is not None:
            found[name] = _parse(text, kind)
    return found


def _parse(text: str, kind: Any) -> Any:
    """A variable's text as TOML would have it; what is no such value stays text, and is refused."""
    if kind is str:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text
