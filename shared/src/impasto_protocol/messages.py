"""Every message on the wire, one frozen dataclass each. Standard library only.

A message checks itself when it is made, so an invalid one exists on neither side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from impasto_protocol.colour_space import SRGB, ColourSpace
from impasto_protocol.fields import spec_field, validate
from impasto_protocol.limits import DIGEST_BYTES, PACK_PRESETS, PARTS
from impasto_protocol.settings import LAYER, MAP_COLOURS, Settings

JOB_ID = r"[0-9a-f]{32}"
JOB_ID_FORM = "32 hexadecimal digits"
TAG = ".{1,32}"
TAG_FORM = "tags of 1 to 32 letters"
TAGS = 8
"""Most tags of a preset."""

DTYPE_BYTES = {"uint8": 1, "uint16": 2, "float32": 4}


@dataclass(frozen=True)
class FrameInfo:
    """What a pixel frame holds: rows top to bottom, channels interleaved, straight alpha."""

    role: str = spec_field(
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
            "photograph",
            "mask",
            "strength",
            "map",
            "style_map",
        ),
    )
    height: int = spec_field("rows", unit="px", low=1, high=2**17)
    width: int = spec_field("columns", unit="px", low=1, high=2**17)
    channels: int = spec_field("1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha", low=1, high=4)
    dtype: str = spec_field(
        "number type; black is 0 and white 1 in floats", choices=tuple(DTYPE_BYTES)
    )
    order: str = spec_field(
        "order of the colours; only `content` and `start` may be bgr, and what is painted is as "
        "the content",
        default="rgb",
        choices=("rgb", "bgr"),
    )
    digest: bytes = spec_field(
        "blake2b of the frame; empty where the system vouches for the bytes",
        unit="bytes",
        default=b"",
        longest=DIGEST_BYTES,
    )
    space: ColourSpace = spec_field(
        "its colours, sRGB unless told; what is painted is as the content, previews are sRGB",
        default=SRGB,
        since="1.3",
    )

    def __post_init__(self) -> None:
        validate(self)

    @property
    def size_bytes(self) -> int:
        """Bytes that the frame must have."""
        return self.height * self.width * self.channels * DTYPE_BYTES[self.dtype]

    def __str__(self) -> str:
        return f"A picture of {self.width} x {self.height} pixels"


@dataclass(frozen=True)
class FileInfo:
    """The file that is a message's last frame."""

    size_bytes: int = spec_field("bytes that the frame must have", unit="bytes", low=0)
    digest: bytes = spec_field(
        "blake2b of the file; empty where the system vouches for the bytes",
        unit="bytes",
        default=b"",
        longest=DIGEST_BYTES,
    )

    def __post_init__(self) -> None:
        validate(self)

    def __str__(self) -> str:
        return "A file"


@dataclass(frozen=True)
class StyleUse:
    """One style of a painting: which, how much and where."""

    preset: str = spec_field(
        "name of a preset; empty: the next `style` frame is it", default="", longest=64, since="1.7"
    )
    weight: float = spec_field(
        "against others in the same place", default=1.0, low=0.01, high=100, since="1.7"
    )
    masked: bool = spec_field(
        "the next `mask` frame is white where it goes; without, it goes where no mask is",
        default=False, since="1.7",
    )  # fmt: skip
    scale: float = spec_field(
        "size of its strokes, times `style_scale` of the settings", default=1.0, low=0.1, high=10,
        since="1.7",
    )  # fmt: skip
    layers: tuple[str, ...] = spec_field(
        "those of the style loss that it is in: the first make the grain, the last the shapes; "
        "empty: all", default=(), choices=LAYER, longest=16, since="1.7",
    )  # fmt: skip

    def __post_init__(self) -> None:
        validate(self)


STYLES = 8
"""Most styles of a painting."""

_FAVOURITE = "favourite"
_UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class PresetInfo:
    """A preset without its pixels and statistics."""

    name: str = spec_field("name", longest=64)
    settings: Settings = spec_field("the settings it was saved with")
    width: int = spec_field("style picture's width", unit="px", low=1)
    height: int = spec_field("style picture's height", unit="px", low=1)
    sizes: tuple[int, ...] = spec_field(
        "sizes whose statistics it holds", unit="px", low=1, longest=64
    )
    network: str = spec_field("hash of the network and weights they were taken with", longest=128)
    style: str = spec_field("hash of the style picture", longest=64)
    size_bytes: int = spec_field("size of its file", unit="bytes", low=0)
    folder: str = spec_field("folder that it stands in; empty: none", default="", longest=64)
    tags: tuple[str, ...] = spec_field("tags", default=(), pattern=TAG, form=TAG_FORM, longest=TAGS)
    state: str = spec_field(
        "unmeasured: its statistics are taken when it is first used; other_weights, "
        "older_version: they are taken anew then",
        default="good",
        choices=("good", "unmeasured", "other_weights", "older_version"),
    )
    baked_minutes: float = spec_field(
        "how long it was baked into a network that paints at once; 0: it is not", unit="min",
        default=0.0, low=0, since="1.5",
    )  # fmt: skip

    def __post_init__(self) -> None:
        validate(self)

    @property
    def is_baked(self) -> bool:
        """Whether it paints at once."""
        return self.baked_minutes > 0

    def matches(self, words: str) -> bool:
        """Whether each of the words, or of their parts, stands in its name, folder or tags."""
        told = " ".join([self.name, self.folder, *self.tags]).casefold()
        return all(word in told for word in words.casefold().split())

    @property
    def is_favourite(self) -> bool:
        """Whether it has the tag that marks a favourite in every editor."""
        return _FAVOURITE in self.tags

    def tags_as(self, *, favourite: bool) -> tuple[str, ...]:
        """Its tags as a favourite, or as none."""
        others = tuple(tag for tag in self.tags if tag != _FAVOURITE)
        return (*others, _FAVOURITE) if favourite else others


@dataclass(frozen=True)
class JobInfo:
    """One job, as `status` tells it."""

    job: str = spec_field("job id", pattern=JOB_ID, form=JOB_ID_FORM)
    client: str = spec_field("the client's own name", longest=64)
    state: str = spec_field("queued, running, done, failed or cancelled", longest=16)
    step: int = spec_field("evaluations done", default=0, low=0)
    of: int = spec_field("evaluations asked for", default=0, low=0)
    draft: bool = spec_field("makes way for every job that is none", default=False, since="1.4")
    bakes: str = spec_field(
        "the style that it bakes, while it makes way for every other job", default="", longest=64,
        since="1.5",
    )  # fmt: skip
    share: float = spec_field("share that is done", default=0.0, low=0, high=1, since="1.5")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class Message:
    """What every message has."""

    type: ClassVar[str] = ""
    frames: tuple[FrameInfo, ...] = spec_field(
        "the pixel frames that follow", default=(), longest=PARTS - 1
    )
    request: int = spec_field("number of the request; its answer repeats it", default=0, low=0)

    def __post_init__(self) -> None:
        validate(self)

    @property
    def described(self) -> tuple[FrameInfo | FileInfo, ...]:
        """What each frame after the header must be."""
        return self.frames


@dataclass(frozen=True, kw_only=True)
class FileMessage(Message):
    """What every message with a file has."""

    file: FileInfo = spec_field("the file, which is the last frame")

    @property
    def described(self) -> tuple[FrameInfo | FileInfo, ...]:
        """What each frame after the header must be."""
        return (*self.frames, self.file)


@dataclass(frozen=True, kw_only=True)
class JobMessage(Message):
    """What every message about a job has."""

    job: str = spec_field(
        "job id, chosen by the client: the same id is the same job",
        pattern=JOB_ID,
        form=JOB_ID_FORM,
    )


# From the client ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Hello(Message):
    """The first message: who speaks, and which protocol."""

    type: ClassVar[str] = "hello"
    major: int = spec_field("protocol version; both sides must have the same", low=0, high=2**15)
    minor: int = spec_field("protocol version; may differ", low=0, high=2**15)
    client: str = spec_field("the client's own name, for people", longest=64)


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


def count_planes(roles: Iterable[str]) -> int:
    """As how many masks frames of these roles count; a map as of all its colours."""
    counts = {"mask": 1, "strength": 1, "map": MAP_COLOURS}
    return sum(counts.get(role, 0) for role in roles)


@dataclass(frozen=True, kw_only=True)
class Stylise(JobMessage):
    """Paint the `content` frame in the style of the `style` frame, or of a preset.

    A `start` frame is what to begin with; of a grey `selection` frame, as large as the content,
    the painted part is white; of a grey `strength` frame what gets all of the strength, and what is
    black stays. A `map` frame as large as the content and a `style_map` as large as the style say
    in flat colours what is to be painted like what.
    """

    type: ClassVar[str] = "stylise"
    settings: Settings = spec_field("how to paint")
    preset: str = spec_field("name of a preset, instead of a style frame", default="", longest=64)
    styles: tuple[StyleUse, ...] = spec_field(
        "several styles, instead of the one; its frames stand in their order", default=(),
        longest=STYLES, since="1.7",
    )  # fmt: skip
    cut: bool = spec_field("make the painting transparent where nothing is selected", default=False)
    preview_px: int = spec_field("long edge of the previews; 0 sends none", unit="px", default=0,
                           low=0, high=4096)  # fmt: skip
    preview_every_s: float = spec_field("least time between previews", unit="s", default=1.0,
                                  low=0.1, high=60)  # fmt: skip
    keep: bool = spec_field("go on when the client is gone, and keep the result", default=False)
    draft: bool = spec_field(
        "a small picture of what a painting would be: its client cancels it when the daemon has "
        "any job that is none",
        default=False,
        since="1.4",
    )

    @property
    def uses(self) -> tuple[StyleUse, ...]:
        """Its styles, also where there is but one."""
        return self.styles or (StyleUse(self.preset),)

    @property
    def planes(self) -> int:
        """How many masks come with it, as `count_planes` has it."""
        return count_planes(info.role for info in self.frames)


@dataclass(frozen=True, kw_only=True)
class Estimate(Message):
    """Asks what painting a picture of that size would take; answered by `estimated`."""

    type: ClassVar[str] = "estimate"
    height: int = spec_field("rows of the picture", unit="px", low=1, high=2**17, since="1.2")
    width: int = spec_field("columns of the picture", unit="px", low=1, high=2**17, since="1.2")
    part_height: int = spec_field(
        "rows of what is selected of it; 0: all", unit="px", default=0, low=0, high=2**17,
        since="1.2",
    )  # fmt: skip
    part_width: int = spec_field(
        "columns of what is selected of it; 0: all", unit="px", default=0, low=0, high=2**17,
        since="1.2",
    )  # fmt: skip
    settings: Settings = spec_field("how it would be painted", since="1.2")
    planes: int = spec_field(
        "`mask` and `strength` frames that would come with it; a `map` counts for sixteen",
        default=0, low=0, high=PARTS, since="1.7",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cancel(JobMessage):
    """End a job now."""

    type: ClassVar[str] = "cancel"
    keep: bool = spec_field("take the picture as it stands for the result", default=False)


@dataclass(frozen=True, kw_only=True)
class Collect(JobMessage):
    """Have a job's messages sent here from now on, its result included if it is done."""

    type: ClassVar[str] = "collect"


@dataclass(frozen=True, kw_only=True)
class PresetList(Message):
    """Asks for the presets, in the order of their names."""

    type: ClassVar[str] = "preset.list"
    after: str = spec_field("leave out the names up to this one", default="", longest=64)


@dataclass(frozen=True, kw_only=True)
class PresetSave(JobMessage):
    """Keep the `style` frame under a name; a job, as its statistics take a while."""

    type: ClassVar[str] = "preset.save"
    name: str = spec_field("name", longest=64)
    settings: Settings = spec_field("settings to keep with it")
    replace: bool = spec_field("replace a preset of that name", default=False)
    keep: bool = spec_field("go on when the client is gone", default=True)


@dataclass(frozen=True, kw_only=True)
class PresetBake(JobMessage):
    """Train a network that paints in a preset's style at once; a job that makes way for any other.

    From the `photograph` frames, or from those that come with Impasto and what was painted last.
    What is there already is baked further. When it is cancelled, what was baked is kept.
    """

    type: ClassVar[str] = "preset.bake"
    name: str = spec_field("name", longest=64, since="1.5")
    minutes: float = spec_field(
        "how long, in all that is computed", unit="min", default=20.0, low=0.01, high=10_000,
        since="1.5",
    )  # fmt: skip
    anew: bool = spec_field("not on from what is there", default=False, since="1.5")
    preview_px: int = spec_field("long edge of the previews; 0 sends none", unit="px", default=0,
                           low=0, high=4096, since="1.5")  # fmt: skip
    keep: bool = spec_field("go on when the client is gone", default=True, since="1.5")


@dataclass(frozen=True, kw_only=True)
class PresetGet(Message):
    """Asks for one preset with its `thumbnail` and its `style` picture."""

    type: ClassVar[str] = "preset.get"
    name: str = spec_field("name", longest=64)
    thumbnail_only: bool = spec_field("leave out the style picture", default=False)


@dataclass(frozen=True, kw_only=True)
class PresetRename(Message):
    """Give a preset another name."""

    type: ClassVar[str] = "preset.rename"
    name: str = spec_field("name", longest=64)
    new_name: str = spec_field("its new name", longest=64)


@dataclass(frozen=True, kw_only=True)
class PresetDelete(Message):
    """Delete a preset."""

    type: ClassVar[str] = "preset.delete"
    name: str = spec_field("name", longest=64)


@dataclass(frozen=True, kw_only=True)
class PresetSort(Message):
    """Put a preset into a folder and give it tags."""

    type: ClassVar[str] = "preset.sort"
    name: str = spec_field("name", longest=64)
    folder: str | None = spec_field(
        "its folder; empty: none; nil: as it is", default=None, longest=64
    )
    tags: tuple[str, ...] | None = spec_field(
        "its tags; nil: as they are", default=None, pattern=TAG, form=TAG_FORM, longest=TAGS
    )


@dataclass(frozen=True, kw_only=True)
class PresetExport(Message):
    """Asks for the file of a preset, or for a pack of several: a zip of their files."""

    type: ClassVar[str] = "preset.export"
    names: tuple[str, ...] = spec_field(
        "names", pattern=".{1,64}", form="names of 1 to 64 letters", longest=PACK_PRESETS
    )
    pack: bool = spec_field("as a pack, of one too", default=False)


@dataclass(frozen=True, kw_only=True)
class PresetImport(FileMessage):
    """Keep what is in a preset's file or in a pack: all of it, or after an error nothing."""

    type: ClassVar[str] = "preset.import"
    name: str = spec_field("name for a preset; those in a pack have theirs", default="", longest=64)
    replace: bool = spec_field("replace presets of the same names", default=False)


# From the daemon ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Welcome(Message):
    """Answers `hello`."""

    type: ClassVar[str] = "welcome"
    major: int = spec_field("protocol version", low=0, high=2**15)
    minor: int = spec_field("protocol version", low=0, high=2**15)
    version: str = spec_field("the daemon's version", longest=64)
    device: str = spec_field("where it computes; empty until the worker has said", default="")
    weights: str = spec_field(
        "the network in use, for people; empty until it is loaded", default=""
    )
    frame_bytes: int = spec_field("most bytes of one frame", unit="bytes", low=1)
    queue: int = spec_field("most jobs that may wait", low=1)
    capabilities: tuple[str, ...] = spec_field(
        "message types it understands", default=(), longest=64
    )


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
    code: str = spec_field(
        "stable code", pattern="[A-Z][A-Z_0-9]*", form="capital letters", longest=32
    )
    message: str = spec_field("what went wrong, for a painter", longest=2000)
    next_step: str = spec_field("what to do about it", longest=1000)
    job: str = spec_field("the job it is about, if any", default="", longest=32)


@dataclass(frozen=True, kw_only=True)
class Report(Message):
    """Answers `status`."""

    type: ClassVar[str] = "report"
    version: str = spec_field("the daemon's version", longest=64)
    pid: int = spec_field("its process", low=0)
    uptime_s: float = spec_field("time since its start, but for sleep", unit="s", low=0)
    worker: str = spec_field("absent, starting, idle, busy or stopping", longest=16)
    device: str = spec_field("where it computes", default="")
    memory_mib: int = spec_field("memory of that device", unit="MiB", default=0, low=0)
    weights: str = spec_field(
        "the network in use, for people; empty until it is loaded", default=""
    )
    clients: int = spec_field("clients heard of lately", low=0)
    dropped: int = spec_field("messages dropped as unreadable", low=0)
    jobs: tuple[JobInfo, ...] = spec_field("jobs, oldest first", default=(), longest=256)
    refused: int = spec_field(
        "on TCP, connections that showed no allowed key, and messages by one that no longer is",
        default=0, low=0, since="1.8",
    )  # fmt: skip

    @property
    def before_drafts(self) -> int:
        """How many jobs have not ended that a draft makes way for: paintings, and saved styles."""
        return sum(
            job.state in _UNFINISHED and not job.draft and not job.bakes for job in self.jobs
        )

    @property
    def baking(self) -> dict[str, JobInfo]:
        """The styles that are being baked, whoever asked for it."""
        return {job.bakes: job for job in self.jobs if job.bakes and job.state in _UNFINISHED}


@dataclass(frozen=True, kw_only=True)
class Estimated(Message):
    """Answers `estimate`."""

    type: ClassVar[str] = "estimated"
    memory_mib: int = spec_field("memory that it would take", unit="MiB", low=0, since="1.2")
    free_mib: int = spec_field("memory that it may take", unit="MiB", low=0, since="1.2")
    seconds: float | None = spec_field(
        "time that it would take; nil until this device has painted once", unit="s", default=None,
        low=0, since="1.2",
    )  # fmt: skip
    evaluations: int = spec_field("evaluations of the loss, in all", low=0, since="1.2")


@dataclass(frozen=True, kw_only=True)
class Presets(Message):
    """Answers the `preset.*` requests about what there is."""

    type: ClassVar[str] = "presets"
    presets: tuple[PresetInfo, ...] = spec_field("by name", default=(), longest=1000)
    more: bool = spec_field("ask again, `after` the last of these", default=False)
    damaged: tuple[str, ...] = spec_field(
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
    names: tuple[str, ...] = spec_field(
        "names of the presets that are there now", longest=PACK_PRESETS
    )


@dataclass(frozen=True, kw_only=True)
class Accepted(JobMessage):
    """The job is in the queue, or running, or known already."""

    type: ClassVar[str] = "accepted"
    position: int = spec_field("jobs before it", low=0)


@dataclass(frozen=True, kw_only=True)
class Progress(JobMessage):
    """How far a job is; may bring a `preview` frame."""

    type: ClassVar[str] = "progress"
    phase: str = spec_field(
        "what it does", choices=("starting", "weights", "style", "painting", "baking")
    )
    step: int = spec_field("evaluations done", low=0)
    of: int = spec_field("evaluations asked for", low=0)
    scale: int = spec_field("coarse-to-fine step, from 1", default=0, low=0)
    scales: int = spec_field("how many there are", default=0, low=0)
    losses: dict[str, float] | None = spec_field("each term of the loss", default=None, longest=40)
    seconds_left: float | None = spec_field("estimate", unit="s", default=None, low=0)
    share: float | None = spec_field(
        "of the work, what is done; evaluations at a large size are much of it",
        default=None, low=0, high=1, since="1.4",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Snapshot(JobMessage):
    """The picture after a step that `settings.snapshots` names, in a `snapshot` frame."""

    type: ClassVar[str] = "snapshot"
    step: int = spec_field("evaluations done", low=1)


@dataclass(frozen=True, kw_only=True)
class Result(JobMessage):
    """The painted `picture`: same width, height, channels and number type as the content."""

    type: ClassVar[str] = "result"
    steps: int = spec_field("evaluations done", low=0)
    converged: bool = spec_field("it stopped because the loss no longer fell", default=False)
    diverged: bool = spec_field(
        "the loss left the finite numbers; the picture is the last good one", default=False
    )
    seconds: float = spec_field("time it took", unit="s", low=0)
    losses: dict[str, float] | None = spec_field("each term of the loss", default=None, longest=40)
    device: str = spec_field("where it was computed")
    weights: str = spec_field("hash of the network and weights", longest=128)
    style: str = spec_field("hash of the style picture", longest=64)
    styles: tuple[str, ...] = spec_field(
        "of those of the others, where there were several", default=(), longest=STYLES, since="1.7"
    )
    notes: tuple[str, ...] = spec_field("what a painter should know", default=(), longest=16)
    memory_mib: int = spec_field(
        "memory that it was planned for, for `settings.memory_mib` of a repetition", unit="MiB",
        default=0, low=0, since="1.2",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Failed(JobMessage):
    """The job ended without a picture."""

    type: ClassVar[str] = "failed"
    code: str = spec_field(
        "stable code", pattern="[A-Z][A-Z_0-9]*", form="capital letters", longest=32
    )
    message: str = spec_field("what went wrong, for a painter", longest=2000)
    next_step: str = spec_field("what to do about it", longest=1000)


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
