"""TIFF files: which of their pages is the picture, and the kinds of pixels Pillow cannot read."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from impasto_daemon.images import pillow_image, tones
from impasto_daemon.images.lab import lab_to_srgb
from impasto_daemon.images.metadata import read_dpi
from impasto_daemon.images.source import Source, Space, Unsupported

_WHITE_IS_0, _BLACK_IS_0, _RGB, _PALETTE, _CMYK, _LAB, _ICC_LAB = 0, 1, 2, 3, 5, 8, 9
_BY_ARRAY = {_WHITE_IS_0: 1, _BLACK_IS_0: 1, _RGB: 3, _LAB: 3, _ICC_LAB: 3}
"""Channels without alpha of what imagecodecs decodes here."""
_UNREAD = {
    32803: "holds a camera's raw data",
    34892: "holds a camera's raw data",
    32844: "holds LogLuv colours",
    32845: "holds LogLuv colours",
}
_WHOLE, _SIGNED, _FLOAT = 1, 2, 3
_ASSOCIATED, _STRAIGHT = 1, 2
_REDUCED_OR_MASK, _OLD_REDUCED = 0b101, 2
_BIG_HIGH_FIRST = b"MM\0+"
_SUB_DIRECTORIES = 330
_MOST_CHANNELS = 16
_MOST_PAGES = 10_000


@dataclass(frozen=True)
class _Page:
    """A directory of a TIFF file. offset: where it begins."""

    offset: int
    tags: ImageFileDirectory_v2

    @property
    def bits(self) -> int:
        return int(max(self.tags.get(258, (1,))))

    @property
    def sample_format(self) -> int:
        return int(max(self.tags.get(339, (_WHOLE,))))

    @property
    def photometric(self) -> int:
        return int(self.tags.get(262, _WHITE_IS_0))

    @property
    def is_picture(self) -> bool:
        """It is neither a thumbnail nor a mask."""
        reduced = int(self.tags.get(254, 0)) & _REDUCED_OR_MASK
        return not reduced and self.tags.get(255) != _OLD_REDUCED


def decode(data: bytes) -> Source:
    """The first page that is no thumbnail.

    Raises Unsupported, or what the decoders raise, for a file that is damaged.
    """
    if data.startswith(_BIG_HIGH_FIRST):
        # Pillow 13.0 takes its directories for those of a small one.
        raise Unsupported("is a BigTIFF with high bytes first")
    pages = _pages(data)
    pictures = [page for page in pages if page.is_picture]
    if not pictures and any(_SUB_DIRECTORIES in page.tags for page in pages):
        raise Unsupported("is a camera's raw photograph, or keeps its picture as those do")
    if not pictures:
        raise Unsupported("holds a thumbnail only")
    page = pictures[0]
    _refuse_unread(page)
    if page is not pages[0]:
        data = _beginning_at(data, page.offset)
    source = _decode_array(data, page) if _is_for_array(page) else _decode_8_bit(data, page)
    if len(pictures) > 1:
        return source.noting(f"The file has {len(pictures)} pages; the first was taken.")
    return source


def _pages(data: bytes) -> list[_Page]:
    file = io.BytesIO(data)
    head = file.read(16 if data[2:3] == b"+" or data[3:4] == b"+" else 8)
    directory = ImageFileDirectory_v2(head)
    found: dict[int, _Page] = {}
    offset = directory.next
    while offset and offset not in found and len(found) < _MOST_PAGES:
        file.seek(offset)
        directory = ImageFileDirectory_v2(head)
        directory.load(file)
        found[offset] = _Page(offset, directory)
        offset = directory.next
    return list(found.values())


def _beginning_at(data: bytes, offset: int) -> bytes:
    """The file with the page there as its first, which is the one that decoders look at."""
    order = "little" if data[:1] == b"I" else "big"
    at, size = (8, 8) if b"+" in data[2:4] else (4, 4)
    return data[:at] + offset.to_bytes(size, order) + data[at + size :]  # type: ignore[arg-type]


def _refuse_unread(page: _Page) -> None:
    if 50706 in page.tags:
        raise Unsupported("is a raw photograph (DNG)")
    if page.photometric in _UNREAD:
        raise Unsupported(_UNREAD[page.photometric])
    if page.sample_format == _SIGNED and page.photometric != _LAB:
        raise Unsupported(f"holds signed {page.bits}-bit integers")
    if page.sample_format > 4:
        raise Unsupported("holds complex numbers")
    if page.sample_format != _FLOAT and page.bits > 32:
        raise Unsupported(f"holds {page.bits}-bit integers")


def _is_for_array(page: _Page) -> bool:
    if page.photometric in (_LAB, _ICC_LAB):
        return True
    return page.photometric in _BY_ARRAY and (page.bits > 8 or page.sample_format == _FLOAT)


def _decode_8_bit(data: bytes, page: _Page) -> Source:
    if page.photometric == _PALETTE and page.bits > 8:
        raise Unsupported(f"holds a palette of {page.bits} bits")
    try:
        image = Image.open(io.BytesIO(data), formats=("TIFF",))
    except UnidentifiedImageError:
        if page.photometric not in _BY_ARRAY:
            raise
        return _decode_array(data, page)
    with image:
        return pillow_image.to_source(image)


def _decode_array(data: bytes, page: _Page) -> Source:
    pillow_image.refuse_large(page.tags[256], page.tags[257])
    if page.tags.get(277, 1) > _MOST_CHANNELS:
        raise Unsupported(f"has {page.tags[277]} channels")
    exif = _exif(data, page)
    planes = _planes(data, page)
    source = Source(planes, "RGB", exif=exif, xmp=_xmp(page), dpi=read_dpi({}, exif))
    if page.photometric in (_LAB, _ICC_LAB):
        return replace(source, pixels=lab_to_srgb(*_lab_numbers(planes, page)))
    if page.sample_format == _FLOAT:
        pixels, notes = tones.from_floats(planes, _BY_ARRAY[page.photometric])
    else:
        pixels, notes = tones.to_16_bit(planes, 2**page.bits - 1), ()
    if page.photometric == _WHITE_IS_0:
        pixels[..., 0] = 65535 - pixels[..., 0]
    if page.tags.get(338, ())[:1] == (_ASSOCIATED,):
        pixels = tones.unmultiplied(pixels)
    space: Space = "RGB" if page.photometric == _RGB else "GRAY"
    return replace(source, pixels=pixels, space=space, icc=page.tags.get(34675, b""), notes=notes)


def _exif(data: bytes, page: _Page) -> Image.Exif:
    """The page's tags as EXIF data, read as Pillow reads those of a TIFF that it opens."""
    exif = Image.Exif()
    exif.bigtiff = b"+" in data[2:4]
    exif.endian = "<" if data.startswith(b"I") else ">"
    exif.load_from_fp(io.BytesIO(data), page.offset)
    return exif


def _xmp(page: _Page) -> bytes:
    found = page.tags.get(700, b"")
    return bytes(found[0] if isinstance(found, tuple) else found)


def _planes(data: bytes, page: _Page) -> NDArray[Any]:
    """(H, W, C) with alpha, but no other extra channel, and the file's own numbers."""
    numbers = imagecodecs.tiff_decode(data)
    if numbers.ndim == 2:
        numbers = numbers[..., None]
    elif page.tags.get(284) == 2:
        numbers = np.moveaxis(numbers, 0, -1)
    colours = _BY_ARRAY[page.photometric]
    has_alpha = page.tags.get(338, ())[:1] in ((_ASSOCIATED,), (_STRAIGHT,))
    if numbers.ndim != 3 or numbers.shape[2] < colours + has_alpha:
        raise ValueError("not the channels that its header announced")
    return np.array(numbers[..., : colours + has_alpha])


def _lab_numbers(planes: NDArray[Any], page: _Page) -> tuple[NDArray[Any], ...]:
    """L* of 0 to 100, a* and b*; TIFF 6.0 section 23, and ICCLab of Technical Note 4."""
    if page.bits not in (8, 16) or page.sample_format == _FLOAT:
        raise Unsupported("holds Lab colours of neither 8 nor 16 bits")
    unit = 1 if page.bits == 8 else 256
    lightness, a, b = np.moveaxis(planes[..., :3].astype(np.float32) / unit, -1, 0)
    if page.photometric == _ICC_LAB:
        return lightness / 255 * 100, a - 128, b - 128
    signed = (np.where(each >= 128, each - 256, each) for each in (a, b))
    return lightness / ((2**page.bits - 1) / unit) * 100, *signed
