"""The decoder for each kind of file."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from impasto_daemon.images import (
    avif,
    exr,
    heif,
    jpeg2000,
    jpegxl,
    pillow_image,
    png,
    psd,
    radiance,
    tiff,
)
from impasto_daemon.images.kinds import find_next_step, name_kind
from impasto_daemon.images.source import Source, Unsupported

_BY_PILLOW = {
    "JPEG": "JPEG", "WebP": "WEBP", "BMP": "BMP", "GIF": "GIF", "TGA": "TGA",
}  # fmt: skip
"""What Pillow calls the kinds that it reads, and the others with decoders of their own."""
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_LS, _FILL = 0xF7, 0xFF
_BY_NAME: dict[str, Callable[[bytes], Source]] = {
    "PNG": png.decode, "TIFF": tiff.decode, "JPEG XL": jpegxl.decode,
    "AVIF": avif.decode, "HEIC": heif.decode, "HEIF": heif.decode,
    "JPEG 2000": jpeg2000.decode, "PSD": psd.decode, "PSB": psd.decode,
    "OpenEXR": exr.decode, "Radiance HDR": radiance.decode,
}  # fmt: skip


def decode(data: bytes, ending: str = "") -> Source:
    """The picture in a file; ending: that of its name, where nothing else tells a TGA.

    Raises Unsupported for a kind that is not read, and anything for a file that is damaged.
    """
    kind = name_kind(data)
    if not kind and ending.lower() == ".tga":
        kind = "TGA"
    if kind in _BY_NAME:
        return _BY_NAME[kind](data)
    if kind == "JPEG":
        _refuse_odd_jpeg(data)
    if kind in _BY_PILLOW:
        return _decode_by_pillow(data, _BY_PILLOW[kind])
    if not data:
        raise Unsupported("is empty", "Copy the {picture} here anew, or choose another.")
    if not kind:
        raise Unsupported("is not a picture of a known kind")
    raise Unsupported(f"is of a kind that is not read: {kind}", find_next_step(kind))


def _decode_by_pillow(data: bytes, name: str) -> Source:
    with Image.open(io.BytesIO(data), formats=(name,)) as image:
        source = pillow_image.to_source(image)
        if name == "JPEG":
            return source.noting(*_notes_on_more_pictures(image, source))
        return source.noting(*pillow_image.frames_note(image))


def _refuse_odd_jpeg(data: bytes) -> None:
    """Raises Unsupported for JPEG-LS, and for more than 8 bits; ITU-T T.81, annex B."""
    at = 2
    while data[at : at + 1] == b"\xff" and at + 5 <= len(data):
        marker = data[at + 1]
        if marker == _JPEG_LS:
            raise Unsupported("is a JPEG-LS")
        if marker in _FRAMES:
            if data[at + 4] > 8:
                raise Unsupported(f"is a JPEG of {data[at + 4]} bits, of which only 8 are read")
            return
        at += 1 if marker == _FILL else 2 + int.from_bytes(data[at + 2 : at + 4])


def _notes_on_more_pictures(image: Image.Image, source: Source) -> tuple[str, ...]:
    """A JPEG may be followed by others: MPO, and Ultra HDR, whose second is a gain map."""
    xmp = source.xmp.encode() if isinstance(source.xmp, str) else source.xmp
    if b"hdr-gain-map" in xmp or b"HDRGainMap" in xmp:
        return (pillow_image.GAIN_MAP_NOTE,)
    if image.format != "MPO":
        return ()
    count = getattr(image, "n_frames", 1)
    return (f"The file has {count} pictures (MPO); the first was taken.",)
