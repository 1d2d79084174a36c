"""Where the daemon cannot listen, and what is said then."""

import asyncio
import errno

import pytest
import zmq
import zmq.asyncio

from impasto_daemon.broker.address import Address
from impasto_daemon.config import Config
from impasto_daemon.paths import Paths
from impasto_protocol.errors import ConfigInvalid, DiskFull, UnsafeFolder


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


@pytest.fixture
def server_key(tmp_path):
    """server_key(endpoint): the key by which others know a daemon that starts there now."""
    paths = Paths(tmp_path / ("run" * 50), tmp_path / "data", tmp_path / "config.toml", tmp_path)

    def start(endpoint="tcp://127.0.0.1:*"):
        config = Config(endpoint=endpoint)
        return Address.of(config, lambda: config, paths).connection().server_key

    return start


def test_daemon_that_starts_anew_is_known_by_its_key_where_an_endpoint_is_set(server_key, tmp_path):
    first, file = server_key(), tmp_path / "data" / "server.key"
    assert server_key() == first and len(first) == 40
    assert file.stat().st_mode & 0o777 == 0o600
    assert len({server_key(""), server_key(""), first}) == 3
    file.unlink()
    assert server_key() != first


@pytest.mark.parametrize("content", [b"", b"x" * 39, b"x" * 41, b"\0" * 40, b"#" * 40])
def test_server_key_that_is_damaged_is_told(server_key, tmp_path, content):
    server_key()
    (tmp_path / "data" / "server.key").write_bytes(content)
    with pytest.raises(ConfigInvalid, match=r"server\.key is damaged") as raised:
        server_key()
    assert "other machines then need the new" in raised.value.next_step


def test_server_key_that_others_may_have_read_is_refused(server_key, tmp_path):
    server_key()
    (tmp_path / "data" / "server.key").chmod(0o640)
    with pytest.raises(UnsafeFolder, match="open to other users") as raised:
        server_key()
    assert "other machines then need the new" in raised.value.next_step


def test_daemon_starts_where_its_key_cannot_be_kept(server_key, tmp_path):
    (tmp_path / "data").write_text("a file where the folder would be")
    assert server_key()


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
