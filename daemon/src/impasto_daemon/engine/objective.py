"""The loss of one scale: which terms there are, what each weighs, and their gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from impasto_daemon.engine.alpha import layer_mask
from impasto_daemon.engine.losses import ContentLoss, StyleLoss, TotalVariation
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.network import Vgg19
from impasto_daemon.engine.padding import mask_padding, pad_to_network
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


class Objective:
    """L = alpha L_content + beta L_style, Gatys et al. 2016 eq. 7, and a smoothing term.

    masked: the content at this scale. grams: the style's Gram matrix of each style layer.
    """

    def __init__(
        self, masked: MaskedPicture, grams: dict[str, Tensor], settings: Settings, network: Vgg19
    ) -> None:
        self._network = network
        relative = settings.normalisation == "relative"
        alpha, beta = term_weights(settings)
        content = _shares(settings.content_layers, settings.content_layer_weights, alpha)
        style = _shares(settings.style_layers, settings.style_layer_weights, beta)
        self._layers = set(content) | set(style)
        with torch.no_grad():
            maps = network.features(pad_to_network(masked.colours)[None], self._layers)
            there, paint_mask = mask_padding(masked.alpha), mask_padding(masked.paint_mask)
            self._content = {
                layer: (
                    weight,
                    ContentLoss(
                        maps[layer],
                        layer_mask(there, maps[layer]),
                        layer_mask(paint_mask, maps[layer]),
                        relative=relative,
                    ),
                )
                for layer, weight in content.items()
            }
            self._style = {
                layer: (
                    weight,
                    StyleLoss(grams[layer], layer_mask(paint_mask, maps[layer]), relative=relative),
                )
                for layer, weight in style.items()
            }
        self._smoothness = (_SMOOTHING * settings.total_variation, TotalVariation())

    def evaluate(self, picture: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Each weighted term, 0-d, at a picture (1, 3, H, W), and the gradient of their sum."""
        picture = picture.detach().requires_grad_()
        maps = self._network.features(pad_to_network(picture), self._layers)
        terms = {
            f"{kind} {layer}": weight * loss(maps[layer])
            for kind, losses in (("content", self._content), ("style", self._style))
            for layer, (weight, loss) in losses.items()
        }
        weight, smoothness = self._smoothness
        terms["total variation"] = weight * smoothness(picture)
        (gradient,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), picture)
        return {name: term.detach() for name, term in terms.items()}, gradient


def _shares(layers: Sequence[str], weights: Sequence[float], total: float) -> dict[str, float]:
    chosen = weights or [1.0] * len(layers)
    return {
        layer: total * weight / sum(chosen)
        for layer, weight in zip(layers, chosen, strict=True)
        if weight
    }
