"""The pipe between broker and worker: pickled messages, and their frames beside them, uncopied."""

from __future__ import annotations

import io
import pickle
from multiprocessing.connection import Connection
from typing import Any

_PIECE_BYTES = 4 << 20


def send(pipe: Connection, message: object) -> None:
    """Send a message, then the bytes that its memoryviews show. Raises OSError."""
    pickled = io.BytesIO()
    pickler = _Pickler(pickled)
    pickler.dump(message)
    pipe.send((pickled.getvalue(), [frame.nbytes for frame in pickler.frames]))
    for frame in pickler.frames:
        for first in range(0, frame.nbytes, _PIECE_BYTES):
            pipe.send_bytes(frame[first : first + _PIECE_BYTES])


def receive(pipe: Connection) -> Any:
    """Wait for the next message. Raises EOFError or OSError when nobody is there any more."""
    pickled, sizes = pipe.recv()
    frames = [bytearray(size) for size in sizes]
    for frame in frames:
        filled = 0
        while filled < len(frame):
            filled += pipe.recv_bytes_into(frame, filled)
    return _Unpickler(pickled, frames).load()


class _Pickler(pickle.Pickler):
    """Leaves the memoryviews out: they are in `frames` afterwards."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.frames: list[memoryview] = []

    def persistent_id(self, obj: object) -> int | None:
        if not isinstance(obj, memoryview):
            return None
        self.frames.append(obj)
        return len(self.frames) - 1


class _Unpickler(pickle.Unpickler):
    """Puts `frames` where the memoryviews were."""

    def __init__(self, pickled: bytes, frames: list[bytearray]) -> None:
        super().__init__(io.BytesIO(pickled))
        self._frames = frames

    def persistent_load(self, pid: int) -> memoryview:
        return memoryview(self._frames[pid])
