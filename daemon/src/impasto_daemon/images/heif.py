"""HEIC files, of which the pixels come turned upright."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pi_heif

from impasto_daemon.images import cicp, pillow_image, tones
from impasto_daemon.images.metadata import read_dpi
from impasto_daemon.images.source import Source, Space, Unsupported

_SPACES: dict[str, Space] = {
    "L": "GRAY", "I": "GRAY", "LA": "GRAY", "La": "GRAY",
    "RGB": "RGB", "RGBA": "RGB", "RGBa": "RGB",
}  # fmt: skip


def decode(data: bytes) -> Source:
    """Its main picture. Raises Unsupported, or what pi_heif raises for damage."""
    file = pi_heif.open_heif(data, convert_hdr_to_8bit=False)
    image = file[file.primary_index]
    pillow_image.refuse_large(*image.size)
    exif, notes = pillow_image.load_exif(image.info.get("exif") or b"", is_upright=True)
    source = replace(
        _decode_pixels(image),
        icc=image.info.get("icc_profile") or b"",
        exif=exif,
        xmp=image.info.get("xmp") or b"",
        dpi=read_dpi({}, exif),
        notes=notes,
    )
    points = image.info.get("nclx_profile")
    if points and not source.icc:
        source = cicp.with_told_code_points(
            source, points["color_primaries"], points["transfer_characteristics"]
        )
    if len(file) > 1:
        source = source.noting(f"The file has {len(file)} pictures; the main one was taken.")
    if any("gainmap" in kind.lower() for kind in image.info.get("aux", {})):
        source = source.noting(pillow_image.GAIN_MAP_NOTE)
    return source


def _decode_pixels(image: pi_heif.HeifImage) -> Source:
    mode, _, depth = image.mode.partition(";")
    if mode not in _SPACES:
        raise Unsupported(f"holds pixels of a kind that is not read ({image.mode})")
    # A copy, as the memory of the array goes when the image does.
    pixels = np.array(image)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if depth:
        # It has but shifted them to 16 bits: white of 10 bits is 65472.
        bits = image.info["bit_depth"]
        pixels = tones.to_16_bit(pixels, (2**bits - 1) << (16 - bits))
    if image.premultiplied_alpha:
        pixels = tones.unmultiplied(tones.to_16_bit(pixels))
    return Source(pixels, _SPACES[mode])
