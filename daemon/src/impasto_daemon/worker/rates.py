"""How fast each device paints, remembered on disk, so that time can be told beforehand."""

from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from impasto_daemon.engine.budget import DeviceKind
from impasto_daemon.files import write_file
from impasto_protocol.errors import NotWritten

log = logging.getLogger(__name__)

RATES_FILE = "rates.json"

_LEAST_WORK = 5e11
"""Less than this says nothing of the device: half a TFLOP, in floating-point operations."""


_SMALL_WORK = 1e13
"""Less than this, as of a dialog's preview, counts only while nothing is known: it does not keep a
GPU busy."""

_MEMORY_JITTER = 0.05


@dataclass(frozen=True)
class Rate:
    """What is known of a device.

    seconds: for 10¹² floating-point operations of the convolutions; 0: it has not painted yet.
    number_bytes: of a number of the feature maps. memory_mib: of a GPU; 0: the machine's own.
    apple: a GPU of Apple's, which has the machine's own. gpu: what it is called.
    """

    seconds: float = 0.0
    number_bytes: int = 4
    memory_mib: int = 0
    apple: bool = False
    gpu: str = ""

    @property
    def kind(self) -> DeviceKind:
        """What a painting on it is planned by."""
        return DeviceKind(self.number_bytes, gpu=self.memory_mib > 0, apple=self.apple)

    def is_alike(self, other: Rate) -> bool:
        """Whether it is of the same device, whose memory is not told to the last MiB."""
        rest = dataclasses.replace(self, seconds=other.seconds, memory_mib=other.memory_mib)
        apart = abs(self.memory_mib - other.memory_mib)
        return rest == other and apart <= _MEMORY_JITTER * other.memory_mib


class Rates:
    """The rates of this machine's devices, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, device: str) -> Rate:
        """What is known of the device of that name in the settings."""
        try:
            found = self._read()[device]
            return Rate(
                float(found["seconds"]),
                int(found["number_bytes"]),
                int(found["memory_mib"]),
                bool(found.get("apple", False)),
                str(found.get("gpu", "")),
            )
        except (KeyError, TypeError, ValueError):
            return Rate()

    def begin(self, device: str, rate: Rate) -> None:
        """A worker begins on the device: how fast it is stays known where it is the same."""
        known = self.get(device)
        self.put(device, dataclasses.replace(rate, seconds=known.seconds * rate.is_alike(known)))

    def put(self, device: str, rate: Rate) -> None:
        """Remember it; a folder that cannot be written to is no reason to stop."""
        found = {**self._read(), device: dataclasses.asdict(rate)}
        try:
            write_file(self._file, json.dumps(found, indent=1).encode())
        except NotWritten as error:
            log.warning("the rate of %s was not stored: %s", device, error)

    def learn(self, device: str, work: float, seconds: float) -> None:
        """Take in that a painting of so many floating-point operations took so long."""
        if work < _LEAST_WORK:
            return
        known, now = self.get(device), 1e12 * seconds / work
        if known.seconds and work < _SMALL_WORK:
            return
        rate = (known.seconds + now) / 2 if known.seconds else now
        self.put(device, dataclasses.replace(known, seconds=rate))

    def _read(self) -> dict[str, dict[str, float]]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
