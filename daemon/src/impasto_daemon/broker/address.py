"""Where the daemon listens: a private socket, or TCP with CURVE and a list of who may come in."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import zmq
import zmq.asyncio
from zmq.auth.asyncio import AsyncioAuthenticator

from impasto_daemon import __version__
from impasto_daemon.config import Config
from impasto_daemon.paths import Paths
from impasto_protocol.connection import Connection
from impasto_protocol.errors import ConfigInvalid
from impasto_protocol.limits import PROTOCOL_MAJOR, PROTOCOL_MINOR

_IPC = "ipc://"
_LONGEST_IPC_PATH = 100
_DOMAIN = "impasto"
_UNACKNOWLEDGED_MS = 5000
_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")


@dataclass
class Address:
    """An endpoint and, on TCP, its keys. Raises ConfigInvalid when it may not be bound."""

    endpoint: str
    allowed_keys: tuple[str, ...] = ()
    own_key: str = ""
    _server: tuple[bytes, bytes] = (b"", b"")
    _own_secret: str = ""
    _authenticator: AsyncioAuthenticator | None = field(default=None, repr=False)

    @classmethod
    def of(cls, config: Config, paths: Paths) -> Address:
        """The address that the configuration asks for, or the platform's usual one."""
        path = paths.runtime / "daemon.sock"
        ipc = sys.platform != "win32" and len(os.fsencode(path)) <= _LONGEST_IPC_PATH
        if not config.endpoint and ipc:
            return cls(f"{_IPC}{path}")
        endpoint = config.endpoint or "tcp://127.0.0.1:*"
        host = endpoint.removeprefix("tcp://").rpartition(":")[0]
        if host not in _THIS_MACHINE and not config.allow_remote:
            raise ConfigInvalid(
                f"{endpoint} would let other machines connect.",
                next_step="If that is what you want, set `allow_remote = true` as well.",
            )
        public, secret = zmq.curve_keypair()
        return cls(
            endpoint, config.allowed_keys, public.decode(), zmq.curve_keypair(), secret.decode()
        )

    @property
    def secured(self) -> bool:
        """Clients are known by their keys."""
        return bool(self.own_key)

    def bind(self, context: zmq.asyncio.Context, socket: zmq.asyncio.Socket) -> None:
        """Bind a socket here. On TCP no byte reaches it before its sender's key is known."""
        if self.secured:
            self._authenticator = AsyncioAuthenticator(context)
            self._authenticator.start()
            self._authenticator.configure_curve_callback(_DOMAIN, credentials_provider=self)
            socket.curve_server = True
            socket.curve_publickey, socket.curve_secretkey = self._server
            socket.zap_domain = _DOMAIN.encode()
            # Or a machine that went without a word would be gone in minutes only. ZeroMQ's own
            # heartbeats take a large picture on a slow line for silence, and break it off.
            socket.tcp_maxrt = _UNACKNOWLEDGED_MS
        try:
            socket.bind(self.endpoint)
        except zmq.ZMQError as error:
            raise ConfigInvalid(
                f"The daemon cannot listen at {self.endpoint}: {zmq.strerror(error.errno or 0)}.",
                next_step="Choose another `endpoint`, or none; `impasto config show --origin` "
                "tells where it is set.",
            ) from error
        bound = socket.get_string(zmq.LAST_ENDPOINT)
        self.endpoint = bound.rstrip("\0")

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether the client with that key, Z85, may come in; asked by the authenticator."""
        return key.decode() in (self.own_key, *self.allowed_keys)

    def connection(self) -> Connection:
        """What a client of this user needs to know."""
        return Connection(
            endpoint=self.endpoint,
            major=PROTOCOL_MAJOR,
            minor=PROTOCOL_MINOR,
            version=__version__,
            pid=os.getpid(),
            server_key=self._server[0].decode(),
            public_key=self.own_key,
            secret_key=self._own_secret,
        )

    def close(self) -> None:
        """Stop asking for keys, and take the socket's file away, which ZeroMQ leaves."""
        if self._authenticator:
            self._authenticator.stop()
        if self.endpoint.startswith(_IPC):
            with contextlib.suppress(OSError):
                Path(self.endpoint.removeprefix(_IPC)).unlink()
