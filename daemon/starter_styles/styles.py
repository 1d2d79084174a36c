"""The styles that come with Impasto: one function paints one picture, from its size and chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image

from starter_styles import crafts, oils, papers
from starter_styles.brush import Pixels, Size

SIZE: Size = (832, 624)
SEED = 7

STYLES: dict[str, Callable[[Size, Generator], Pixels]] = {
    "swirls": oils.swirls,
    "dots": oils.dots,
    "knife": oils.knife,
    "lights": oils.lights,
    "watercolour": papers.watercolour,
    "gouache": papers.gouache,
    "ink": papers.ink,
    "charcoal": papers.charcoal,
    "pastel": papers.pastel,
    "woodcut": crafts.woodcut,
    "glass": crafts.glass,
    "mosaic": crafts.mosaic,
    "marbling": crafts.marbling,
    "batik": crafts.batik,
}


def paint(name: str, size: Size = SIZE, seed: int = SEED) -> Image.Image:
    """The picture of a style in STYLES. Same name, size and seed: same picture."""
    pixels = STYLES[name](size, np.random.default_rng([seed, *name.encode()]))
    return Image.fromarray(np.round(pixels * 255).astype(np.uint8))
