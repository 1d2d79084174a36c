"""What of Impasto reads bytes that others have made, for hypothesis and for a fuzzer to try.

A target takes any bytes: it reads them, or refuses them with an error that has a code.
"""

import atexit
import functools
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.unit.daemon.images import picture_kinds
from tests.unit.protocol.samples import sample

from impasto_daemon.cli.recipe import read_recipe
from impasto_daemon.config import load_config
from impasto_daemon.images.pictures import read_photograph
from impasto_daemon.presets import packs, preset_file
from impasto_installer import kritarc
from impasto_protocol import codec, more_styles
from impasto_protocol.codec import Picture
from impasto_protocol.connection import Connection, read_connection
from impasto_protocol.errors import ImpastoError
from impasto_protocol.fields import from_dict, to_dict
from impasto_protocol.messages import MESSAGES
from impasto_protocol.settings import Settings

_DOT = Picture(1, 1, 3, "uint8", b"dot")
_BETWEEN = b"\0|\0"
"""Between the parts of a message, as a target takes one."""


@dataclass(frozen=True)
class Target:
    """read: what is tried. seeds: what it reads; most of them well."""

    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]

    def __call__(self, data: bytes) -> None:
        """Raises whatever is not an error of ours."""
        with suppress(ImpastoError):
            self.read(data)


def _message(data: bytes) -> None:
    parts = data.split(_BETWEEN)
    message = codec.decode(parts)
    for info, frame in zip(message.described, parts[1:], strict=True):
        codec.verify(info, frame)


def _messages() -> list[bytes]:
    samples = (sample(kind) for kind in MESSAGES.values())
    return [
        _BETWEEN.join(
            map(bytes, codec.encode(made, [bytes(info.size_bytes) for info in made.described]))
        )
        for made in samples
    ]


@functools.cache
def _folder() -> Path:
    """In memory where there is such a place."""
    there = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="impasto-", dir=there if there.is_dir() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _from_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        path = _folder() / name
        path.touch(0o600)
        path.write_bytes(data)
        return read(path)

    return run


def _presets() -> list[bytes]:
    made = preset_file.Preset(
        name="x", settings=Settings(), picture=_DOT, thumbnail=_DOT, network="net", style="0f",
        statistics={}, folder="Ink", tags=("dark",),
    )  # fmt: skip
    return [preset_file.pack(made)]


def _packs() -> list[bytes]:
    made = preset_file.unpack("x", _presets()[0])
    return [packs.write_pack([made])]


def _pictures() -> list[bytes]:
    kinds = picture_kinds.BY_COLOUR | picture_kinds.BY_GREY | picture_kinds.REFUSED
    return [make() for make in kinds.values()]


def _recipes() -> list[bytes]:
    told = {"settings": to_dict(Settings()), "styles": [{"file": "a.png", "hash": "", "mask": ""}],
            "maps": {"picture_map": "b.png"}}  # fmt: skip
    text = (b"tEXt", b"impasto\0" + json.dumps(told).encode())
    return [picture_kinds.chunked(picture_kinds.BY_COLOUR["PNG"](), text)]


def _settings(data: bytes) -> None:
    """As an editor keeps them on a layer."""
    with suppress(ValueError, RecursionError):
        told = json.loads(data)
        if isinstance(told, dict):
            from_dict(Settings, told, known_only=True)


def _kritarc(data: bytes) -> None:
    turned_on = kritarc.enable(data)
    assert kritarc.is_enabled(turned_on)
    assert not kritarc.is_enabled(kritarc.disable(turned_on))
    assert kritarc.enable(turned_on) == turned_on


TARGETS = {
    "message": Target(_message, _messages),
    "connection": Target(
        _from_file(read_connection, "daemon.json"),
        lambda: [json.dumps(to_dict(Connection("ipc:///x", 1, 0, "1", 1))).encode()],
    ),
    "config": Target(
        _from_file(lambda path: load_config(path, {}), "config.toml"),
        lambda: [b"device = 'cpu'\nidle_unload_s = 5.5\nallow_remote = false\nallowed_keys = []\n"],
    ),
    "preset": Target(functools.partial(preset_file.unpack, "x"), _presets),
    "pack": Target(lambda data: list(packs.read_pack(data)), _packs),
    "picture": Target(_from_file(read_photograph, "picture"), _pictures),
    "recipe": Target(_from_file(read_recipe, "painted.png"), _recipes),
    "settings": Target(_settings, lambda: [json.dumps(to_dict(Settings())).encode()]),
    "styles": Target(
        lambda data: more_styles.read(data.decode("utf-8", "replace")),
        lambda: [more_styles.write([more_styles.MoreStyle("preset", "Ink", weight=2)]).encode()],
    ),
    "kritarc": Target(
        _kritarc,
        lambda: [b"[python]\nenable_impasto=true\nenable_x=false\n\n[theme]\nTheme=dark\n"],
    ),
}
