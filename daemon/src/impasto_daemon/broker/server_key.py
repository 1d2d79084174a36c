"""The daemon's CURVE key pair, kept so that other machines know it again after a restart."""

from __future__ import annotations

import logging
from pathlib import Path

import zmq

from impasto_protocol.connection import make_folders, open_private, write_file
from impasto_protocol.errors import ConfigInvalid, UnsafeFolder

log = logging.getLogger(__name__)

_KEY_BYTES = 40
_NEXT_STEP = (
    "Put it back, readable to you alone, or delete it; other machines then need the new "
    "`server_key`, which is in connection.json once the daemon runs."
)


def kept_key_pair(file: Path) -> tuple[bytes, bytes]:
    """The public and the secret key, Z85, whose secret half is in `file`; made at the first call.

    Raises ConfigInvalid when the file is damaged, UnsafeFolder when others may have read it.
    """
    try:
        with open_private(file) as kept:
            secret = kept.read(_KEY_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return _make(file)
    except UnsafeFolder as error:
        raise UnsafeFolder(str(error), next_step=_NEXT_STEP) from error
    except OSError as error:
        raise _useless(file, f"cannot be read: {error.strerror}") from error
    try:
        if len(secret) != _KEY_BYTES:
            raise ValueError
        return zmq.curve_public(secret), secret
    except (ValueError, zmq.ZMQError) as error:
        raise _useless(file, "is damaged") from error


def _make(file: Path) -> tuple[bytes, bytes]:
    public, secret = zmq.curve_keypair()
    try:
        make_folders(file.parent)
        write_file(file, secret, 0o600)
    except OSError as error:
        log.warning("the next daemon has another server_key, as this one is not kept: %s", error)
    return public, secret


def _useless(file: Path, why: str) -> ConfigInvalid:
    return ConfigInvalid(f"{file} {why}.", next_step=_NEXT_STEP)
