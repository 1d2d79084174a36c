"""The pictures that come with Impasto, and the program that painted them."""

import io
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from impasto_daemon.presets.starter_presets import STARTER_STYLES, starter_presets
from starter_styles.brush import Brush, Canvas
from starter_styles.samples import compose
from starter_styles.styles import SIZE, STYLES, paint

FOLDER = files("impasto_daemon") / "presets" / "starter"


def shipped(name):
    return (FOLDER / f"{name}.jpg").read_bytes()


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32) / 255


def gram(picture):
    """What a style is here: how colours and their steps right and down go together, (9, 9)."""
    centred = picture[:-1, :-1] - 0.5
    right, down = np.diff(picture, axis=1)[:-1], np.diff(picture, axis=0)[:, :-1]
    features = np.concatenate([centred, 2 * right, 2 * down], -1).reshape(-1, 9)
    return features.T @ features / len(features)


def test_at_least_twelve_styles_and_no_picture_of_another():
    found = {path.name.removesuffix(".jpg") for path in FOLDER.iterdir() if ".jpg" in path.name}
    assert found == set(STARTER_STYLES) and len(found) >= 12
    assert list(STARTER_STYLES) == list(STYLES)


@pytest.mark.parametrize("name", STYLES)
def test_picture_is_small_and_of_the_right_size(name):
    data = shipped(name)
    assert len(data) < 300_000
    assert pixels(data).shape == (SIZE[1], SIZE[0], 3)
    assert STYLES[name].__doc__


@pytest.mark.parametrize("name", STYLES)
def test_lists_show_a_photograph_painted_in_it_and_the_style_in_the_corner(name):
    sample = FOLDER / "samples" / f"{name}.webp"
    assert len(sample.read_bytes()) < 12_000
    shown = Image.open(io.BytesIO(sample.read_bytes())).convert("RGB")
    style = Image.open(io.BytesIO(shipped(name))).convert("RGB")
    composed = compose(shown, style)
    assert shown.size == composed.size
    # The inset is the style's: pasting it again changes next to nothing, another one's much.
    apart = np.subtract(composed, shown, dtype=np.float32)[-50:, -50:]
    assert np.abs(apart).mean() < 14
    preset = next(p for p in starter_presets() if p.name == name.capitalize())
    thumbnail = np.asarray(shown.resize((128, 85)), np.float32)
    seen = np.frombuffer(preset.thumbnail.data, np.uint8).reshape(85, 128, 3)
    assert np.abs(seen - thumbnail).mean() < 6


@pytest.mark.parametrize("name", STYLES)
def test_same_seed_gives_the_same_picture(name):
    one, same, other = (paint(name, (64, 48), seed).tobytes() for seed in (3, 3, 4))
    assert one == same != other


@pytest.mark.parametrize("name", ["woodcut", "mosaic", "ink"])
def test_shipped_picture_is_what_the_program_paints(name):
    # A quarter of the size, where JPEG no longer tells.
    again, before = paint(name), Image.open(io.BytesIO(shipped(name)))
    apart = np.subtract(again.reduce(4), before.reduce(4), dtype=np.float32)
    assert np.abs(apart).mean() < 4


def test_no_two_styles_are_alike():
    grams = {name: gram(pixels(shipped(name))) for name in STYLES}
    for one, other in combinations(grams, 2):
        size = np.linalg.norm(grams[one]) + np.linalg.norm(grams[other])
        apart = 2 * np.linalg.norm(grams[one] - grams[other]) / size
        assert apart > 0.1, (one, other)


def strokes(**brush):
    """One stroke of a brush from left to right on white: how much of its place is black."""
    canvas = Canvas((120, 40), 1.0, np.random.default_rng(0))
    canvas.stroke(60, 20, 0.0, 80, 20, 0.0, Brush(streak=0, **brush))
    return canvas.colour[12:28, 30:90, 0].mean(), canvas


def test_dry_brush_leaves_gaps_and_every_stroke_leaves_relief():
    (wet, canvas), (dry, _) = strokes(dryness=0.0), strokes(dryness=0.9)
    assert wet < 0.1 < 0.3 < dry
    assert canvas.relief[20, 60] > 0 == canvas.relief[2, 60]


def test_bent_stroke_ends_where_it_turns_to():
    canvas = Canvas((120, 120), 1.0, np.random.default_rng(0))
    plain = Brush(dryness=0, streak=0, ragged=0)
    canvas.stroke(60, 40, 0.0, 60, 8, 0.0, plain, bend=1.5)
    painted = canvas.colour[..., 0] < 0.5
    assert painted[40, 60] and not painted[40, 88] and painted[50, 85] and painted[50, 35]


def test_demo_paints_in_one_of_the_styles():
    painting = (files("impasto_daemon") / "demo" / "painting.jpg").read_bytes()
    assert painting in {shipped(name) for name in STYLES}
