"""What of a feature map is matched: sums over its positions, so that it may be taken in tiles.

How far a picture's are from a style's is said in `losses.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from impasto_daemon.engine.gram import add_gram_gradient, add_pair_gradient, gram_sum
from impasto_daemon.engine.histogram import add_remapped, bin_sum
from impasto_daemon.engine.losses import GaussianLoss, GramLoss, HistogramLoss, StatisticLoss
from impasto_daemon.engine.tiles import SHIFT, Place
from impasto_protocol.networks import NETWORKS


@dataclass(frozen=True)
class Statistic:
    """A Gram matrix, and what the others have in common with it.

    share: of a layer's weight. layers: those that it is taken of; none: all.
    features: (1, C, H, W), of which `own` is a tile's own and the rest its margin.
    weights: of its own positions, (h, w); None stands for ones.
    """

    share: float = field(default=1.0, compare=False)
    layers: Collection[str] = ()
    loss: Callable[..., StatisticLoss] = GramLoss
    """Made of a style's mean and, by name, `relative`."""
    sum_of: Callable[..., Tensor] = gram_sum
    add: Callable[..., None] = add_gram_gradient
    """What sums the own positions, and adds the gradient of a loss with a slope by these sums."""
    waits: bool = field(default=False, compare=False)
    """Whether any of it waits for the device."""

    def is_of(self, layer: str) -> bool:
        """Whether it is taken of a layer."""
        return not self.layers or layer in self.layers

    def counted(self, mask: Tensor) -> Tensor:
        """The weight of each position where a mask, (H, W), is to count."""
        return mask

    def sums(self, features: Tensor, own: Place, weights: Tensor | None) -> Tensor:
        """The sum over a tile's own positions."""
        return self.sum_of(features[(..., *own)], weights)

    def add_gradient(
        self, gradient: Tensor, features: Tensor, own: Place, weights: Tensor | None, slope: Tensor
    ) -> None:
        """Add to `gradient`, by the features, that of a loss with this slope by the sums."""
        self.add(gradient[(..., *own)], features[(..., *own)], weights, slope)


@dataclass(frozen=True)
class _Shifted(Statistic):
    """The products of features with those some positions further down or to the right.

    Berger and Memisevic 2017, *Incorporating Long-Range Consistency in CNN-Based Texture
    Generation*.
    """

    axis: int = -1

    def counted(self, mask: Tensor) -> Tensor:
        """Both of a pair have to be there; it counts what the lesser of them does."""
        first, other = (
            self._from(mask, begin, mask.shape[self.axis] - SHIFT) for begin in (0, SHIFT)
        )
        paired = torch.zeros_like(mask)
        self._from(paired, 0, mask.shape[self.axis] - SHIFT).copy_(torch.minimum(first, other))
        return paired

    def sums(self, features: Tensor, own: Place, weights: Tensor | None) -> Tensor:
        (first, other), weights = self._pair(features, own, weights)
        return gram_sum(first, weights, other=other)

    def add_gradient(
        self, gradient: Tensor, features: Tensor, own: Place, weights: Tensor | None, slope: Tensor
    ) -> None:
        maps, weights = self._pair(features, own, weights)
        gradients, _ = self._pair(gradient, own, None)
        add_pair_gradient(gradients, maps, weights, slope)

    def _pair(
        self, maps: Tensor, own: Place, weights: Tensor | None
    ) -> tuple[tuple[Tensor, Tensor], Tensor | None]:
        """Maps at a tile's own positions and at those further on, as far as these are there."""
        span = own[self.axis]
        own_maps = maps[..., own[0], :] if self.axis == -1 else maps[..., own[1]]
        count = min(span.stop, maps.shape[self.axis] - SHIFT) - span.start
        first, other = (self._from(own_maps, span.start + shift, count) for shift in (0, SHIFT))
        return (first, other), None if weights is None else self._from(weights, 0, count)

    def _from(self, maps: Tensor, begin: int, count: int) -> Tensor:
        """So many rows or columns of maps, or none, as a view."""
        return maps.movedim(self.axis, -1)[..., begin : begin + max(0, count)].movedim(
            -1, self.axis
        )


_HISTOGRAM_LAYERS = tuple(
    layer for shape in NETWORKS.values() for layer in (shape.style_layers[0], shape.style_layers[3])
)
"""relu1_1 and relu4_1, as Risser et al. 2017 have it, and the like of other networks."""

STATISTICS: dict[str, tuple[Statistic, ...]] = {
    "gram": (Statistic(),),
    "wasserstein": (Statistic(loss=GaussianLoss, sum_of=partial(gram_sum, ones=True)),),
    "histogram": (
        Statistic(),
        Statistic(
            layers=_HISTOGRAM_LAYERS,
            loss=HistogramLoss,
            sum_of=bin_sum,
            add=add_remapped,
            waits=True,
        ),
    ),
    "shifted": (Statistic(share=0.5), _Shifted(share=0.25, axis=-1), _Shifted(share=0.25, axis=-2)),
}
"""By `Settings.style_loss`."""
