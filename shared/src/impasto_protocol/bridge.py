"""The bridge: the same messages over a child's standard input and output.

For editors whose Python cannot load pyzmq. `BridgeTransport` is the editor's end; `serve`, which
runs in the daemon's own environment as `impasto bridge`, the other. On the pipes each message is
the number of its parts and then each part with its length; the first is the connection file.
"""

from __future__ import annotations

import contextlib
import json
import queue
import select
import socket
import struct
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO

from impasto_protocol.codec import Buffer
from impasto_protocol.connection import Connection, clean_environment, running_impasto
from impasto_protocol.errors import DaemonLost
from impasto_protocol.fields import from_dict

_COUNT, _LENGTH = struct.Struct("<I"), struct.Struct("<Q")


class BridgeTransport:
    """A transport through a bridge of its own. fd: readable when there is something to receive.

    Raises DaemonNotRunning when there is no program `impasto` to run.
    """

    def __init__(self, connection: Connection) -> None:
        with running_impasto() as command:
            self._process = subprocess.Popen(
                [*command, "bridge"], env=clean_environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        self._outgoing: queue.SimpleQueue[Sequence[Buffer] | None] = queue.SimpleQueue()
        self._arrived: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        # One byte for each message: a socket, as that is all Windows can wait for.
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)  # or nobody would end it who no longer listens
        self.fd = self._bell.fileno()
        self._threads = [threading.Thread(target=work, daemon=True)
                         for work in (self._write, self._read)]  # fmt: skip
        for thread in self._threads:
            thread.start()
        self.send([json.dumps(asdict(connection)).encode()])

    def send(self, parts: Sequence[Buffer]) -> None:
        """Hand a message over, without waiting."""
        self._outgoing.put(parts)

    def receive(self) -> list[bytes] | None:
        """A message that has arrived, or None; without waiting. Raises DaemonLost."""
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(1)
        try:
            parts = self._arrived.get_nowait()
        except queue.Empty:
            return None
        if parts is None:
            self._arrived.put(None)
            raise DaemonLost("The bridge to the daemon has ended.")
        return parts

    def wait(self, seconds: float) -> None:
        """Sleep until something arrives, at most so long."""
        select.select([self._bell], [], [], seconds)

    def close(self) -> None:
        """Let go of the daemon; the bridge ends with its input."""
        self._outgoing.put(None)
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for end in (self._bell, self._ringer, self._process.stdout):
            assert end
            end.close()

    def _write(self) -> None:
        pipe = self._process.stdin
        assert pipe
        # The bridge may be gone; whoever reads will notice.
        with contextlib.suppress(OSError), pipe:
            while (parts := self._outgoing.get()) is not None:
                write_message(pipe, parts)

    def _read(self) -> None:
        assert self._process.stdout
        while True:
            parts = read_message(self._process.stdout)
            self._arrived.put(parts)
            with contextlib.suppress(OSError):
                self._ringer.send(b"!")
            if parts is None:
                return


def write_message(pipe: IO[bytes], parts: Sequence[Buffer]) -> None:
    """Write a message to a pipe."""
    pipe.write(_COUNT.pack(len(parts)))
    for part in parts:
        pipe.write(_LENGTH.pack(memoryview(part).nbytes))
        pipe.write(part)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> list[bytes] | None:
    """The next message from a pipe; None when it has ended."""
    try:
        (count,) = _COUNT.unpack(_exactly(pipe, _COUNT.size))
        return [_exactly(pipe, *_LENGTH.unpack(_exactly(pipe, _LENGTH.size))) for _ in range(count)]
    except (EOFError, OSError):
        return None


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Be the bridge until `incoming` ends."""
    import zmq

    from impasto_protocol.zeromq import ZeroMqTransport

    first = read_message(incoming)
    if first is None:
        return
    transport = ZeroMqTransport(from_dict(Connection, json.loads(first[0])))
    context = zmq.Context()
    ours, readers = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    ours.bind("inproc://incoming")
    readers.connect("inproc://incoming")

    def read() -> None:
        while (parts := read_message(incoming)) is not None:
            readers.send_multipart(parts)
        readers.send(b"")
        readers.close()

    threading.Thread(target=read, daemon=True).start()
    poller = zmq.Poller()
    poller.register(ours, zmq.POLLIN)
    poller.register(transport.socket, zmq.POLLIN)
    with contextlib.suppress(OSError):
        while True:
            ready = dict(poller.poll())
            if transport.socket in ready and (parts := transport.receive()):
                write_message(outgoing, parts)
            if ours in ready:
                said = ours.recv_multipart()
                if said == [b""]:
                    break
                transport.send(said)
    transport.close()


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data
