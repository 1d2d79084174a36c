"""Pictures in oil: strokes of thick paint."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from starter_styles.brush import Brush, Canvas, Pixels, Size, blur, noise
from starter_styles.scenes import (
    Scene,
    axes,
    hexes,
    lay,
    polygon,
    ramp,
    scatter,
    skyline,
    swirling,
)


def swirls(size: Size, rng: Generator) -> Pixels:
    """Oil laid thick along eddies: a sky of moons over dark hills."""
    width, height = size
    x, y = axes(size)
    moons = [(0.2, 0.25, 0.13), (0.52, 0.42, 0.17), (0.82, 0.2, 0.15), (0.93, 0.6, 0.09)]
    centres = [(a * width, b * height, c * width) for a, b, c in moons]
    angle = swirling(size, centres, 0.2 + 1.6 * (noise(rng, size, 260) - 0.5))
    sky = noise(rng, size, 120, 3) * 0.75 + 0.25 * y / height
    scene = Scene(ramp(hexes("12235a", "1d4e9a", "3f86bd", "8fc6cf", "d8e6c8"), sky), angle)
    for column, row, reach in centres:
        away = np.hypot(x - column, y - row) / reach
        glow = ramp(hexes("fff3b0", "f7c744", "e8912d", "c9d6a0"), away)
        scene.fill(away + 0.15 * noise(rng, size, 30) < 0.9, glow)
    for level, palette in ((0.8, ("0f2a3f", "24595a", "4e8a63")), (0.93, ("0b1526", "1b3a3a"))):
        line = skyline(rng, size, level, 0.3, 210)
        slope = np.arctan(np.gradient(blur(line[None], 0, 12)[0]))[None]
        below = noise(rng, size, 60, 2)
        scene.fill(y > line[None], ramp(hexes(*palette), below), slope + 0.8 * (below - 0.5))
    canvas = Canvas(size, hexes("2a1d14")[0], rng)
    oil = Brush(dryness=0.2, streak=0.2, rim=0.9)
    lay(canvas, scene, oil, spacing=15, length=80, width=26, vary=0.03, second=0.3)
    lay(canvas, scene, oil, spacing=10, length=52, width=13, vary=0.06, tint=0.03, second=0.4)
    lay(canvas, scene, oil, spacing=14, length=38, width=9, vary=0.12, tint=0.04, share=0.7)
    return canvas.lit(depth=0.5, gloss=0.35)


def dots(size: Size, rng: Generator) -> Pixels:
    """Points of unmixed colour: sails before a setting sun."""
    width, height = size
    x, y = axes(size)
    sea = 0.56 * height
    tone = np.where(y < sea, y / sea * 0.5, 0.5 + (y - sea) / (height - sea) * 0.5)
    palette = hexes("6a6fc0", "c79bd0", "f7c27a", "fbe08a", "5fa3b5", "2c6a9c", "253f80")
    scene = Scene(ramp(palette, tone + 0.12 * (noise(rng, size, 130, 2) - 0.5)), 0 * x)
    column = 0.62 * width
    sun = np.hypot(x - column, y - sea + 0.12 * height)
    scene.fill(sun < 0.1 * height, hexes("fff2b8")[0])
    path = np.abs(x - column) < 26 + 18 * np.sin(y / 9) + (y - sea) * 0.2
    scene.fill(path & (y > sea) & (np.sin(y / 5.5) > -0.3), hexes("ffc262")[0])
    for left, foot, tall, cloth in (
        (0.2, 0.78, 0.52, "b5362d"), (0.36, 0.67, 0.3, "7c2d6b"), (0.86, 0.64, 0.24, "d96a2b"),
    ):  # fmt: skip
        a, b, c = left * width, foot * height, tall * height
        sail = [(a, b - c), (a - 0.04 * c, b - 0.08 * c), (a + 0.42 * c, b - 0.1 * c)]
        hull = [(a - 0.2 * c, b - 0.06 * c), (a + 0.5 * c, b - 0.06 * c), (a + 0.3 * c, b)]
        scene.fill(polygon(size, sail), hexes(cloth)[0])
        scene.fill(polygon(size, hull), hexes("2a1f4d")[0])
    shore = skyline(rng, size, 0.9, 0.2, 300)
    scene.fill(y > shore[None], ramp(hexes("1f5c46", "5f9a3c", "1d3d63"), noise(rng, size, 70)))
    canvas = Canvas(size, hexes("efe3c6")[0], rng)
    point = Brush(dryness=0.05, streak=0.08, ragged=0.05, taper=1, body=1.2, rim=0.8)
    contrasts = hexes("e8432e", "f2a11f", "2e58b8", "2f9b72", "8d4fb0", "f5dd55")
    for spacing, wide, stray in ((9, 17, 0.0), (10, 13, 0.35), (15, 11, 0.75)):
        for a, b in scatter(rng, size, spacing):
            colour, _ = scene.at(a, b)
            # Among six pure colours, one that is near in lightness stands in for the mixture.
            light = np.exp(-14 * np.abs(contrasts.mean(1) - colour.mean()))
            pure = contrasts[rng.choice(6, p=light / light.sum())]
            dot = colour + stray * rng.uniform(0.2, 1) * (pure - colour) + rng.normal(0, 0.05)
            canvas.stroke(a, b, rng.uniform(0, 3), wide * 1.2, wide, dot, point)
    return canvas.lit(depth=0.35, gloss=0.15)


def knife(size: Size, rng: Generator) -> Pixels:
    """Slabs of paint from a palette knife: autumn birches by a lake."""
    width, height = size
    _, y = axes(size)
    shore = 0.6 * height
    leaves = noise(rng, size, 130, 3)
    palette = hexes("5b1f1c", "b8371e", "e9792a", "f6b73c", "f9dc86", "6e8f3c")
    scene = Scene(ramp(palette, leaves), 0.8 + 2 * noise(rng, size, 120))
    scene.fill((y < 0.4 * height * noise(rng, size, 200)),
               ramp(hexes("6fa9cf", "b9d6e0", "f2ead4"), y / (0.35 * height)), 0.15)  # fmt: skip
    depth = (y - shore) / (0.42 * height) + 0.3 * (noise(rng, size, 110, 2) - 0.5)
    scene.fill(y > shore, ramp(hexes("c7602a", "d9933e", "4f8fae", "24527c", "12284a"), depth), 0)
    scene.fill(np.abs(y - shore) < 14, hexes("3b2417")[0], 0)
    canvas = Canvas(size, hexes("70301c")[0], rng)
    slab = Brush(dryness=0.04, streak=0.07, ragged=0.08, body=1.5, rim=1.6, hairs=0.2)
    drag = Brush(dryness=0.45, streak=0.1, ragged=0.4, body=1.4, rim=1.0, hairs=0.3)
    lay(canvas, scene, slab, spacing=28, length=62, width=46, vary=0.05, second=0.5, sway=0.3)
    lay(
        canvas,
        scene,
        slab,
        spacing=22,
        length=46,
        width=27,
        vary=0.07,
        second=0.6,
        sway=0.3,
        share=0.7,
    )
    for foot in (0.07, 0.16, 0.3, 0.37, 0.56, 0.71, 0.78, 0.92):
        column, wide = foot * width, rng.uniform(12, 24)
        for row in np.arange(0.03 * height, shore, 26):
            bark = hexes("f4efe2", "e3ddd0", "b7b2ae", "3a302c")[
                rng.choice(4, p=[0.5, 0.25, 0.1, 0.15])
            ]
            canvas.stroke(column + rng.normal(0, 2), row, np.pi / 2 + rng.normal(0, 0.08), 38, wide,
                          bark, slab, second=hexes("8f8a90")[0])  # fmt: skip
        for row in np.arange(shore + 20, height, 24):
            canvas.stroke(column + rng.normal(0, 5), row + rng.normal(0, 7), rng.normal(0, 0.05),
                          wide * rng.uniform(1, 3), rng.uniform(7, 15),
                          hexes("e9e2d2")[0], drag)  # fmt: skip
    lay(canvas, scene, drag, spacing=40, length=66, width=24, vary=0.14, share=0.6, tint=0.03)
    return canvas.lit(depth=0.42, gloss=0.3)


def lights(size: Size, rng: Generator) -> Pixels:
    """Oil at night: lit windows, lamps in the rain and what the wet road makes of them."""
    width, height = size
    x, y = axes(size)
    road = 0.58 * height
    scene = Scene(
        ramp(
            hexes("0d1230", "1d2a5c", "4a3a78", "8f4a6f"),
            np.where(y < road, y / road, 0.75 - (y - road) / (0.3 * height))
            + 0.2 * noise(rng, size, 120),
        ),
        np.where(y < road, 1.2 * noise(rng, size, 200), 0).astype(np.float32),
    )
    glows: list[tuple[float, float, float, Pixels]] = []
    lamp = hexes("ffd27a", "ff9a3c", "fff0c8", "ff5a4a", "6fd0e0", "ffc04d")
    left = 0.0
    while left < width:
        wide, roof = rng.uniform(60, 130), height * rng.uniform(0.08, 0.36)
        house = (x >= left) & (x < left + wide) & (y > roof) & (y < road)
        scene.fill(house, hexes("141a3a", "22204a", "2d1f3f", "0f2238")[rng.integers(4)], np.pi / 2)
        for row in np.arange(roof + 24, road - 30, 44):
            for column in np.arange(left + 18, left + wide - 12, 32):
                if rng.random() < 0.55:
                    window = (np.abs(x - column) < 8) & (np.abs(y - row) < 13)
                    scene.fill(window, lamp[rng.integers(3)] * rng.uniform(0.7, 1), np.pi / 2)
        left += wide
    for column in np.linspace(0.06, 0.95, 9) * width + rng.normal(0, 15, 9):
        row = road - rng.uniform(20, 110)
        glows.append((column, row, rng.uniform(14, 46), lamp[rng.integers(len(lamp))]))
    for column, row, reach, colour in glows:
        away = np.hypot(x - column, y - row) / reach
        halo = (0.75 * np.exp(-(away**2) / 3))[..., None]
        mirrored = np.exp(-((x - column) ** 2) / (2 * reach**2 / 2)) * (y > road)
        mirrored *= np.exp(-(y - road) / (0.32 * height)) * (
            0.5 + 0.8 * noise(rng, (width, height), 24)
        )
        halo = halo * (y < road)[..., None] + 0.9 * np.clip(mirrored, 0, 1)[..., None]
        scene.colour += halo * (colour - scene.colour)
        around = np.arctan2(y - row, x - column) + np.pi / 2
        scene.fill(away < 0.45, hexes("fffbe6")[0])
        scene.angle = np.where((away < 2.2) & (y < road), around, scene.angle).astype(np.float32)
    canvas = Canvas(size, hexes("150f20")[0], rng)
    oil = Brush(dryness=0.3, streak=0.14, rim=0.7)
    lay(canvas, scene, oil, spacing=15, length=60, width=26, vary=0.02, second=0.25)
    lay(canvas, scene, oil, spacing=9, length=34, width=13, vary=0.04, tint=0.03)
    lay(canvas, scene, oil, spacing=13, length=26, width=8, vary=0.09, tint=0.05, share=0.6)
    return canvas.lit(depth=0.45, gloss=0.25)
