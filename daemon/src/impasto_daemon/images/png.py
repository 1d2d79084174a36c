"""PNG files: those of 16 bits, and those with chunks that Pillow stumbles over."""

from __future__ import annotations

import io
from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import Image

from impasto_daemon.images import pillow_image
from impasto_daemon.images.png_colours import COLOUR_CHUNKS, with_colours
from impasto_daemon.images.source import Source, Space, Unsupported

MAGIC = b"\x89PNG\r\n\x1a\n"
PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_ANIMATION_CHUNKS = (b"acTL", b"fcTL", b"fdAT")
_MOST_CHUNKS = 1000
_NAMES = {
    b"iCCP": "colour profile", b"eXIf": "EXIF data", b"pHYs": "resolution",
    b"tEXt": "text", b"zTXt": "text", b"iTXt": "text",
}  # fmt: skip


def decode(data: bytes) -> Source:
    """Its first frame. Raises Unsupported, or what Pillow and imagecodecs raise for damage."""
    if data[12:16] == b"CgBI":
        raise Unsupported("is a PNG as Apple's programs pack it (CgBI)")
    image, data, notes = _opened(data)
    with image:
        source = _decode_16_bit(image, data) if data[24] == 16 else pillow_image.to_source(image)
        told = {kind: whole[8:-4] for kind, whole in chunks(data) if kind in COLOUR_CHUNKS}
        source = with_colours(source, told)
        return source.noting(*notes, *pillow_image.frames_note(image))


def _decode_16_bit(image: Image.Image, data: bytes) -> Source:
    exif, notes = pillow_image.read_exif(image)
    pixels = imagecodecs.png_decode(data)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.dtype != np.uint16 or pixels.shape[:2] != image.size[::-1]:
        raise ValueError("not the 16-bit pixels that its header announced")
    space: Space = "GRAY" if pixels.shape[2] <= 2 else "RGB"
    return pillow_image.describe(image, Source(pixels, space, exif=exif, notes=notes))


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind of each chunk of a PNG file, and the chunk with its length, kind and sum."""
    start = len(MAGIC)
    while start + 8 <= len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4])
        yield data[start + 4 : start + 8], data[start:end]
        start = end


def _opened(data: bytes) -> tuple[Image.Image, bytes, list[str]]:
    """The image, the file without what had to be dropped, and notes on that."""
    try:
        return _loaded(data), data, []
    except Image.DecompressionBombError:
        raise
    except Exception:
        repaired, dropped = _without_bad_chunks(data)
        if not dropped:
            raise
    names = " and ".join(sorted({_NAMES.get(kind, "other data") for kind in dropped}))
    note = f"The {names} in the file, damaged or far too long, was dropped."
    return _loaded(repaired), repaired, [note]


def _loaded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("PNG",))
    pillow_image.refuse_large(*image.size)
    image.load()
    return image


def _without_bad_chunks(data: bytes) -> tuple[bytes, list[bytes]]:
    """The file without the chunks, other than its pixels, that Pillow gives it up for."""
    kept, dropped = [MAGIC], []
    for number, (kind, whole) in enumerate(chunks(data)):
        needed = kind in PIXEL_CHUNKS + _ANIMATION_CHUNKS
        if needed or (number < _MOST_CHUNKS and _can_be_read(whole)):
            kept.append(whole)
        else:
            dropped.append(kind)
    return b"".join(kept), dropped


def _can_be_read(chunk: bytes) -> bool:
    """Pillow reads a picture of one pixel that has this chunk."""
    pixel = io.BytesIO()
    Image.new("RGB", (1, 1)).save(pixel, "PNG")
    head, rest = pixel.getvalue()[:33], pixel.getvalue()[33:]
    try:
        with Image.open(io.BytesIO(head + chunk + rest), formats=("PNG",)) as image:
            image.load()
    except Exception:
        return False
    return True
