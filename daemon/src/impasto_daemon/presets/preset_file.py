"""A preset as a file: safetensors, with what it says of itself in the metadata. Knows no torch."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from impasto_daemon.files import open_regular
from impasto_daemon.images.arrays import from_array, to_array
from impasto_daemon.presets.baked_network import BakedNetwork, pack_network, unpack_network
from impasto_daemon.presets.statistics import Statistics, pack_statistics, unpack_statistics
from impasto_protocol.codec import Picture
from impasto_protocol.errors import ImpastoError, PresetInvalid
from impasto_protocol.fields import to_dict, unknown_names
from impasto_protocol.messages import PresetInfo
from impasto_protocol.settings import Settings, kept_settings

SUFFIX = ".safetensors"
PICTURE_PX = 1448
THUMBNAIL_PX = 128
LARGEST_BYTES = 64 << 20
STATISTICS_BYTES = LARGEST_BYTES - (10 << 20)
"""So large may its statistics be: its pictures, its header and a baked network take the rest."""

_VERSION = 4
"""1: without folder and tags. 2: without the network that it is baked into. 3: with Gram matrices
alone."""
_MEASURED_VERSION = 4
"""From which on its statistics are what is taken now."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Preset:
    """A saved style, whole. network: what its statistics were taken with; empty: not yet.

    arithmetic: on which kind of device and in which precision; empty: not known. Statistics of
    another arithmetic than the worker's are kept but not used.
    """

    name: str
    settings: Settings
    picture: Picture
    thumbnail: Picture
    network: str
    style: str
    statistics: Statistics
    folder: str = ""
    tags: tuple[str, ...] = ()
    baked: BakedNetwork | None = None
    arithmetic: str = ""


def check_name(name: str, of: str = "style's name") -> str:
    """`name` if it can be a preset's on every system, in Unicode's composed form.

    Raises PresetInvalid saying what is wrong with it.
    """
    composed = unicodedata.normalize("NFC", name)
    # C: control, format (which turns the direction of writing), surrogates, private use.
    if any(unicodedata.category(letter)[0] == "C" for letter in composed):
        raise _bad_name(of, "holds letters that cannot be seen")
    if not 1 <= len(composed) <= 64 or len(composed.encode()) > 200:
        raise _bad_name(of, "must have 1 to 64 letters")
    if set(composed) & set('<>:"/\\|?*'):
        raise _bad_name(of, 'may not hold any of < > : " / \\ | ? *')
    if composed != composed.strip() or composed[0] == "." or composed[-1] == ".":
        raise _bad_name(of, "may not begin or end with a space or a dot")
    if _RESERVED.fullmatch(composed):
        raise _bad_name(of, "is reserved by Windows")
    return composed


def pack(preset: Preset) -> bytes:
    """The content of a preset's file."""
    about = {
        "version": _VERSION,
        "settings": to_dict(preset.settings),
        "network": preset.network,
        "arithmetic": preset.arithmetic,
        "style": preset.style,
        "folder": preset.folder,
        "tags": preset.tags,
        "baked_minutes": preset.baked.minutes if preset.baked else 0.0,
    }
    tensors: dict[str, NDArray[Any]] = {
        "picture": to_array(preset.picture),
        "thumbnail": to_array(preset.thumbnail),
        **pack_statistics(preset.statistics),
        **(pack_network(preset.baked) if preset.baked else {}),
    }
    return safetensors.numpy.save(tensors, metadata={"impasto": json.dumps(about)})


def unpack(name: str, data: bytes) -> Preset:
    """The preset in a file's content. Raises PresetInvalid."""
    with BytesIO(data) as file:
        info, arithmetic = _header(name, file, len(data))
    try:
        tensors = safetensors.numpy.load(data)
        return Preset(
            name=name,
            settings=info.settings,
            picture=_picture(tensors.pop("picture"), PICTURE_PX),
            thumbnail=_picture(tensors.pop("thumbnail"), THUMBNAIL_PX),
            network=info.network,
            style=info.style,
            baked=unpack_network(tensors, info.baked_minutes),
            statistics=unpack_statistics(tensors),
            folder=info.folder,
            tags=info.tags,
            arithmetic=arithmetic,
        )
    # safetensors' own errors share no base class but Exception.
    except Exception as error:
        raise _bad_file(name, f"{error}") from error


def read(path: Path) -> Preset:
    """The preset in a file. Raises PresetInvalid."""
    with _opened(path) as file:
        return unpack(path.stem, file.read(LARGEST_BYTES + 1))


def read_info(path: Path) -> PresetInfo:
    """What a preset's file says of itself, its pixels and statistics unread. Raises PresetInvalid.

    `state` is what can be told without knowing the network in use.
    """
    with _opened(path) as file:
        return _header(path.stem, file, os.fstat(file.fileno()).st_size)[0]


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        if path.is_symlink():
            raise _bad_file(path.stem, "it is a link")
        with open_regular(path) as file:
            yield file
    except OSError as error:
        raise _bad_file(path.stem, f"{error.strerror}") from error


def _header(name: str, file: BinaryIO, size_bytes: int) -> tuple[PresetInfo, str]:
    """What a file says of itself, and the arithmetic of its statistics."""
    if size_bytes > LARGEST_BYTES:
        raise _bad_file(name, "it is too large")
    try:
        length = int.from_bytes(file.read(8), "little")
        if length > 1 << 20:
            raise _bad_file(name, "its header is too long")
        header = json.loads(file.read(length))
        about = json.loads(header.pop("__metadata__")["impasto"])
        if about["version"] > _VERSION or unknown_names(Settings, about["settings"]):
            raise PresetInvalid(
                f"The style in {name}{SUFFIX} was made by a newer Impasto.",
                next_step="Update Impasto, then try again.",
            )
        if size_bytes != 8 + length + max(tensor["data_offsets"][1] for tensor in header.values()):
            raise _bad_file(name, "it ends too early or too late")
        height, width, _ = header["picture"]["shape"]
        measured = (key.split("/") for key in header if key.startswith(("moments/", "gram/")))
        sizes = {int(size) for _, size, _ in measured}
        aged = "older_version" if about["version"] < _MEASURED_VERSION else "good"
        info = PresetInfo(
            name=name,
            settings=kept_settings(about["settings"]),
            width=width,
            height=height,
            sizes=tuple(sorted(sizes)),
            network=about["network"],
            style=about["style"],
            size_bytes=size_bytes,
            folder=about.get("folder", ""),
            tags=tuple(about.get("tags", ())),
            baked_minutes=float(about.get("baked_minutes", 0.0)),
            state=aged if sizes else "unmeasured",
        )
        return info, str(about.get("arithmetic", ""))
    except PresetInvalid:
        raise
    # A stranger's JSON can be of any shape.
    except (
        ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, ImpastoError
    ) as error:  # fmt: skip
        raise _bad_file(name, f"{error}") from error


def _picture(pixels: NDArray[Any], longest_px: int) -> Picture:
    height, width, _ = pixels.shape
    if pixels.dtype != np.uint8 or max(height, width) > longest_px:
        raise ValueError(f"a picture in it is not 8-bit, or over {longest_px} px")
    return from_array(pixels)


def _bad_name(of: str, complaint: str) -> PresetInvalid:
    return PresetInvalid(f"A {of} {complaint}.", next_step="Choose another name.")


def _bad_file(name: str, complaint: str) -> PresetInvalid:
    return PresetInvalid(f"The style in {name}{SUFFIX} cannot be used: {complaint[:300]}.")
