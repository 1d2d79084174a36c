"""What there is to paint: shapes, colours and the directions in which strokes run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from starter_styles.brush import Brush, Canvas, Pixels, Size, noise

_FINER = 3


@dataclass
class Scene:
    """A subject: colour (H, W, 3) from 0 to 1, and the direction of strokes (H, W) in radians."""

    colour: Pixels
    angle: Pixels

    def at(self, x: float, y: float) -> tuple[Pixels, float]:
        """The colour and the direction at a point; beyond the border those of the border."""
        row = int(np.clip(y, 0, self.angle.shape[0] - 1))
        column = int(np.clip(x, 0, self.angle.shape[1] - 1))
        return self.colour[row, column], float(self.angle[row, column])

    def fill(self, where: Pixels, colour: ArrayLike, angle: ArrayLike | None = None) -> None:
        """Put a colour, and if given a direction, where the mask (H, W) is more than a half."""
        inside = where > 0.5
        self.colour[inside] = np.broadcast_to(colour, self.colour.shape)[inside]
        if angle is not None:
            self.angle[inside] = np.broadcast_to(angle, self.angle.shape)[inside]


def lay(
    canvas: Canvas,
    scene: Scene,
    brush: Brush,
    *,
    spacing: float,
    length: float,
    width: float,
    vary: float = 0.05,
    sway: float = 0.12,
    tint: float = 0.0,
    share: float = 1.0,
    second: float = 0.0,
) -> None:
    """Cover the canvas with strokes of a scene's colours along its directions.

    vary: how much a colour strays. sway: how much a direction does, radians. tint: how much each
    channel strays alone. share: of the strokes, how many are laid. second: how many carry
    another colour of the neighbourhood too.
    """
    rng = canvas.rng
    for x, y in scatter(rng, canvas.size, spacing):
        if rng.random() > share:
            continue
        colour, angle = scene.at(x, y)
        run = length * rng.uniform(0.6, 1.3)
        step_x, step_y = np.cos(angle) * run / 2, np.sin(angle) * run / 2
        behind, ahead = scene.at(x - step_x, y - step_y)[1], scene.at(x + step_x, y + step_y)[1]
        bend = float(np.clip(np.angle(np.exp(1j * (ahead - behind))), -1.5, 1.5))
        other = scene.at(*(np.array([x, y]) + rng.normal(0, 2 * width, 2)))[0]
        canvas.stroke(
            x, y, angle + rng.normal(0, sway), run, width * rng.uniform(0.7, 1.25),
            colour + rng.normal(0, vary) + rng.normal(0, tint, 3), brush, bend=bend,
            second=other if rng.random() < second else None,
        )  # fmt: skip


def scatter(rng: Generator, size: Size, spacing: float) -> Iterator[tuple[float, float]]:
    """Points all over a picture, about `spacing` apart, in no order."""
    columns, rows = np.meshgrid(*(np.arange(-0.5, edge / spacing + 0.5) for edge in size))
    points = np.stack([columns.ravel(), rows.ravel()], 1) * spacing
    points += rng.uniform(-0.5, 0.5, points.shape) * spacing
    yield from rng.permutation(points).tolist()


def hexes(*names: str) -> Pixels:
    """Colours, (N, 3) from 0 to 1, of their six hexadecimal digits."""
    return np.array([tuple(bytes.fromhex(name)) for name in names], np.float32) / 255


def ramp(palette: Pixels, position: Pixels) -> Pixels:
    """The colours of a palette in passing from its first (0) to its last (1)."""
    place = np.clip(position, 0, 1) * (len(palette) - 1)
    return np.stack(
        [np.interp(place, np.arange(len(palette)), channel) for channel in palette.T], -1
    ).astype(np.float32)


def axes(size: Size) -> tuple[Pixels, Pixels]:
    """How far right and how far down each pixel is, (H, W), in pixels."""
    rows, columns = np.mgrid[: size[1], : size[0]].astype(np.float32)
    return columns, rows


def polygon(size: Size, points: NDArray[np.floating] | Sequence[tuple[float, float]]) -> Pixels:
    """The mask of a shape, from 0 to 1, with smooth edges."""
    finer = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    ImageDraw.Draw(finer).polygon([(x * _FINER, y * _FINER) for x, y in points], fill=255)
    return np.asarray(finer.resize(size, Image.Resampling.BOX), np.float32) / 255


def blob(
    rng: Generator, x: float, y: float, radius: float, wobble: float = 0.15, flat: float = 1.0
) -> NDArray[np.float64]:
    """The outline of something round, (N, 2). flat: how high it is beside how wide."""
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    away = np.ones_like(turn)
    for wave in range(2, 7):
        away += wobble / wave * 2 * rng.normal() * np.cos(wave * turn + rng.uniform(0, 6.3))
    return np.stack([x + radius * away * np.cos(turn), y + radius * away * np.sin(turn) * flat], 1)


def leaf(x: float, y: float, angle: float, length: float, width: float) -> NDArray[np.float64]:
    """The outline of a leaf that begins at x, y, (N, 2)."""
    along = np.linspace(0, 1, 24)
    side = width / 2 * np.sin(np.pi * along**0.8)
    outline = np.concatenate(
        [np.stack([along * length, side], 1), np.stack([along * length, -side], 1)[::-1]]
    )
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(outline @ np.array([[cos, sin], [-sin, cos]]) + [x, y])


def skyline(rng: Generator, size: Size, level: float, height: float, scale_px: float) -> Pixels:
    """The line of hills from left to right, (W,): pixels from the top; level from 0 to 1."""
    return np.asarray(size[1] * (level - height * (noise(rng, size, scale_px, 3)[0] - 0.5)))


def swirling(size: Size, centres: Sequence[tuple[float, float, float]], drift: Pixels) -> Pixels:
    """Directions that circle about centres (x, y, reach in pixels) and elsewhere follow a drift."""
    x, y = axes(size)
    flow: Pixels = 0.6 * np.exp(1j * drift)
    for number, (column, row, reach) in enumerate(centres):
        away = (x - column) + 1j * (y - row)
        turn = 1j if number % 2 else -1j
        flow = flow + turn * away / (np.abs(away) + 1e-3) * 2 * np.exp(
            -((np.abs(away) / reach) ** 2)
        )
    return np.angle(flow).astype(np.float32)


def cells(
    size: Size, points: Sequence[tuple[float, float]], shift: tuple[Pixels, Pixels] | None = None
) -> tuple[NDArray[np.int32], Pixels]:
    """Which point is the nearest, (H, W), and how far off the border to the next cell is, pixels.

    shift: moves every pixel first, so that the borders are not straight.
    """
    x, y = axes(size)
    if shift:
        x, y = x + shift[0], y + shift[1]
    nearest = np.full(x.shape, np.inf, np.float32)
    second, owner = nearest.copy(), np.zeros(x.shape, np.int32)
    for number, (column, row) in enumerate(points):
        distance = np.hypot(x - column, y - row)
        closer = distance < nearest
        second = np.where(closer, nearest, np.minimum(second, distance))
        owner[closer] = number
        nearest = np.minimum(nearest, distance)
    return owner, (second - nearest) / 2
