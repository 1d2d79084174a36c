"""Styles kept by name: one safetensors file each. Knows no torch; statistics are NumPy arrays."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from impasto_daemon.files import write_file
from impasto_protocol.codec import Picture
from impasto_protocol.errors import (
    DiskFull,
    ImpastoError,
    PresetExists,
    PresetInvalid,
    UnknownPreset,
)
from impasto_protocol.fields import build, plain
from impasto_protocol.messages import PresetInfo
from impasto_protocol.settings import LAYER, Settings

Statistics = Mapping[tuple[int, str], NDArray[np.float32]]
"""Gram matrices, (C, C), by size in px and layer."""

_SUFFIX = ".safetensors"
_LARGEST_BYTES = 256 << 20
_CHANNELS = {"1": 64, "2": 128, "3": 256, "4": 512, "5": 512}
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Preset:
    """A saved style, whole. network: what its statistics were taken with."""

    name: str
    settings: Settings
    picture: Picture
    thumbnail: Picture
    network: str
    style: str
    statistics: Statistics


def check_name(name: str) -> str:
    """`name` if it can be a preset's on every system, in Unicode's composed form.

    Raises PresetInvalid saying what is wrong with it.
    """
    composed = unicodedata.normalize("NFC", name)
    if not 1 <= len(composed) <= 64 or len(composed.encode()) > 200:
        raise _bad_name("must have 1 to 64 letters")
    # C: control, format (which turns the direction of writing), surrogates, private use.
    if any(unicodedata.category(letter)[0] == "C" for letter in composed):
        raise _bad_name("holds letters that cannot be seen")
    if set(composed) & set('<>:"/\\|?*'):
        raise _bad_name('may not hold any of < > : " / \\ | ? *')
    if composed != composed.strip() or composed[0] == "." or composed[-1] == ".":
        raise _bad_name("may not begin or end with a space or a dot")
    if _RESERVED.fullmatch(composed):
        raise _bad_name("is reserved by Windows")
    return composed


class PresetStore:
    """The presets in a folder. Names that differ only in upper and lower case are the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self) -> list[PresetInfo]:
        """Every preset that can be read, by name; files that are none are passed over."""
        found = []
        for path in self._files():
            try:
                found.append(_info(path))
            except ImpastoError:
                continue
        return found

    def get(self, name: str) -> Preset:
        """The preset of that name. Raises UnknownPreset, or PresetInvalid when it is damaged."""
        return _read(self._find(name))

    def info(self, name: str) -> PresetInfo:
        """The preset of that name without its pixels and statistics."""
        return _info(self._find(name))

    def save(self, preset: Preset, *, replace: bool = False) -> PresetInfo:
        """Write a preset. Raises PresetExists unless `replace`, PresetInvalid, DiskFull."""
        name = check_name(preset.name)
        existing = self.existing(name)
        if existing and not replace:
            raise PresetExists(f"There is a style named {name!r} already.")
        path = write_file(existing or self._folder / f"{name}{_SUFFIX}", _pack(preset))
        return _info(path)

    def rename(self, name: str, new_name: str) -> PresetInfo:
        """Give a preset another name. Raises UnknownPreset, PresetExists, PresetInvalid."""
        path, new_name = self._find(name), check_name(new_name)
        taken = self.existing(new_name)
        if taken and taken != path:
            raise PresetExists(f"There is a style named {new_name!r} already.")
        try:
            return _info(path.rename(path.with_name(f"{new_name}{_SUFFIX}")))
        except OSError as error:
            raise DiskFull(f"{path} could not be renamed: {error.strerror}.") from error

    def delete(self, name: str) -> None:
        """Delete a preset. Raises UnknownPreset."""
        try:
            self._find(name).unlink()
        except OSError as error:
            raise DiskFull(f"{name!r} could not be deleted: {error.strerror}.") from error

    def existing(self, name: str) -> Path | None:
        """The file of the preset of that name, if there is one."""
        wanted = check_name(name).casefold()
        return next((path for path in self._files() if path.stem.casefold() == wanted), None)

    def _find(self, name: str) -> Path:
        path = self.existing(name)
        if path is None:
            raise UnknownPreset(f"There is no style named {name!r}.")
        return path

    def _files(self) -> Iterator[Path]:
        if not self._folder.is_dir():
            return iter(())
        files = (path for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        return iter(sorted(files, key=lambda path: path.stem.casefold()))


def _pack(preset: Preset) -> bytes:
    tensors: dict[str, NDArray[Any]] = {
        "picture": _array(preset.picture),
        "thumbnail": _array(preset.thumbnail),
    }
    for (size, layer), gram in preset.statistics.items():
        # A Gram matrix is symmetric: its upper half is all of it.
        tensors[f"gram/{size}/{layer}"] = gram[np.triu_indices(len(gram))]
    about = {
        "version": 1,
        "settings": plain(preset.settings),
        "network": preset.network,
        "style": preset.style,
    }
    return safetensors.numpy.save(tensors, metadata={"impasto": json.dumps(about)})


def _info(path: Path) -> PresetInfo:
    header, about, settings = _header(path)
    try:
        height, width, _ = header["picture"]["shape"]
        sizes = {int(key.split("/")[1]) for key in header if key.startswith("gram/")}
        return PresetInfo(
            name=path.stem,
            settings=settings,
            width=width,
            height=height,
            sizes=tuple(sorted(sizes)),
            network=about["network"],
            style=about["style"],
            size_bytes=path.stat().st_size,
        )
    except (KeyError, ValueError, TypeError, IndexError, ImpastoError) as error:
        raise _bad_file(path, f"{error}") from error


def _read(path: Path) -> Preset:
    _, about, settings = _header(path)
    try:
        tensors = safetensors.numpy.load(path.read_bytes())
        return Preset(
            name=path.stem,
            settings=settings,
            picture=_picture(tensors.pop("picture")),
            thumbnail=_picture(tensors.pop("thumbnail")),
            network=str(about["network"]),
            style=str(about["style"]),
            statistics=dict(_unpack_gram(key, packed) for key, packed in tensors.items()),
        )
    # safetensors' own errors share no base class but Exception.
    except Exception as error:
        raise _bad_file(path, f"{error}") from error


def _header(path: Path) -> tuple[dict[str, Any], dict[str, Any], Settings]:
    """A file's table of tensors, what it says of itself, and its settings."""
    try:
        with path.open("rb") as file:
            if path.is_symlink() or path.stat().st_size > _LARGEST_BYTES:
                raise _bad_file(path, "it is a link, or too large")
            length = int.from_bytes(file.read(8), "little")
            if length > 1 << 20:
                raise _bad_file(path, "its header is too long")
            header = json.loads(file.read(length))
        about = json.loads(header.pop("__metadata__")["impasto"])
        return header, about, build(Settings, about["settings"], known_only=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _bad_file(path, f"{error}") from error
    except ImpastoError as error:
        raise _bad_file(path, f"{error}") from error


def _unpack_gram(key: str, packed: NDArray[Any]) -> tuple[tuple[int, str], NDArray[np.float32]]:
    kind, size, layer = key.split("/")
    channels = _CHANNELS[layer[4]]
    if kind != "gram" or layer not in LAYER or packed.dtype != np.float32:
        raise ValueError(f"unexpected tensor {key!r}")
    if packed.shape != (channels * (channels + 1) // 2,) or not np.isfinite(packed).all():
        raise ValueError(f"{key} is not a Gram matrix")
    gram = np.empty((channels, channels), np.float32)
    upper = np.triu_indices(channels)
    gram[upper] = packed
    gram.T[upper] = packed
    return (int(size), layer), gram


def _array(picture: Picture) -> NDArray[np.uint8]:
    flat = np.frombuffer(picture.data, np.uint8)
    return flat.reshape(picture.height, picture.width, picture.channels)


def _picture(pixels: NDArray[Any]) -> Picture:
    if pixels.dtype != np.uint8:
        raise ValueError("its picture is not 8-bit")
    height, width, channels = pixels.shape
    return Picture(height, width, channels, "uint8", pixels.tobytes())


def _bad_name(complaint: str) -> PresetInvalid:
    return PresetInvalid(f"A style's name {complaint}.", next_step="Choose another name.")


def _bad_file(path: Path, complaint: str) -> PresetInvalid:
    return PresetInvalid(f"The style in {path.name} cannot be used: {complaint[:300]}.")
