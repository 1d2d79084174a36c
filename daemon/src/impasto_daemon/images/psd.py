"""Photoshop files: the merged picture that they hold beside their layers."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from impasto_daemon.images import cicp, pillow_image, tones
from impasto_daemon.images.lab import lab_to_srgb
from impasto_daemon.images.metadata import read_dpi
from impasto_daemon.images.source import Source, Space, Unsupported

_GREY, _INDEXED, _RGB, _CMYK, _DUOTONE, _LAB = 1, 2, 3, 4, 8, 9
_COLOURS = {_GREY: 1, _INDEXED: 1, _RGB: 3, _CMYK: 4, _DUOTONE: 1, _LAB: 3}
_SPACES: dict[int, Space] = {
    _GREY: "GRAY",
    _RGB: "RGB",
    _INDEXED: "RGB",
    _CMYK: "CMYK",
    _DUOTONE: "GRAY",
}
_UNREAD = {0: "bitmap", 7: "multichannel"}
_HEAD = struct.Struct(">4sH6xHIIHH")
_LARGE = 2
"""The version that a PSB is of."""
_RAW, _PACK_BITS, _ZIP = 0, 1, 2
_NUMBERS = {8: ">u1", 16: ">u2", 32: ">f4"}
_LAYERS_OF_MORE_BITS = (b"Lr16", b"Lr32")
_LINEAR_SRGB = (1, 8)
"""By the numbers of H.273."""
_RESOLUTION, _PROFILE, _EXIF, _XMP = 1005, 1039, 1058, 1060


@dataclass(frozen=True)
class _Head:
    version: int
    channels: int
    height: int
    width: int
    bits: int
    mode: int

    @property
    def long(self) -> int:
        """Bytes of a length that may be large, which a PSB has twice as many of."""
        return 8 if self.version == _LARGE else 4


def decode(data: bytes) -> Source:
    """The merged picture; Adobe Photoshop File Formats Specification.

    Raises Unsupported, or ValueError and others for a file that is damaged.
    """
    head = _Head(*_HEAD.unpack_from(data)[1:])
    pillow_image.refuse_large(head.width, head.height)
    if head.mode not in _COLOURS:
        raise Unsupported(f"is a PSD of a mode that is not read ({_UNREAD.get(head.mode, '?')})")
    if head.bits not in _NUMBERS:
        raise Unsupported(f"is a PSD of {head.bits} bits, of which 8, 16 and 32 are read")
    palette, resources, layers, merged = _sections(data, head)
    colours = _COLOURS[head.mode]
    # Without layers, or with layers that fill it, a channel more is a selection that was saved.
    has_alpha = (
        head.channels > colours
        and head.mode not in (_CMYK, _INDEXED)
        and _is_transparent(layers, head)
    )
    planes = _planes(merged, head)[..., : colours + has_alpha]
    notes: tuple[str, ...] = ()
    if head.mode == _INDEXED:
        planes = np.frombuffer(palette[:768], np.uint8).reshape(3, 256).T[planes[..., 0]]
    if head.bits == 32:
        planes, notes = tones.from_floats(np.nan_to_num(planes), colours)
    source = _described(_source(planes, head), _resources(resources)).noting(*notes)
    if head.mode == _LAB:
        return replace(source, icc=b"")
    if head.bits == 32 and not source.icc:
        # Photoshop's floats are of linear light.
        return cicp.with_code_points(source, *_LINEAR_SRGB)
    return source


def _sections(data: bytes, head: _Head) -> tuple[bytes, ...]:
    """Of colours, of resources, of layers, and the merged picture."""
    found, at = [], _HEAD.size
    for length in (4, 4, head.long):
        size = int.from_bytes(data[at : at + length])
        found.append(data[at + length : at + length + size])
        at += length + size
    return *found, data[at:]


def _is_transparent(layers: bytes, head: _Head) -> bool:
    """The merged picture's alpha is its transparency: the number of layers is negative."""
    size = int.from_bytes(layers[: head.long])
    if size:
        return int.from_bytes(layers[head.long : head.long + 2], signed=True) < 0
    # Where layers have more than 8 bits, Photoshop keeps them in a block behind the masks.
    at = head.long + 4 + int.from_bytes(layers[head.long : head.long + 4])
    if layers[at + 4 : at + 8] not in _LAYERS_OF_MORE_BITS:
        return False
    start = at + 8 + head.long
    return int.from_bytes(layers[start : start + 2], signed=True) < 0


def _planes(merged: bytes, head: _Head) -> NDArray[Any]:
    """(H, W, C) of all channels."""
    rows, row_bytes = head.channels * head.height, head.width * head.bits // 8
    compression = int.from_bytes(merged[:2])
    if compression == _RAW:
        numbers = merged[2 : 2 + rows * row_bytes]
    elif compression == _PACK_BITS:
        numbers = _unpacked(merged[2:], rows, head)
    elif compression == _ZIP:
        numbers = zlib.decompressobj().decompress(merged[2:], rows * row_bytes)
    else:
        raise Unsupported("is a PSD whose merged picture is packed in a way that is not read")
    flat = np.frombuffer(numbers, _NUMBERS[head.bits])
    if flat.size * flat.itemsize != rows * row_bytes:
        raise ValueError("not the pixels that its header announced")
    planes = flat.reshape(head.channels, head.height, head.width)
    return np.moveaxis(planes, 0, -1).astype(flat.dtype.newbyteorder("="))


def _unpacked(packed: bytes, rows: int, head: _Head) -> bytes:
    table = rows * head.long // 2
    lengths = np.frombuffer(packed[:table], f">u{head.long // 2}")
    ends = table + np.cumsum(lengths, dtype=np.int64)
    return b"".join(
        bytes(imagecodecs.packbits_decode(packed[end - length : end]))
        for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
    )


def _source(planes: NDArray[Any], head: _Head) -> Source:
    if head.mode == _LAB:
        unit = 1 if head.bits == 8 else 256
        whole = planes.astype(np.float32) / unit
        white = tones.largest_number(planes) / unit
        lightness, a, b = np.moveaxis(whole[..., :3], -1, 0)
        rgb = lab_to_srgb(lightness / white * 100, a - 128, b - 128)
        return Source(np.concatenate([rgb, tones.to_16_bit(planes[..., 3:])], axis=2), "RGB")
    if head.mode == _CMYK:
        # White is no ink, and stored as the largest number.
        return Source(tones.largest_number(planes) - planes, "CMYK")
    space = _SPACES[head.mode]
    is_matted = planes.shape[2] > _COLOURS[head.mode] and head.mode != _INDEXED
    return Source(_without_white(planes) if is_matted else planes, space)


def _without_white(pixels: NDArray[Any]) -> NDArray[Any]:
    """Straight colours of those that Photoshop has laid on white where they are transparent."""
    largest = tones.largest_number(pixels)
    alpha = pixels[..., -1:].astype(np.float32) / largest
    colours = pixels[..., :-1].astype(np.float32) - largest * (1 - alpha)
    straight = np.rint((colours / np.maximum(alpha, 1 / largest)).clip(0, largest))
    return np.concatenate([straight.astype(pixels.dtype), pixels[..., -1:]], axis=2)


def _resources(section: bytes) -> dict[int, bytes]:
    """The contents of the image resource blocks by their numbers."""
    found, at = {}, 0
    while section[at : at + 4] == b"8BIM":
        number = int.from_bytes(section[at + 4 : at + 6])
        at += 6 + (section[at + 6] + 2) // 2 * 2
        size = int.from_bytes(section[at : at + 4])
        found[number] = section[at + 4 : at + 4 + size]
        at += 4 + (size + 1) // 2 * 2
    return found


def _described(source: Source, resources: dict[int, bytes]) -> Source:
    exif, notes = pillow_image.load_exif(resources.get(_EXIF, b""), is_upright=True)
    told = resources.get(_RESOLUTION, b"")
    dpi = tuple(int.from_bytes(told[at : at + 4]) / 65536 for at in (0, 8))
    return replace(
        source,
        icc=resources.get(_PROFILE, b""),
        exif=exif,
        xmp=resources.get(_XMP, b""),
        dpi=read_dpi({"dpi": dpi} if told else {}, exif),
        notes=notes,
    )
