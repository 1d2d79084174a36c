"""The header of a JPEG XL picture, of which imagecodecs tells nothing; ISO/IEC 18181-1, annex D."""

from __future__ import annotations

from dataclasses import dataclass

_U32 = tuple[int, int]
"""What is added, and how many bits follow."""
_SIZE: tuple[_U32, ...] = ((1, 9), (1, 13), (1, 18), (1, 30))
_ENUM: tuple[_U32, ...] = ((0, 0), (1, 0), (2, 4), (18, 6))
_CUSTOM: tuple[_U32, ...] = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
_PREVIEW: tuple[_U32, ...] = ((1, 6), (65, 8), (321, 10), (1345, 12))
_PREVIEW_EIGHTHS: tuple[_U32, ...] = ((16, 0), (32, 0), (1, 5), (33, 9))
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_ALPHA, _SPOT, _BLACK, _CFA = 0, 2, 4, 5
_GREY, _XYB = 1, 2
_IS_CUSTOM = 2
_SRGB = 13


@dataclass
class Header:
    """What is told before the pixels.

    largest: the number that is white, 0 for floats. depth_at: the bit of the codestream where that
    is told. xyb: pixels are stored in that, and decoded to something else. alpha: there is one;
    associated: colours were multiplied by it. inks: there is a channel of black. primaries, white
    and transfer are the numbers of H.273, but for the primaries of P3, which are 11; 2 is none of
    those.
    """

    width: int = 0
    height: int = 0
    largest: int = 255
    depth_at: int = 0
    xyb: bool = False
    alpha: bool = False
    associated: bool = False
    animated: bool = False
    grey: bool = False
    inks: bool = False
    has_icc: bool = False
    white: int = 1
    primaries: int = 1
    transfer: int = _SRGB


def read_header(codestream: bytes) -> Header:
    """The header of a codestream, which begins with ff 0a. Raises ValueError at its end."""
    bits = _Bits(codestream[2:4096])
    header = Header()
    header.width, header.height = _size(bits)
    if bits.flag():
        return header
    if bits.flag():
        _skip_extra_fields(bits, header)
    header.depth_at = 16 + bits.at + 1
    header.largest = _largest(bits)
    bits.take(1)
    for number in range(bits.u32((0, 0), (1, 0), (2, 4), (1, 12))):
        _read_channel(bits, header, is_first=number == 0)
    header.xyb = bits.flag()
    if not bits.flag():
        _read_colours(bits, header)
    return header


class _Bits:
    """Bits of bytes, the lowest first."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "little")
        self._left = 8 * len(data)
        self.at = 0

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the header ends too early")
        taken = self._number & ((1 << count) - 1)
        self._number >>= count
        self._left -= count
        self.at += count
        return taken

    def flag(self) -> bool:
        return self.take(1) == 1

    def u32(self, *choices: _U32) -> int:
        added, count = choices[self.take(2)]
        return added + self.take(count)

    def enum(self) -> int:
        return self.u32(*_ENUM)


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.flag()
    height = 8 * (1 + bits.take(5)) if small else bits.u32(*_SIZE)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height
    return (8 * (1 + bits.take(5)) if small else bits.u32(*_SIZE)), height


def _skip_extra_fields(bits: _Bits, header: Header) -> None:
    bits.take(3)  # orientation, by which the decoder turns
    if bits.flag():
        _size(bits)
    if bits.flag():
        _skip_preview(bits)
    header.animated = bits.flag()
    if header.animated:
        bits.u32((100, 0), (1000, 0), (1, 10), (1, 30))
        bits.u32((1, 0), (1001, 0), (1, 8), (1, 10))
        bits.u32((0, 0), (0, 3), (0, 16), (0, 32))
        bits.take(1)


def _skip_preview(bits: _Bits) -> None:
    in_eighths = bits.flag()
    sizes = _PREVIEW_EIGHTHS if in_eighths else _PREVIEW
    bits.u32(*sizes)
    if not bits.take(3):
        bits.u32(*sizes)


def _largest(bits: _Bits) -> int:
    """The largest number of so many bits; 0 for floats."""
    if bits.flag():
        bits.u32((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)
        return 0
    return int(2 ** bits.u32((8, 0), (10, 0), (12, 0), (1, 6)) - 1)


def _read_channel(bits: _Bits, header: Header, *, is_first: bool) -> None:
    if bits.flag():
        header.alpha |= is_first
        return
    kind = bits.enum()
    header.inks |= kind == _BLACK
    _largest(bits)
    bits.u32((0, 0), (3, 0), (4, 0), (1, 3))
    bits.take(8 * bits.u32((0, 0), (0, 4), (16, 5), (48, 10)))
    if kind == _ALPHA:
        associated = bits.flag()
        header.alpha |= is_first
        header.associated |= is_first and associated
    elif kind == _SPOT:
        bits.take(64)
    elif kind == _CFA:
        bits.u32((1, 0), (0, 2), (3, 4), (19, 8))


def _read_colours(bits: _Bits, header: Header) -> None:
    header.has_icc = bits.flag()
    space = bits.enum()
    header.grey = space == _GREY
    if header.has_icc:
        return
    if space != _XYB:
        header.white = _read_points(bits, 1)
        if space != _GREY:
            header.primaries = _read_points(bits, 3)
    if bits.flag():
        bits.take(24)
        header.transfer = _IS_CUSTOM
    else:
        header.transfer = bits.enum()


def _read_points(bits: _Bits, count: int) -> int:
    kind = bits.enum()
    if kind == _IS_CUSTOM:
        for _ in range(2 * count):
            bits.u32(*_CUSTOM)
    return kind
