"""The loss of one scale: which terms there are, what each weighs, and their gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto_daemon.engine.alpha import layer_masks
from impasto_daemon.engine.guidance import Region, StyleTarget, regions_of
from impasto_daemon.engine.losses import ContentLoss, StyleLosses, TotalVariation, squared_error
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.network import FeatureNetwork, Segment, backpropagate
from impasto_daemon.engine.replay import LARGEST_PX
from impasto_daemon.engine.statistics import STATISTICS, Statistic
from impasto_daemon.engine.sums import LayerSums, dot, one_thread_if_small, total
from impasto_daemon.engine.tiles import WHOLE, Tile, Tiling, cut, margin_px
from impasto_protocol.settings import Settings

_SMOOTHING = 4.0
"""Weight of the total variation at `Settings.total_variation` = 1."""

_LEAST_SHARE = 1e-3
"""Of the mean of all, for a style layer in which the picture is the style's already."""


def term_weights(settings: Settings) -> tuple[float, float]:
    """Alpha and beta: what the content and the style weigh.

    Strength 0.5 is 0.1 to 1 between relative losses and 1 to 1000, the paper's ratio, between
    its own; each 0.25 of strength is a factor of ten.
    """
    if _is_relative(settings):
        alpha, beta = 10 ** (1 - 4 * settings.strength), 1.0
    else:
        alpha, beta = 1.0, 10 ** (1 + 4 * settings.strength)
    given_alpha, given_beta = settings.content_weight, settings.style_weight
    return (
        alpha if given_alpha is None else given_alpha,
        beta if given_beta is None else given_beta,
    )


_Matched = tuple[int, Statistic]
"""A region, by its number, and what is to be that of its styles."""
_Found = dict[tuple[str, _Matched], tuple[Tensor, Tensor]]
"""Of each loss of a layer: its value, 0-d, and its derivative by the sums that it is taken of."""


@dataclass(frozen=True)
class _Part:
    """A tile's share of the content, by layer: masks (None: all ones) and features.

    alpha: of each content layer. counted: of each style layer, for each of its losses.
    """

    tile: Tile
    alpha: dict[str, Tensor | None]
    counted: dict[str, dict[_Matched, Tensor | None]]
    targets: dict[str, Tensor]

    @classmethod
    def of(
        cls,
        tile: Tile,
        alpha: Mapping[str, Tensor],
        counted: Mapping[str, Mapping[_Matched, Tensor]],
    ) -> _Part:
        def own(mask: Tensor, layer: str) -> Tensor | None:
            part = tile.own(mask, layer)
            return None if bool((part == 1).all()) else part

        return cls(
            tile,
            {layer: own(mask, layer) for layer, mask in alpha.items()},
            {layer: {matched: own(mask, layer) for matched, mask in found.items()}
             for layer, found in counted.items()},
            {},
        )  # fmt: skip

    def core(self, features: Tensor, layer: str) -> Tensor:
        """The tile's own part of its window's feature map."""
        return self.tile.core(features.detach(), layer)


class Objective:
    """L = alpha L_content + beta L_style, Gatys et al. 2016 eq. 7, and a smoothing term.

    masked: the content at this scale. styles: in the order of its guides.
    """

    def __init__(
        self,
        masked: MaskedPicture,
        styles: Sequence[StyleTarget],
        settings: Settings,
        network: FeatureNetwork,
        tiling: Tiling = WHOLE,
    ) -> None:
        self._network, self._tiling, self._colours = network, tiling, masked.colours[None]
        alpha, beta = term_weights(settings)
        content = _shares(settings.content_layers, settings.content_layer_weights, alpha)
        self._style_weights = _shares(settings.style_layers, settings.style_layer_weights, beta)
        counted: dict[str, dict[_Matched, Tensor]] = {}
        self._style = dict[tuple[str, _Matched], StyleLosses]()
        for layer, weight in self._style_weights.items():
            regions = regions_of(masked, settings.strength, styles, layer)
            targets = [style.statistics.get(layer, ()) for style in styles]
            for matched, mask, losses in _matchings(layer, regions, targets, weight, settings):
                counted.setdefault(layer, {})[matched] = mask
                self._style[layer, matched] = losses
        self._uneven = settings.normalisation == "even" and len(counted) > 1 and beta > 0
        self._layers = content.keys() | counted.keys()
        height, width = masked.alpha.shape[-2:]
        tiles = cut(height, width, tiling, margin_px(self._layers, settings.style_loss))
        present = {layer: layer_masks(masked.alpha, layer)[0] for layer in content}
        self._parts = [_Part.of(tile, present, counted) for tile in tiles]
        energies = self._look_at_content(masked, content)
        self._content = {
            layer: ContentLoss(weight, energies[layer], relative=_is_relative(settings))
            for layer, weight in content.items()
        }
        weight = _SMOOTHING * settings.total_variation
        self._smoothness = TotalVariation(weight, masked.paint_mask)

    @property
    def is_replayable(self) -> bool:
        """Whether an evaluation is worth recording for its GPU, and never waits for it."""
        return (
            self._colours.is_cuda
            and len(self._parts) == 1
            and self._colours[0, 0].numel() <= LARGEST_PX
            and not any(statistic.waits for _, (_, statistic) in self._style)
        )

    def evaluate(
        self, picture: Tensor, between: Callable[[], None] = lambda: None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Each weighted term, 0-d, at a picture (1, 3, H, W), and the gradient of their sum.

        between: called between two tiles.
        First the sums over all tiles, then, as these are known, the gradient of each tile, which
        reaches into its margin and is added up there.
        """
        errors, sums = LayerSums[str](), LayerSums[tuple[str, _Matched]]()
        for index, part in enumerate(self._parts):
            if index:
                between()
            targets = self._targets(part)
            # The last tile's graph stays, so that a picture of one tile is looked at once; not
            # beside those that even out.
            hold = part is self._parts[-1] and not self._uneven
            with self._one_thread_if_small():
                segments = self._see(part, picture, targets, errors, sums, hold=hold)
        found = {key: losses.at(sums[key]) for key, losses in self._style.items()}
        if self._uneven:
            found = self._even_out(picture, found, between)
        smoothness, gradient = self._smoothness.value_and_gradient(picture)
        styles, slopes = LayerSums[str](), {key: slope for key, (_, slope) in found.items()}
        for (layer, _), (value, _) in found.items():
            styles.add(f"style {layer}", value)
        terms = {
            **{f"content {k}": loss.value(errors[k]) for k, loss in self._content.items()},
            **styles,
            "total variation": smoothness,
        }
        for part in reversed(self._parts):
            if not segments:
                between()
                targets = self._targets(part)
            with self._one_thread_if_small():
                if not segments:
                    segments = list(self._segments(part, picture, self._layers, graph=True))
                add_slope = functools.partial(self._add_slope, part, targets, slopes)
                part.tile.window(gradient).add_(backpropagate(segments, add_slope))
        return terms, gradient

    def _one_thread_if_small(self) -> AbstractContextManager[None]:
        return one_thread_if_small(*self._colours.shape[-2:])

    def _even_out(self, picture: Tensor, found: _Found, between: Callable[[], None]) -> _Found:
        """Make every style layer's gradient as large as the others' by its weight, at a picture.

        Together they stay as large as they were. found: what there is before; given back: after.
        """
        self._uneven, norms = False, dict[str, Tensor]()
        for layer in dict.fromkeys(layer for layer, _ in self._style):
            slopes = {key: slope for key, (_, slope) in found.items() if key[0] == layer}
            gradient = torch.zeros_like(picture)
            for part in self._parts:
                between()
                with self._one_thread_if_small():
                    segments = list(self._segments(part, picture, [layer], graph=True))
                    add_slope = functools.partial(self._add_style_slope, part, slopes)
                    part.tile.window(gradient).add_(backpropagate(segments, add_slope))
            norms[layer] = dot(gradient, gradient).sqrt() / self._style_weights[layer]
        mean = torch.stack(list(norms.values())).mean()
        evened = {}
        for key, (value, slope) in found.items():
            factor = mean / norms[key[0]].clamp_min(_LEAST_SHARE * mean)
            factor = torch.where(mean > 0, factor, 1)
            self._style[key].scale(factor)
            evened[key] = factor * value, factor * slope
        return evened

    def _see(
        self,
        part: _Part,
        picture: Tensor,
        targets: dict[str, Tensor],
        errors: LayerSums[str],
        sums: LayerSums[tuple[str, _Matched]],
        *,
        hold: bool,
    ) -> list[Segment]:
        """Add a tile's squared errors and Gram sums; its segments, where they are to be held."""
        held = []
        for segment in self._segments(part, picture, self._layers, graph=hold):
            layer = segment.layer
            features, place = segment.features.detach(), part.tile.place(layer)
            if layer in self._content:
                own = part.core(features, layer)
                errors.add(layer, squared_error(own, targets[layer], part.alpha[layer]))
            for matched, mask in part.counted.get(layer, {}).items():
                _, statistic = matched
                sums.add((layer, matched), statistic.sums(features, place, mask))
            if hold:
                held.append(segment)
        return held

    def _add_slope(
        self,
        part: _Part,
        targets: dict[str, Tensor],
        slopes: dict[tuple[str, _Matched], Tensor],
        segment: Segment,
        gradient: Tensor,
    ) -> None:
        """Add the derivative of the loss by a segment's features to that of what is behind it."""
        layer = segment.layer
        if layer in self._content:
            loss, own = self._content[layer], part.core(segment.features, layer)
            slope = loss.gradient(own, targets[layer], part.alpha[layer])
            part.core(gradient, layer).add_(slope)
        self._add_style_slope(part, slopes, segment, gradient)

    def _add_style_slope(
        self,
        part: _Part,
        slopes: dict[tuple[str, _Matched], Tensor],
        segment: Segment,
        gradient: Tensor,
    ) -> None:
        layer = segment.layer
        features, place = segment.features.detach(), part.tile.place(layer)
        for matched, mask in part.counted.get(layer, {}).items():
            _, statistic = matched
            statistic.add_gradient(gradient, features, place, mask, slopes[layer, matched])

    def _segments(
        self, part: _Part, picture: Tensor, layers: Collection[str], *, graph: bool
    ) -> Iterator[Segment]:
        window = part.tile.window(picture).detach().requires_grad_(graph)
        return self._network.segments(window, layers)

    def _look_at_content(self, masked: MaskedPicture, layers: Collection[str]) -> LayerSums[str]:
        """Σ m P² of each content layer; the feature maps are kept if they are to be."""
        energies = LayerSums[str]()
        painted = {layer: layer_masks(masked.paint_mask, layer)[0] for layer in layers}
        for part in self._parts:
            targets = self._take_targets(part, layers)
            for layer, target in targets.items():
                zero = target.new_zeros(())
                mask = part.tile.own(painted[layer], layer)
                energies.add(layer, squared_error(target, zero, mask))
            if self._tiling.keep_targets:
                part.targets.update(targets)
        return energies

    def _targets(self, part: _Part) -> dict[str, Tensor]:
        return part.targets or self._take_targets(part, self._content)

    def _take_targets(self, part: _Part, layers: Collection[str]) -> dict[str, Tensor]:
        if not layers:
            return {}
        segments = self._segments(part, self._colours, layers, graph=False)
        with self._one_thread_if_small():
            # A copy, so that the margin's features are not kept with them.
            return {s.layer: part.core(s.features, s.layer).clone() for s in segments}


def _matchings(
    layer: str,
    regions: Sequence[Region],
    targets: Sequence[Sequence[Tensor | None]],
    weight: float,
    settings: Settings,
) -> Iterator[tuple[_Matched, Tensor, StyleLosses]]:
    """What is matched in each region of a layer: what each position counts there, and the losses.

    targets: of each style, in the order of `STATISTICS`.
    """
    chosen = STATISTICS[settings.style_loss]
    for number, region in enumerate(regions):
        masks = [one.counted(region.mask) for one in chosen]
        counts = [total(mask) for mask in masks]
        parts = {style: _parts(layer, chosen, targets[style], counts) for style in region.styles}
        for place, one in enumerate(chosen):
            losses = [
                (weight * share * parts[style][place],
                 one.loss(target, relative=_is_relative(settings)))
                for style, share in region.styles.items()
                if (target := targets[style][place]) is not None
            ]  # fmt: skip
            if losses:
                yield (number, one), masks[place], StyleLosses(losses, counts[place])


def _parts(
    layer: str,
    chosen: Sequence[Statistic],
    targets: Sequence[Tensor | None],
    counts: Sequence[Tensor],
) -> list[Tensor]:
    """Of a layer's weight, what each statistic of a style has, by what its positions count.

    The first, the Gram matrix, has what is lacking: pairs of neighbours are fewer in a narrow
    place, and there are none where the style's picture is too small.
    """
    shares, whole = [one.share * one.is_of(layer) for one in chosen], counts[0].clamp_min(1e-12)
    found = [
        (0.0 if target is None else share) * (count / whole)
        for share, target, count in zip(shares, targets, counts, strict=True)
    ]
    found[0] = found[0] + (sum(shares) - torch.stack(found).sum())
    return found


def _is_relative(settings: Settings) -> bool:
    return settings.normalisation != "gatys"


def _shares(layers: Sequence[str], weights: Sequence[float], total: float) -> dict[str, float]:
    chosen = weights or [1.0] * len(layers)
    return {
        layer: total * weight / sum(chosen)
        for layer, weight in zip(layers, chosen, strict=True)
        if weight
    }
