"""Where the daemon cannot listen, and what is said then."""

import asyncio
import errno

import pytest
import zmq
import zmq.asyncio

from impasto_daemon.broker.address import Address
from impasto_daemon.config import Config
from impasto_daemon.paths import Paths
from impasto_protocol.errors import ConfigInvalid, DiskFull


class Refusing:
    """A socket that cannot be bound."""

    def __init__(self, number):
        self.number = number

    def bind(self, endpoint):
        raise zmq.ZMQError(self.number)


@pytest.mark.parametrize(
    "number, error, step",
    [(errno.ENOSPC, DiskFull, "Free some space"), (errno.EACCES, ConfigInvalid, "Choose another")],
)
def test_disk_that_is_full_is_not_taken_for_a_wrong_address(number, error, step):
    with pytest.raises(error, match="cannot listen at ipc:///nowhere") as raised:
        Address("ipc:///nowhere").bind(None, Refusing(number))
    assert step in raised.value.next_step


@pytest.mark.parametrize("endpoint", [
    "tcp://127.0.0.1:99999", f"tcp://{'a' * 70}:5555", "tcp://no.such.host.invalid:5555",
])  # fmt: skip
def test_port_and_host_that_there_cannot_be_are_told(tmp_path, endpoint):
    config = Config(endpoint=endpoint, allow_remote=True)
    paths = Paths(tmp_path, tmp_path, tmp_path / "config.toml", tmp_path)

    async def bind():
        context = zmq.asyncio.Context()
        socket = context.socket(zmq.ROUTER)
        address = Address.of(config, lambda: config, paths)
        try:
            address.bind(context, socket)
        finally:
            address._authenticator.stop()
            socket.close()
            context.term()

    with pytest.raises(ConfigInvalid, match="cannot listen at tcp://"):
        asyncio.run(bind())
