"""The loss of one scale: which terms there are, what each weighs, and their gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto_daemon.engine.alpha import tile_mask
from impasto_daemon.engine.gram import add_gram_gradient, gram_sum
from impasto_daemon.engine.losses import ContentLoss, StyleLoss, TotalVariation, squared_error
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.network import Segment, Vgg19, backpropagate
from impasto_daemon.engine.sums import LayerSums, one_thread_if_small, total
from impasto_daemon.engine.tiles import WHOLE, Tile, Tiling, cut, margin_px
from impasto_protocol.settings import Settings

_SMOOTHING = 4.0
"""Weight of the total variation at `Settings.total_variation` = 1."""


def term_weights(settings: Settings) -> tuple[float, float]:
    """Alpha and beta: what the content and the style weigh.

    Strength 0.5 is 0.1 to 1 between relative losses and 1 to 1000, the paper's ratio, between
    its own; each 0.25 of strength is a factor of ten.
    """
    if settings.normalisation == "relative":
        alpha, beta = 10 ** (1 - 4 * settings.strength), 1.0
    else:
        alpha, beta = 1.0, 10 ** (1 + 4 * settings.strength)
    given_alpha, given_beta = settings.content_weight, settings.style_weight
    return (
        alpha if given_alpha is None else given_alpha,
        beta if given_beta is None else given_beta,
    )


@dataclass(frozen=True)
class _Part:
    """A tile's share of the content, by layer: masks (None: all ones), their sums, features.

    alpha: of content layers alone.
    """

    tile: Tile
    alpha: dict[str, Tensor | None]
    paint_mask: dict[str, Tensor | None]
    positions: dict[str, Tensor]
    targets: dict[str, Tensor]

    @classmethod
    def of(
        cls, tile: Tile, masked: MaskedPicture, content: Collection[str], layers: Collection[str]
    ) -> _Part:
        alpha, paint_mask = (
            {layer: tile_mask(plane, tile, layer).clone() for layer in chosen}
            for plane, chosen in ((masked.alpha, content), (masked.paint_mask, layers))
        )
        positions = {layer: total(mask) for layer, mask in paint_mask.items()}
        return cls(tile, _unless_ones(alpha), _unless_ones(paint_mask), positions, {})

    def core(self, features: Tensor, layer: str) -> Tensor:
        """The tile's own part of its window's feature map."""
        return self.tile.core(features.detach(), layer)


class Objective:
    """L = alpha L_content + beta L_style, Gatys et al. 2016 eq. 7, and a smoothing term.

    masked: the content at this scale. grams: the style's Gram matrix of each style layer.
    """

    def __init__(
        self,
        masked: MaskedPicture,
        grams: dict[str, Tensor],
        settings: Settings,
        network: Vgg19,
        tiling: Tiling = WHOLE,
    ) -> None:
        self._network, self._tiling, self._colours = network, tiling, masked.colours[None]
        alpha, beta = term_weights(settings)
        content = _shares(settings.content_layers, settings.content_layer_weights, alpha)
        style = _shares(settings.style_layers, settings.style_layer_weights, beta)
        self._layers = content.keys() | style.keys()
        height, width = masked.alpha.shape[-2:]
        tiles = cut(height, width, tiling, margin_px(self._layers))
        self._parts = [_Part.of(tile, masked, content, self._layers) for tile in tiles]
        relative = settings.normalisation == "relative"
        energies = self._look_at_content(content)
        self._content = {
            layer: ContentLoss(weight, energies[layer], relative=relative)
            for layer, weight in content.items()
        }
        self._style = {
            layer: StyleLoss(weight, grams[layer], self._positions(layer), relative=relative)
            for layer, weight in style.items()
        }
        self._smoothness = TotalVariation(_SMOOTHING * settings.total_variation)

    def evaluate(
        self, picture: Tensor, between: Callable[[], None] = lambda: None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Each weighted term, 0-d, at a picture (1, 3, H, W), and the gradient of their sum.

        between: called between two tiles.
        First the sums over all tiles, then, as these are known, the gradient of each tile, which
        reaches into its margin and is added up there.
        """
        with one_thread_if_small(*picture.shape[-2:]):
            return self._evaluate(picture, between)

    def _evaluate(
        self, picture: Tensor, between: Callable[[], None]
    ) -> tuple[dict[str, Tensor], Tensor]:
        errors, sums = LayerSums(), LayerSums()
        for index, part in enumerate(self._parts):
            if index:
                between()
            targets = self._targets(part)
            # The last tile's graph stays, so that a picture of one tile is looked at once.
            segments = self._see(part, picture, targets, errors, sums, hold=part is self._parts[-1])
        smoothness, gradient = self._smoothness.value_and_gradient(picture)
        terms = {
            **{f"content {k}": loss.value(errors[k]) for k, loss in self._content.items()},
            **{f"style {k}": loss.value(sums[k]) for k, loss in self._style.items()},
            "total variation": smoothness,
        }
        slopes = {layer: loss.slope(sums[layer]) for layer, loss in self._style.items()}
        for part in reversed(self._parts):
            if not segments:
                between()
                targets = self._targets(part)
                segments = list(self._segments(part, picture, self._layers, graph=True))
            add_slope = functools.partial(self._add_slope, part, targets, slopes)
            part.tile.window(gradient).add_(backpropagate(segments, add_slope))
        return terms, gradient

    def _see(
        self,
        part: _Part,
        picture: Tensor,
        targets: dict[str, Tensor],
        errors: LayerSums,
        sums: LayerSums,
        *,
        hold: bool,
    ) -> list[Segment]:
        """Add a tile's squared errors and Gram sums; its segments, where they are to be held."""
        held = []
        for segment in self._segments(part, picture, self._layers, graph=hold):
            layer = segment.layer
            features = part.core(segment.features, layer)
            if layer in self._content:
                errors.add(layer, squared_error(features, targets[layer], part.alpha[layer]))
            if layer in self._style:
                sums.add(layer, gram_sum(features, part.paint_mask[layer]))
            if hold:
                held.append(segment)
        return held

    def _add_slope(
        self,
        part: _Part,
        targets: dict[str, Tensor],
        slopes: dict[str, Tensor],
        segment: Segment,
        gradient: Tensor,
    ) -> None:
        """Add the derivative of the loss by a segment's features to that of what is behind it."""
        layer = segment.layer
        features, own = part.core(segment.features, layer), part.core(gradient, layer)
        if layer in self._content:
            loss = self._content[layer]
            own.add_(loss.gradient(features, targets[layer], part.alpha[layer]))
        if layer in self._style:
            add_gram_gradient(own, features, part.paint_mask[layer], slopes[layer])

    def _segments(
        self, part: _Part, picture: Tensor, layers: Collection[str], *, graph: bool
    ) -> Iterator[Segment]:
        window = part.tile.window(picture).detach().requires_grad_(graph)
        return self._network.segments(window, layers)

    def _look_at_content(self, layers: Collection[str]) -> LayerSums:
        """Σ m P² of each content layer; the feature maps are kept if they are to be."""
        energies = LayerSums()
        for part in self._parts:
            targets = self._take_targets(part, layers)
            for layer, target in targets.items():
                zero = target.new_zeros(())
                energies.add(layer, squared_error(target, zero, part.paint_mask[layer]))
            if self._tiling.keep_targets:
                part.targets.update(targets)
        return energies

    def _targets(self, part: _Part) -> dict[str, Tensor]:
        return part.targets or self._take_targets(part, self._content)

    def _take_targets(self, part: _Part, layers: Collection[str]) -> dict[str, Tensor]:
        if not layers:
            return {}
        segments = self._segments(part, self._colours, layers, graph=False)
        with one_thread_if_small(*self._colours.shape[-2:]):
            # A copy, so that the margin's features are not kept with them.
            return {s.layer: part.core(s.features, s.layer).clone() for s in segments}

    def _positions(self, layer: str) -> Tensor:
        """Σ m over a layer's feature map."""
        return torch.stack([part.positions[layer] for part in self._parts]).sum()


def _unless_ones(masks: dict[str, Tensor]) -> dict[str, Tensor | None]:
    return {layer: None if bool((mask == 1).all()) else mask for layer, mask in masks.items()}


def _shares(layers: Sequence[str], weights: Sequence[float], total: float) -> dict[str, float]:
    chosen = weights or [1.0] * len(layers)
    return {
        layer: total * weight / sum(chosen)
        for layer, weight in zip(layers, chosen, strict=True)
        if weight
    }
