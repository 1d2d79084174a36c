"""Kinds of files by their first bytes, whatever their names end in."""

from __future__ import annotations

from impasto_daemon.images.source import SAVE_ANEW

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS\0\x01", "PSD"),
    (b"8BPS\0\x02", "PSB"),
    (b"gimp xcf", "XCF (GIMP)"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"#?RGBE", "Radiance HDR"),
    (b"FUJIFILMCCD-RAW", "raw photograph (RAF)"),
    (b"IIRO", "raw photograph (ORF)"),
    (b"IIU\0", "raw photograph (RW2)"),
    (b"II*\0\x10\0\0\0CR", "raw photograph (CR2)"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"\0\0\x01\0", "icon (ICO)"),
    (b"icns", "icon (ICNS)"),
    (b"SIMPLE  =", "FITS"),
    (b"FLIF", "FLIF"),
    (b"farbfeld", "farbfeld"),
    (b"BPG\xfb", "BPG"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"\x1a\x45\xdf\xa3", "film (Matroska, WebM)"),
    (b"7z\xbc\xaf", "archive (7z)"),
    (b"Rar!", "archive (RAR)"),
    (b"\x1f\x8b", "compressed file (gzip)"),
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BRANDS = {
    b"avif": "AVIF", b"avis": "AVIF", b"crx ": "raw photograph (CR3)",
    b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"heis": "HEIC", b"hevc": "HEIC",
    b"hevx": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF",
}  # fmt: skip
_ZIPPED = {
    b"application/x-krita": "Krita", b"image/openraster": "OpenRaster",
    b"application/vnd.oasis": "OpenDocument",
}  # fmt: skip


DEVELOP = (
    "Develop the {picture} in darktable or RawTherapee, and save it as TIFF of 16 bits or JPEG."
)
_NEXT_STEPS = {
    "raw photograph": DEVELOP,
    "XCF": "Open the {picture} in GIMP and export it as PNG.",
    "Krita": "Open the {picture} in Krita and export it as PNG.",
    "SVG": "Export the {picture} as PNG (in Inkscape or GIMP), as large as it is to be painted.",
    "PDF": "Open the page with the {picture} in GIMP or Krita and export it as PNG.",
    "PostScript": "Open the page with the {picture} in GIMP or Krita and export it as PNG.",
    "web page": "Save the {picture} itself from the web page, not the page around it.",
    "film": "Save one frame of the film as PNG (VLC: Video, Take Snapshot) as the {picture}.",
    "archive": "Unpack it, and choose the {picture} in it.",
    "zip archive": "Unpack it, and choose the {picture} in it.",
    "compressed file": "Unpack it, and choose the {picture} in it.",
    "text": "Choose a {picture} that is a picture.",
}
"""Of kinds whose names begin like this, what helps."""


def find_next_step(kind: str) -> str:
    """What a painter who has a file of that kind, which is not read, can do; "" is unknown."""
    found = (step for name, step in _NEXT_STEPS.items() if kind.startswith(name))
    return next(found, SAVE_ANEW)


def name_kind(data: bytes) -> str:
    """What a painter calls files that begin like this; nothing for an unknown one."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data.startswith(_TIFF):
        return "TIFF"
    if data[:4] == b"RIFF":
        return {b"WEBP": "WebP", b"AVI ": "film (AVI)"}.get(data[8:12], "")
    if data[4:8] == b"ftyp":
        return _name_brand(data)
    if data.startswith(b"PK\x03\x04"):
        return next((name for kind, name in _ZIPPED.items() if kind in data[:100]), "zip archive")
    if len(data) > 18 and data[-18:-2] == b"TRUEVISION-XFILE":
        return "TGA"
    if data[:1] == b"P" and data[1:2] in b"1234567Ff" and data[2:3].isspace():
        return "portable map (PNM)"
    return _name_text(data)


def _name_brand(data: bytes) -> str:
    """Of the boxes of ISO 14496-12: the main brand, or the first one known that it goes with."""
    size = min(int.from_bytes(data[:4]), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    found = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    exact = [name for name in found if name != "HEIF"]
    return (exact or found or ["film (MP4, QuickTime)"])[0]


def _name_text(data: bytes) -> str:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "SVG"
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return "web page"
    return "text" if start and b"\0" not in data[:1024] and data[:1024].isascii() else ""
