"""Several styles in one painting, each in its place: figures, and five pictures to be looked at.

    python tests/proofs/several_styles.py [--pictures FILE.jpg]

How far a style reaches over the border of its mask; how near each half of a painting is to its own
style, with masks and where both styles go everywhere; what a ramp of strength keeps of the
photograph; what the further styles cost. A network that shares no code with the engine judges.
Takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import torch
from figures import Figure, in_turns, print_table
from inputs import image_of, load_inputs, painting, photograph, tensor_of
from instant import content_error, seen, style_distance
from PIL import Image, ImageDraw, ImageFilter
from plain_loop import PlainVgg
from torch import Tensor

from impasto_daemon.engine import semantic_map
from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.guidance import Guided
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.presets.starter_presets import baking_photographs, starter_presets
from impasto_daemon.worker.tensors import to_tensor
from impasto_protocol.settings import Settings

SIZE_PX = 320
EVALUATIONS = 80
AWAY_PX = 48
"""So far from the border of a mask a half is judged."""
CELL = (320, 213)
CAT = ((0, 130), (38, 95), (45, 40), (75, 0), (398, 0), (372, 60), (366, 130), (345, 185),
       (312, 240), (300, 278), (312, 300), (0, 300))  # fmt: skip
EYES_AND_NOSE = ((125, 75, 215, 155), (285, 95, 350, 172), (222, 215, 300, 275))
"""Of the demo's photograph, 451 x 300 px."""


@dataclass(frozen=True)
class Studio:
    """What everything here is painted with."""

    network: FeatureNetwork

    def paint(
        self,
        content: Tensor,
        styles: list[Guided],
        strength_map: Tensor | None = None,
        **chosen: Any,
    ) -> Tensor:
        """The picture, (3, H, W)."""
        settings = Settings(**{"iterations": EVALUATIONS, "tolerance": 0.0, **chosen})
        *_, end = stylise(content, styles, settings, self.network, strength=strength_map)
        assert isinstance(end, Finished)
        return end.picture

    def starter(self, name: str) -> Style:
        """A style that comes with Impasto."""
        (preset,) = (preset for preset in starter_presets() if preset.name == name)
        return Style(to_tensor(preset.picture), self.network)


def main() -> None:
    """Print the figures; paint the pictures if asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    inputs = load_inputs()
    studio = Studio(inputs.network)
    if arguments.pictures:
        five_pictures(studio).save(arguments.pictures, quality=85)
        return
    judge = PlainVgg(inputs)
    content = tensor_of(photograph(SIZE_PX))
    print_table(f"at {SIZE_PX} px, {EVALUATIONS} evaluations a size", [
        *leakage(studio, content),
        *halves(studio, content, judge),
        *ramp(studio, content, judge),
        *cost(studio, content),
    ])  # fmt: skip


def leakage(studio: Studio, content: Tensor) -> list[Figure]:
    """How far from the border a colour is that is three quarters of its own style's.

    The two are one painting, and the same with red and blue exchanged, on a grey photograph.
    """
    picture = tensor_of(painting(450))
    one, other = (Style(p, studio.network) for p in (picture, picture[[2, 1, 0]]))
    grey = content.mean(dim=0, keepdim=True).repeat(3, 1, 1) * 0.3 + 0.35
    painted = studio.paint(grey, [Guided(one), Guided(other, mask=right_half(content))])
    redness = (painted[0] - painted[2]).mean(dim=0)
    border, width = content.shape[-1] // 2, content.shape[-1]
    low, high = redness[20 : border - AWAY_PX].mean(), redness[border + AWAY_PX : width - 20].mean()
    share = torch.nn.functional.avg_pool1d(((redness - low) / (high - low))[None, None], 9, 1, 4)
    inside = (share[0, 0, border:] > 0.75).nonzero()
    outside = (share[0, 0, :border] < 0.25).nonzero()
    return [
        Figure("a style's colour is its own from the border on", [float(inside[0])], "px"),
        Figure("… and its neighbour's from there on", [float(border - outside[-1])], "px"),
    ]


def halves(studio: Studio, content: Tensor, judge: PlainVgg) -> list[Figure]:
    """Style distance of each half from its own style and from the other's, masked and mixed."""
    names = ("Mosaic", "Swirls")
    styles = [studio.starter(name) for name in names]
    wanted = [
        seen(judge, tensor_of(image_of(to_tensor(preset.picture)).resize((640, 480))))
        for name in names
        for preset in starter_presets()
        if preset.name == name
    ]
    masked = studio.paint(content, [Guided(styles[0]), Guided(styles[1], mask=right_half(content))])
    mixed = studio.paint(content, [Guided(style) for style in styles])
    border = content.shape[-1] // 2
    found = []
    for how, painted in (("masked", masked), ("mixed", mixed)):
        for half, part in enumerate((painted[..., :border], painted[..., border:])):
            distances = [style_distance(seen(judge, part), target) for target in wanted]
            found += [
                Figure(f"{how}, {('left', 'right')[half]} half from {name}", [distance])
                for name, distance in zip(names, distances, strict=True)
            ]
    return found


def ramp(studio: Studio, content: Tensor, judge: PlainVgg) -> list[Figure]:
    """Content error of each third along a ramp of strength, and of the same without one."""
    width = content.shape[-1]
    strength = torch.linspace(0, 1, width).expand(1, *content.shape[-2:]).clone()
    style = Style(tensor_of(painting(450)), studio.network)
    paintings = (("ramp", studio.paint(content, [Guided(style)], strength)),
                 ("everywhere", studio.paint(content, [Guided(style)])))  # fmt: skip
    found = []
    for how, painted in paintings:
        for third in range(3):
            part = slice(third * width // 3, (third + 1) * width // 3)
            error = content_error(seen(judge, painted[..., part]), seen(judge, content[..., part]))
            found.append(Figure(f"content error, {how}, third {third + 1}", [error]))
    return found


def cost(studio: Studio, content: Tensor) -> list[Figure]:
    """The time of a painting in eight masked styles over that in one."""
    style = Style(tensor_of(painting(450)), studio.network)
    width = content.shape[-1]
    stripes = []
    for index in range(8):
        mask = torch.zeros(1, *content.shape[-2:])
        mask[..., index * width // 8 : (index + 1) * width // 8] = 1
        stripes.append(Guided(style, mask=mask))

    def work(styles: list[Guided]) -> Callable[[], object]:
        return lambda: studio.paint(content, styles, iterations=6, scales=1)

    one, eight = in_turns(5, work([Guided(style)]), work(stripes))
    return [Figure("eight masked styles : one, an evaluation",
                   [b / a for a, b in zip(one, eight, strict=True)])]  # fmt: skip


def right_half(content: Tensor) -> Tensor:
    """(1, H, W)."""
    mask = torch.zeros(1, *content.shape[-2:])
    mask[..., content.shape[-1] // 2 :] = 1
    return mask


def five_pictures(studio: Studio) -> Image.Image:
    """One style; two with a mask; eyes and nose kept; a doodle; the photograph's colours."""
    cat = resize(to_tensor(baking_photographs()[0]), *CELL[::-1])
    knife, mosaic, swirls, lights = map(studio.starter, ("Knife", "Mosaic", "Swirls", "Lights"))
    outline = drawn(lambda pen: pen.polygon(CAT, fill=255), blur_px=2)
    kept = 1 - drawn(lambda pen: [pen.ellipse(box, fill=255) for box in EYES_AND_NOSE], blur_px=8)
    sheet = Image.new("RGB", (5 * CELL[0] + 4 * 8, CELL[1]), "white")
    pictures = [
        studio.paint(cat, [Guided(knife)]),
        studio.paint(cat, [Guided(mosaic), Guided(knife, mask=outline)]),
        studio.paint(cat, [Guided(swirls)], kept),
        doodle(studio, swirls),
        studio.paint(cat, [Guided(lights)], colours="matched"),
    ]
    for index, picture in enumerate(pictures):
        sheet.paste(image_of(picture), (index * (CELL[0] + 8), 0))
    return sheet


def doodle(studio: Studio, style: Style) -> Tensor:
    """A picture out of a doodle, which is seen in its corner."""
    sky, star, hill = (40, 80, 160), (250, 190, 60), (30, 60, 50)
    flat = Image.new("RGB", (451, 300), sky)
    pen = ImageDraw.Draw(flat)
    pen.ellipse((290, 30, 410, 150), fill=star)
    pen.polygon([(0, 230), (110, 120), (210, 230), (300, 190), (451, 250), (451, 300), (0, 300)],
                fill=hill)  # fmt: skip
    about = Image.new("RGB", (640, 480), sky)
    pen = ImageDraw.Draw(about)
    for box in ((75, 40, 190, 170), (270, 75, 430, 240), (440, 15, 570, 135), (540, 195, 640, 300)):
        pen.ellipse(box, fill=star)
    pen.polygon([(0, 425), (130, 385), (320, 410), (640, 350), (640, 480), (0, 480)], fill=hill)
    flat = flat.resize(CELL, Image.Resampling.LANCZOS)
    places, parts = semantic_map.regions(tensor_of(flat), tensor_of(about))
    styles = [
        Guided(style.of_part(part[None]), mask=place[None])
        for place, part in zip(places, parts, strict=True)
    ]
    painted = studio.paint(tensor_of(flat), styles, content_weight=0.0, start_noise=1.0)
    corner = tensor_of(flat.resize((CELL[0] // 4, CELL[1] // 4)))
    painted[:, -corner.shape[1] :, : corner.shape[2]] = corner
    return painted


def drawn(draw: Any, blur_px: int) -> Tensor:
    """(1, H, W): what is drawn on black, soft by so many px."""
    image = Image.new("L", (451, 300))
    draw(ImageDraw.Draw(image))
    soft = image.filter(ImageFilter.GaussianBlur(blur_px)).resize(CELL).convert("RGB")
    return tensor_of(soft)[:1]


if __name__ == "__main__":
    main()
