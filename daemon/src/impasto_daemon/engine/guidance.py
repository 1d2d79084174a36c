"""Several styles in one painting: how much each of them weighs, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto_daemon.engine.alpha import layer_masks
from impasto_daemon.engine.feed_forward import Weights
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.sums import LayerSums, total
from impasto_protocol.settings import Settings


@dataclass(frozen=True)
class Guided:
    """A style in a painting of several.

    weight: against others in the same place. mask: (1, H, W) in [0, 1], of the picture's size,
    where it goes; None: wherever no mask is. scale: of its strokes, times that of the settings.
    layers: of the style loss, those that it is in; none: all. baked: what paints it at once.
    """

    style: Style
    weight: float = 1.0
    mask: Tensor | None = None
    scale: float = 1.0
    layers: tuple[str, ...] = ()
    baked: Weights | None = None

    def target(
        self, size_px: float, settings: Settings, between: Callable[[], None] = lambda: None
    ) -> StyleTarget:
        """What it is matched by, with the photograph's long edge at `size_px`.

        Where the settings have none of its layers, as in a refinement, it fills with all of theirs.
        between: called before each tile of its picture that has to be looked at.
        """
        own = [layer for layer in settings.style_layers if not self.layers or layer in self.layers]
        layers = own or settings.style_layers
        size_px = size_px * settings.style_scale * self.scale
        angles = [
            settings.style_rotation + 360 * turn / settings.style_rotations
            for turn in range(settings.style_rotations)
        ]
        sizes = self.style.sizes_px(size_px, settings.style_sizes)
        seen = (
            self.style.targets(size, layers, settings.style_loss, angle, between)
            for angle in angles
            for size in sizes
        )
        return StyleTarget(_mean(seen), self.weight, fills=not own)


@dataclass(frozen=True)
class StyleTarget:
    """The means of the statistics of each layer that a style is in, and what the style weighs.

    statistics: in the order of `STATISTICS`; None where one is not taken of the layer, or the
    style's picture is too small for it.
    fills: it has the layers only where no other style has them.
    """

    statistics: Mapping[str, Sequence[Tensor | None]]
    weight: float = 1.0
    fills: bool = False


def _mean(
    several: Iterable[Mapping[str, Sequence[Tensor | None]]],
) -> dict[str, list[Tensor | None]]:
    """Of each layer's statistics, those of several pictures that have them, one after another."""
    sums, counts = LayerSums[tuple[str, int]](), Counter[tuple[str, int]]()
    for seen in several:
        for layer, means in seen.items():
            for place, mean in enumerate(means):
                if mean is not None:
                    sums.add((layer, place), mean)
                counts[layer, place] += mean is not None
    found: dict[str, list[Tensor | None]] = {}
    for (layer, place), count in counts.items():
        found.setdefault(layer, []).append(sums[layer, place] / count if count else None)
    return found


def guides_of(
    styles: Sequence[Guided], strength: Tensor | None, *, fill: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Where each of R styles goes, (R, H, W), and how much is painted, (1, H, W); None: all, all.

    What no mask covers goes to the styles without one; where all have one, to the first if `fill`.
    strength: how much is painted of what is covered, likewise.
    """
    given = [style.mask for style in styles if style.mask is not None]
    if not given:
        return None, strength
    left = (1 - torch.stack(given).sum(dim=0)).clamp_min(0)
    fills = len(given) == len(styles) and fill
    masks = [left if style.mask is None else style.mask for style in styles]
    if fills:
        masks[0] = masks[0] + left
    if not fills and len(given) == len(styles):
        strength = (1 - left) * (1 if strength is None else strength)
    return torch.cat(masks), strength


def shares(masks: Tensor, weights: Sequence[float]) -> Tensor:
    """How much of each position every style has, (R, h, w): one in all, but what none covers.

    masks: (R, h, w) in [0, 1]. Where they overlap, by their weights.
    """
    weighed = masks * masks.new_tensor(weights).view(-1, 1, 1)
    covered = masks.sum(dim=0).clamp(max=1)
    return weighed * (covered / weighed.sum(dim=0).clamp_min(1e-12))


@dataclass(frozen=True)
class Region:
    """Positions of a layer whose statistics are to be those of styles.

    mask: (h, w), what each counts. styles: by their number, with how much each weighs.
    """

    mask: Tensor
    styles: Mapping[int, Tensor]


def regions_of(
    masked: MaskedPicture, strength: float, styles: Sequence[StyleTarget], layer: str
) -> list[Region]:
    """A layer's regions; each weighs as much as what it has of all that is painted.

    Guided Gram matrices, Gatys et al. 2017, *Controlling Perceptual Factors in Neural Style
    Transfer*. Departs from them, who leave out the positions that see beyond their region: these
    would belong to none, and between two styles a band without either is seen.
    What all styles leave of a position is in its strength, see `guides_of`; their coverage is not
    counted again.
    """
    paint, given = layer_masks(torch.cat([masked.paint_mask, masked.given(strength)]), layer)
    all_of_it = total(paint).clamp_min(1e-12)
    chosen = [number for number, style in enumerate(styles) if layer in style.statistics]
    if not chosen:
        return []
    if masked.guides is None:
        chosen = [number for number in chosen if not styles[number].fills] or chosen
    weights = [styles[number].weight for number in chosen]
    if masked.guides is None:
        share = total(given) / all_of_it / sum(weights)
        return [Region(given, {n: w * share for n, w in zip(chosen, weights, strict=True)})]
    guides = layer_masks(masked.guides, layer)
    masks, covered = guides[chosen], guides.sum(dim=0).clamp(1e-12, 1)
    fills = torch.tensor([styles[number].fills for number in chosen], device=masks.device)
    fills = fills.view(-1, 1, 1)
    left = (1 - torch.where(fills, 0, masks).sum(dim=0)).clamp_min(0)
    masks = shares(torch.where(fills, masks * left, masks), weights) * (given / covered)
    return [
        Region(mask, {number: total(mask) / all_of_it})
        for number, mask in zip(chosen, masks, strict=True)
    ]


def in_colours_of(
    photograph: MaskedPicture, styles: Sequence[Guided], how: str, mixing: str
) -> list[Guided]:
    """The styles in the colours that a photograph has where each goes; see `colour_match`."""
    places = [photograph.paint_mask] * len(styles)
    if photograph.guides is not None:
        guides = shares(photograph.guides, [guided.weight for guided in styles])
        places = [photograph.paint_mask * guide for guide in guides]
    return [
        replace(
            guided,
            style=guided.style.in_colours_of(replace(photograph, paint_mask=place), how, mixing),
        )
        for guided, place in zip(styles, places, strict=True)
    ]


def blended(paintings: Iterator[Tensor], styles: Sequence[Guided], guides: Tensor | None) -> Tensor:
    """Paintings, (3, H, W), of one picture, each style's in its place. guides: (R, h, w)."""
    found = next(paintings)
    if len(styles) == 1:
        return found
    weights = found.new_tensor([guided.weight for guided in styles]).view(-1, 1, 1)
    if guides is not None:
        weights = weights * resize(guides, *found.shape[-2:])
    weights = weights / weights.sum(dim=0).clamp_min(1e-12)
    found = found * weights[0]
    for painting, weight in zip(paintings, weights[1:], strict=True):
        found.addcmul_(painting, weight)
    return found
