"""Where the daemon listens: a private socket, or TCP with CURVE and a list of who may come in.

On TCP the socket is as private as the system allows, and `gate` stands before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import zmq
import zmq.asyncio
from zmq.auth.asyncio import AsyncioAuthenticator

from impasto_daemon import __version__
from impasto_daemon.broker.allowed_keys import AllowedKeys
from impasto_daemon.broker.gate import IPC, TCP, Gate
from impasto_daemon.broker.server_key import kept_key_pair
from impasto_daemon.config import Config
from impasto_daemon.files import not_written
from impasto_daemon.paths import Paths
from impasto_protocol.connection import Connection
from impasto_protocol.errors import ConfigInvalid, DiskFull
from impasto_protocol.limits import PROTOCOL_MAJOR, PROTOCOL_MINOR

_LONGEST_IPC_PATH = 100
_DOMAIN = "impasto"
_SERVER_KEY = "server.key"
_ANY_PORT = "tcp://127.0.0.1:*"
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
"""And which of them a client of the same machine takes."""
_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")


@dataclass
class Address:
    """An endpoint and, on TCP, its keys. Raises ConfigInvalid when it may not be bound."""

    endpoint: str
    keys: AllowedKeys | None = None
    own_key: str = ""
    gate: Gate | None = None
    _inside: str = ""
    _server: tuple[bytes, bytes] = (b"", b"")
    _own_secret: str = ""
    _authenticator: AsyncioAuthenticator | None = field(default=None, repr=False)

    @classmethod
    def of(cls, config: Config, read: Callable[[], Config], paths: Paths) -> Address:
        """The address that the configuration asks for, or the platform's usual one.

        read: reads the configuration anew. Raises ConfigInvalid, UnsafeFolder.
        """
        path = paths.runtime / "daemon.sock"
        ipc = sys.platform != "win32" and len(os.fsencode(path)) <= _LONGEST_IPC_PATH
        if not config.endpoint and ipc:
            return cls(f"{IPC}{path}")
        endpoint = config.endpoint or _ANY_PORT
        host = endpoint.removeprefix(TCP).rpartition(":")[0]
        if host not in _THIS_MACHINE and not config.allow_remote:
            raise ConfigInvalid(
                f"{endpoint} would let other machines connect.",
                next_step="If that is what you want, set `allow_remote = true` as well.",
            )
        public, secret = (key.decode() for key in zmq.curve_keypair())
        return cls(
            endpoint,
            AllowedKeys(public, config.allowed_keys, paths.config, read),
            public,
            _inside=f"{IPC}{path}" if ipc else _ANY_PORT,
            # Other machines were told the key of an endpoint that was chosen.
            _server=kept_key_pair(paths.data / _SERVER_KEY)
            if config.endpoint
            else zmq.curve_keypair(),
            _own_secret=secret,
        )

    def bind(self, context: zmq.asyncio.Context, socket: zmq.asyncio.Socket) -> None:
        """Bind a socket here. On TCP no byte reaches it before its sender's key is known.

        Raises ConfigInvalid, DiskFull.
        """
        try:
            if self.keys:
                self._authenticator = AsyncioAuthenticator(context)
                self._authenticator.start()
                self._authenticator.configure_curve_callback(_DOMAIN, credentials_provider=self)
                socket.curve_server = True
                socket.curve_publickey, socket.curve_secretkey = self._server
                socket.zap_domain = _DOMAIN.encode()
                self.gate = Gate(self.endpoint)
                self.endpoint = self.gate.endpoint
            socket.bind(self._inside or self.endpoint)
        except (OSError, zmq.ZMQError) as error:
            why = OSError(error.errno, error.strerror)
            failure = not_written(f"The daemon cannot listen at {self.endpoint}", why)
            if isinstance(failure, DiskFull):
                raise failure from error
            raise ConfigInvalid(
                str(failure),
                next_step="Choose another `endpoint`, or none; `impasto config show --origin` "
                "tells where it is set.",
            ) from error
        self._inside = socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")

    async def open(self) -> None:
        """Let clients in from now on."""
        if self.gate:
            await self.gate.open(self._inside)

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether the client with that key, Z85, may come in; asked by the authenticator."""
        return self.keys is not None and key.decode() in self.keys

    def connection(self) -> Connection:
        """What a client of this user needs to know."""
        return Connection(
            endpoint=_from_here(self.endpoint),
            major=PROTOCOL_MAJOR,
            minor=PROTOCOL_MINOR,
            version=__version__,
            pid=os.getpid(),
            server_key=self._server[0].decode(),
            public_key=self.own_key,
            secret_key=self._own_secret,
        )

    async def close(self, context: zmq.asyncio.Context, *, is_ours: bool) -> None:
        """Once the socket is closed: end its context, and take its file away, which ZeroMQ leaves.

        What is still to be said gets through before. is_ours: the file is no other daemon's by now.
        """
        if self._authenticator:
            self._authenticator.stop()
        await asyncio.to_thread(context.term)
        if self.gate:
            await self.gate.close()
        if is_ours and self._inside.startswith(IPC):
            with contextlib.suppress(OSError):
                Path(self._inside.removeprefix(IPC)).unlink()


def _from_here(endpoint: str) -> str:
    """An endpoint as a client of this machine can connect to it."""
    host, _, port = endpoint.removeprefix(TCP).rpartition(":")
    return f"{TCP}{_EVERY_ADDRESS[host]}:{port}" if host in _EVERY_ADDRESS else endpoint
