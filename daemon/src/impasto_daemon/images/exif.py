"""EXIF data: of a photograph to that of its upright painting, and cut to the room there is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

_LARGEST_BYTES = 4 << 20
_Groups = dict[int, dict[int, Any]]
_FIRST = 0
_GROUPS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_DESCRIPTIVE = {
    ExifTags.Base.ImageDescription, ExifTags.Base.Make, ExifTags.Base.Model,
    ExifTags.Base.Software, ExifTags.Base.DateTime, ExifTags.Base.Artist,
    ExifTags.Base.HostComputer, ExifTags.Base.Copyright, ExifTags.Base.Rating,
    ExifTags.Base.RatingPercent, ExifTags.Base.XPTitle, ExifTags.Base.XPComment,
    ExifTags.Base.XPAuthor, ExifTags.Base.XPKeywords, ExifTags.Base.XPSubject,
}  # fmt: skip
"""Tags that a painting keeps; the others of the first directory tell how pixels lie, and how
densely, which formats have places of their own for."""


def read_orientation(exif: Image.Exif) -> int:
    """EXIF's orientation, 1 to 8; 1, which is upright, when it cannot be read."""
    with contextlib.suppress(Exception):
        found = int(exif.get(ExifTags.Base.Orientation, 1))
        return found if 1 <= found <= 8 else 1
    return 1


def is_adobe_rgb(exif: Image.Exif) -> bool:
    """Colours are Adobe RGB (1998) by the name that cameras give them; DCF 2.0, section 5.2."""
    with contextlib.suppress(Exception):
        index = exif.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
        return str(index).strip("\0 ") == "R03"
    return False


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


def shortened_exif(exif: bytes, most_bytes: int) -> tuple[bytes, list[str]]:
    """EXIF data of at most so many bytes, and the names of the tags left out, largest first."""
    dropped: list[str] = []
    while len(exif) > most_bytes:
        groups = _taken_apart(exif)
        sizes = {
            (group, tag): _size(value)
            for group, tags in groups.items()
            for tag, value in tags.items()
        }
        group, tag = max(sizes, key=lambda place: sizes[place])
        del groups[group][tag]
        names = ExifTags.GPSTAGS if group == ExifTags.IFD.GPSInfo else ExifTags.TAGS
        dropped.append(names.get(tag, f"Tag {tag}"))
        exif = _assembled(groups)
    return exif, dropped


def with_tags(exif: bytes, tags: Mapping[int, Any]) -> bytes:
    """EXIF data with these tags in its first directory, too."""
    found = Image.Exif()
    found.load(exif)
    for tag, value in tags.items():
        found[tag] = value
    return found.tobytes()


def _described(found: Image.Exif, size: tuple[int, int]) -> bytes:
    first: dict[int, Any] = {tag: found[tag] for tag in _DESCRIPTIVE & found.keys()}
    photo = dict(found.get_ifd(ExifTags.IFD.Exif))
    if ExifTags.IFD.Interop in photo:
        photo[ExifTags.IFD.Interop] = dict(found.get_ifd(ExifTags.IFD.Interop))
    sides = zip((ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight), size, strict=True)
    photo.update((tag, side) for tag, side in sides if tag in photo)
    place = dict(found.get_ifd(ExifTags.IFD.GPSInfo))
    return _assembled({_FIRST: first, ExifTags.IFD.Exif: photo, ExifTags.IFD.GPSInfo: place})


def _taken_apart(exif: bytes) -> _Groups:
    found = Image.Exif()
    found.load(exif)
    first = {tag: found[tag] for tag in found if tag not in _GROUPS}
    return {_FIRST: first, **{group: dict(found.get_ifd(group)) for group in _GROUPS}}


def _assembled(groups: _Groups) -> bytes:
    """EXIF data of the tags of the first directory, and of others within it."""
    made = Image.Exif()
    for tag, value in groups[_FIRST].items():
        made[tag] = value
    for group in _GROUPS:
        if groups.get(group):
            made[group] = dict(groups[group])
    return made.tobytes() if len(made) else b""


def _size(value: Any) -> int:
    return len(value) if isinstance(value, (bytes, str, tuple)) else 1
