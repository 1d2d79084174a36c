"""The daemon's TCP port: what comes in there, and how much of it before its key is known.

ZeroMQ makes room for a message as large as any may be before it looks at who sends it. So its own
socket is a private one, and strangers reach it through here alone: few at a time, not for long, and
with no more than a handshake takes.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
import time
from asyncio import StreamReader, StreamWriter, Task

log = logging.getLogger(__name__)

IPC, TCP = "ipc://", "tcp://"
_SIGNATURE_BYTES = 10
"""What a ZeroMQ client sends first: 255, eight bytes that mean nothing, and 127."""
_HANDSHAKE_BYTES = 4096
"""More than a client sends before it is let in: greeting, HELLO and INITIATE."""
_ANSWER_BYTES = 64 + 170 + 12
"""The most that a client is sent which is not let in: greeting, WELCOME and ERROR."""
_HANDSHAKE_S = 10
_STRANGERS = 256 if sys.platform == "linux" else 64
"""So many may be at it at once; of more, those that have been there longest make room. Each has two
sockets, and of these Windows watches 512, macOS allows 256."""
_TELL_EVERY_S = 60
_UNACKNOWLEDGED_MS = 5000
_CHUNK_BYTES = 1 << 16
_LAST_PORT = 65535


class Gate:
    """Listens at `tcp://HOST:PORT`, where the port may be `*`. Raises OSError where it cannot.

    refused: connections that were not let in.
    """

    def __init__(self, endpoint: str) -> None:
        host, _, port = endpoint.removeprefix(TCP).rpartition(":")
        host = "0.0.0.0" if host == "*" else host
        address = host.strip("[]")
        number = 0 if port == "*" else int(port)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if number > _LAST_PORT:
            raise OSError(errno.EINVAL, f"there is no port {number}")
        try:
            address.encode("idna")
        except UnicodeError as error:
            raise OSError(errno.EINVAL, f"no host can have that name ({error})") from error
        self._listening = socket.create_server((address, number), family=family)
        # By its number: a client might take a name for another address than is listened at.
        found, port_number, *_ = self._listening.getsockname()
        host = host if family == socket.AF_INET6 else found
        self.endpoint = f"{TCP}{host}:{port_number}"
        self.refused = 0
        self._inside = ""
        self._server: asyncio.Server | None = None
        self._connections: set[Task[None]] = set()
        self._strangers: dict[Task[None], str] = {}
        self._told: dict[str, float] = {}

    async def open(self, inside: str) -> None:
        """Let clients in to the ZeroMQ endpoint `inside` from now on."""
        self._inside = inside
        self._server = await asyncio.start_server(
            self._connect, sock=self._listening, limit=_CHUNK_BYTES
        )

    async def close(self) -> None:
        """Let nobody in any more, and end what there is."""
        if self._server:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections)
        self._listening.close()

    async def _connect(self, outside: StreamReader, answers: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        self._strangers[task] = str((answers.get_extra_info("peername") or ("?",))[0])
        if len(self._strangers) > _STRANGERS:
            self._refuse(eldest := next(iter(self._strangers)))
            eldest.cancel()
        _give_up_on_silence(answers)
        try:
            await self._let_in(task, outside, answers)
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError) as error:
            log.debug("a connection ended: %r", error)
        finally:
            answers.close()
            self._connections.discard(task)
            if task in self._strangers:
                self._refuse(task)

    async def _let_in(self, task: Task[None], outside: StreamReader, answers: StreamWriter) -> None:
        asked = answered = 0

        async def ask() -> None:
            nonlocal asked
            while data := await outside.read(_CHUNK_BYTES):
                asked += len(data)
                if task in self._strangers and asked > _HANDSHAKE_BYTES:
                    return
                requests.write(data)
                await requests.drain()

        async def answer() -> None:
            nonlocal answered
            while data := await inside.read(_CHUNK_BYTES):
                answered += len(data)
                if answered > _ANSWER_BYTES:
                    self._strangers.pop(task, None)
                    patience.reschedule(None)
                answers.write(data)
                await answers.drain()

        async with asyncio.timeout(_HANDSHAKE_S) as patience:
            signature = await outside.readexactly(_SIGNATURE_BYTES)
            if (signature[0], signature[-1]) != (0xFF, 0x7F):
                return
            asked = len(signature)
            inside, requests = await self._open_inside()
            requests.write(signature)
            ways = [asyncio.create_task(ask()), asyncio.create_task(answer())]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                requests.close()
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)

    async def _open_inside(self) -> tuple[StreamReader, StreamWriter]:
        if self._inside.startswith(IPC):
            path = self._inside.removeprefix(IPC)
            return await asyncio.open_unix_connection(path, limit=_CHUNK_BYTES)
        host, _, port = self._inside.removeprefix(TCP).rpartition(":")
        return await asyncio.open_connection(host, int(port), limit=_CHUNK_BYTES)

    def _refuse(self, stranger: Task[None]) -> None:
        address, now = self._strangers.pop(stranger), time.monotonic()
        self.refused += 1
        self._told = {a: told for a, told in self._told.items() if now - told < _TELL_EVERY_S}
        if address not in self._told:
            self._told[address] = now
            log.warning("refused a connection from %s; %s so far", address, self.refused)


def _give_up_on_silence(writer: StreamWriter) -> None:
    """Have a machine that went without a word be gone in seconds, not in minutes.

    ZeroMQ's own heartbeats take a large picture on a slow line for silence, and break it off.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        link: socket.socket = writer.get_extra_info("socket")
        link.setsockopt(socket.IPPROTO_TCP, option, _UNACKNOWLEDGED_MS)
