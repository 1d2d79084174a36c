"""What painters read while a job runs and when it cannot. Standard library only."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable

from impasto_protocol.connection import (
    connection_file,
    daemon_is_running,
    impasto_command,
    runtime_dir,
)
from impasto_protocol.errors import ImpastoError
from impasto_protocol.limits import PROTOCOL_MAJOR, PROTOCOL_MINOR
from impasto_protocol.messages import Accepted, Estimated, JobInfo, JobMessage, Progress
from impasto_protocol.translations import _, ngettext

PHASE_LABELS = {
    "starting": _("Starting"),
    "weights": _("Loading the trained network"),
    "style": _("Studying the style"),
    "painting": _("Painting"),
    "baking": _("Baking"),
}

QUALITY_LABELS = {
    "instant": _("Instant"),
    "draft": _("Draft"),
    "good": _("Good"),
    "best": _("Best"),
}

LONG_S = 600
"""Whoever would wait longer is told what takes less."""

_UNLIKELY_STEPS = 10_000
"""Whoever asks for more has it end by itself long before, when the picture changes no more."""

_FASTER = {"best": "good", "good": "draft"}


def describe_progress(message: JobMessage) -> tuple[str, float | None]:
    """A line about a job, and the share that is done if it can be told."""
    if isinstance(message, Accepted) and message.position:
        return _("Waiting for {paintings}").format(
            paintings=_count_paintings(message.position)
        ), None
    if not isinstance(message, Progress):
        return _("Waiting"), None
    words = PHASE_LABELS[message.phase]
    counted = message.phase == "baking" or (message.phase == "painting" and message.of)
    if not counted:
        return words, None
    if message.of > _UNLIKELY_STEPS:
        return _("{words} until it changes no more, step {step}").format(
            words=words, step=message.step
        ), None
    # Daemons before 1.4 tell steps alone.
    share = min(1.0, message.step / message.of) if message.share is None else message.share
    words += _(", {share:.0%}").format(share=share)
    if message.seconds_left and message.step:
        # It ends sooner where the picture changes no more.
        words += _(", at most {time} to go").format(time=describe_seconds(message.seconds_left))
    return words, share


def describe_baking(job: JobInfo) -> tuple[str, float]:
    """A line about a style that is being baked, as `status` tells it, and the share done."""
    words = PHASE_LABELS["baking"] + _(", {share:.0%}").format(share=job.share)
    return f"{job.bakes}: {words}", job.share


def _count_paintings(number: int) -> str:
    """So many jobs that come first."""
    return ngettext("another painting", "{number} other paintings", number).format(number=number)


def describe_seconds(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 90:
        return _("about {number} s").format(number=max(1, round(seconds)))
    if seconds < 5400:
        return _("about {number} min").format(number=round(seconds / 60))
    return _("{number:.1f} h").format(number=seconds / 3600)


def describe_estimate(estimated: Estimated, quality: str = "", paintings: int = 1) -> str:
    """What so many paintings would take, one after the other, in a painter's words.

    quality: the one that is chosen, if any.
    """
    memory = _("{number:.1f} GiB of memory").format(number=estimated.memory_mib / 1024)
    if estimated.memory_mib > estimated.free_mib:
        return _("It needs {memory}, and {free:.1f} are free.").format(
            memory=memory, free=estimated.free_mib / 1024
        )
    if estimated.seconds is None:
        return _("It takes {memory}; how long is known after the first painting.").format(
            memory=memory
        )
    seconds = estimated.seconds * paintings
    words = _("It takes {time} and {memory}.").format(time=describe_seconds(seconds), memory=memory)
    if seconds > LONG_S and quality in _FASTER:
        faster = QUALITY_LABELS[_FASTER[quality]]
        words += _(" Quality {quality} takes less.").format(quality=faster)
    return words


def describe_quality(name: str, estimated: Estimated | None) -> str:
    """A quality's name with the time that it takes on this machine, where that is known."""
    if estimated is None or estimated.seconds is None:
        return name
    time = describe_seconds(estimated.seconds)
    return _("{name}, {time} here").format(name=name, time=time)


def variation_name(name: str, seed: int) -> str:
    """The name of one of several layers that differ by their seeds."""
    return f"{name} ({seed})"


def snapshot_name(name: str, step: int) -> str:
    """The name of what a layer of that name was after a step, or with 0 in the end."""
    if not step:
        return _("{name}, finished").format(name=name)
    return _("{name}, after {step} steps").format(name=name, step=step)


def describe_error(error: Exception) -> str:
    """What went wrong and what to do, in the painter's language where it is known in it."""
    return f"{_(str(error))} {_(getattr(error, 'next_step', ''))}"


def diagnostics(host: str, error: BaseException | None = None) -> str:
    """What a bug report needs, with nothing private in it: no pictures, names or keys.

    host: the editor and its version.
    """
    lines = [
        f"host: {host}",
        f"system: {platform.platform()}",
        f"python: {platform.python_version()} ({platform.python_implementation()})",
        f"protocol: {PROTOCOL_MAJOR}.{PROTOCOL_MINOR}",
        f"pyzmq: {_version('zmq')}",
        f"msgpack: {_version('msgpack')}",
        f"impasto program: {_tell(lambda: 'found' if impasto_command() else '')}",
        f"connection file: {_tell(lambda: str(connection_file(runtime_dir()).exists()))}",
        f"daemon holds its lock: {_tell(lambda: str(daemon_is_running(runtime_dir())))}",
    ]
    if error:
        lines.append(f"error: {_without_names(error)}")
    return "\n".join(lines)


def _without_names(error: BaseException) -> str:
    """What an error is and where it came up; its sentence may name layers, styles and files."""
    where = error.__traceback__
    while where and where.tb_next:
        where = where.tb_next
    at = f" at {where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else ""
    name = type(error).__name__
    if isinstance(error, ImpastoError):
        return f"{error.code}: {name}{at}"
    words = error.strerror if isinstance(error, OSError) else ""
    if isinstance(error, TypeError | AttributeError | NameError):  # these are about our own code
        words = str(error)
    return ": ".join(filter(None, [name, words])) + at


def _version(module: str) -> str:
    try:
        found = importlib.import_module(module)
    except Exception as error:
        return f"cannot be loaded ({type(error).__name__})"
    return str(getattr(found, "__version__", None) or getattr(found, "version", "unknown"))


def _tell(question: Callable[[], str]) -> str:
    try:
        return question()
    except Exception as error:
        return _without_names(error)
