"""Versions of libraries and editors that are known to be bad, and what is to be done about them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from impasto_daemon.doctor.checkup import Finding, Installation
from impasto_installer.hosts import find_hosts
from impasto_protocol.zeromq import library_version

_AGAIN = "Run the installer again."


@dataclass(frozen=True)
class KnownBad:
    """What happens with versions of something up to `last`, and where that is told."""

    name: str
    last: str
    happens: str
    told_by: str
    next_step: str = _AGAIN

    def includes(self, version: str) -> bool:
        """Whether a version is one of them; not where it is told less exactly than `last`."""
        found, last = _numbers(version), _numbers(self.last)
        return len(found) >= len(last) and found <= last


PACKAGES = (
    KnownBad(
        "msgpack", "1.2.2", "a message that is none can end the program that reads it",
        "GHSA-6v7p-g79w-8964 and its change log",
    ),
    KnownBad(
        "pillow", "12.2.0", "a picture of a stranger's can write into memory, or take all of it",
        "the advisories of 12.3.0",
    ),
    KnownBad(
        "torch", "2.9.1", "a file of weights can run code where PyTorch itself reads it, which "
        "Impasto does not have it do",
        "its advisories of torch.load",
    ),
    KnownBad(
        "libzmq", "4.3.2", "who finds the daemon's port can write into its memory, or end it, "
        "without its key",
        "CVE-2019-13132 in its NEWS, CVE-2020-15166 and those of 2021",
    ),
    KnownBad(
        "pyzmq", "27.0.1", "a socket may not be bound (EINVAL) where Python runs in its "
        "development mode",
        "its change log",
    ),
)  # fmt: skip
"""Of numpy none is known that Impasto could be installed with."""

EDITORS = (
    KnownBad(
        "GIMP", "3.0.4", "it can end itself where an image is closed while something is painted "
        "in it; the plug-in keeps clear of what is known",
        "seen in tests",
        "Get a newer GIMP from gimp.org.",
    ),
    KnownBad(
        "Krita", "5.1.5", "it gives plug-ins no transparency masks: what is not selected becomes "
        "transparent in the new layer itself",
        "seen in tests",
        "Get a newer Krita from krita.org.",
    ),
)  # fmt: skip


def check_known_bad(installation: Installation) -> Iterator[Finding]:
    """Whether a library or an editor is of a version that is known to be bad."""
    amiss = False
    for bad in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            version = library_version() if bad.name == "libzmq" else metadata.version(bad.name)
            if bad.includes(version):
                amiss = True
                yield Finding(bad.name, False, _words(bad, version), bad.next_step)
    for host in find_hosts(installation.machine):
        for bad in EDITORS:
            if host.editor == bad.name and bad.includes(host.version):
                yield Finding(str(host), None, _words(bad, host.version), bad.next_step)
    if not amiss:
        yield Finding("known faults", True, "No library is of a version that is known to be bad.")


def _words(bad: KnownBad, version: str) -> str:
    return f"{bad.name} {version} is known to be bad: {bad.happens} ({bad.told_by})."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
