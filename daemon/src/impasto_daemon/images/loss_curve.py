"""The loss of a painting as it fell, drawn as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from impasto_daemon.images.pictures import from_image
from impasto_protocol.codec import Picture

_WIDTH_PX, _HEIGHT_PX = 960, 600
_MARGIN_PX, _LEFT_PX, _BOTTOM_PX = 30, 90, 60
_LEGEND_PX, _ROW_PX = 210, 22
_FONT_PX = 15
_FINE = 3
"""It is drawn so many times larger and then reduced, which makes its lines smooth."""
_MOST_DECADES = 9
_GRID, _INK = "#dddddd", "#222222"


@dataclass(frozen=True)
class LossPoint:
    """The terms of the loss and their `total` after so many evaluations, at a scale from 1."""

    step: int
    scale: int
    losses: Mapping[str, float]


def draw_losses(points: Sequence[LossPoint]) -> Picture:
    """Each term and the total over the evaluations, on a logarithmic axis, with a legend.

    Dashed lines stand where a finer scale begins. A term that is never above 0 is left out.
    """
    names = [name for name in points[-1].losses if any(p.losses.get(name, 0) > 0 for p in points)]
    names.sort(key=lambda name: name != "total")
    height = max(_HEIGHT_PX, _ROW_PX * len(names) + 2 * _MARGIN_PX)
    chart = _Chart(points, names, height)
    chart.draw_axes()
    chart.draw_scales()
    for name in reversed(names):
        chart.draw_term(name)
    chart.draw_legend()
    return from_image(chart.image.resize((_WIDTH_PX, height), Image.Resampling.LANCZOS))


class _Chart:
    """A picture under way, `_FINE` times too large; places are in its final pixels."""

    def __init__(self, points: Sequence[LossPoint], names: Sequence[str], height: int) -> None:
        self._points, self._names = points, names
        self.image = Image.new("RGB", (_WIDTH_PX * _FINE, height * _FINE), "white")
        self._draw = ImageDraw.Draw(self.image)
        self._font = ImageFont.load_default(_FONT_PX * _FINE)
        self._right, self._bottom = _WIDTH_PX - _LEGEND_PX, height - _BOTTOM_PX
        values = [p.losses[name] for p in points for name in names if p.losses.get(name, 0) > 0]
        self._high = math.floor(math.log10(max(values, default=1))) + 1
        low = math.floor(math.log10(min(values, default=1)))
        self._low = max(low, self._high - _MOST_DECADES)
        self._steps = max(points[-1].step, 1)

    def draw_axes(self) -> None:
        """The grid, the numbers beside it, and what they count."""
        for exponent in range(self._low, self._high + 1):
            y = self._y(10.0**exponent)
            self._line([(_LEFT_PX, y), (self._right, y)], _GRID)
            self._text(_LEFT_PX - 8, y, f"{10.0**exponent:g}", "rm")
        for step in range(0, self._steps + 1, _tick(self._steps)):
            x = self._x(step)
            self._line([(x, _MARGIN_PX), (x, self._bottom)], _GRID)
            self._text(x, self._bottom + 8, str(step), "mt")
        corner = (_LEFT_PX, self._bottom)
        self._line([(_LEFT_PX, _MARGIN_PX), corner, (self._right, self._bottom)], _INK)
        self._text((_LEFT_PX + self._right) / 2, self._bottom + 34, "evaluations", "mt")
        self._text(_LEFT_PX, _MARGIN_PX - 8, "loss", "mb")

    def draw_scales(self) -> None:
        """A dashed line where each finer scale begins."""
        for before, after in zip(self._points, self._points[1:], strict=False):
            if after.scale > before.scale:
                x = self._x((before.step + after.step) / 2)
                for y in range(_MARGIN_PX, self._bottom, 10):
                    self._line([(x, y), (x, min(y + 5, self._bottom))], "#888888")

    def draw_term(self, name: str) -> None:
        """One term's line, with dots where there are few."""
        found = [
            (self._x(point.step), self._y(point.losses[name]))
            for point in self._points
            if point.losses.get(name, 0) > 0
        ]
        self._line(found, self._colour(name), self._thickness(name))
        for x, y in found if len(found) <= 40 else []:
            self._draw.circle((x * _FINE, y * _FINE), 3 * _FINE, self._colour(name))

    def draw_legend(self) -> None:
        """The terms' names, each with its colour."""
        x = self._right + 20
        for row, name in enumerate(self._names):
            y = _MARGIN_PX + _ROW_PX * (row + 0.5)
            self._line([(x, y), (x + 24, y)], self._colour(name), self._thickness(name))
            self._text(x + 32, y, name, "lm")

    def _x(self, step: float) -> float:
        return _LEFT_PX + (self._right - _LEFT_PX) * step / self._steps

    def _y(self, loss: float) -> float:
        height = (math.log10(loss) - self._low) / (self._high - self._low)
        return self._bottom - (self._bottom - _MARGIN_PX) * max(height, 0)

    def _colour(self, name: str) -> str:
        if name == "total":
            return "black"
        place, others = self._names.index(name), len(self._names)
        return f"hsl({round(360 * place / others)}, 80%, {30 + 25 * (place % 2)}%)"

    def _thickness(self, name: str) -> float:
        return 3 if name == "total" else 1.8

    def _line(self, places: list[tuple[float, float]], colour: str, thick: float = 1) -> None:
        fine = [(x * _FINE, y * _FINE) for x, y in places]
        self._draw.line(fine, colour, round(thick * _FINE), joint="curve")

    def _text(self, x: float, y: float, text: str, anchor: str) -> None:
        self._draw.text((x * _FINE, y * _FINE), text, _INK, self._font, anchor=anchor)


def _tick(steps: int) -> int:
    """The smallest of 1, 2, 5, 10, 20 … that divides `steps` into at most 8 parts."""
    unit: int = 10 ** max(0, math.floor(math.log10(steps)) - 1)
    return next(unit * factor for factor in (1, 2, 5, 10, 20) if steps / (unit * factor) <= 8)
