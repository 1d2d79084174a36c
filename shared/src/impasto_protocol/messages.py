"""Every message on the wire, one frozen dataclass each. Standard library only.

A message checks itself when it is made, so an invalid one exists on neither side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from impasto_protocol.fields import check, wire
from impasto_protocol.limits import DIGEST_BYTES, PACK_PRESETS
from impasto_protocol.settings import Settings

JOB_ID = r"[0-9a-f]{32}"
TAG = ".{1,32}"
TAGS = 8
"""Most tags of a preset."""

DTYPE_BYTES = {"uint8": 1, "uint16": 2, "float32": 4}


@dataclass(frozen=True)
class FrameInfo:
    """What a pixel frame holds: rows top to bottom, channels interleaved, straight alpha, sRGB."""

    role: str = wire(
        "what the picture is for",
        choices=(
            "content",
            "style",
            "start",
            "selection",
            "preview",
            "snapshot",
            "picture",
            "thumbnail",
        ),
    )
    height: int = wire("rows", unit="px", low=1, high=2**17)
    width: int = wire("columns", unit="px", low=1, high=2**17)
    channels: int = wire("1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha", low=1, high=4)
    dtype: str = wire("number type; float32 runs from 0 to 1", choices=tuple(DTYPE_BYTES))
    order: str = wire(
        "order of the colours; only `content` and `start` may be bgr, and what is painted is as "
        "the content",
        default="rgb",
        choices=("rgb", "bgr"),
    )
    digest: bytes = wire(
        "blake2b of the frame; empty where the system vouches for the bytes",
        unit="bytes",
        default=b"",
        longest=DIGEST_BYTES,
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def size_bytes(self) -> int:
        """Bytes that the frame must have."""
        return self.height * self.width * self.channels * DTYPE_BYTES[self.dtype]

    def __str__(self) -> str:
        return f"A picture of {self.width} x {self.height} pixels"


@dataclass(frozen=True)
class FileInfo:
    """The file that is a message's last frame."""

    size_bytes: int = wire("bytes that the frame must have", unit="bytes", low=0)
    digest: bytes = wire(
        "blake2b of the file; empty where the system vouches for the bytes",
        unit="bytes",
        default=b"",
        longest=DIGEST_BYTES,
    )

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        return "A file"


@dataclass(frozen=True)
class PresetInfo:
    """A preset without its pixels and statistics."""

    name: str = wire("name", longest=64)
    settings: Settings = wire("the settings it was saved with")
    width: int = wire("style picture's width", unit="px", low=1)
    height: int = wire("style picture's height", unit="px", low=1)
    sizes: tuple[int, ...] = wire("sizes whose statistics it holds", unit="px", low=1, longest=64)
    network: str = wire("hash of the network and weights they were taken with", longest=128)
    style: str = wire("hash of the style picture", longest=64)
    size_bytes: int = wire("size of its file", unit="bytes", low=0)
    folder: str = wire("folder that it stands in; empty: none", default="", longest=64)
    tags: tuple[str, ...] = wire("tags", default=(), pattern=TAG, longest=TAGS)
    state: str = wire(
        "unmeasured: its statistics are taken when it is first used; other_weights, "
        "older_version: they are taken anew then",
        default="good",
        choices=("good", "unmeasured", "other_weights", "older_version"),
    )

    def __post_init__(self) -> None:
        check(self)

    def matches(self, words: str) -> bool:
        """Whether each of the words, or of their parts, stands in its name, folder or tags."""
        told = " ".join([self.name, self.folder, *self.tags]).casefold()
        return all(word in told for word in words.casefold().split())


@dataclass(frozen=True)
class JobInfo:
    """One job, as `status` tells it."""

    job: str = wire("job id", pattern=JOB_ID)
    client: str = wire("the client's own name", longest=64)
    state: str = wire("queued, running, done, failed or cancelled", longest=16)
    step: int = wire("evaluations done", default=0, low=0)
    of: int = wire("evaluations asked for", default=0, low=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class Message:
    """What every message has."""

    type: ClassVar[str] = ""
    frames: tuple[FrameInfo, ...] = wire("the pixel frames that follow", default=(), longest=7)
    request: int = wire("number of the request; its answer repeats it", default=0, low=0)

    def __post_init__(self) -> None:
        check(self)

    @property
    def described(self) -> tuple[FrameInfo | FileInfo, ...]:
        """What each frame after the header must be."""
        return self.frames


@dataclass(frozen=True, kw_only=True)
class FileMessage(Message):
    """What every message with a file has."""

    file: FileInfo = wire("the file, which is the last frame")

    @property
    def described(self) -> tuple[FrameInfo | FileInfo, ...]:
        """What each frame after the header must be."""
        return (*self.frames, self.file)


@dataclass(frozen=True, kw_only=True)
class JobMessage(Message):
    """What every message about a job has."""

    job: str = wire("job id, chosen by the client: the same id is the same job", pattern=JOB_ID)


# From the client ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Hello(Message):
    """The first message: who speaks, and which protocol."""

    type: ClassVar[str] = "hello"
    major: int = wire("protocol version; both sides must have the same", low=0, high=2**15)
    minor: int = wire("protocol version; may differ", low=0, high=2**15)
    client: str = wire("the client's own name, for people", longest=64)


@dataclass(frozen=True, kw_only=True)
class Ping(Message):
    """A sign of life; answered by `pong`."""

    type: ClassVar[str] = "ping"


@dataclass(frozen=True, kw_only=True)
class Status(Message):
    """Asks for a `report`."""

    type: ClassVar[str] = "status"


@dataclass(frozen=True, kw_only=True)
class Stop(Message):
    """Asks the daemon to end; only its own user may."""

    type: ClassVar[str] = "stop"


@dataclass(frozen=True, kw_only=True)
class Stylise(JobMessage):
    """Paint the `content` frame in the style of the `style` frame, or of a preset.

    A `start` frame is what to begin with; of a grey `selection` frame, as large as the content,
    the painted part is white.
    """

    type: ClassVar[str] = "stylise"
    settings: Settings = wire("how to paint")
    preset: str = wire("name of a preset, instead of a style frame", default="", longest=64)
    cut: bool = wire("make the painting transparent where nothing is selected", default=False)
    preview_px: int = wire("long edge of the previews; 0 sends none", unit="px", default=0,
                           low=0, high=4096)  # fmt: skip
    preview_every_s: float = wire("least time between previews", unit="s", default=1.0,
                                  low=0.1, high=60)  # fmt: skip
    keep: bool = wire("go on when the client is gone, and keep the result", default=False)


@dataclass(frozen=True, kw_only=True)
class Cancel(JobMessage):
    """End a job now."""

    type: ClassVar[str] = "cancel"
    keep: bool = wire("take the picture as it stands for the result", default=False)


@dataclass(frozen=True, kw_only=True)
class Collect(JobMessage):
    """Have a job's messages sent here from now on, its result included if it is done."""

    type: ClassVar[str] = "collect"


@dataclass(frozen=True, kw_only=True)
class PresetList(Message):
    """Asks for the presets, in the order of their names."""

    type: ClassVar[str] = "preset.list"
    after: str = wire("leave out the names up to this one", default="", longest=64)


@dataclass(frozen=True, kw_only=True)
class PresetSave(JobMessage):
    """Keep the `style` frame under a name; a job, as its statistics take a while."""

    type: ClassVar[str] = "preset.save"
    name: str = wire("name", longest=64)
    settings: Settings = wire("settings to keep with it")
    replace: bool = wire("replace a preset of that name", default=False)
    keep: bool = wire("go on when the client is gone", default=True)


@dataclass(frozen=True, kw_only=True)
class PresetGet(Message):
    """Asks for one preset with its `thumbnail` and its `style` picture."""

    type: ClassVar[str] = "preset.get"
    name: str = wire("name", longest=64)
    thumbnail_only: bool = wire("leave out the style picture", default=False)


@dataclass(frozen=True, kw_only=True)
class PresetRename(Message):
    """Give a preset another name."""

    type: ClassVar[str] = "preset.rename"
    name: str = wire("name", longest=64)
    new_name: str = wire("its new name", longest=64)


@dataclass(frozen=True, kw_only=True)
class PresetDelete(Message):
    """Delete a preset."""

    type: ClassVar[str] = "preset.delete"
    name: str = wire("name", longest=64)


@dataclass(frozen=True, kw_only=True)
class PresetSort(Message):
    """Put a preset into a folder and give it tags."""

    type: ClassVar[str] = "preset.sort"
    name: str = wire("name", longest=64)
    folder: str | None = wire("its folder; empty: none; nil: as it is", default=None, longest=64)
    tags: tuple[str, ...] | None = wire(
        "its tags; nil: as they are", default=None, pattern=TAG, longest=TAGS
    )


@dataclass(frozen=True, kw_only=True)
class PresetExport(Message):
    """Asks for the file of a preset, or for a pack of several: a zip of their files."""

    type: ClassVar[str] = "preset.export"
    names: tuple[str, ...] = wire("names", pattern=".{1,64}", longest=PACK_PRESETS)
    pack: bool = wire("as a pack, of one too", default=False)


@dataclass(frozen=True, kw_only=True)
class PresetImport(FileMessage):
    """Keep what is in a preset's file or in a pack: all of it, or after an error nothing."""

    type: ClassVar[str] = "preset.import"
    name: str = wire("name for a preset; those in a pack have theirs", default="", longest=64)
    replace: bool = wire("replace presets of the same names", default=False)


# From the daemon ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Welcome(Message):
    """Answers `hello`."""

    type: ClassVar[str] = "welcome"
    major: int = wire("protocol version", low=0, high=2**15)
    minor: int = wire("protocol version", low=0, high=2**15)
    version: str = wire("the daemon's version", longest=64)
    device: str = wire("where it computes; empty until the worker has said", default="")
    weights: str = wire("file name of the weights; empty: untrained", default="")
    frame_bytes: int = wire("most bytes of one frame", unit="bytes", low=1)
    queue: int = wire("most jobs that may wait", low=1)
    capabilities: tuple[str, ...] = wire("message types it understands", default=(), longest=64)


@dataclass(frozen=True, kw_only=True)
class Pong(Message):
    """Answers `ping`."""

    type: ClassVar[str] = "pong"


@dataclass(frozen=True, kw_only=True)
class Done(Message):
    """Answers a request that has nothing else to say."""

    type: ClassVar[str] = "done"


@dataclass(frozen=True, kw_only=True)
class Error(Message):
    """Answers a request that could not be met."""

    type: ClassVar[str] = "error"
    code: str = wire("stable code", pattern="[A-Z][A-Z_0-9]*", longest=32)
    message: str = wire("what went wrong, for a painter", longest=2000)
    next_step: str = wire("what to do about it", longest=1000)
    job: str = wire("the job it is about, if any", default="", longest=32)


@dataclass(frozen=True, kw_only=True)
class Report(Message):
    """Answers `status`."""

    type: ClassVar[str] = "report"
    version: str = wire("the daemon's version", longest=64)
    pid: int = wire("its process", low=0)
    uptime_s: float = wire("time since its start", unit="s", low=0)
    worker: str = wire("absent, starting, idle, busy or stopping", longest=16)
    device: str = wire("where it computes", default="")
    memory_mib: int = wire("memory of that device", unit="MiB", default=0, low=0)
    weights: str = wire("file name of the weights; empty: untrained", default="")
    clients: int = wire("clients heard of lately", low=0)
    dropped: int = wire("messages dropped as unreadable", low=0)
    jobs: tuple[JobInfo, ...] = wire("jobs, oldest first", default=(), longest=256)


@dataclass(frozen=True, kw_only=True)
class Presets(Message):
    """Answers the `preset.*` requests about what there is."""

    type: ClassVar[str] = "presets"
    presets: tuple[PresetInfo, ...] = wire("by name", default=(), longest=1000)
    more: bool = wire("ask again, `after` the last of these", default=False)
    damaged: tuple[str, ...] = wire(
        "names among them whose files cannot be used", default=(), longest=32
    )


@dataclass(frozen=True, kw_only=True)
class PresetFile(FileMessage):
    """Answers `preset.export`."""

    type: ClassVar[str] = "preset.file"


@dataclass(frozen=True, kw_only=True)
class PresetsImported(Message):
    """Answers `preset.import`."""

    type: ClassVar[str] = "presets.imported"
    names: tuple[str, ...] = wire("names of the presets that are there now", longest=PACK_PRESETS)


@dataclass(frozen=True, kw_only=True)
class Accepted(JobMessage):
    """The job is in the queue, or running, or known already."""

    type: ClassVar[str] = "accepted"
    position: int = wire("jobs before it", low=0)


@dataclass(frozen=True, kw_only=True)
class Progress(JobMessage):
    """How far a job is; may bring a `preview` frame."""

    type: ClassVar[str] = "progress"
    phase: str = wire("what it does", choices=("starting", "weights", "style", "painting"))
    step: int = wire("evaluations done; MiB while it downloads weights", low=0)
    of: int = wire("evaluations asked for; MiB while it downloads weights", low=0)
    scale: int = wire("coarse-to-fine step, from 1", default=0, low=0)
    scales: int = wire("how many there are", default=0, low=0)
    losses: dict[str, float] | None = wire("each term of the loss", default=None, longest=40)
    seconds_left: float | None = wire("estimate", unit="s", default=None, low=0)


@dataclass(frozen=True, kw_only=True)
class Snapshot(JobMessage):
    """The picture after a step that `settings.snapshots` names, in a `snapshot` frame."""

    type: ClassVar[str] = "snapshot"
    step: int = wire("evaluations done", low=1)


@dataclass(frozen=True, kw_only=True)
class Result(JobMessage):
    """The painted `picture`: same width, height, channels and number type as the content."""

    type: ClassVar[str] = "result"
    steps: int = wire("evaluations done", low=0)
    converged: bool = wire("it stopped because the loss no longer fell", default=False)
    diverged: bool = wire(
        "the loss left the finite numbers; the picture is the last good one", default=False
    )
    seconds: float = wire("time it took", unit="s", low=0)
    losses: dict[str, float] | None = wire("each term of the loss", default=None, longest=40)
    device: str = wire("where it was computed")
    weights: str = wire("hash of the network and weights", longest=128)
    untrained: bool = wire("no pretrained weights: the look is poorer", default=False)
    style: str = wire("hash of the style picture", longest=64)
    notes: tuple[str, ...] = wire("what a painter should know", default=(), longest=16)


@dataclass(frozen=True, kw_only=True)
class Failed(JobMessage):
    """The job ended without a picture."""

    type: ClassVar[str] = "failed"
    code: str = wire("stable code", pattern="[A-Z][A-Z_0-9]*", longest=32)
    message: str = wire("what went wrong, for a painter", longest=2000)
    next_step: str = wire("what to do about it", longest=1000)


@dataclass(frozen=True, kw_only=True)
class Cancelled(JobMessage):
    """The job was cancelled."""

    type: ClassVar[str] = "cancelled"


def _leaves(base: type[Message]) -> Iterator[type[Message]]:
    for child in base.__subclasses__():
        if child.type:
            yield child
        yield from _leaves(child)


MESSAGES: dict[str, type[Message]] = {message.type: message for message in _leaves(Message)}
"""Every message by its type name."""

ENDINGS = (Result, Failed, Cancelled)
"""The messages with which a job ends: exactly one of them."""
