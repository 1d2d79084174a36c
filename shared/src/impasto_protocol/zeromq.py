"""A client's link to the daemon over ZeroMQ. The client's only module that imports pyzmq."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import zmq

from impasto_protocol.codec import Buffer
from impasto_protocol.connection import Connection
from impasto_protocol.errors import DaemonLost


def library_version() -> str:
    """Of libzmq, which pyzmq brings or finds."""
    return zmq.zmq_version()


class ZeroMqTransport:
    """A DEALER socket. fd: becomes readable when there may be something to receive."""

    def __init__(self, connection: Connection) -> None:
        self._context = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        # The same name after the link broke, so that the daemon goes on with the same client.
        self.socket.routing_id = uuid.uuid4().bytes
        self.socket.linger = 0
        self.socket.sndhwm = self.socket.rcvhwm = 0
        self.socket.ipv6 = True
        try:
            if connection.server_key:
                self.socket.curve_serverkey = connection.server_key.encode()
                self.socket.curve_publickey = connection.public_key.encode()
                self.socket.curve_secretkey = connection.secret_key.encode()
        except zmq.ZMQError as error:
            self.close()
            raise DaemonLost(f"A key in the connection file is damaged: {error}.") from error
        try:
            self.socket.connect(connection.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise DaemonLost(f"{connection.endpoint} is no address: {error}.") from error
        self.fd = int(self.socket.fd)

    def send(self, parts: Sequence[Buffer]) -> None:
        """Hand a message over, without waiting. Raises DaemonLost."""
        try:
            self.socket.send_multipart(parts, flags=zmq.DONTWAIT, copy=False)
        except zmq.Again as error:
            raise DaemonLost("The daemon cannot be reached.") from error

    def receive(self) -> list[Buffer] | None:
        """A message that has arrived, or None; without waiting."""
        if not self.socket.poll(0):
            return None
        return [frame.buffer for frame in self.socket.recv_multipart(copy=False)]

    def wait(self, seconds: float) -> None:
        """Sleep until something arrives, at most so long."""
        self.socket.poll(int(seconds * 1000))

    def close(self) -> None:
        """Let go of the daemon."""
        self.socket.close()
        self._context.term()
