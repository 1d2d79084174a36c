"""What Pillow opens as a source of pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
from PIL import ExifTags, Image

from impasto_daemon.images.exif import is_adobe_rgb
from impasto_daemon.images.metadata import read_dpi
from impasto_daemon.images.source import SCALE_DOWN, Source, Space, Unsupported
from impasto_protocol.limits import PICTURE_PX

GAIN_MAP_NOTE = "The file has an HDR gain map, which is not read; its base picture was taken."
_LARGEST_EXIF_BYTES = 4 << 20
Image.MAX_IMAGE_PIXELS = PICTURE_PX  # of the frames that Pillow itself looks at
_SPACES: dict[str, Space] = {
    "L": "GRAY", "LA": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK",
}  # fmt: skip
_CONVERTED = {
    "1": "L", "La": "LA", "RGBX": "RGB", "RGBa": "RGBA", "YCbCr": "RGB",
    "P": "RGB", "PA": "RGBA",
}  # fmt: skip


def to_source(image: Image.Image) -> Source:
    """The first frame, in 8 bits. Raises Unsupported, and what Pillow raises for damage."""
    refuse_large(*image.size)
    # Before the EXIF data: Pillow turns a TIFF upright as it loads it, and then says so there.
    image.load()
    exif, notes = read_exif(image)
    mode = _CONVERTED.get(image.mode, image.mode)
    if image.has_transparency_data and mode in ("L", "RGB"):
        mode += "A"
    if mode not in _SPACES:
        raise Unsupported(f"holds pixels of a kind that is not read ({image.mode})")
    pixels = np.asarray(image.convert(mode))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    return describe(image, Source(pixels, _SPACES[mode], exif=exif, notes=notes))


def describe(image: Image.Image, source: Source) -> Source:
    """The source with the profile, the XMP data and the resolution that Pillow found."""
    info = image.info
    icc = info.get("icc_profile") or b""
    if not icc and image.format in ("JPEG", "MPO") and is_adobe_rgb(source.exif):
        icc = bytes(imagecodecs.cms_profile("adobergb"))
    return replace(
        source,
        icc=icc,
        xmp=info.get("xmp") or info.get("XML:com.adobe.xmp") or b"",
        dpi=read_dpi(info, source.exif),
    )


def refuse_large(width: int, height: int) -> None:
    """Raises Unsupported for more pixels than are accepted, ValueError for none."""
    if width < 1 or height < 1:
        raise ValueError("a picture without pixels")
    if width * height > PICTURE_PX:
        raise Unsupported(
            f"has {width} x {height} pixels; at most {PICTURE_PX // 1_000_000} megapixels are "
            "accepted",
            SCALE_DOWN,
        )


def read_exif(image: Image.Image) -> tuple[Image.Exif, tuple[str, ...]]:
    """The EXIF data, and a note when it had to be dropped."""
    raw = image.info.get("exif") or b""
    if len(raw) > _LARGEST_EXIF_BYTES:
        return Image.Exif(), ("The EXIF data is far too large and was dropped.",)
    try:
        found = image.getexif()
    # Pillow answers damage with nothing, SyntaxError, struct.error, TypeError and others.
    except Exception:
        found = Image.Exif()
    damaged = raw and not len(found) and not _is_empty(raw)
    return found, ("The EXIF data is damaged and was dropped.",) if damaged else ()


def _is_empty(raw: bytes) -> bool:
    """The EXIF data is whole and has no tag, as GIMP writes it beside a thumbnail."""
    body = raw.removeprefix(b"Exif\0\0")
    at = int.from_bytes(body[4:8], "little" if body.startswith(b"II") else "big")
    return body[:2] in (b"II", b"MM") and body[at : at + 2] == b"\0\0"


def load_exif(raw: bytes, *, is_upright: bool) -> tuple[Image.Exif, tuple[str, ...]]:
    """EXIF data, and a note when it had to be dropped.

    is_upright: the decoder has turned the pixels, so that the orientation in it has no meaning.
    """
    exif = Image.Exif()
    try:
        exif.load(raw)
    except Exception:
        return Image.Exif(), ("The EXIF data is damaged and was dropped.",)
    if is_upright and ExifTags.Base.Orientation in exif:
        del exif[ExifTags.Base.Orientation]
    return exif, ()


def frames_note(image: Image.Image) -> tuple[str, ...]:
    """What a painter is told of the frames that were left."""
    count: Any = getattr(image, "n_frames", 1)
    return (f"The file has {count} frames; the first was taken.",) if count > 1 else ()
