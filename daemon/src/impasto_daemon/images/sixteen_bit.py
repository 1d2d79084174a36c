"""16 bits a channel scaled, and written as PNG and TIFF, of which Pillow writes but 8."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping

import imagecodecs
import numpy as np
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from impasto_daemon.images.metadata import KeptMetadata
from impasto_daemon.images.png import PIXEL_CHUNKS, chunks
from impasto_daemon.images.tones import Pixels, unmultiplied

_PNG_HEAD_BYTES = 33
_STRAIGHT = 2
_STRIP_ROWS = 64


def scale(pixels: Pixels, width: int, height: int) -> Pixels:
    """The pixels at another size; what is transparent adds no colour."""
    planes = pixels.astype(np.float32)
    if pixels.shape[2] == 4:
        planes[..., :3] *= planes[..., 3:] / 65535
    scaled = np.stack(
        [
            np.asarray(
                Image.fromarray(planes[..., channel]).resize(
                    (width, height), Image.Resampling.LANCZOS
                )
            )
            for channel in range(pixels.shape[2])
        ],
        axis=2,
    )
    whole: Pixels = np.rint(scaled.clip(0, 65535)).astype(np.uint16)
    return unmultiplied(whole) if pixels.shape[2] == 4 else whole


def encode_png(pixels: Pixels, text: Mapping[str, str], kept: KeptMetadata) -> bytes:
    """A PNG file of (H, W, 1 to 4)."""
    # Pillow knows how to put metadata into chunks: they are taken from a picture of one pixel.
    shell = io.BytesIO()
    Image.new("RGB", (1, 1)).save(shell, "PNG", **kept.options("PNG", text))
    extras = b"".join(whole for kind, whole in chunks(shell.getvalue()) if _is_extra(kind))
    painted = bytes(imagecodecs.png_encode(pixels, level=3))
    return painted[:_PNG_HEAD_BYTES] + extras + painted[_PNG_HEAD_BYTES:]


def encode_tiff(pixels: Pixels, kept: KeptMetadata) -> bytes:
    """A TIFF file of (H, W, 1 to 4), compressed without loss."""
    height, width, channels = pixels.shape
    strips = [
        zlib.compress(_differences(pixels[top : top + _STRIP_ROWS]).tobytes(), 6)
        for top in range(0, height, _STRIP_ROWS)
    ]
    lengths = [len(strip) for strip in strips]
    tags = ImageFileDirectory_v2()
    exif = Image.Exif()
    exif.load(kept.options("TIFF").get("exif", b""))
    for tag in exif:
        tags[tag] = exif[tag]
    for group in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        if group in exif:
            tags[group] = dict(exif.get_ifd(group))
    tags[256], tags[257] = width, height
    tags[258], tags[339] = (16,) * channels, (1,) * channels
    tags[259], tags[317] = 8, 2  # deflate, of horizontal differences
    tags[262] = 1 if channels <= 2 else 2
    tags[277], tags[278], tags[284] = channels, _STRIP_ROWS, 1
    if channels in (2, 4):
        tags[338] = _STRAIGHT
    if kept.icc:
        tags.tagtype[34675] = 7
        tags[34675] = kept.icc
    # Pillow adds where the strips begin to these.
    tags[273] = tuple(sum(lengths[:count]) for count in range(len(lengths)))
    tags[279] = tuple(lengths)
    file = io.BytesIO()
    tags.save(file)
    return file.getvalue() + b"".join(strips)


def _is_extra(kind: bytes) -> bool:
    return kind not in PIXEL_CHUNKS


def _differences(rows: Pixels) -> Pixels:
    """Each pixel less the one to its left, modulo 2¹⁶: the TIFF specification's predictor 2."""
    lessened = rows.astype("<u2")
    lessened[:, 1:] -= rows[:, :-1]
    return lessened
