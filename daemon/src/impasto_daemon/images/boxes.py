"""The boxes of ISO 14496-12, in which AVIF, HEIC and JPEG XL files lie."""

from __future__ import annotations

from collections.abc import Iterator

_MOST_BOXES = 10_000


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the content of each box from `start` to `end`; what is damaged ends them."""
    end = len(data) if end is None else end
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        size, head = int.from_bytes(data[start : start + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield data[start + 4 : start + 8], data[start + head : start + size]
        start += size


def find_code_points(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer of H.273 that an AVIF file tells first."""
    for kind, content in _properties(data):
        if kind == b"colr" and content[:4] == b"nclx" and len(content) >= 11:
            return int.from_bytes(content[4:6]), int.from_bytes(content[6:8])
    return None


def find_depth(data: bytes) -> int:
    """Bits a channel of an AVIF file; AV1 Codec ISO Media File Format Binding, 2.3.3."""
    for kind, content in _properties(data):
        if kind == b"av1C" and len(content) >= 3:
            is_high, is_twelve = content[2] & 0x40, content[2] & 0x20
            return (12 if is_twelve else 10) if is_high else 8
    return 8


def _properties(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    meta = _inside(data, b"meta")[4:]
    return boxes(_inside(_inside(meta, b"iprp"), b"ipco"))


def _inside(data: bytes, wanted: bytes) -> bytes:
    return next((content for kind, content in boxes(data) if kind == wanted), b"")
