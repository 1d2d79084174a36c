"""What a photograph's file holds beside its pixels, and how much of it a painting keeps."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from impasto_daemon.images.exif import shortened_exif, with_tags

_LARGEST_BYTES = 4 << 20
_JPEG_EXIF_BYTES = 65_533
_JPEG_XMP_BYTES = 65_502
_LARGEST_DPI = 100_000
_XMP_TAG = 700
_PNG_XMP = "XML:com.adobe.xmp"
_XMP_OF_SEVERAL_PICTURES = (b"hdr-gain-map", b"HDRGainMap", b"photos/1.0/container")


@dataclass(frozen=True)
class KeptMetadata:
    """What a painting keeps of its photograph's file.

    icc: an RGB profile or nothing. exif: as Pillow takes it, of an upright picture, or nothing.
    xmp: a packet of UTF-8 or nothing. dpi: across and down. notes: what was not kept, for a
    painter.
    """

    icc: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    def options(self, kind: str | None, text: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What Pillow's `save` takes to put it, and in a PNG the text, into a file of a kind."""
        if kind in ("BMP", "GIF"):
            return {"dpi": self.dpi} if self.dpi and kind == "BMP" else {}
        held: dict[str, Any] = {"icc_profile": self.icc, "exif": self.exif}
        if kind in ("PNG", "JPEG"):
            held["dpi"] = self.dpi
        elif self.dpi:
            held["exif"] = with_tags(self.exif, _resolution_tags(self.dpi))
        if kind == "PNG":
            held["pnginfo"] = _png_text({**(text or {}), _PNG_XMP: self.xmp.decode()})
        elif kind == "TIFF" and self.xmp:
            held["exif"] = with_tags(held["exif"], {_XMP_TAG: self.xmp})
        else:
            held["xmp"] = self.xmp
        return {name: value for name, value in held.items() if value}

    def fitting(self, kind: str | None) -> KeptMetadata:
        """What a file of that kind, as Pillow calls it, has room for, and a note of the rest."""
        if kind in ("BMP", "GIF"):
            return self._without_what_has_no_room(kind)
        if kind != "JPEG":
            return self
        exif, dropped = shortened_exif(self.exif, _JPEG_EXIF_BYTES)
        notes = [f"{name} of the EXIF data is too large for a JPEG file and was left out."
                 for name in dropped]  # fmt: skip
        xmp = self.xmp
        if len(xmp) > _JPEG_XMP_BYTES:
            notes.append("The XMP data is too large for a JPEG file and was left out.")
            xmp = b""
        return replace(self, exif=exif, xmp=xmp, notes=(*self.notes, *notes))

    def _without_what_has_no_room(self, kind: str) -> KeptMetadata:
        named = {"EXIF data": self.exif, "XMP data": self.xmp}
        left = [name for name, value in named.items() if value]
        notes = [f"A {kind} file has no room for the {' and the '.join(left)}."] if left else []
        if self.icc:
            notes.append(
                f"A {kind} file has no room for the colour profile: the colours became sRGB."
            )
        return KeptMetadata(dpi=self.dpi, notes=(*self.notes, *notes))


def read_dpi(info: Mapping[Any, Any], exif: Image.Exif) -> tuple[float, float] | None:
    """Dots per inch across and down that a file tells, if any; info: that of a Pillow image."""
    found: tuple[Any, Any] | None = info.get("dpi")
    with contextlib.suppress(Exception):
        told = exif.get(ExifTags.Base.XResolution), exif.get(ExifTags.Base.YResolution)
        # Pillow makes 72 up for a JPEG whose EXIF data tells none.
        if found == (72, 72) and "exif" in info and not info.get("jfif_unit") and None in told:
            found = None
        if found is None and None not in told:
            unit = {2: 1, 3: 2.54}[exif.get(ExifTags.Base.ResolutionUnit, 2)]
            found = float(told[0]) * unit, float(told[1]) * unit  # type: ignore[arg-type]
        if found and all(1 < float(each) < _LARGEST_DPI for each in found):
            return _rounded(float(found[0])), _rounded(float(found[1]))
    return None


def upright_xmp(packet: bytes | str) -> tuple[bytes, str]:
    """The XMP packet for an upright painting, and a note if it had to be dropped."""
    data = packet.encode() if isinstance(packet, str) else bytes(packet)
    data = data.strip(b"\0 \n")
    if len(data) > _LARGEST_BYTES:
        return b"", "The XMP data is far too large and was dropped."
    try:
        data.decode()
    except UnicodeDecodeError:
        return b"", "The XMP data is damaged and was dropped."
    if any(name in data for name in _XMP_OF_SEVERAL_PICTURES):
        return b"", "The XMP data tells of a second picture in the file and was dropped."
    note = ""
    if b"HasExtendedXMP" in data:
        data = re.sub(rb'\s*xmpNote:HasExtendedXMP="[^"]*"', b"", data)
        note = "The XMP data goes on in a second place in the file; that part was dropped."
    return re.sub(rb'(tiff:Orientation(?:="|>))[0-9]', rb"\g<1>1", data), note


def _resolution_tags(dpi: tuple[float, float]) -> dict[int, Any]:
    base = ExifTags.Base
    return {base.XResolution: dpi[0], base.YResolution: dpi[1], base.ResolutionUnit: 2}


def _png_text(text: Mapping[str, str]) -> PngInfo:
    info = PngInfo()
    for key, value in text.items():
        if value:
            info.add_itxt(key, value)
    return info


def _rounded(dpi: float) -> float:
    """PNG has whole dots a metre: its 299.9994 is 300."""
    return float(round(dpi)) if abs(dpi - round(dpi)) < 0.02 else dpi
