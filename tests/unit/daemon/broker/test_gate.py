"""The gate alone, before a server that does not know it."""

import asyncio
import logging

import pytest

from impasto_daemon.broker import gate
from impasto_daemon.broker.gate import Gate

SIGNATURE = bytes([0xFF, *bytes(8), 0x7F])
WELCOME = bytes(1000)
"""More than anybody is answered who is not let in."""


class Inside:
    """A server that keeps what it gets, and answers the first of it."""

    def __init__(self, answer):
        self.answer, self.got, self.connections = answer, bytearray(), 0

    async def serve(self, requests, answers):
        self.connections += 1
        with_answer = self.answer
        while data := await requests.read(1 << 16):
            self.got += data
            answers.write(with_answer)
            with_answer = b""
            await answers.drain()
        answers.close()


@pytest.fixture
def before(tmp_path):
    """before(answer, do): what `do` gives for a gate and the server inside."""

    def run(answer, do):
        async def main():
            inside = Inside(answer)
            path = tmp_path / "socket"
            server = await asyncio.start_unix_server(inside.serve, path)
            made = Gate("tcp://127.0.0.1:*")
            await made.open(f"ipc://{path}")
            try:
                async with asyncio.timeout(30):
                    return await do(made, inside)
            finally:
                await made.close()
                server.close()

        return asyncio.run(main())

    return run


def connect(made):
    host, _, port = made.endpoint.removeprefix("tcp://").rpartition(":")
    return asyncio.open_connection(host, int(port))


async def said(made, *parts):
    """What comes back until the gate ends it, of a client that says so much."""
    answers, requests = await connect(made)
    try:
        for part in parts:
            requests.write(part)
            await requests.drain()
        return await answers.read()
    except ConnectionError:
        return b""
    finally:
        requests.close()


@pytest.mark.parametrize("first", [
    b"GET / HTTP/1.1\r\n\r\n", bytes(10), bytes([0xFF, *bytes(9)]), bytes([0, *SIGNATURE[1:]]),
])  # fmt: skip
def test_what_begins_otherwise_than_zeromq_reaches_nothing(before, first):
    async def do(made, inside):
        return await said(made, first), made.refused, inside.connections

    assert before(WELCOME, do) == (b"", 1, 0)


def test_stranger_gets_in_no_more_than_a_handshake(before):
    async def do(made, inside):
        answered = await said(made, SIGNATURE, *[bytes(1024)] * 1000)
        return len(answered) <= len(b"wait"), made.refused, len(inside.got)

    few, refused, got = before(b"wait", do)
    assert few and refused == 1 and len(SIGNATURE) <= got <= gate._HANDSHAKE_BYTES


def test_who_is_answered_like_a_client_sends_as_much_as_they_like(before, monkeypatch):
    monkeypatch.setattr(gate, "_HANDSHAKE_S", 1)
    much = bytes(1 << 20)

    async def do(made, inside):
        answers, requests = await connect(made)
        requests.write(SIGNATURE)
        answered = await answers.readexactly(len(WELCOME))
        requests.write(much)
        # Longer than a stranger would be suffered.
        await asyncio.sleep(1.2)
        requests.write(much)
        while len(inside.got) < len(SIGNATURE) + 2 * len(much):
            await asyncio.sleep(0.01)
        requests.close()
        return answered, made.refused, len(made._strangers)

    assert before(WELCOME, do) == (WELCOME, 0, 0)


def test_who_says_nothing_is_not_waited_for(before, monkeypatch):
    monkeypatch.setattr(gate, "_HANDSHAKE_S", 0.1)

    async def do(made, inside):
        return await said(made), await said(made, SIGNATURE), made.refused, inside.connections

    assert before(b"", do) == (b"", b"", 2, 1)


def test_eldest_stranger_makes_room(before, monkeypatch):
    monkeypatch.setattr(gate, "_STRANGERS", 3)

    async def do(made, _):
        eldest, *others = [await connect(made) for _ in range(4)]
        ended = await eldest[0].read()
        still = [not answers.at_eof() for answers, _ in others]
        for _, requests in (eldest, *others):
            requests.close()
        return ended, still, made.refused

    assert before(b"", do) == (b"", [True] * 3, 1)


def test_refusals_of_one_address_are_logged_once_a_minute(before, caplog):
    async def do(made, _):
        for _ in range(3):
            await said(made, bytes(10))
        made._told = dict.fromkeys(made._told, -gate._TELL_EVERY_S)
        await said(made, bytes(10))

    with caplog.at_level(logging.WARNING, gate.__name__):
        before(b"", do)
    assert caplog.messages == [
        "refused a connection from 127.0.0.1; 1 so far",
        "refused a connection from 127.0.0.1; 4 so far",
    ]


@pytest.mark.parametrize("endpoint", [
    "tcp://127.0.0.1:65536", "tcp://" + "a" * 64 + ":1", "tcp://a..b:1",
])  # fmt: skip
def test_port_and_host_that_cannot_be_are_an_error_of_the_system(endpoint):
    with pytest.raises(OSError):
        Gate(endpoint)
