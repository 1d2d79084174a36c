"""JPEG XL files."""

from __future__ import annotations

from dataclasses import replace

import imagecodecs
import numpy as np
import pillow_jxl

from impasto_daemon.images import cicp, pillow_image, tones
from impasto_daemon.images.boxes import boxes
from impasto_daemon.images.jpegxl_header import Header, read_header
from impasto_daemon.images.metadata import read_dpi
from impasto_daemon.images.source import Source, Unsupported

_D65 = 1
_P3, _P3_IN_H_273 = 11, 12
_UNKNOWN = 2


def decode(data: bytes) -> Source:
    """Its first frame. Raises Unsupported, or what imagecodecs raises for damage."""
    parts = {} if data.startswith(b"\xff\x0a") else _parts(data)
    header = read_header(parts.get(b"jxlc", data))
    pillow_image.refuse_large(header.width, header.height)
    if header.inks:
        raise Unsupported("is a JPEG XL of inks (CMYK)")
    if header.xyb and header.largest == 255 and _has_own_colours(header):
        # Which is decoded to linear light, of which 8 bits are too few.
        data = _of_12_bits(data, data.index(parts.get(b"jxlc", data)), header)
        header.largest = 4095
    source = _decode_pixels(data, header)
    box = parts.get(b"Exif", b"")
    exif, notes = pillow_image.load_exif(box[4 + int.from_bytes(box[:4]) :], is_upright=True)
    source = replace(source, exif=exif, xmp=parts.get(b"xml ", b""), dpi=read_dpi({}, exif))
    if header.animated:
        notes = (*notes, "The file has several frames; the first was taken.")
    if _has_own_colours(header):
        return replace(source, icc=_read_profile(data)).noting(*notes)
    return _with_colours(source, header).noting(*notes)


def _decode_pixels(data: bytes, header: Header) -> Source:
    numbers = imagecodecs.jpegxl_decode(data, index=0)
    if numbers.ndim == 2:
        numbers = numbers[..., None]
    colours = 1 if header.grey else 3
    if numbers.shape[:2] not in ((header.height, header.width), (header.width, header.height)):
        raise ValueError("not the size that its header announced")
    numbers = numbers[..., : colours + header.alpha]
    notes: tuple[str, ...] = ()
    if not header.largest:
        pixels, notes = tones.from_floats(numbers, colours)
    elif header.largest == 255:
        pixels = numbers
    else:
        pixels = tones.to_16_bit(numbers, header.largest)
    if header.associated:
        pixels = tones.unmultiplied(tones.to_16_bit(pixels))
    return Source(np.ascontiguousarray(pixels), "GRAY" if header.grey else "RGB", notes=notes)


def _has_own_colours(header: Header) -> bool:
    own = _UNKNOWN in (header.primaries, header.transfer) or header.white != _D65
    return header.has_icc or own


def _of_12_bits(data: bytes, start: int, header: Header) -> bytes:
    """The file whose codestream, from `start`, says 12 bits in the place of 8; annex D.3.5."""
    byte, bit = divmod(header.depth_at + 1, 8)
    at = start + byte
    return data[:at] + bytes([data[at] | 1 << bit]) + data[at + 1 :]


def _read_profile(data: bytes) -> bytes:
    """The ICC profile of what libjxl decodes, which imagecodecs tells nothing of."""
    *_, profile, _ = pillow_jxl.Decoder(num_threads=0)(data)
    return bytes(profile)


def _with_colours(source: Source, header: Header) -> Source:
    primaries = _P3_IN_H_273 if header.primaries == _P3 else header.primaries
    return cicp.with_code_points(source, primaries, header.transfer)


def _parts(data: bytes) -> dict[bytes, bytes]:
    """The boxes by kind, the first of each; `jxlc` also where the picture is in several."""
    parts: dict[bytes, bytes] = {}
    for kind, content in boxes(data):
        if kind == b"jxlp":
            parts.setdefault(b"jxlc", content[4:])
        parts.setdefault(kind, content)
    return parts
