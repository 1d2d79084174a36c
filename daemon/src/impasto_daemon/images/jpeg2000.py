"""JPEG 2000 files: their profile, and more than 8 bits, of which Pillow tells nothing."""

from __future__ import annotations

import io
from dataclasses import replace

import imagecodecs
from PIL import Image

from impasto_daemon.images import pillow_image, tones
from impasto_daemon.images.boxes import boxes
from impasto_daemon.images.source import Source, Space, Unsupported

_CODESTREAM = b"\xff\x4f\xff\x51"
_SAME_FOR_ALL, _SIGNED = 255, 0x80
_BY_PROFILE, _CMYK, _SYCC = 2, 12, 18


def decode(data: bytes) -> Source:
    """The picture. Raises Unsupported, or what the decoders raise for damage."""
    head = _head(data)
    depth = head.get(b"ihdr", bytes(11))[10] + 1
    if depth - 1 == _SAME_FOR_ALL or (depth - 1) & _SIGNED:
        raise Unsupported("is a JPEG 2000 of signed numbers or of several depths")
    with Image.open(io.BytesIO(data), formats=("JPEG2000",)) as image:
        pillow_image.refuse_large(*image.size)
        if depth > 8:
            source = _decode_deep(data, depth, head.get(b"colr", b""))
        elif image.mode.startswith("I"):
            raise Unsupported("is a JPEG 2000 codestream of more than 8 bits")
        else:
            source = pillow_image.to_source(image)
    return replace(source, icc=_profile(head.get(b"colr", b"")))


def _head(data: bytes) -> dict[bytes, bytes]:
    if data.startswith(_CODESTREAM):
        return {}
    found = next((content for kind, content in boxes(data) if kind == b"jp2h"), b"")
    return dict(reversed(list(boxes(found))))


def _decode_deep(data: bytes, depth: int, colours: bytes) -> Source:
    if int.from_bytes(colours[3:7]) == _SYCC and colours[:1] != bytes([_BY_PROFILE]):
        raise Unsupported("is a JPEG 2000 of YCC colours of more than 8 bits")
    numbers = imagecodecs.jpeg2k_decode(data)
    if numbers.ndim == 2:
        numbers = numbers[..., None]
    if numbers.shape[2] > 4:
        raise Unsupported("is a JPEG 2000 of more than four channels")
    return Source(tones.to_16_bit(numbers, 2**depth - 1), _space(colours, numbers.shape[2]))


def _space(colours: bytes, channels: int) -> Space:
    told = int.from_bytes(colours[3:7]) if colours[:1] != bytes([_BY_PROFILE]) else 0
    if channels == 4 and (told == _CMYK or _profile(colours)[16:20] == b"CMYK"):
        return "CMYK"
    return "RGB" if channels > 2 else "GRAY"


def _profile(colours: bytes) -> bytes:
    return colours[3:] if colours[:1] == bytes([_BY_PROFILE]) else b""
