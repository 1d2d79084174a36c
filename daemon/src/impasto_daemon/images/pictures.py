"""Picture files to pixels and back, with what a hostile file could do kept in check."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from impasto_daemon.engine.sizes import fit
from impasto_daemon.files import open_regular, write_file
from impasto_daemon.images import sixteen_bit
from impasto_daemon.images.arrays import from_array, to_array
from impasto_daemon.images.metadata import (
    KeptMetadata,
    Profile,
    convert_colours,
    read_exif,
    read_orientation,
    read_profile,
)
from impasto_protocol.codec import Picture
from impasto_protocol.errors import RequestError, StyleRejected, StyleUnreadable

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
_DESCRIBING = ("PNG", "JPEG", "WEBP", "TIFF")
_LARGEST_FILE_BYTES = 512 << 20
_LARGEST_PX = 64_000_000

Number = TypeVar("Number", bound=np.generic)


def read_picture(path: Path, *, longest_px: int = 0, profile: bytes = b"") -> Picture:
    """The picture in a file, 8-bit RGB or RGBA, upright, its first frame.

    longest_px: scale it down to this long edge; 0 leaves it as it is.
    profile: the ICC profile of RGB that its colours are brought to; none is sRGB.
    Raises StyleUnreadable when it cannot be read, StyleRejected for a kind or size not accepted.
    """
    with _opened(path) as file:
        source = read_profile(file.image)
        return _pixels_8_bit(file.image, longest_px, source, profile)


def read_photograph(path: Path, *, longest_px: int = 0) -> tuple[Picture, KeptMetadata]:
    """The picture in a file, 8- or 16-bit as it lies there, and what its painting is to keep.

    longest_px and errors: as for `read_picture`.
    """
    with _opened(path) as file:
        image, source = file.image, read_profile(file.image)
        notes = [file.note, source.note]
        deep = sixteen_bit.is_16_bit(image, file.data)
        # An RGB profile stays with the numbers it explains, however wide: sRGB would cut colours
        # off. A painting is RGB, so CMYK and grey cannot stay what they are and become sRGB.
        profile = source.data if source.space == "RGB" else b""
        if image.mode == "CMYK":
            notes.append("The photograph's CMYK colours became sRGB.")
        if deep:
            if source.space == "GRAY":
                notes.append("The colour profile is for grey and was dropped.")
            picture = _pixels_16_bit(image, file.data, longest_px)
        else:
            picture = _pixels_8_bit(image, longest_px, source, profile)
        exif, note = read_exif(image, (picture.width, picture.height))
        return picture, KeptMetadata(profile, exif, tuple(filter(None, [*notes, note])))


def write_picture(
    path: Path,
    picture: Picture,
    *,
    info: dict[str, str] | None = None,
    kept: KeptMetadata | None = None,
) -> tuple[str, ...]:
    """Write a picture in the format its name ends in; `info` goes into a PNG's text.

    16 bits a channel stay 16 in PNG and TIFF. Returns notes for a painter on what was left out.
    Raises StyleRejected for an unknown ending, DiskFull.
    """
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in FORMATS:
        raise StyleRejected(
            f"{path.name} does not end in .png, .jpg, .webp, .tiff, .bmp or .gif.",
            next_step="Choose a file name that ends in .png.",
        )
    held = (kept or KeptMetadata()).fitting(kind)
    text = PngInfo()
    for key, value in (info or {}).items():
        text.add_itxt(key, value)
    if picture.dtype == "uint16" and kind == "PNG":
        content = sixteen_bit.encode_png(to_array(picture), text, held)
    elif picture.dtype == "uint16" and kind == "TIFF":
        content = sixteen_bit.encode_tiff(to_array(picture), held)
    else:
        image = to_image(picture)
        if kind == "JPEG":
            image = flatten(image)
        options: dict[str, Any] = {"pnginfo": text} if kind == "PNG" else {"quality": 95}
        if kind in _DESCRIBING:
            options |= held.options
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        content = buffer.getvalue()
    write_file(path, content)
    return held.notes


def to_image(picture: Picture) -> Image.Image:
    """An 8-bit Pillow image of a picture."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[picture.channels]
    data = bytes(picture.data)
    if picture.dtype != "uint8":
        largest = 65535 if picture.dtype == "uint16" else 1
        data = np.rint(to_array(picture) * np.float32(255 / largest)).astype(np.uint8).tobytes()
    return Image.frombytes(mode, (picture.width, picture.height), data)


def from_image(image: Image.Image) -> Picture:
    """An 8-bit RGB or RGBA picture of a Pillow image."""
    return from_array(np.asarray(_as_rgb(image)))


def shrink(picture: Picture, longest_px: int) -> Picture:
    """An 8-bit RGB or RGBA picture, its long edge at most `longest_px`."""
    image = to_image(picture)
    image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    return from_image(image)


def flatten(image: Image.Image) -> Image.Image:
    """RGB or grey, what is transparent on white."""
    if "A" not in image.getbands():
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


class _File(NamedTuple):
    image: Image.Image
    data: bytes
    note: str


@contextmanager
def _opened(path: Path) -> Iterator[_File]:
    data = _read(path)
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and odd metadata; the limit here is ours.
            warnings.simplefilter("ignore")
            file = _open(data)
            with file.image as image:
                if image.width * image.height > _LARGEST_PX:
                    raise StyleRejected(
                        f"{path.name} has {image.width} x {image.height} pixels; at most "
                        f"{_LARGEST_PX // 1_000_000} megapixels are accepted."
                    )
                yield file
    except UnidentifiedImageError as error:
        raise StyleRejected(f"{path.name} is not a picture of a kind that is accepted.") from error
    except Image.DecompressionBombError as error:
        raise StyleRejected(f"{path.name} has far too many pixels.") from error
    except RequestError:
        raise
    # The decoders answer damage with OSError, SyntaxError, ValueError and others.
    except Exception as error:
        raise StyleUnreadable(f"{path.name} is damaged and cannot be read.") from error


def _open(data: bytes) -> _File:
    try:
        return _File(Image.open(io.BytesIO(data), formats=FORMATS), data, "")
    except Image.DecompressionBombError:
        raise
    except Exception:
        # Pillow gives a PNG up for a damaged or huge profile, which its pixels can do without.
        bare = sixteen_bit.without_extras(data)
        if bare == data:
            raise
        image = Image.open(io.BytesIO(bare), formats=FORMATS)
        return _File(image, bare, "What the file tells of the picture is damaged and was dropped.")


def _pixels_8_bit(image: Image.Image, longest_px: int, source: Profile, profile: bytes) -> Picture:
    image.load()
    orientation = read_orientation(image)
    if image.mode.startswith("I;16"):
        # Pillow's own conversion would cut 16 bits off at 255.
        grey = np.asarray(image).astype(np.uint16) >> 8
        image = Image.fromarray(grey.astype(np.uint8))
    image = _as_rgb(convert_colours(image, source, profile))
    upright = Image.fromarray(_turned(np.asarray(image), orientation))
    height, width = fit(upright.height, upright.width, longest_px)
    if (width, height) != upright.size:
        upright = upright.resize((width, height), Image.Resampling.LANCZOS)
    return from_image(upright)


def _pixels_16_bit(image: Image.Image, data: bytes, longest_px: int) -> Picture:
    # Before the pixels: Pillow turns a TIFF as it loads it, and forgets how it lay.
    orientation = read_orientation(image)
    pixels = _turned(sixteen_bit.decode(image, data), orientation)
    height, width = fit(pixels.shape[0], pixels.shape[1], longest_px)
    if (height, width) != pixels.shape[:2]:
        pixels = sixteen_bit.scale(pixels, width, height)
    return from_array(pixels)


def _as_rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _turned(pixels: NDArray[Number], orientation: int) -> NDArray[Number]:
    """(H, W, C) upright that lies as EXIF's `orientation` says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    upside_down, mirrored = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(pixels[:: -1 if upside_down else 1, :: -1 if mirrored else 1])


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise StyleUnreadable(f"{path} cannot be opened: {error.strerror}.") from error
    if len(data) > _LARGEST_FILE_BYTES:
        raise StyleRejected(f"{path.name} is larger than {_LARGEST_FILE_BYTES >> 20} MiB.")
    return data
