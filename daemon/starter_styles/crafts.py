"""Pictures that are cut, set, printed or dyed rather than brushed."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from starter_styles.brush import Pixels, Size, blur, finished, noise, slope_to_light
from starter_styles.scenes import Scene, axes, cells, hexes, scatter, skyline


def woodcut(size: Size, rng: Generator) -> Pixels:
    """Lines cut into a block and printed in black over three colours: sun, mountain and sea."""
    width, height = size
    x, y = axes(size)
    warp = 40 * noise(rng, size, 170, 2)
    sun = np.hypot(x - 0.7 * width, y - 0.28 * height)
    sea = y - 0.66 * height - 14 * np.sin(x / 34 + warp / 9)
    peak = skyline(rng, size, 0.62, 0.9, 330)[None]
    paper, blue, red, ochre, ink = hexes("f1e4c8", "3f7f92", "cf4527", "e5ab4a", "17151a")
    colour = np.broadcast_to(paper, (height, width, 3)).copy()
    # The colour blocks lie a little beside the lines, as by hand.
    for where, print_colour in (
        (sun < 0.2 * height, red), (y > peak + 3, ochre), (sea > 3, blue),
    ):  # fmt: skip
        mask = np.roll(where, (3, -2), (0, 1)) * (0.82 + 0.18 * noise(rng, size, 14, 3))
        colour += mask[..., None].astype(np.float32) * (print_colour - colour)
    phase = (y + 1.4 * warp) / 15
    tone = 0.25 + 0.35 * y / height + 0.3 * (noise(rng, size, 120) - 0.5)
    rays = np.arctan2(y - 0.28 * height, x - 0.7 * width) * 60 / 6.283
    near = sun < 0.52 * height
    phase, tone = np.where(near, rays, phase), np.where(near, 0.12 + sun / height * 0.7, tone)
    phase, tone = np.where(sun < 0.2 * height, 0, phase), np.where(sun < 0.2 * height, 0, tone)
    rock = y > peak
    cut = (x * 0.8 + (y - peak) * np.where(noise(rng, size, 110) > 0.5, 0.9, -0.7) + warp) / 14
    phase, tone = np.where(rock, cut, phase), np.where(rock, 0.9 - (y - peak) / height, tone)
    wave = sea > 0
    crests = (sea + 22 * np.abs(np.sin(x / 60 + sea / 40))) / 17
    phase = np.where(wave, crests, phase)
    tone = np.where(wave, 0.42 + 0.4 * (noise(rng, size, 100) - 0.4), tone)
    ridge = np.abs(phase % 1 - 0.5) * 2 + 0.22 * (noise(rng, size, 9, 2) - 0.5)
    carved = ridge < np.clip(tone, 0, 0.93)
    edges = (np.abs(y - peak) < 3.5) & ~wave | (np.abs(sea) < 4)
    edges |= np.abs(sun - 0.2 * height) < 3
    rim = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
    grain = noise(rng, (size[0] // 12, size[1]), 3).repeat(12, 1)
    grain = np.pad(grain, ((0, 0), (0, width - grain.shape[1])), mode="edge")
    carved = (carved | edges | (rim < 9)) & (blur(grain, 0, 6) + 0.3 * noise(rng, size, 3) > 0.3)
    black = blur(carved, 0.8)[..., None] * 0.94
    return finished(colour + black * (ink - colour) + 0.03 * (noise(rng, size, 3)[..., None] - 0.5))


def glass(size: Size, rng: Generator) -> Pixels:
    """Stained glass in lead: a rose of colours with the light behind it."""
    width, height = size
    x, y = axes(size)
    points: list[tuple[float, float]] = []
    for ring, number in ((0.0, 1), (0.1, 8), (0.2, 12), (0.31, 16), (0.43, 24)):
        for turn in np.arange(number) / number * 2 * np.pi + ring * 9:
            away = ring * height * 1.02
            points.append((width / 2 + away * np.cos(turn), height / 2 + away * np.sin(turn)))
    inner = len(points)
    points += [p for p in scatter(rng, size, 74)
               if np.hypot(p[0] - width / 2, p[1] - height / 2) > 0.5 * height]  # fmt: skip
    owner, border = cells(size, points)
    warm = hexes("f6c945", "e8542f", "c21f3a", "f08a24", "fbe7a1")
    cool = hexes("1d3fa8", "2f78c8", "14697a", "3aa87a", "5b2f92", "9fd0dc")
    numbers = np.arange(len(points))
    chosen = np.where(
        ((numbers < inner) & (rng.random(len(points)) < 0.7))[:, None],
        warm[rng.integers(len(warm), size=len(points))],
        cool[rng.integers(len(cool), size=len(points))],
    )
    chosen = chosen + rng.normal(0, 0.04, chosen.shape)
    streaks = noise(rng, (width, height), 60, 4)
    seeds = blur(rng.random((height, width)) > 0.9993, 1.6)
    light = 1.15 - 0.55 * np.hypot(x / width - 0.5, y / height - 0.45)
    glow = np.clip(border / 16, 0, 1)
    shine = light * (0.55 + 0.3 * glow + 0.5 * (streaks - 0.35)) + 4 * seeds
    pane = (
        chosen[owner] * shine[..., None] + 0.25 * (np.clip(streaks - 0.55, 0, 1) * glow)[..., None]
    )
    round_lead = np.abs(np.hypot(x - width / 2, y - height / 2) - 0.495 * height)
    gap = np.minimum(border, round_lead * 0.7)
    lead = np.clip((4.2 - gap) / 1.2, 0, 1)[..., None]
    came = np.sqrt(np.clip(1 - (gap / 4.5) ** 2, 0, 1)) * 6
    metal = 0.12 + 0.15 * slope_to_light(blur(came, 0.8)) + 0.05 * noise(rng, size, 6)
    pane = pane + lead * (metal[..., None] * hexes("d8dcea")[0] - pane)
    return finished(pane)


def mosaic(size: Size, rng: Generator) -> Pixels:
    """Small stones in mortar, row within row: a sun, fish scales of water and a border."""
    width, height = size
    x, y = axes(size)
    stone = 16.0
    centres = [(0.34, 0.4, 0.27), (0.82, 0.24, 0.14), (0.78, 0.72, 0.2), (0.1, 0.9, 0.17)]
    column, row = np.full(x.shape, width / 2), np.full(x.shape, 2.2 * height)
    part = np.zeros(x.shape, np.int32)
    for number, (a, b, reach) in enumerate(centres, start=1):
        inside = np.hypot(x - a * width, y - b * height) < reach * height * 1.25
        part[inside], column[inside], row[inside] = number, a * width, b * height
    away, turn = np.hypot(x - column, y - row), np.arctan2(y - row, x - column)
    ring = np.floor(away / stone)
    count = np.maximum(1, np.round(2 * np.pi * (ring + 0.5)))
    place = turn / (2 * np.pi) * count + 0.5 * (ring % 2)
    # One random number for each stone, of its ring and place, however the picture is cut.
    key = (part * 7919 + ring * 104729 + np.floor(place) * 1299709).astype(np.int64) % 65521
    chance = rng.random((65521, 4)).astype(np.float32)[key]
    palettes = (
        hexes("1f4e79", "2f7f9e", "68b0b5", "b9d8cf", "173a5e", "3f92a8"),
        hexes("f4c84a", "e88c2a", "c8452a", "f6e3a0", "8f2a24"),
        hexes("f2ead2", "d9a441", "a8502f"),
        hexes("c8452a", "f2ead2", "2a2540", "e88c2a"),
        hexes("5a8f4a", "a9c466", "28553f", "f2ead2"),
    )
    colour = np.zeros((height, width, 3), np.float32)
    for number, palette in enumerate(palettes):
        band = (
            (ring * 0.23 + 0.5 * np.sin(turn * 8))
            if number
            else (ring + 1.6 * np.sin(x / 75)) * 0.35
        )
        tone = (0.5 + 0.5 * np.sin(band * 2.2)) * 0.9 + 0.1 * chance[..., 0]
        found = palette[np.clip(tone * len(palette), 0, len(palette) - 1).astype(int)]
        colour = np.where((part == number)[..., None], found, colour)
    colour = colour * (0.8 + 0.32 * chance[..., 1:2]) + 0.05 * (chance[..., 1:] - 0.5)
    across = np.abs(place % 1 - 0.5) * 2 * np.pi * away / count * 1
    along = np.abs(away / stone % 1 - 0.5) * stone
    edge = stone / 2 - np.maximum(across, along) - 0.7 - 0.8 * chance[..., 2]
    edge += 0.9 * (noise(rng, size, 9, 2) - 0.5)
    face = np.clip(edge / 1.1, 0, 1)
    tilt = (chance[..., 3] - 0.5) * 0.15
    dome = np.clip(edge, 0, 3)
    shade = (
        1 + tilt + 0.16 * slope_to_light(blur(dome, 0.7)) + 0.16 * (noise(rng, size, 5, 2) - 0.5)
    )
    mortar = hexes("5d544b")[0] * (0.8 + 0.4 * noise(rng, size, 6, 2)[..., None])
    picture = mortar + face[..., None] * (colour * shade[..., None] - mortar)
    return finished(picture)


def marbling(size: Size, rng: Generator) -> Pixels:
    """Paint that floats on water, dropped, drawn with a rake and lifted with paper."""
    width, height = size
    finer = (2 * width, 2 * height)
    x, y = axes(finer)
    x, y = (x / 2).ravel(), (y / 2).ravel()
    # Backwards from the paper to the first drop: each step asks where its paint came from.
    for _ in range(4):
        a, b, reach = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(70, 150)
        away = np.hypot(x - a, y - b)
        turn = float(rng.choice([-1.0, 1.0])) * 2.2 * np.exp(-((away / reach) ** 2))
        dx, dy = x - a, y - b
        x = a + dx * np.cos(turn) - dy * np.sin(turn)
        y = b + dx * np.sin(turn) + dy * np.cos(turn)
    for sideways, pitch, reach in ((True, 54.0, 60.0), (False, 80.0, 90.0), (True, 150.0, 90.0)):
        across = y if sideways else x
        pull = reach * np.abs((across + 9 * np.sin((x + y) / 90)) / pitch % 2 - 1) ** 2
        x, y = (x - pull, y) if sideways else (x, y - pull)
    palette = hexes("f3e9d4", "1c2f5e", "b8352c", "e2a33b", "2f7f86", "10131f", "f3e9d4", "7a1f38")
    colour = np.broadcast_to(hexes("20406e"), (x.size, 3)).copy()
    left = np.arange(x.size)
    spans = [(float(edge.min()), float(edge.max())) for edge in (x, y)]
    for _ in range(300):
        a, b = (rng.uniform(low - 30, high + 30) for low, high in spans)
        # The last of the drops at a place lies in the middle of those before it.
        for radius in (rng.uniform(8, 16), rng.uniform(14, 26), rng.uniform(16, 44)):
            away = np.hypot(x - a, y - b)
            fresh = away < radius
            colour[left[fresh]] = palette[rng.integers(len(palette))] + rng.normal(0, 0.03)
            x, y, away, left = (values[~fresh] for values in (x, y, away, left))
            shrink = np.sqrt(1 - (radius / away) ** 2)
            x, y = a + (x - a) * shrink, b + (y - b) * shrink
    colour = colour.reshape(height, 2, width, 2, 3).mean((1, 3))
    mottle = 1 + 0.2 * (noise(rng, size, 26, 4) - 0.5)
    veil = 0.06 * noise(rng, size, 3, 2)
    return finished(colour * mottle[..., None] + veil[..., None] - 0.02)


def batik(size: Size, rng: Generator) -> Pixels:
    """Wax and dye on cotton: flowers and rings in ochre, rust and indigo, with the crackle."""
    width, height = size
    x, y = axes(size)
    indigo, rust, ochre, cream, teal = hexes("1b2450", "9c3a22", "d99a3a", "f4e6c6", "2f7076")
    cloth = Scene(np.broadcast_to(indigo, (height, width, 3)).copy(), 0 * x)
    ground = noise(rng, size, 190, 2)
    cloth.fill(ground > 0.55, teal)
    cloth.fill(np.abs(ground - 0.55) < 0.012, cream)
    flowers = [(0.22, 0.3, 118), (0.62, 0.55, 150), (0.92, 0.15, 92), (0.1, 0.86, 100),
               (0.95, 0.9, 110), (0.42, 0.05, 70), (0.38, 0.83, 62)]  # fmt: skip
    for a, b, radius in flowers:
        away, turn = (
            np.hypot(x - a * width, y - b * height),
            np.arctan2(y - b * height, x - a * width),
        )
        petals = int(rng.integers(6, 10))
        shape = away / (radius * (0.8 + 0.2 * np.abs(np.cos(petals * turn / 2))))
        shape = shape + 0.03 * (noise(rng, size, 24) - 0.5)
        for outer, colour in ((1.08, cream), (1.02, rust), (0.74, cream), (0.7, ochre),
                              (0.4, cream), (0.36, indigo), (0.14, cream)):  # fmt: skip
            cloth.fill(shape < outer, colour)
        veins = (np.abs(np.sin(petals * turn * 2)) < 0.11) & (shape < 0.98) & (shape > 0.44)
        beads = (np.cos(turn * petals * 3) > 0.35) & (np.abs(shape - 1.22) < 0.05)
        cloth.fill(veins | beads, cream)
    for a, b in scatter(rng, size, 46):
        away = np.hypot(x - a, y - b)
        if not np.any([np.hypot(a - c * width, b - d * height) < r * 1.45 for c, d, r in flowers]):
            cloth.fill(away < 11, ochre if rng.random() < 0.5 else rust)
            cloth.fill(np.abs(away - 12) < 2, cream)
    shift = (40 * noise(rng, size, 60, 3), 40 * noise(rng, size, 60, 3))
    _, coarse = cells(size, list(scatter(rng, size, 95)), shift)
    _, fine = cells(size, list(scatter(rng, size, 38)), shift)
    crackle = np.clip(1.5 - coarse, 0, 1) + np.clip(1.1 - fine, 0, 1) * (noise(rng, size, 90) > 0.5)
    dye = blur(np.clip(crackle, 0, 1) * noise(rng, size, 30, 2) * 1.5, 0.6)[..., None]
    colour = np.stack([blur(channel, 0.9) for channel in np.moveaxis(cloth.colour, -1, 0)], -1)
    colour = colour * (0.84 + 0.3 * noise(rng, size, 120, 4)[..., None])
    colour = colour + np.clip(dye, 0, 0.8) * (0.7 * indigo - colour)
    threads = 0.06 * (np.sin(x * 2.1) * np.sin(y * 2.1))[..., None]
    return finished(colour * (1 + threads))
