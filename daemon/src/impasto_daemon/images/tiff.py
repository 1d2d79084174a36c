"""TIFF files: which of their pages is the picture, and the kinds of pixels Pillow cannot read."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any, Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from impasto_daemon.images import pillow_image, tones
from impasto_daemon.images.kinds import DEVELOP
from impasto_daemon.images.lab import lab_to_srgb
from impasto_daemon.images.metadata import read_dpi
from impasto_daemon.images.source import Source, Space, Unsupported

_WHITE_IS_0, _BLACK_IS_0, _RGB, _PALETTE, _CMYK, _LAB, _ICC_LAB = 0, 1, 2, 3, 5, 8, 9
_BY_ARRAY = {_WHITE_IS_0: 1, _BLACK_IS_0: 1, _RGB: 3, _CMYK: 4, _LAB: 3, _ICC_LAB: 3}
_SPACES: dict[int, Space] = {_RGB: "RGB", _CMYK: "CMYK"}
"""Channels without alpha of what imagecodecs decodes here."""
_RAW = (32803, 34892)
_UNREAD = {
    32844: "holds LogLuv colours",
    32845: "holds LogLuv colours",
}
_WHOLE, _SIGNED, _FLOAT = 1, 2, 3
_ASSOCIATED, _STRAIGHT = 1, 2
_REDUCED_OR_MASK, _OLD_REDUCED = 0b101, 2
_BIG_HIGH_FIRST = b"MM\0+"
_PHOTOMETRIC, _SUB_DIRECTORIES = 262, 330
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
        return int(self.tags.get(_PHOTOMETRIC, _WHITE_IS_0))

    @property
    def is_picture(self) -> bool:
        """It is neither a thumbnail nor a mask."""
        reduced = int(self.tags.get(254, 0)) & _REDUCED_OR_MASK
        return not reduced and self.tags.get(255) != _OLD_REDUCED


def decode(data: bytes) -> Source:
    """The first page that is no thumbnail.

    Raises Unsupported, or what the decoders raise, for a file that is damaged.
    """
    pages = _pages(data)
    pictures = [page for page in pages if page.is_picture]
    if not pictures and any(_SUB_DIRECTORIES in page.tags for page in pages):
        raise Unsupported("is a camera's raw photograph, or keeps its picture as those do", DEVELOP)
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
    directory = _directory(data)
    found: dict[int, _Page] = {}
    offset = directory.next
    while offset and offset not in found and len(found) < _MOST_PAGES:
        file.seek(offset)
        directory = _directory(data)
        directory.load(file)
        found[offset] = _Page(offset, directory)
        offset = directory.next
    return list(found.values())


def _directory(data: bytes) -> ImageFileDirectory_v2:
    """A directory to be loaded, which says where the first one lies."""
    if data.startswith(_BIG_HIGH_FIRST):
        # Pillow 13.0 takes it for a small one, unless the bytes of its head are the other way.
        return ImageFileDirectory_v2(b"II+\0" + data[4:16], prefix=b"MM")
    return ImageFileDirectory_v2(data[: 16 if data[2:3] == b"+" else 8])


def _order(data: bytes) -> Literal["little", "big"]:
    return "little" if data[:1] == b"I" else "big"


def _beginning_at(data: bytes, offset: int) -> bytes:
    """The file with the page there as its first, which is the one that decoders look at."""
    at, size = (8, 8) if b"+" in data[2:4] else (4, 4)
    return data[:at] + offset.to_bytes(size, _order(data)) + data[at + size :]


def _with_tag(data: bytes, page: _Page, tag: int, value: int) -> bytes:
    """The file with another 16-bit number for a tag of the page, if it has that."""
    order = _order(data)
    count_bytes, entry_bytes, value_at = (8, 20, 12) if b"+" in data[2:4] else (2, 12, 8)
    start = page.offset + count_bytes
    count = int.from_bytes(data[page.offset : start], order)
    for at in range(start, min(start + count * entry_bytes, len(data)), entry_bytes):
        if int.from_bytes(data[at : at + 2], order) == tag:
            number = value.to_bytes(2, order)
            return data[: at + value_at] + number + data[at + value_at + 2 :]
    return data


def _refuse_unread(page: _Page) -> None:
    if 50706 in page.tags:
        raise Unsupported("is a raw photograph (DNG)", DEVELOP)
    if page.photometric in _RAW:
        raise Unsupported("holds a camera's raw data", DEVELOP)
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
    if data.startswith(_BIG_HIGH_FIRST):
        # These Pillow does not open.
        is_plain = page.photometric in _BY_ARRAY and page.bits == 8
        return _decode_array(data, page) if is_plain else _decode_as_rgb(data, page)
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
    elif page.bits == 8:
        pixels, notes = planes, ()
    else:
        pixels, notes = tones.to_16_bit(planes, 2**page.bits - 1), ()
    if page.photometric == _WHITE_IS_0:
        pixels[..., 0] = tones.largest_number(pixels) - pixels[..., 0]
    if page.tags.get(338, ())[:1] == (_ASSOCIATED,):
        pixels = tones.unmultiplied(tones.to_16_bit(pixels))
    space = _SPACES.get(page.photometric, "GRAY")
    return replace(source, pixels=pixels, space=space, icc=page.tags.get(34675, b""), notes=notes)


def _decode_as_rgb(data: bytes, page: _Page) -> Source:
    """The picture as libtiff shows it, in 8 bits."""
    pillow_image.refuse_large(page.tags[256], page.tags[257])
    exif = _exif(data, page)
    # libtiff would turn it, but not by a right angle.
    lying = _with_tag(data, page, ExifTags.Base.Orientation, 1)
    rgb = imagecodecs.tiff_decode(lying, asrgb=True)[..., :3]
    return Source(rgb, "RGB", page.tags.get(34675, b""), exif, _xmp(page), read_dpi({}, exif))


def _exif(data: bytes, page: _Page) -> Image.Exif:
    """The page's tags as EXIF data, read as Pillow reads those of a TIFF that it opens."""
    exif = Image.Exif()
    if data.startswith(_BIG_HIGH_FIRST):
        for tag, value in page.tags.items():
            exif[tag] = value
        return exif
    exif.bigtiff = b"+" in data[2:4]
    exif.endian = "<" if data.startswith(b"I") else ">"
    exif.load_from_fp(io.BytesIO(data), page.offset)
    return exif


def _xmp(page: _Page) -> bytes:
    found = page.tags.get(700, b"")
    return bytes(found[0] if isinstance(found, tuple) else found)


def _planes(data: bytes, page: _Page) -> NDArray[Any]:
    """(H, W, C) with alpha, but no other extra channel, and the file's own numbers."""
    if page.photometric == _CMYK:
        # Which imagecodecs would make RGB of, and of 16 bits not at all.
        data = _with_tag(data, page, _PHOTOMETRIC, _BLACK_IS_0)
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
