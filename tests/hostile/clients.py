"""What strangers and bad clients do at a daemon's socket, for tests and for a proof.

A daemon is known by its connection file's contents; `Watch` says what it takes meanwhile.
"""

import contextlib
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import zmq

from impasto_protocol import messages
from impasto_protocol.codec import decode, encode
from impasto_protocol.limits import PROTOCOL_MAJOR, PROTOCOL_MINOR

MIB = 1 << 20
HTTP = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 400\r\n\r\n" + b"\x81\xa4type\xa6status" * 40
)
HELLO = messages.Hello(major=PROTOCOL_MAJOR, minor=PROTOCOL_MINOR, client="hostile", request=1)
_SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
LARGE_COMMAND = b"\x06" + (1 << 30).to_bytes(8, "big")
"""The head of a ZeroMQ command of a gigabyte."""


def greeting(mechanism):
    """What a ZeroMQ client says first."""
    return _SIGNATURE + b"\x03\x01" + mechanism.ljust(20, b"\0") + bytes(32)


class Watch:
    """What a process has: its memory, and its files and sockets."""

    def __init__(self, pid):
        self._process = Path(f"/proc/{pid}")
        self.begun_mib = self.mib

    @property
    def mib(self):
        pages = int((self._process / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MIB

    @property
    def grown_mib(self):
        return self.mib - self.begun_mib

    @property
    def descriptors(self):
        return len(list((self._process / "fd").iterdir()))


def connect(endpoint):
    """A plain connection to a ZeroMQ endpoint."""
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc":
        link = socket.socket(socket.AF_UNIX)
        link.connect(address)
    else:
        host, _, port = address.rpartition(":")
        link = socket.create_connection((host, int(port)))
    link.settimeout(10)
    return link


def is_closed(link):
    """Whether the other side ends a connection, after whatever it has to say."""
    try:
        while link.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def flood(endpoint, first, mib):
    """Send so much rubbish after `first`; how many MiB were taken."""
    with connect(endpoint) as link:
        taken, rubbish = 0, os.urandom(MIB)
        with contextlib.suppress(OSError):
            link.sendall(first)
            while taken < mib:
                link.sendall(rubbish)
                taken += 1
        return taken


def half_a_message(endpoint):
    """A connection to a private socket that says hello, and then half of a picture."""
    link = connect(endpoint)
    ready = b"\x05READY\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER"
    (hello,) = encode(HELLO)
    link.sendall(greeting(b"NULL") + bytes([4, len(ready)]) + ready)
    answered = b""
    while b"READY" not in answered:
        answered += link.recv(1000)
    link.sendall(bytes([0, len(hello)]) + hello)
    with contextlib.suppress(OSError):
        link.sendall(b"\x03" + (100).to_bytes(8, "big") + bytes(100))
        link.sendall(b"\x02" + (64 * MIB).to_bytes(8, "big") + bytes(MIB))
    return link


class Deaf:
    """A client that takes in nothing that it is not asked to: its queues are as short as may be."""

    def __init__(self, connection):
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.linger, self._socket.rcvhwm, self._socket.rcvbuf = 0, 1, 4096
        self._socket.sndtimeo = self._socket.rcvtimeo = 30_000
        if connection.server_key:
            self._socket.curve_serverkey = connection.server_key.encode()
            self._socket.curve_publickey = connection.public_key.encode()
            self._socket.curve_secretkey = connection.secret_key.encode()
        self._socket.connect(connection.endpoint)
        self.asked = 0
        self.send(HELLO)

    def send(self, message, frames=()):
        """Ask for something."""
        self.asked += 1
        self._socket.send_multipart(encode(message, frames), copy=False)

    def read(self):
        """The next thing that it was told."""
        return decode(self._socket.recv_multipart())

    def read_all(self):
        """How much it was told that it has not read yet, until it is asked for a sign of life."""
        told = 0
        while not isinstance(self.read(), messages.Pong):
            told += 1
        return told

    def close(self):
        self._socket.close()
        self._context.term()


class Proxy:
    """A TCP proxy before a daemon that changes, holds back or cuts what a client says.

    change: from the bytes of the client to those that go on; raising OSError cuts the connection.
    answer: likewise for those of the daemon.
    said: all that the client said, by connection.
    """

    def __init__(self, connection, change=bytes):
        self.change, self.answer, self._behind = change, bytes, connection.endpoint
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.connection = replace(connection, endpoint=f"tcp://127.0.0.1:{port}")
        self.said, self._links, self._threads = [], [], []
        self._start(self._serve)

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()
        return thread

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._start(self._link, client)

    def _link(self, client):
        said = []
        self.said.append(said)

        def say(data):
            said.append(data)
            return self.change(data)

        with client, connect(self._behind) as daemon:
            daemon.settimeout(None)
            self._links += [client, daemon]
            there = self._start(self._pass_on, client, daemon, say)
            self._pass_on(daemon, client, lambda data: self.answer(data))
            there.join()

    def _pass_on(self, source, sink, change):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(change(data))
        self._end(source, sink)

    def _end(self, *links):
        for link in links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """End every connection; a client may come again."""
        links, self._links = self._links, []
        self._end(*links)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end(self._listening)
        for thread in self._threads:
            while thread.is_alive():
                self.cut()
                thread.join(0.1)
        self._listening.close()
