"""Messages to frames and back. The one place where bytes from outside become a message."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgpack

from impasto_protocol.colour_space import SRGB, ColourSpace
from impasto_protocol.errors import (
    BadField,
    BadImage,
    BadMessage,
    ImpastoError,
    ProtocolError,
    TooLarge,
    TooManyParts,
    UnknownType,
)
from impasto_protocol.fields import from_dict, to_dict
from impasto_protocol.limits import DIGEST_BYTES, FRAME_BYTES, HEADER_BYTES, LIST_ITEMS, PARTS
from impasto_protocol.messages import DTYPE_BYTES, JOB_ID, MESSAGES, FileInfo, FrameInfo, Message

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Picture:
    """Pixels outside of any message: (height, width, channels), interleaved, straight alpha.

    order: "rgb", or "bgr" as some editors keep them; alpha is last in either.
    space: what its numbers stand for.
    Raises BadField or BadImage when the numbers and the data do not fit together.
    """

    height: int
    width: int
    channels: int
    dtype: str
    data: Buffer
    order: str = "rgb"
    space: ColourSpace = SRGB

    def __post_init__(self) -> None:
        _check_length(self.info("picture"), self.data)

    def info(self, role: str, *, digest: bool = False) -> FrameInfo:
        """The header's description of these pixels, with their `digest` if it is wanted."""
        found = digest_of(self.data) if digest else b""
        shape = (self.height, self.width, self.channels)
        return FrameInfo(role, *shape, self.dtype, self.order, found, self.space)

    def crop(self, x: int, y: int, width: int, height: int) -> Picture:
        """A rectangle of it, in px from its upper left corner."""
        if (x, y, width, height) == (0, 0, self.width, self.height):
            return self
        pixel_bytes = self.channels * DTYPE_BYTES[self.dtype]
        row_bytes, view = self.width * pixel_bytes, memoryview(self.data)
        firsts = range(y * row_bytes + x * pixel_bytes, (y + height) * row_bytes, row_bytes)
        data = b"".join(view[first : first + width * pixel_bytes] for first in firsts)
        return replace(self, height=height, width=width, data=data)

    @classmethod
    def received(cls, info: FrameInfo, data: Buffer) -> Picture:
        """The pixels of a frame. Raises BadImage when they do not have the digest that is named."""
        verify(info, data)
        shape = (info.height, info.width, info.channels)
        return cls(*shape, info.dtype, data, info.order, info.space)


def digest_of(data: Buffer) -> bytes:
    """blake2b of `data`, as frames and caches use it."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


def verify(info: FrameInfo | FileInfo, data: Buffer) -> None:
    """Raise BadImage when a frame does not have the digest that is named."""
    if info.digest and digest_of(data) != info.digest:
        raise BadImage(f"{info} was damaged on the way.", next_step="Run it again.")


def encode(message: Message, frames: Sequence[Buffer] = ()) -> list[Buffer]:
    """The parts of `message`: its header, then the frames that it describes.

    Raises TooLarge when the header is over its limit, BadImage when frames and header disagree.
    """
    _check_frames(message, frames, FRAME_BYTES)
    header = msgpack.packb({"type": message.type, **to_dict(message)})
    if len(header) > HEADER_BYTES:
        raise TooLarge(
            f"The header of {message.type!r} would be {len(header)} bytes.",
            next_step="Ask for less at once.",
        )
    return [header, *frames]


def decode(parts: Sequence[Buffer], *, frame_bytes: int = FRAME_BYTES) -> Message:
    """The message in `parts`; its frames are `parts[1:]`, their lengths checked.

    Digests are left to whoever uses the pixels. Raises a ProtocolError or BadImage.
    """
    if not 1 <= len(parts) <= PARTS:
        raise TooManyParts(f"A message of {len(parts)} parts; at most {PARTS} are allowed.")
    header = _read_header(parts[0])
    kind = header.pop("type", None)
    if not isinstance(kind, str) or kind not in MESSAGES:
        raise UnknownType(f"There is no message of type {str(kind)[:40]!r}.")
    message = from_dict(MESSAGES[kind], header)
    _check_frames(message, parts[1:], frame_bytes)
    return message


def subject_of(parts: Sequence[Buffer]) -> tuple[int, str]:
    """The request and the job that a message which `decode` refuses is about; 0 and "" for none."""
    try:
        header = _read_header(parts[0])
    except (ImpastoError, IndexError):
        return 0, ""
    request, job = header.get("request"), header.get("job")
    return (
        request if type(request) is int and request > 0 else 0,
        job if isinstance(job, str) and re.fullmatch(JOB_ID, job) else "",
    )


def _read_header(data: Buffer) -> dict[str, Any]:
    if len(data) > HEADER_BYTES:
        raise TooLarge(
            f"A header of {len(data)} bytes; at most {HEADER_BYTES} are allowed.",
            next_step=ProtocolError.default_next_step,
        )
    try:
        header = msgpack.unpackb(
            data,
            object_pairs_hook=_no_duplicates,
            strict_map_key=False,
            max_ext_len=0,
            # It makes room for as many as are announced, at every depth.
            max_array_len=LIST_ITEMS,
            max_map_len=LIST_ITEMS,
        )
    except BadField:
        raise
    # msgpack answers hostile bytes with ValueError, but also with TypeError, UnicodeDecodeError,
    # OverflowError or RecursionError, depending on its build.
    except Exception as error:
        raise BadMessage("The header cannot be read.") from error
    if not isinstance(header, dict):
        raise BadMessage("The header is not a map.")
    return header


def _no_duplicates(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise _bad_key(str(key)[:40], "is not text")
        if key in found:
            raise _bad_key(key[:40], "stands twice")
        found[key] = value
    return found


def _bad_key(key: str, complaint: str) -> BadField:
    return BadField(
        f"The field {key!r} {complaint}.", field=key, next_step=ProtocolError.default_next_step
    )


def _check_frames(message: Message, frames: Sequence[Buffer], frame_bytes: int) -> None:
    if len(frames) != len(message.described):
        raise BadImage(f"{len(message.described)} frames announced, {len(frames)} sent.")
    for info, data in zip(message.described, frames, strict=True):
        check_size(info, frame_bytes)
        _check_length(info, data)


def check_size(info: FrameInfo | FileInfo, frame_bytes: int) -> None:
    """Raise TooLarge when a frame is over the limit."""
    if info.size_bytes > frame_bytes:
        raise TooLarge(
            f"{info} takes {info.size_bytes >> 20} MiB; at most {frame_bytes >> 20} are accepted."
        )


def _check_length(info: FrameInfo | FileInfo, data: Buffer) -> None:
    sent = data.nbytes if isinstance(data, memoryview) else len(data)
    if sent != info.size_bytes:
        raise BadImage(f"{info} needs {info.size_bytes} bytes, not {sent}.")
