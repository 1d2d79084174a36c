"""AVIF files: more than 8 bits, and code points, of which Pillow tells nothing."""

from __future__ import annotations

import io

import imagecodecs
from PIL import Image

from impasto_daemon.images import cicp, pillow_image, tones
from impasto_daemon.images.boxes import find_code_points, find_depth
from impasto_daemon.images.source import Source, Space


def decode(data: bytes) -> Source:
    """Its first frame. Raises Unsupported, or what the decoders raise for damage."""
    depth, points = find_depth(data), find_code_points(data)
    with Image.open(io.BytesIO(data), formats=("AVIF",)) as image:
        source = (
            pillow_image.to_source(image) if depth == 8 else _decode_deep(image, data, depth)
        ).noting(*pillow_image.frames_note(image))
    if source.icc or not points:
        return source
    return cicp.with_told_code_points(source, *points)


def _decode_deep(image: Image.Image, data: bytes, depth: int) -> Source:
    pillow_image.refuse_large(*image.size)
    exif, notes = pillow_image.read_exif(image)
    numbers = imagecodecs.avif_decode(data, index=0)
    if numbers.ndim == 2:
        numbers = numbers[..., None]
    if numbers.shape[:2] != image.size[::-1]:
        raise ValueError("not the size that its header announced")
    space: Space = "RGB" if numbers.shape[2] > 2 else "GRAY"
    source = Source(tones.to_16_bit(numbers, 2**depth - 1), space, exif=exif, notes=notes)
    return pillow_image.describe(image, source)
