"""Which colours the numbers of a picture stand for: primaries and transfer. Standard library only.

Editors know a profile by its name, or not at all: `measure` finds both by what they make of a few
colours.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from impasto_protocol.errors import BadField
from impasto_protocol.fields import spec_field, validate

Colour = tuple[float, float, float]
Matrix = tuple[Colour, Colour, Colour]
"""Its rows."""

SRGB_PRIMARIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
LINEAR = (0.0, 1.0)
_D65 = (0.3127, 0.3290)
_LEAST_VOLUME = 1e-3
_CLOSE = 0.002
"""Numbers of light, or of chromaticity, that are taken for the same."""
_APART = 0.01
"""Of what is measured and what primaries and transfer make of the same numbers."""
_STEPS = 64
_GREYS = [(step / _STEPS,) * 3 for step in range(_STEPS + 1)]
_PURE = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
_MIXED = [(0.75, 0.25, 0.5), (0.25, 0.5, 1.0), (0.5, 1.0, 0.0), (1.0, 0.0, 0.75)]


@dataclass(frozen=True)
class ColourSpace:
    """Primaries and transfer of a picture; the default is sRGB. Raises BadField."""

    primaries: tuple[float, ...] = spec_field(
        "x and y of red, green and blue, as they are where white is D65; empty: sRGB's",
        default=(),
        low=-1,
        high=2,
        longest=6,
        since="1.3",
    )
    transfer: tuple[float, ...] = spec_field(
        "the light of numbers evenly apart from 0 to 1, rising: 0 and 1 are linear; empty: the "
        "curve of sRGB",
        default=(),
        low=0,
        high=1,
        longest=129,
        since="1.3",
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.primaries and (
            len(self.primaries) != 6 or abs(_determinant(_columns(self.primaries))) < _LEAST_VOLUME
        ):
            raise BadField("The field 'primaries' must be three colours.", field="primaries")
        if self.transfer and not (len(self.transfer) > 1 and _rises(self.transfer)):
            raise BadField("The field 'transfer' must rise.", field="transfer")


SRGB = ColourSpace()


def to_xyz(primaries: Sequence[float]) -> Matrix:
    """From linear light of these primaries, or with none sRGB's, to XYZ whose white is D65."""
    columns = _columns(primaries or SRGB_PRIMARIES)
    x, y = _D65
    white = (x / y, 1.0, (1 - x - y) / y)
    whole = _determinant(columns)
    # Cramer's rule: how much of each primary makes white.
    shares = [
        _determinant([white if index == own else column for index, column in enumerate(columns)])
        / whole
        for own in range(3)
    ]
    red, green, blue = (
        [share * part for part in column] for share, column in zip(shares, columns, strict=True)
    )
    x_row, y_row, z_row = zip(red, green, blue, strict=True)
    return x_row, y_row, z_row


def srgb_to_light(number: float) -> float:
    """IEC 61966-2-1."""
    return number / 12.92 if number <= 0.04045 else ((number + 0.055) / 1.055) ** 2.4


def measure(look: Callable[[Sequence[Colour]], Sequence[Colour]]) -> ColourSpace | None:
    """The space in which an editor sees numbers as `look` says; None: it is not of this kind.

    look: RGB in 0 to 1 → linear light of sRGB's primaries, not cut off where it lies beyond them.
    """
    seen = look([*_PURE, *_MIXED, *_GREYS])
    pure, mixed, greys = seen[:3], seen[3 : 3 + len(_MIXED)], seen[3 + len(_MIXED) :]
    transfer = _transfer(greys)
    if transfer is None:
        return None
    found = _primaries(pure)
    if found is None:
        return None
    lights = [grey[1] for grey in greys]
    for numbers, actual in zip(_MIXED, mixed, strict=True):
        shares = [lights[round(number * _STEPS)] for number in numbers]
        for channel in range(3):
            expected = sum(share * each[channel] for share, each in zip(shares, pure, strict=True))
            if abs(expected - actual[channel]) > _APART:
                return None
    return ColourSpace(found, transfer)


def measure_grey(look: Callable[[Sequence[Colour]], Sequence[Colour]]) -> ColourSpace | None:
    """The same for an editor's grey, of which `look` is asked for greys alone."""
    transfer = _transfer(look(_GREYS))
    return None if transfer is None else ColourSpace((), transfer)


def _transfer(greys: Sequence[Colour]) -> tuple[float, ...] | None:
    if any(max(grey) - min(grey) > _APART for grey in greys):
        return None
    lights = tuple(min(max(grey[1], 0.0), 1.0) for grey in greys)
    steps = [step / _STEPS for step in range(_STEPS + 1)]
    if abs(lights[0]) > _APART or abs(lights[-1] - 1) > _APART or not _rises(lights):
        return None
    if _are_close(lights, [srgb_to_light(step) for step in steps]):
        return ()
    return LINEAR if _are_close(lights, steps) else lights


def _primaries(pure: Sequence[Colour]) -> tuple[float, ...] | None:
    """Their chromaticities by their linear light in sRGB; None: they make no white."""
    if any(abs(sum(channel) - 1) > _APART for channel in zip(*pure, strict=True)):
        return None
    found: list[float] = []
    for colour in pure:
        xyz = [
            sum(part * light for part, light in zip(row, colour, strict=True))
            for row in to_xyz(SRGB_PRIMARIES)
        ]
        if sum(xyz) < _LEAST_VOLUME:
            return None
        found += [xyz[0] / sum(xyz), xyz[1] / sum(xyz)]
    return () if _are_close(found, SRGB_PRIMARIES) else tuple(found)


def _columns(primaries: Sequence[float]) -> list[Colour]:
    return [(x, y, 1 - x - y) for x, y in zip(primaries[::2], primaries[1::2], strict=False)]


def _determinant(columns: Sequence[Sequence[float]]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = columns
    return a * (e * i - f * h) - d * (b * i - c * h) + g * (b * f - c * e)


def _rises(numbers: Sequence[float]) -> bool:
    return all(less < more for less, more in itertools.pairwise(numbers))


def _are_close(some: Sequence[float], others: Sequence[float]) -> bool:
    return all(abs(one - other) < _CLOSE for one, other in zip(some, others, strict=True))
