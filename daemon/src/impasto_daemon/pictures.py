"""Picture files to pixels and back, with what a hostile file could do kept in check."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from impasto_daemon.files import open_regular, write_file
from impasto_protocol.codec import Picture
from impasto_protocol.errors import RequestError, StyleRejected, StyleUnreadable

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
_LARGEST_FILE_BYTES = 512 << 20
_LARGEST_PX = 64_000_000


def read_picture(path: Path, *, longest_px: int = 0) -> Picture:
    """The picture in a file, 8-bit RGB or RGBA, upright, its first frame.

    longest_px: scale it down to this long edge; 0 leaves it as it is.
    Raises StyleUnreadable when it cannot be read, StyleRejected for a kind or size not accepted.
    """
    data = _read(path)
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and odd metadata; the limit here is ours.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > _LARGEST_PX:
                    raise StyleRejected(
                        f"{path.name} has {image.width} x {image.height} pixels; at most "
                        f"{_LARGEST_PX // 1_000_000} megapixels are accepted."
                    )
                return _pixels(image, longest_px)
    except UnidentifiedImageError as error:
        raise StyleRejected(f"{path.name} is not a picture of a kind that is accepted.") from error
    except Image.DecompressionBombError as error:
        raise StyleRejected(f"{path.name} has far too many pixels.") from error
    except RequestError:
        raise
    # Pillow's decoders answer damage with OSError, SyntaxError, ValueError and others.
    except Exception as error:
        raise StyleUnreadable(f"{path.name} is damaged and cannot be read.") from error


def write_picture(path: Path, picture: Picture, *, info: dict[str, str] | None = None) -> Path:
    """Write a picture in the format its name ends in; `info` goes into a PNG's text.

    Raises StyleRejected for an unknown ending, DiskFull.
    """
    image = to_image(picture)
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in FORMATS:
        raise StyleRejected(
            f"{path.name} does not end in .png, .jpg, .webp, .tiff, .bmp or .gif.",
            next_step="Choose a file name that ends in .png.",
        )
    if kind == "JPEG" and image.mode in ("RGBA", "LA"):
        image = image.convert("RGB")
    text = None
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        text = PngInfo()
        for key, value in (info or {}).items():
            text.add_itxt(key, value)
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"pnginfo": text} if text else {"quality": 95}))
    return write_file(path, buffer.getvalue())


def to_image(picture: Picture) -> Image.Image:
    """A Pillow image of an 8-bit picture."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[picture.channels]
    return Image.frombytes(mode, (picture.width, picture.height), bytes(picture.data))


def from_image(image: Image.Image) -> Picture:
    """An 8-bit RGB or RGBA picture of a Pillow image."""
    transparent = "A" in image.getbands() or "transparency" in image.info
    pixels = np.asarray(image.convert("RGBA" if transparent else "RGB"))
    height, width, channels = pixels.shape
    return Picture(height, width, channels, "uint8", pixels.tobytes())


def _pixels(image: Image.Image, longest_px: int) -> Picture:
    if image.mode.startswith("I;16"):
        # Pillow's own conversion would cut 16 bits off at 255.
        grey = np.asarray(image).astype(np.uint16) >> 8
        image = Image.fromarray(grey.astype(np.uint8))
    upright = ImageOps.exif_transpose(image)
    if longest_px and max(upright.size) > longest_px:
        factor = longest_px / max(upright.size)
        size = (max(1, round(upright.width * factor)), max(1, round(upright.height * factor)))
        upright = to_image(from_image(upright)).resize(size, Image.Resampling.LANCZOS)
    return from_image(upright)


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise StyleUnreadable(f"{path} cannot be opened: {error.strerror}.") from error
    if len(data) > _LARGEST_FILE_BYTES:
        raise StyleRejected(f"{path.name} is larger than {_LARGEST_FILE_BYTES >> 20} MiB.")
    return data
