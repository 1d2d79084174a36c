"""How much memory there is for a job, and what the pictures beside its content take of it.

Loads no torch.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from impasto_daemon.engine.budget import DeviceKind, peak_mib, plan_painting
from impasto_daemon.engine.schedule import Size
from impasto_daemon.worker import control_groups
from impasto_protocol.messages import FrameInfo, Stylise
from impasto_protocol.settings import MAP_COLOURS, Settings

_SHARE = 0.7
"""Of what is free: an editor beside it works on."""

_STEPS_MIB = [step << power for power in range(6, 24) for step in (2, 3)]


def free_mib(until_then: Iterable[int] = ()) -> int:
    """What a job may take of this machine's memory, or of a container's, in MiB.

    until_then: processes of the same container, the memory of one of which is free again when the
    job begins.
    """
    available = psutil.virtual_memory().available
    if (left := control_groups.free_bytes()) is not None:
        available = min(available, left)
    available += min(map(_held_bytes, until_then), default=0)
    return rounded_mib(int(available * _SHARE) >> 20)


def _held_bytes(process: int) -> int:
    """What nobody else could have of a process's memory: not its libraries, for one."""
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(process).memory_info()
        return int(found.rss - getattr(found, "shared", 0))
    return 0


def rounded_mib(memory_mib: int) -> int:
    """So much or a little less, so that what is free now and then comes to the same plan."""
    return max((step for step in _STEPS_MIB if step <= memory_mib), default=memory_mib)


def allowed_mib(settings: Settings, free: int) -> int:
    """What a painting may take of so many MiB: all, unless its settings want less."""
    return min(settings.memory_mib or free, free)


def content_size(request: Stylise) -> Size:
    """(height, width) of what is to be painted, in px."""
    (size,) = ((info.height, info.width) for info in request.frames if info.role == "content")
    return size


def least_mib(size: Size, request: Stylise, kind: DeviceKind) -> int:
    """What a content of that size takes where it is painted in the smallest tiles, in MiB."""
    return peak_mib(plan_painting(size, size, request.settings, kind, 0, request.planes))


_BESIDE = ("style", "start", "style_map")
"""Roles of the pictures that may be larger than the content."""

_NUMBERS_BYTES_PER_PX = 16
_ALPHA_BYTES_PER_PX = 85
_MATCHED_BYTES_PER_PX = 130
_TURNED_BYTES_PER_PX = 110
_MAP_BYTES_PER_PX = 12 * MAP_COLOURS
"""Of a picture as numbers; at most, while what its transparency hides is filled, and while its
colours become the photograph's (25 megapixels, a CPU); of the square that it is turned on; of a
mask for each colour of a map."""


@dataclass(frozen=True)
class Beside:
    """What a picture that comes with a content takes of the main memory, in bytes.

    kept: while it is painted. most: while the picture is made ready for it. fixed: of the latter,
    what a smaller picture takes as well.
    """

    frame: FrameInfo
    kept: int
    most: int
    fixed: int = 0


def pictures_beside(request: Stylise) -> list[Beside]:
    """What each of the pictures takes that come with a content."""
    return [_beside(info, request) for info in request.frames if info.role in _BESIDE]


def kept_mib(request: Stylise, kind: DeviceKind) -> int:
    """What these take of the memory in which it is painted, in MiB; a GPU has its own."""
    return 0 if kind.gpu else sum(beside.kept for beside in pictures_beside(request)) >> 20


def _beside(info: FrameInfo, request: Stylise) -> Beside:
    settings, pixels = request.settings, info.height * info.width
    kept = most = _NUMBERS_BYTES_PER_PX
    if info.role == "style_map":
        kept = most = _NUMBERS_BYTES_PER_PX + _MAP_BYTES_PER_PX
    elif info.role == "style" and settings.colours != "style":
        most = _MATCHED_BYTES_PER_PX
    elif info.channels in (2, 4):
        most = _ALPHA_BYTES_PER_PX
    kept, most = (info.size_bytes + each * pixels for each in (kept, most))
    turning = _turning_bytes(info, request) if info.role == "style" else 0
    if kept + turning > most:
        return Beside(info, kept, kept + turning, fixed=turning)
    return Beside(info, kept, most)


def _turning_bytes(info: FrameInfo, request: Stylise) -> int:
    """What is taken while a style picture is turned."""
    settings = request.settings
    if settings.style_rotations == 1 and not settings.style_rotation % 360:
        return 0
    scale = settings.style_scale * max(use.scale for use in request.uses)
    wanted_px = max(content_size(request)) * scale * 2**0.25  # it goes by powers of √2
    return _TURNED_BYTES_PER_PX * math.ceil(min(wanted_px, max(info.height, info.width))) ** 2
