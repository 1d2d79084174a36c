"""PNG and TIFF with 16 bits a channel, of which Pillow reads and writes only the upper 8."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from impasto_daemon.images.metadata import KeptMetadata

Pixels = NDArray[np.uint16]

_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PNG_HEAD_BYTES = 33
_UNSPECIFIED, _ASSOCIATED, _STRAIGHT = 0, 1, 2
_STRIP_ROWS = 64


def is_16_bit(image: Image.Image, data: bytes) -> bool:
    """The file holds 16 bits a channel of grey or RGB. data: the whole file."""
    if isinstance(image, TiffImageFile):
        tags = image.tag_v2
        bits, kinds = tags.get(258, (1,)), tags.get(339, (1,))
        return set(bits) == {16} and set(kinds) == {1} and tags.get(262) in (1, 2)
    return image.format == "PNG" and data[24] == 16


def decode(image: Image.Image, data: bytes) -> Pixels:
    """(H, W, 3 or 4) of a file that `is_16_bit`, as it lies there, not turned; straight alpha.

    Raises ValueError, or what the decoders raise, for a file that is damaged.
    """
    if isinstance(image, TiffImageFile):
        pixels = imagecodecs.tiff_decode(data)
        if image.tag_v2.get(284) == 2 and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        extra = image.tag_v2.get(338, ())
        if extra == (_UNSPECIFIED,):
            pixels = pixels[..., :3]
        elif extra == (_ASSOCIATED,):
            pixels = _unmultiplied(pixels)
    else:
        pixels = imagecodecs.png_decode(data)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] > 4:
        raise ValueError("not the 16-bit pixels that its header announced")
    if pixels.shape[2] <= 2:
        pixels = np.concatenate([pixels[..., :1].repeat(3, 2), pixels[..., 1:]], axis=2)
    return pixels


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
    return _unmultiplied(whole) if pixels.shape[2] == 4 else whole


def encode_png(pixels: Pixels, text: PngInfo, kept: KeptMetadata) -> bytes:
    """A PNG file of (H, W, 1 to 4)."""
    # Pillow knows how to put metadata into chunks: they are taken from a picture of one pixel.
    shell = io.BytesIO()
    Image.new("RGB", (1, 1)).save(shell, "PNG", pnginfo=text, **kept.options)
    chunks = b"".join(whole for kind, whole in _chunks(shell.getvalue()) if _is_extra(kind))
    painted = bytes(imagecodecs.png_encode(pixels, level=3))
    return painted[:_PNG_HEAD_BYTES] + chunks + painted[_PNG_HEAD_BYTES:]


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
    exif.load(kept.exif)
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


def without_extras(data: bytes) -> bytes:
    """A PNG file without anything but its pixels; other data as it is."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    return data[:8] + b"".join(whole for kind, whole in _chunks(data) if not _is_extra(kind))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = 8
    while start + 8 <= len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4])
        yield data[start + 4 : start + 8], data[start:end]
        start = end


def _is_extra(kind: bytes) -> bool:
    return kind not in _PIXEL_CHUNKS


def _differences(rows: Pixels) -> Pixels:
    """Each pixel less the one to its left, modulo 2¹⁶: the TIFF specification's predictor 2."""
    lessened = rows.astype("<u2")
    lessened[:, 1:] -= rows[:, :-1]
    return lessened


def _unmultiplied(pixels: Pixels) -> Pixels:
    alpha = pixels[..., -1:].astype(np.float32)
    colours = pixels[..., :-1] * (65535 / np.maximum(alpha, 1))
    return np.concatenate(
        [np.rint(colours.clip(0, 65535)).astype(np.uint16), pixels[..., -1:]], axis=2
    )
