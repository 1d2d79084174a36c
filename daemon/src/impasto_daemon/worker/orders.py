"""What broker and worker say to each other through their pipe; pickled, so between them alone.

Frames are memoryviews, which the pipe does not copy.
"""

from __future__ import annotations

from dataclasses import dataclass

from impasto_protocol.messages import JobMessage, PresetBake, PresetSave, Stylise


@dataclass(frozen=True)
class Run:
    """To the worker: do this job."""

    message: Stylise | PresetSave | PresetBake
    frames: tuple[memoryview, ...]


@dataclass(frozen=True)
class Interrupt:
    """To the worker: let go of this job, or with `keep` end it with what there is."""

    job: str
    keep: bool = False


@dataclass(frozen=True)
class MakeWay:
    """To the worker: another job waits; put this one by."""

    job: str


@dataclass(frozen=True)
class Quit:
    """To the worker: end."""


@dataclass(frozen=True)
class Ready:
    """From the worker: it is there, on that device, with so much memory for a job."""

    device: str
    memory_mib: int


@dataclass(frozen=True)
class Alive:
    """From the worker: it works, and will be heard again within so many seconds."""

    within_s: float


@dataclass(frozen=True)
class WeightsLoaded:
    """From the worker: what the network it works with is called for people."""

    weights: str


@dataclass(frozen=True)
class JobUpdate:
    """From the worker: news of a job for its owner. `lost`: the worker can do no further job."""

    message: JobMessage
    frames: tuple[memoryview, ...] = ()
    lost: bool = False


@dataclass(frozen=True)
class PutBy:
    """From the worker: this job has made way; what is left of it."""

    job: str
    rest: PresetBake


@dataclass(frozen=True)
class Stored:
    """From the worker: what would be left of this job if it had to begin again now."""

    job: str
    rest: PresetBake


@dataclass(frozen=True)
class Idle:
    """From the worker: it has let go of its job."""


WorkerMessage = Ready | Alive | WeightsLoaded | JobUpdate | PutBy | Stored | Idle
Order = Run | Interrupt | MakeWay | Quit
