"""What a photograph's file holds beside its pixels, and how much of it a painting keeps."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Any

from PIL import ExifTags, Image

_LARGEST_BYTES = 4 << 20
_JPEG_EXIF_BYTES = 65_533
_DESCRIPTIVE = {
    ExifTags.Base.ImageDescription, ExifTags.Base.Make, ExifTags.Base.Model,
    ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit,
    ExifTags.Base.Software, ExifTags.Base.DateTime, ExifTags.Base.Artist,
    ExifTags.Base.HostComputer, ExifTags.Base.Copyright, ExifTags.Base.Rating,
    ExifTags.Base.RatingPercent, ExifTags.Base.XPTitle, ExifTags.Base.XPComment,
    ExifTags.Base.XPAuthor, ExifTags.Base.XPKeywords, ExifTags.Base.XPSubject,
}  # fmt: skip
"""EXIF tags that a painting keeps; the others of the first directory tell how pixels lie."""


@dataclass(frozen=True)
class KeptMetadata:
    """What a painting keeps of its photograph's file.

    icc: an RGB profile or nothing. exif: as Pillow takes it, of an upright picture, or nothing.
    notes: what was not kept, for a painter.
    """

    icc: bytes = b""
    exif: bytes = b""
    notes: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """What Pillow's `save` takes to put it into a file."""
        held = {"icc_profile": self.icc, "exif": self.exif}
        return {name: value for name, value in held.items() if value}

    def fitting(self, kind: str | None) -> KeptMetadata:
        """What a file of that kind, as Pillow calls it, has room for, and a note of the rest."""
        if kind in ("BMP", "GIF") and self.options:
            note = f"A {kind} file has no room for the colour profile and the EXIF data."
            return KeptMetadata(notes=(*self.notes, note))
        if kind == "JPEG" and len(self.exif) > _JPEG_EXIF_BYTES:
            note = "The EXIF data is too large for a JPEG file and was left out."
            return replace(self, exif=b"", notes=(*self.notes, note))
        return self


def read_orientation(exif: Image.Exif) -> int:
    """EXIF's orientation, 1 to 8; 1, which is upright, when it cannot be read."""
    with contextlib.suppress(Exception):
        found = int(exif.get(ExifTags.Base.Orientation, 1))
        return found if 1 <= found <= 8 else 1
    return 1


def upright_exif(found: Image.Exif, size: tuple[int, int]) -> tuple[bytes, str]:
    """The EXIF data for an upright painting of that size, and a note if it had to be dropped."""
    try:
        exif = _described(found, size)
    # Pillow answers damage with nothing, SyntaxError, struct.error, TypeError and others.
    except Exception:
        return b"", "The EXIF data is damaged and was dropped."
    if len(exif) > _LARGEST_BYTES:
        return b"", "The EXIF data is far too large and was dropped."
    return exif, ""


def _described(found: Image.Exif, size: tuple[int, int]) -> bytes:
    kept = Image.Exif()
    for tag in _DESCRIPTIVE & found.keys():
        kept[tag] = found[tag]
    if ExifTags.Base.Orientation in found:
        kept[ExifTags.Base.Orientation] = 1
    photo = dict(found.get_ifd(ExifTags.IFD.Exif))
    if ExifTags.IFD.Interop in photo:
        photo[ExifTags.IFD.Interop] = dict(found.get_ifd(ExifTags.IFD.Interop))
    sides = zip((ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight), size, strict=True)
    photo.update((tag, side) for tag, side in sides if tag in photo)
    if photo:
        kept[ExifTags.IFD.Exif] = photo
    if place := dict(found.get_ifd(ExifTags.IFD.GPSInfo)):
        kept[ExifTags.IFD.GPSInfo] = place
    return kept.tobytes() if len(kept) else b""
