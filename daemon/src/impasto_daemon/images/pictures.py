"""Picture files to pixels and back, with what a hostile file could do kept in check."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto_daemon.engine.sizes import fit
from impasto_daemon.files import open_regular, write_named
from impasto_daemon.images import sixteen_bit
from impasto_daemon.images.arrays import from_array, to_array
from impasto_daemon.images.colours import Profile, check_profile, to_rgb, with_rgb_of_grey
from impasto_daemon.images.decoders import decode
from impasto_daemon.images.exif import read_orientation, upright_exif
from impasto_daemon.images.metadata import KeptMetadata, upright_xmp
from impasto_daemon.images.painting_profile import colour_space, is_linear, painting_profile
from impasto_daemon.images.source import SAVE_ANEW, SCALE_DOWN, Source, Unsupported
from impasto_daemon.images.tones import to_8_bit, to_16_bit
from impasto_protocol.codec import Picture
from impasto_protocol.errors import (
    PictureRejected,
    PictureUnreadable,
    StyleRejected,
    StyleUnreadable,
)
from impasto_protocol.limits import FRAME_BYTES

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")

Number = TypeVar("Number", bound=np.generic)


def read_picture(
    path: Path, *, longest_px: int = 0, profile: bytes = b"", size: tuple[int, int] | None = None
) -> Picture:
    """The picture in a file, 8-bit RGB or RGBA, upright, its first frame.

    longest_px: scale it down to this long edge; 0 leaves it as it is. size: the (height, width) in
    px that it is brought to, each pixel one of its own.
    profile: the ICC profile of RGB that its colours are brought to; none is sRGB.
    Raises PictureUnreadable when it cannot be read, PictureRejected for a kind or size not
    accepted.
    """
    picture, _ = _in_8_bits(_read(path, _PICTURE), longest_px, profile)
    if size is None or size == (picture.height, picture.width):
        return picture
    return from_image(to_image(picture).resize(size[::-1], Image.Resampling.NEAREST))


def read_mask(path: Path, size: tuple[int, int]) -> Picture:
    """A picture in a file as a mask: 8-bit grey of that (height, width) in px.

    What is transparent is black. Raises as `read_picture` does.
    """
    image = to_image(read_picture(path))
    if "A" in image.getbands():
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    grey = image.convert("L").resize(size[::-1], Image.Resampling.LANCZOS)
    return from_array(np.asarray(grey)[:, :, None])


def read_style(path: Path, *, profile: bytes = b"") -> tuple[Picture, tuple[str, ...]]:
    """A style picture as `read_picture` reads it, and notes for a painter.

    Raises StyleUnreadable and StyleRejected.
    """
    picture, notes = _in_8_bits(_read(path, _STYLE), 0, profile)
    return picture, tuple(f"Style picture: {note}" for note in notes)


def read_photograph(path: Path, *, longest_px: int = 0) -> tuple[Picture, KeptMetadata]:
    """The picture in a file, 8- or 16-bit as it lies there, and what its painting is to keep.

    longest_px and errors: as for `read_picture`.
    """
    source = _read(path, _PHOTO)
    profile = check_profile(source.icc, source.space)
    # An RGB profile stays with the numbers it explains, however wide: sRGB would cut colours
    # off. A painting is RGB, so CMYK and grey cannot stay what they are and become sRGB.
    kept = painting_profile(profile) if source.space == "RGB" else b""
    was_linear = source.space == "RGB" and is_linear(profile)
    # 8 bits of linear light are too few steps for the dark tones of a curve to keep apart.
    numbers = to_16_bit(source.pixels) if was_linear else source.pixels
    pixels = to_rgb(numbers, source.space, profile.data, kept)
    upright = _fitted(_turned(pixels, read_orientation(source.exif)), longest_px)
    picture = from_array(upright, space=colour_space(kept))
    exif, exif_note = upright_exif(source.exif, (picture.width, picture.height))
    xmp, xmp_note = upright_xmp(source.xmp)
    notes = [*source.notes, profile.note, _colours_note(source, profile), exif_note, xmp_note]
    return picture, KeptMetadata(kept, exif, xmp, source.dpi, tuple(filter(None, notes)))


def write_picture(
    path: Path,
    picture: Picture,
    *,
    info: dict[str, str] | None = None,
    kept: KeptMetadata | None = None,
) -> tuple[str, ...]:
    """Write a picture in the format its name ends in; `info` goes into a PNG's text.

    16 bits a channel stay 16 in PNG and TIFF. Returns notes for a painter on what was left out.
    Raises PictureRejected for an unknown ending, NotWritten.
    """
    kind = format_of(path)
    kept = kept or KeptMetadata()
    held = kept.fitting(kind)
    if kept.icc and not held.icc:
        picture = from_array(to_rgb(to_array(picture), "RGB", kept.icc))
    if picture.dtype == "uint16" and kind == "PNG":
        content = sixteen_bit.encode_png(to_array(picture), info or {}, held)
    elif picture.dtype == "uint16" and kind == "TIFF":
        content = sixteen_bit.encode_tiff(to_array(picture), held)
    else:
        content = _encode_8_bit(picture, kind, held.options(kind, info))
    write_named(path, content)
    return held.notes


def format_of(path: Path) -> str:
    """What Pillow calls the format that a file's name ends in. Raises PictureRejected."""
    kind = Image.registered_extensions().get(path.suffix.lower(), "")
    if kind not in FORMATS:
        raise PictureRejected(
            f"{path.name} does not end in .png, .jpg, .webp, .tiff, .bmp or .gif.",
            next_step="Choose a file name that ends in .png.",
        )
    return kind


def _encode_8_bit(picture: Picture, kind: str, options: dict[str, Any]) -> bytes:
    image = to_image(picture)
    if kind == "JPEG":
        image = flatten(image)
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=95, **options)
    return buffer.getvalue()


def to_image(picture: Picture) -> Image.Image:
    """An 8-bit Pillow image of a picture."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[picture.channels]
    pixels = to_array(picture)
    if picture.order == "bgr" and picture.channels > 2:
        pixels = pixels[..., [2, 1, 0, 3][: picture.channels]]
    if picture.dtype != "uint8":
        largest = 65535 if picture.dtype == "uint16" else 1
        pixels = np.rint(pixels * np.float32(255 / largest)).clip(0, 255).astype(np.uint8)
    return Image.frombytes(mode, (picture.width, picture.height), pixels.tobytes())


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


class _Role(NamedTuple):
    """What a picture is called in errors, and which errors those are."""

    word: str
    unreadable: type[PictureUnreadable]
    rejected: type[PictureRejected]


_PHOTO = _Role("photo", PictureUnreadable, PictureRejected)
_STYLE = _Role("style picture", StyleUnreadable, StyleRejected)
_PICTURE = _Role("picture", PictureUnreadable, PictureRejected)


def _read(path: Path, role: _Role) -> Source:
    data = _read_bytes(path, role)
    save_anew, scale_down = (step.format(picture=role.word) for step in (SAVE_ANEW, SCALE_DOWN))
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and odd metadata; the limit here is ours.
            warnings.simplefilter("ignore")
            return with_rgb_of_grey(decode(data, path.suffix))
    except Unsupported as error:
        raise role.rejected(
            f"The {role.word} {path.name} {error}.",
            next_step=error.next_step.format(picture=role.word),
        ) from error
    except Image.DecompressionBombError as error:
        raise role.rejected(
            f"The {role.word} {path.name} has far too many pixels.", next_step=scale_down
        ) from error
    except MemoryError as error:
        raise role.rejected(
            f"The {role.word} {path.name} takes more memory than there is.", next_step=scale_down
        ) from error
    # The decoders answer damage with OSError, SyntaxError, ValueError and others.
    except Exception as error:
        raise role.unreadable(
            f"The {role.word} {path.name} is damaged and cannot be read.", next_step=save_anew
        ) from error


def _read_bytes(path: Path, role: _Role) -> bytes:
    try:
        with open_regular(path) as file:
            large = os.fstat(file.fileno()).st_size > FRAME_BYTES
            data = b"" if large else file.read()
    except FileNotFoundError as error:
        raise role.unreadable(
            f"There is no file {path} (the {role.word}).",
            next_step="Check the name and the folder.",
        ) from error
    except OSError as error:
        raise role.unreadable(
            f"The {role.word} {path} cannot be opened: {error.strerror}.",
            next_step=f"Choose a {role.word} that is a file of your own.",
        ) from error
    if large:
        raise role.rejected(
            f"The {role.word} {path.name} is larger than {FRAME_BYTES >> 30} GiB.",
            next_step=f"Save the {role.word} smaller.",
        )
    return data


def _in_8_bits(source: Source, longest_px: int, target: bytes) -> tuple[Picture, tuple[str, ...]]:
    profile = check_profile(source.icc, source.space)
    pixels = to_8_bit(to_rgb(source.pixels, source.space, profile.data, target))
    upright = _fitted(_turned(pixels, read_orientation(source.exif)), longest_px)
    picture = from_array(upright, space=colour_space(target))
    return picture, tuple(filter(None, [*source.notes, profile.note]))


def _colours_note(source: Source, profile: Profile) -> str:
    if source.space == "CMYK":
        return "The photograph's CMYK colours became sRGB."
    if source.space == "RGB" and not profile.is_two_way:
        return "The colour profile is a device's, to which nothing can be brought: sRGB instead."
    if source.space == "RGB" and is_linear(profile):
        return "The photograph's numbers are of linear light; the painting's have sRGB's curve."
    return ""


def _fitted(pixels: NDArray[Any], longest_px: int) -> NDArray[Any]:
    height, width = fit(pixels.shape[0], pixels.shape[1], longest_px)
    if (height, width) == pixels.shape[:2]:
        return pixels
    if pixels.dtype == np.uint16:
        return sixteen_bit.scale(pixels, width, height)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def _as_rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _turned(pixels: NDArray[Number], orientation: int) -> NDArray[Number]:
    """(H, W, C) upright that lies as EXIF's `orientation` says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    upside_down, mirrored = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(pixels[:: -1 if upside_down else 1, :: -1 if mirrored else 1])
