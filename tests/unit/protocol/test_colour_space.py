"""Primaries and transfer: what may be said, and what is measured of an editor."""

import pytest

from impasto_protocol.colour_space import (
    LINEAR,
    SRGB,
    SRGB_PRIMARIES,
    ColourSpace,
    measure,
    measure_grey,
    srgb_to_light,
    to_xyz,
)
from impasto_protocol.errors import BadField

ADOBE_RGB = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
DISPLAY_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
REC_2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
# Of ROMM RGB, adapted from D50 to D65 by Bradford's matrix.
PROPHOTO = (0.7351, 0.2611, 0.1383, 0.8775, 0.0686, 0.0138)
CURVES = {
    "srgb": srgb_to_light,
    "linear": lambda number: number,
    "1.8": lambda number: number**1.8,
    "2.2": lambda number: number**2.2,
}


@pytest.mark.parametrize(
    ("primaries", "published"),
    [  # Lindbloom's tables
        (SRGB_PRIMARIES, [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722],
                          [0.0193, 0.1192, 0.9505]]),
        (ADOBE_RGB, [[0.5767, 0.1856, 0.1882], [0.2973, 0.6274, 0.0753],
                     [0.0270, 0.0707, 0.9911]]),
    ],
)  # fmt: skip
def test_matrices_are_the_published_ones(primaries, published):
    for row, expected in zip(to_xyz(primaries), published, strict=True):
        assert row == pytest.approx(expected, abs=5e-4)


def solved(matrix, wanted):
    """The colour of which a matrix makes `wanted`, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, wanted, strict=True)]
    for pivot in range(3):
        rows[pivot:] = sorted(rows[pivot:], key=lambda row: -abs(row[pivot]))
        rows[pivot] = [value / rows[pivot][pivot] for value in rows[pivot]]
        for other in range(3):
            if other != pivot:
                share = rows[other][pivot]
                rows[other] = [a - share * b for a, b in zip(rows[other], rows[pivot], strict=True)]
    return tuple(row[3] for row in rows)


def editor(primaries, curve, shown=lambda light: light):
    """What an editor makes of numbers in a space, in linear light of sRGB."""

    def look(numbers):
        found = []
        for colour in numbers:
            light = [CURVES[curve](number) for number in colour]
            xyz = [sum(a * b for a, b in zip(row, light, strict=True)) for row in to_xyz(primaries)]
            found.append(tuple(shown(part) for part in solved(to_xyz(SRGB_PRIMARIES), xyz)))
        return found

    return look


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("primaries", [ADOBE_RGB, DISPLAY_P3, REC_2020, PROPHOTO, SRGB_PRIMARIES])
def test_measured_space_is_the_one_that_the_editor_has(primaries, curve):
    space = measure(editor(primaries, curve))
    assert space.primaries == (
        () if primaries == SRGB_PRIMARIES else pytest.approx(primaries, abs=1e-4)
    )
    if curve in ("srgb", "linear"):
        assert space.transfer == {"srgb": (), "linear": LINEAR}[curve]
    else:
        lights = [CURVES[curve](step / 64) for step in range(65)]
        assert space.transfer == pytest.approx(lights, abs=1e-6)


def test_srgb_is_what_a_picture_is_that_says_nothing():
    assert measure(editor(SRGB_PRIMARIES, "srgb")) == SRGB == ColourSpace()


@pytest.mark.parametrize("curve", CURVES)
def test_grey_has_a_curve_alone(curve):
    space = measure_grey(editor(SRGB_PRIMARIES, curve))
    assert space.primaries == () and (space == SRGB) == (curve == "srgb")


SHOWN = {
    "cut off at the borders of sRGB": lambda light: min(max(light, 0), 1),
    "mapped softly, as by tables": lambda light: light / (1 + 0.2 * abs(light)),
    "all black": lambda light: 0.0,
}


@pytest.mark.parametrize("how", SHOWN)
def test_what_is_no_matrix_and_curve_is_not_taken_for_one(how):
    assert measure(editor(REC_2020, "2.2", SHOWN[how])) is None


def test_channels_of_different_curves_have_no_space():
    def look(numbers):
        return [(r**2.2, g**1.5, b**2.2) for r, g, b in numbers]

    assert measure(look) is None


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("primaries", (0.64, 0.33)),
        ("primaries", (0.1, 0.1, 0.2, 0.2, 0.3, 0.3)),
        ("primaries", (9.0, 0.33, 0.3, 0.6, 0.15, 0.06)),
        ("transfer", (0.5,)),
        ("transfer", (0.0, 0.5, 0.5, 1.0)),
        ("transfer", (0.0, 0.5, 0.4, 1.0)),
        ("transfer", (0.0, 2.0)),
        ("transfer", tuple(step / 200 for step in range(200))),
    ],
)
def test_space_that_makes_no_sense_is_refused_by_its_field(field, values):
    with pytest.raises(BadField) as caught:
        ColourSpace(**{field: values})
    assert caught.value.field == field
