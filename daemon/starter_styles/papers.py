"""Pictures on paper, in what soaks into it or clings to it."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from starter_styles.brush import Brush, Canvas, Pixels, Size, blur, noise
from starter_styles.scenes import (
    Scene,
    axes,
    blob,
    hexes,
    lay,
    leaf,
    polygon,
    ramp,
    scatter,
    skyline,
)


def watercolour(size: Size, rng: Generator) -> Pixels:
    """Transparent washes on white paper: hills in mist and a bank of poppies."""
    width, height = size
    _, y = axes(size)
    canvas = Canvas(size, hexes("fbf7ec")[0], rng, tooth_px=4)
    wet = blur(noise(rng, size, 150, 4) > 0.5, 9) * np.clip(1 - y / height * 1.5, 0, 1)
    canvas.wash(wet.astype(np.float32), hexes("5f9fd0")[0], 0.9)
    warm = np.clip(1 - np.abs(y / height - 0.45) * 5, 0, 1) * noise(rng, size, 200, 2)
    canvas.wash(warm.astype(np.float32), hexes("f5b183")[0], 0.9)
    flowers = np.sort(rng.uniform(0.62, 1.0, 30)) * height
    blooms = [(rng.uniform(0, width), row, 9 + 30 * (row / height) ** 4) for row in flowers]
    petals = [
        [
            polygon(size, blob(rng, rng.normal(a, r / 2.5), rng.normal(b, r / 2.5), r, 0.2, 0.8))
            for _ in range(3)
        ]
        for a, b, r in blooms
    ]
    # What a painter keeps free with masking fluid, as no wash is ever lighter than the one below.
    free = 1 - 0.9 * np.max([petal for bloom in petals for petal in bloom], 0)
    hills = ("9fb0dc", "8fa0d0", "6faaa8", "5f9a74", "86ac4a")
    for number, name in enumerate(hills):
        line = skyline(rng, size, 0.4 + 0.115 * number, 0.3, 240 - 25 * number)
        fade = np.exp(-(y - line[None]) / (0.3 * height))
        hill = blur((y > line[None] + 7 * noise(rng, size, 18, 2)), 1.1) * (0.2 + fade) * free
        canvas.wash(hill, hexes(name)[0], 0.5 + 0.13 * number)
    for (a, b, radius), bloom in zip(blooms, petals, strict=True):
        stem = leaf(a, b + radius * 3.6, -np.pi / 2 + rng.normal(0, 0.15), radius * 3, 6)
        canvas.wash(polygon(size, stem) * free, hexes("3f6b2e")[0])
        for petal in bloom:
            red = hexes(rng.choice(["ee4a2c", "f58a3a", "e2345a"]))[0]
            canvas.wash(petal, red, 0.7)
        canvas.wash(polygon(size, blob(rng, a, b, radius / 4)), hexes("2a1840")[0])
    for a, b in rng.uniform(0, 1, (36, 2)) * size:
        drop = polygon(size, blob(rng, a, b, rng.uniform(1, 4), 0.1))
        canvas.wash(drop, hexes(rng.choice(["5f9fd0", "e0402a", "6f9a3e"]))[0], 0.6)
    return canvas.lit(grain=0.25, depth=0.35)


def gouache(size: Size, rng: Generator) -> Pixels:
    """Flat, matt shapes with the brush left dry at their edges: leaves and fruit."""
    width, height = size
    canvas = Canvas(size, hexes("f3dfc1")[0], rng, tooth_px=3)
    flat = Brush(dryness=0.1, streak=0.05, ragged=0.2, body=0.35, rim=0.3)
    dry = Brush(dryness=0.95, streak=0.06, ragged=0.9, body=0.3, rim=0.1, tooth=0.15)

    def fill(shape: Pixels, colour: Pixels, angle: float, brush: Brush) -> None:
        rows, columns = np.nonzero(shape > 0.5)
        if not rows.size:
            return
        canvas.stencil = shape
        scene = Scene(np.broadcast_to(colour, (height, width, 3)), np.full(shape.shape, angle))
        for a, b in scatter(rng, size, 22):
            if (
                columns.min() - 40 < a < columns.max() + 40
                and rows.min() - 40 < b < rows.max() + 40
            ):
                colour_here, turn = scene.at(a, b)
                canvas.stroke(a, b, turn + rng.normal(0, 0.1), 85, 30,
                              colour_here + rng.normal(0, 0.012), brush)  # fmt: skip
        canvas.stencil = None

    fields = hexes("f2a68f", "f6cf8e", "2f6f73", "e9e2cf", "d8603f", "8db8a4")
    for number, field in enumerate(fields):
        a, b = (number % 3 + 0.5) * width / 3, (number // 3 + 0.5) * height / 2
        fill(polygon(size, blob(rng, a, b, 0.24 * width, 0.12)), field, rng.uniform(0, 3), flat)
    greens = hexes("1f4d45", "3f7d5a", "173247", "7fa650", "c9463a", "f0b43c")
    for number in range(46):
        root = rng.uniform(0, width), rng.uniform(0, height)
        toward, colour = rng.uniform(0, 2 * np.pi), greens[rng.integers(len(greens))]
        long = rng.uniform(110, 260)
        if number % 3:
            shape = leaf(*root, toward, long, long * 0.34)
            fill(polygon(size, shape), colour, toward, flat)
            fill(polygon(size, leaf(*root, toward, long, 9)), hexes("f3dfc1")[0], toward, flat)
            fill(polygon(size, leaf(*root, toward + 0.03, long, long * 0.3)), colour * 1.25 + 0.08,
                 toward + 0.7, dry)  # fmt: skip
        else:
            shape = blob(rng, *root, long * 0.22, 0.05)
            fill(
                polygon(size, shape),
                hexes("e8842f", "c9463a", "f0c64c")[number % 9 // 3],
                0.5,
                flat,
            )
            fill(polygon(size, shape - [6, 5]), hexes("fbe3b4")[0], 0.5, dry)
    return canvas.lit(depth=0.35, grain=0.12)


def ink(size: Size, rng: Generator) -> Pixels:
    """Ink, wet and dry, on rice paper: mountains in mist, bamboo and a red seal."""
    width, height = size
    x, y = axes(size)
    canvas = Canvas(size, hexes("efe6d2")[0], rng, tooth_px=3)
    canvas.colour *= 1 - 0.05 * noise(rng, (width, height), 40, 4)[..., None]
    black = hexes("16171b")[0]
    for number in range(4):
        line = skyline(rng, size, 0.3 + 0.15 * number, 0.55, 260)[None]
        fade = np.exp(-np.clip(y - line, 0, None) / (0.12 * height))
        canvas.wash(blur(y > line, 1.5) * fade, hexes("5f6772")[0], 0.35 + 0.25 * number)
    dry = Brush(dryness=0.7, streak=0.05, ragged=0.6, tooth=0.22, taper=0.4, body=0.05, opacity=0.9)
    wet = Brush(dryness=0.15, streak=0.05, ragged=0.1, taper=0.9, body=0.05, opacity=0.95)
    line = skyline(rng, size, 0.78, 0.5, 200)
    slope = np.gradient(blur(line[None], 0, 6)[0])
    for a in range(0, width, 13):
        b = float(line[a])
        for _ in range(2):
            fall = rng.exponential(0.1 * height)
            turn = np.arctan(slope[a]) + rng.choice([0.35, -0.35]) + rng.normal(0, 0.15)
            canvas.stroke(a + rng.normal(0, 12), b + fall, turn,
                          rng.uniform(40, 120), rng.uniform(14, 40), black, dry,
                          bend=rng.normal(0, 0.4))  # fmt: skip
    stem = Brush(dryness=0.55, streak=0.2, ragged=0.1, body=0.05)
    for foot in (0.1, 0.17, 0.27, 0.88, 0.95):
        root, b, lean = foot * width, height + 20.0, -np.pi / 2 + rng.normal(0, 0.07)
        while b > rng.uniform(-150, 60):
            run = rng.uniform(80, 120)
            toward = np.array([np.cos(lean), np.sin(lean)])
            x_middle, y_middle = toward * run / 2 + [root, b]
            canvas.stroke(
                x_middle, y_middle, lean, run * 0.9, rng.uniform(13, 17), hexes("3a4046")[0], stem
            )
            root, b = (toward * run + [root, b]).tolist()
            for _ in range(rng.integers(2, 6)):
                turn, long = rng.uniform(-0.3, 1.3), rng.uniform(60, 120)
                turn = turn if rng.random() < 0.5 else np.pi - turn
                canvas.stroke(
                    root + np.cos(turn) * long / 2, b + np.sin(turn) * long / 2, turn, long,
                    rng.uniform(10, 17), black, wet, bend=rng.normal(0.2, 0.3),
                )  # fmt: skip
    for a, b in rng.uniform(0, 1, (24, 2)) * size:
        canvas.wash(polygon(size, blob(rng, a, b, rng.uniform(0.8, 3.5))), black, 0.8)
    seal = (np.abs(x - 0.6 * width) < 17) & (np.abs(y - 0.2 * height) < 21)
    marks = np.abs((x + 4 * np.sin(y / 5)) % 11 - 5) < 1.4
    canvas.wash(blur(seal & ~marks, 0.7), hexes("c0261c")[0], 1.6)
    return canvas.lit(depth=0.3, grain=0.12)


def charcoal(size: Size, rng: Generator) -> Pixels:
    """Charcoal, smudged and hatched, with white chalk on warm grey paper: rocks and a storm."""
    _, y = axes(size)
    tone = 0.15 + 0.75 * noise(rng, size, 230, 3)
    angle = np.full(tone.shape, -0.8, np.float32)
    crests = []
    for level in (0.5, 0.66, 0.84):
        line = skyline(rng, size, level, 0.55, 170)
        slope = np.gradient(blur(line[None], 0, 4)[0])[None]
        facet = np.round(2.4 * noise(rng, size, 60, 2) - 0.2) / 2
        depth = np.clip((y - line[None]) / (0.25 * size[1]), 0, 1)
        below = y > line[None]
        rock = 0.62 - 0.75 * np.clip(slope, -0.6, 0.6) - 0.5 * facet - 0.15 * depth + 0.1
        tone = np.where(below, np.clip(rock, 0, 1), tone)
        angle = np.where(below, 1.0 + 1.1 * facet + 0.3 * slope, angle)
        crests.append((line, slope[0]))
    canvas = Canvas(size, hexes("c2b49f")[0], rng, tooth_px=3)
    coal, chalk = hexes("1b1817", "faf4e6")
    smudge = (
        blur(1 - tone, 5) ** 1.5 * (0.6 + 0.3 * canvas.tooth) * (0.8 + 0.4 * noise(rng, size, 40))
    )
    canvas.colour += 0.75 * np.clip(smudge, 0, 1)[..., None] * (coal - canvas.colour)
    stick = Brush(dryness=0.35, tooth=0.25, opacity=0.8, body=0.1, taper=0.5, streak=0.04)
    scene = Scene(np.repeat(tone[..., None], 3, -1), angle)
    for a, b in scatter(rng, size, 11):
        shade, turn = scene.at(a, b)
        dark, turn = 1 - shade[0], turn + rng.normal(0, 0.08)
        for crossing in (0.0, 0.8):
            if dark > rng.uniform(0.4, 0.85) + 0.3 * crossing:
                canvas.stroke(a, b, turn + crossing, rng.uniform(30, 75), rng.uniform(3, 7), coal,
                              stick, bend=rng.normal(0, 0.2))  # fmt: skip
        if dark < rng.uniform(-0.1, 0.5):
            canvas.stroke(a, b, turn, rng.uniform(25, 60), rng.uniform(4, 10), chalk, stick)
    for line, slope in crests:
        for a in range(0, size[0], 17):
            canvas.stroke(a, line[a] + rng.normal(0, 2), np.arctan(slope[a]), 46,
                          rng.uniform(4, 9), coal, stick)  # fmt: skip
    return canvas.lit(depth=0.3, grain=0.15)


def pastel(size: Size, rng: Generator) -> Pixels:
    """Soft pastel on dark rough paper: rows of lavender under evening clouds."""
    width, height = size
    x, y = axes(size)
    horizon = 0.42 * height
    clouds = noise(rng, size, 170, 3) * 0.8 + 0.3 * y / horizon - 0.1
    scene = Scene(
        ramp(hexes("5f78c8", "9aa4dd", "f3b7b0", "fbd9a0", "fff1d6"), clouds),
        (0.5 * np.sin(x / 150) + 1.2 * (noise(rng, size, 160) - 0.5)).astype(np.float32),
    )
    for level, name in ((0.36, "5d6fa8"), (0.41, "4f7a86")):
        scene.fill(y > skyline(rng, size, level, 0.16, 220)[None], hexes(name)[0], 0.1)
    deep = np.clip((y - horizon) / (height - horizon), 0.02, 1)
    field = y > horizon + 5
    rows = (x - 0.42 * width) / (40 + 330 * deep) * 5
    colour = ramp(hexes("3a2a78", "7a4fc0", "b98be8", "dcb9f2", "6fa04a", "c9b24a", "3f6f3a"),
                  rows % 1 + 0.12 * (noise(rng, size, 20) - 0.5))  # fmt: skip
    toward = np.arctan2(y - horizon + 60, x - 0.42 * width) + 0.5 * np.sin(rows * 3)
    scene.fill(field, colour, toward)
    for a, b, r in ((0.78, 0.36, 0.1), (0.9, 0.37, 0.075), (0.68, 0.38, 0.055)):
        tree = polygon(size, blob(rng, a * width, b * height, r * width, 0.2, 0.8))
        shade = noise(rng, size, 34, 2)
        scene.fill(tree, ramp(hexes("1c3d3f", "3f7a4a", "9ab84f", "e0c860"), shade), 1 + shade)
    canvas = Canvas(size, hexes("2b2a3d")[0], rng, tooth_px=4)
    soft = Brush(dryness=0.25, streak=0.1, ragged=0.5, tooth=0.26, body=0.3, rim=0)
    side = Brush(dryness=0.2, streak=0.08, ragged=0.6, tooth=0.36, opacity=0.85, body=0.2, rim=0)
    lay(canvas, scene, side, spacing=16, length=70, width=30, vary=0.03, tint=0.02)
    lay(canvas, scene, soft, spacing=11, length=44, width=14, vary=0.05, tint=0.03, sway=0.15)
    lay(
        canvas,
        scene,
        soft,
        spacing=17,
        length=40,
        width=8,
        vary=0.1,
        tint=0.05,
        sway=0.2,
        share=0.6,
    )
    return canvas.lit(depth=0.25, grain=0.25)
