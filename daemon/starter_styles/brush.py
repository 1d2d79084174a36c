"""A canvas with relief and the brushes that lay paint on it; knows numpy and Pillow alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Pixels = NDArray[Any]
"""Colours (H, W, 3) or one number a pixel (H, W), of whatever kind arithmetic made them."""
Size = tuple[int, int]
"""Width and height in pixels, as Pillow has them."""

_HAIRS_PX = 512


@dataclass(frozen=True)
class Brush:
    """What a tool does to the paint it carries; all but `rim` from 0 to 1."""

    dryness: float = 0.25
    """Gaps between the hairs, more of them towards the end of a stroke."""
    streak: float = 0.1
    """How much the colour differs from hair to hair."""
    ragged: float = 0.5
    """How unevenly the hairs begin and end, in widths of the brush."""
    taper: float = 0.0
    """How much narrower the stroke is at its ends."""
    tooth: float = 0.0
    """How much only the heights of the paper take paint."""
    opacity: float = 1.0
    body: float = 1.0
    """Thickness of the paint, which the light shows."""
    rim: float = 0.4
    """How much thicker it is along the edges."""
    hairs: float = 1.0
    """How much the hairs furrow the paint; 0 is the flat of a knife."""


class Canvas:
    """Colour and thickness of paint, stroke upon stroke, with all chance from one generator."""

    def __init__(self, size: Size, ground: ArrayLike, rng: Generator, tooth_px: float = 3) -> None:
        width, height = size
        self.size, self.rng = size, rng
        self.colour = np.empty((height, width, 3), np.float32)
        self.colour[:] = ground
        self.relief = np.zeros((height, width), np.float32)
        self.tooth = noise(rng, size, tooth_px, octaves=2)
        self.stencil: Pixels | None = None
        """Where paint may go, from 0 to 1; None is everywhere."""
        # Fine across the hairs and long along them, equally many of each value.
        hairs = blur(rng.random((_HAIRS_PX, _HAIRS_PX)), 0.8, 0) + 0.6 * blur(
            rng.random((_HAIRS_PX, _HAIRS_PX)), 2.5, 0
        )
        self._hairs = _equalise(blur(hairs, 0, 30))

    def stroke(
        self,
        x: float,
        y: float,
        angle: float,
        length: float,
        width: float,
        colour: ArrayLike,
        brush: Brush,
        *,
        bend: float = 0,
        second: ArrayLike | None = None,
    ) -> None:
        """Lay one stroke, an arc of a circle round its middle x, y.

        angle: its direction at the middle, radians, y down. bend: how far it turns from end to
        end, radians. second: another colour that some of the hairs carry.
        """
        reach = (length + width) / 2 + 2
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        part = np.s_[top : max(0, int(y + reach) + 1), left : max(0, int(x + reach) + 1)]
        if not self.relief[part].size:
            return
        along, across = self._place(part, x - left, y - top, angle, bend / max(length, 1))
        hair = self._hairs_at(along, across)
        cover = self._cover(along, across, length, width, brush, hair)
        if brush.tooth:
            cover *= np.clip((self.tooth[part] - brush.tooth) * 4 + 0.5, 0, 1)
        if self.stencil is not None:
            cover *= self.stencil[part]
        paint: Pixels = np.asarray(colour, np.float32)
        if second is not None:
            share = _step(self._hairs_at(along / 2, across / 3), 0.45, 0.75)[..., None]
            paint = paint + share * (np.asarray(second, np.float32) - paint)
        paint = paint + brush.streak * (self._hairs_at(along, across / 1.5) - 0.5)[..., None]
        rim = 1 + brush.rim * np.clip(2 * np.abs(across) / width, 0, 1) ** 4
        thickness = (
            0.4 * self.relief[part] + brush.body * (1 - 0.7 * brush.hairs * (1 - hair)) * rim
        )
        self.colour[part] += (brush.opacity * cover)[..., None] * (paint - self.colour[part])
        self.relief[part] += cover * (thickness - self.relief[part])

    def wash(self, mask: Pixels, colour: ArrayLike, strength: float = 1.0) -> None:
        """Let a transparent pigment dry within `mask` (H, W): dark at its edge, in the grain."""
        rows, columns = np.nonzero(mask > 0.01)
        if not rows.size:
            return
        part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        wet = np.pad(mask[part], 16, mode="edge")
        edge = np.clip(blur(wet, 1.5) - blur(wet, 5), 0, 1)[16:-16, 16:-16]
        wet = mask[part]
        cloud = noise(self.rng, (wet.shape[1], wet.shape[0]), 90, octaves=4)
        density = wet * (0.45 + 0.9 * cloud + 0.35 * (0.5 - self.tooth[part])) + 1.3 * edge * wet
        # Beer and Lambert: each layer takes its share of the light that is left.
        pigment = np.clip(np.asarray(colour, np.float32), 0.02, 1)
        self.colour[part] *= pigment ** (strength * density)[..., None]

    def lit(self, depth: float = 0.5, gloss: float = 0.0, grain: float = 0.0) -> Pixels:
        """The picture under a light from the upper left. depth, gloss, grain: 0 shows none."""
        relief = blur(self.relief, 0.6) + grain * self.tooth
        light = slope_to_light(relief)[..., None]
        lit = self.colour * (1 + depth * light) + gloss * np.clip(light, 0, 1) ** 2
        return finished(lit)

    def _place(
        self, part: tuple[slice, slice], x: float, y: float, angle: float, curvature: float
    ) -> tuple[Pixels, Pixels]:
        """How far along and across the stroke each pixel lies."""
        height, width = self.relief[part].shape
        dx = np.arange(width, dtype=np.float32)[None] - np.float32(x)
        dy = np.arange(height, dtype=np.float32)[:, None] - np.float32(y)
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        along, across = dx * cos + dy * sin, dy * cos - dx * sin
        if abs(curvature) < 1e-4:
            return along, across
        radius, side = np.float32(1 / abs(curvature)), np.float32(np.sign(curvature))
        inward = radius - side * across
        return radius * np.arctan2(along, inward), side * (radius - np.hypot(along, inward))

    def _hairs_at(self, along: Pixels, across: Pixels) -> Pixels:
        """Which hair, from 0 to 1, passes each pixel; the brush is turned anew on each call."""
        row, column = self.rng.integers(_HAIRS_PX, size=2)
        rows = (across + row).astype(np.int32) % _HAIRS_PX
        columns = (along + column).astype(np.int32) % _HAIRS_PX
        return np.asarray(self._hairs[rows, columns])

    def _cover(
        self, along: Pixels, across: Pixels, length: float, width: float, brush: Brush, hair: Pixels
    ) -> Pixels:
        gone = np.clip(along / max(length, 1) + 0.5, 0, 1)
        half = width / 2 * (1 - brush.taper * np.abs(2 * gone - 1) ** 2)
        side = np.clip(half - np.abs(across) + 0.5 - brush.ragged * 2 * hair, 0, 1)
        uneven = brush.ragged * width * self._hairs_at(np.zeros_like(along), across)
        ends = np.clip(length / 2 - np.abs(along) - uneven + width * 0.25 + 0.5, 0, 1)
        load = 1 - brush.dryness * (0.3 + 0.7 * gone)
        return np.asarray(side * ends * (1 - _step(hair, load - 0.08, load + 0.08)))


def noise(rng: Generator, size: Size, scale_px: float, octaves: int = 1) -> Pixels:
    """Clouds from 0 to 1, (H, W), whose largest lumps are about scale_px wide."""
    total = np.zeros(size[::-1], np.float32)
    for octave in range(octaves):
        step = max(scale_px / 2**octave, 1)
        # Two cells more than fit, so that the border is not a special place.
        cells = [max(2, int(edge / step) + 3) for edge in size]
        grid = Image.fromarray(rng.random((cells[1], cells[0]), np.float32))
        box = (1, 1, 1 + size[0] / step, 1 + size[1] / step)
        finer = grid.resize(size, Image.Resampling.BICUBIC, box=box)
        total += np.asarray(finer) / 2**octave
    return np.asarray((total - total.min()) / max(float(np.ptp(total)), 1e-6))


def slope_to_light(relief: Pixels) -> Pixels:
    """How much each place of a relief (H, W) faces a light at the upper left, from -1 to 1."""
    down, right = np.gradient(relief)
    return np.asarray(np.clip(-(down + right), -1, 1))


def finished(picture: Pixels) -> Pixels:
    """A picture (H, W, 3), held within 0 and 1."""
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def blur(picture: Pixels, down_px: float, right_px: float | None = None) -> Pixels:
    """A Gaussian blur of (H, W) by this standard deviation, the border repeated."""
    blurred = np.asarray(picture, np.float32)
    for axis, sigma in enumerate((down_px, down_px if right_px is None else right_px)):
        if sigma:
            reach = int(3 * sigma + 1)
            weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
            pads = [(0, 0), (0, 0)]
            pads[axis] = (reach, reach)
            padded, edge = np.pad(blurred, pads, mode="edge"), blurred.shape[axis]
            blurred = np.zeros_like(blurred)
            for offset, weight in enumerate(weights / weights.sum()):
                window = np.s_[offset : offset + edge]
                blurred += np.float32(weight) * (padded[window] if axis == 0 else padded[:, window])
    return blurred


def _step(values: Pixels, low: float | Pixels, high: float | Pixels) -> Pixels:
    return np.clip((values - low) / (high - low), 0, 1)


def _equalise(values: Pixels) -> Pixels:
    ranks = np.empty(values.size, np.float32)
    ranks[values.ravel().argsort(kind="stable")] = np.linspace(0, 1, values.size)
    return ranks.reshape(values.shape)
