"""The decoder for each kind of file."""

from __future__ import annotations

import io

from PIL import Image

from impasto_daemon.images import pillow_image, png, tiff
from impasto_daemon.images.kinds import name_kind
from impasto_daemon.images.source import Source, Unsupported

_BY_PILLOW = {
    "JPEG": "JPEG", "WebP": "WEBP", "BMP": "BMP", "GIF": "GIF",
}  # fmt: skip
"""What Pillow calls the kinds that it reads as they are."""


def decode(data: bytes) -> Source:
    """The picture in a file, whatever its name ends in.

    Raises Unsupported for a kind that is not read, and anything for a file that is damaged.
    """
    kind = name_kind(data)
    if kind == "PNG":
        return png.decode(data)
    if kind == "TIFF":
        return tiff.decode(data)
    if kind not in _BY_PILLOW:
        raise Unsupported(_say_kind(data, kind))
    with Image.open(io.BytesIO(data), formats=(_BY_PILLOW[kind],)) as image:
        return pillow_image.to_source(image).noting(*pillow_image.frames_note(image))


def _say_kind(data: bytes, kind: str) -> str:
    if not data:
        return "is empty"
    return f"is of a kind that is not read: {kind}" if kind else "is not a picture of a known kind"
