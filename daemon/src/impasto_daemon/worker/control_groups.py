"""What Linux's control groups, a container's or a batch system's, let this process use.

The group of this process and all above it count; in a container the uppermost is its own. Read as
version 2 of control groups has it, or version 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_NO_LIMIT = 1 << 60
"""Bytes; version 1 says of none that it is the most there can be."""


def cores(cgroups: Path = _GROUPS, own: Path = _OWN) -> float:
    """The cores that may be used; 0 where no limit is set."""
    return min(
        filter(None, map(_cores, _groups(("cpu", "cpu,cpuacct"), cgroups, own))), default=0.0
    )


def free_bytes(cgroups: Path = _GROUPS, own: Path = _OWN) -> int | None:
    """The memory that is left to be used, in bytes; None where no limit is set."""
    found = [_free_bytes(group) for group in _groups(("memory",), cgroups, own)]
    return min((free for free in found if free is not None), default=None)


def _groups(kinds: tuple[str, ...], cgroups: Path, own: Path) -> Iterator[Path]:
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, kind, name = line.split(":", 2)
        if kind in ("", *kinds):
            root = cgroups / kind
            group = root / name.lstrip("/")
            yield from (each for each in (group, *group.parents) if each.is_relative_to(root))


def _cores(group: Path) -> float:
    try:
        if (group / "cpu.max").exists():
            allowed, period = (group / "cpu.max").read_text().split()
        else:
            allowed, period = (
                (group / f"cpu.cfs_{part}_us").read_text().strip() for part in ("quota", "period")
            )
    except OSError:
        return 0.0
    return 0.0 if allowed in ("max", "-1") else int(allowed) / int(period)


def _free_bytes(group: Path) -> int | None:
    names = ("memory.max", "memory.current", "inactive_file")
    if not (group / "memory.max").exists():
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    try:
        limit, used = ((group / name).read_text().strip() for name in names[:2])
        told = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except OSError:
        return None
    if limit == "max" or int(limit) >= _NO_LIMIT:
        return None
    # Files that were read make room.
    return max(0, int(limit) - int(used) + int(told.get(names[2], 0)))
