"""What a PNG says of its colours, in the order of chapter 4.3 of its third edition."""

from __future__ import annotations

import struct

from impasto_daemon.images import cicp
from impasto_daemon.images.source import Source

COLOUR_CHUNKS = (b"cICP", b"sRGB", b"gAMA", b"cHRM")
_SRGB_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
_SRGB_GAMMA = 45455
_CLOSE_CHROMATICITY, _CLOSE_GAMMA = 100, 600


def with_colours(source: Source, chunks: dict[bytes, bytes]) -> Source:
    """The source with the profile that its chunks stand for; chunks: their contents by kind.

    cICP comes before iCCP, iCCP before sRGB, and sRGB before gAMA and cHRM.
    """
    if len(chunks.get(b"cICP", b"")) == 4:
        return cicp.with_code_points(source, *chunks[b"cICP"])
    if source.icc or b"sRGB" in chunks:
        return source
    return _with_gamma(source, chunks)


def _with_gamma(source: Source, chunks: dict[bytes, bytes]) -> Source:
    gamma = _numbers(chunks.get(b"gAMA", b""), 1)
    where = _numbers(chunks.get(b"cHRM", b""), 8) or _SRGB_CHROMATICITIES
    is_srgb_curve = not gamma or abs(gamma[0] - _SRGB_GAMMA) <= _CLOSE_GAMMA
    is_srgb = all(
        abs(one - other) <= _CLOSE_CHROMATICITY
        for one, other in zip(where, _SRGB_CHROMATICITIES, strict=True)
    )
    if is_srgb_curve and (is_srgb or source.space == "GRAY"):
        return source
    exponent = 100_000 / gamma[0] if gamma else 2.2
    white, *primaries = [(where[at] / 1e5, where[at + 1] / 1e5) for at in range(0, 8, 2)]
    return cicp.with_chromaticities(
        source, tuple(primaries), white, is_srgb_gamut=is_srgb, gamma=exponent
    )


def _numbers(chunk: bytes, count: int) -> tuple[int, ...]:
    """The numbers of a chunk; none when it is not of that length, or one of them is 0."""
    found = struct.unpack(f">{count}I", chunk) if len(chunk) == 4 * count else ()
    return found if all(found) else ()
