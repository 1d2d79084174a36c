"""VGG-19 (Simonyan and Zisserman 2014) as a fixed extractor of feature maps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import torch
import torchvision
from torch import Tensor, nn

from impasto_daemon.engine.network_name import network_name
from impasto_daemon.engine.padding import replicate_pad

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))


def _convolutions() -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(ReLU's name, torchvision's key of its convolution, shape of the weight), in order."""
    index, channels = 0, 3
    for block, (width, count) in enumerate(_BLOCKS, start=1):
        for number in range(1, count + 1):
            yield f"relu{block}_{number}", f"features.{index}", (width, channels, 3, 3)
            index, channels = index + 2, width
        index += 1


CONVOLUTIONS: dict[str, tuple[int, ...]] = {
    name: shape
    for _, key, weight in _convolutions()
    for name, shape in ((f"{key}.weight", weight), (f"{key}.bias", weight[:1]))
}
"""Every tensor of the network by torchvision's name, with its shape."""


class Vgg19:
    """VGG-19 up to its last convolution; frozen, channels-last, pixels normalised inside.

    weights: the tensors of CONVOLUTIONS, any float type.
    weights_hash: names the weights; `self.name` adds what else the features depend on.
    pooling: "max", or "average", which Gatys et al. found to look smoother.
    centres: by layer, (C,), what features are counted from; none means zero.
    content_factor: what a content loss counts for, between relative losses.
    precision: of the convolutions; the feature maps are float32 always.
    Raises ValueError when a tensor is missing, superfluous or of the wrong shape.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        *,
        weights_hash: str,
        pooling: str = "max",
        device: torch.device | str = "cpu",
        centres: Mapping[str, Tensor] | None = None,
        content_factor: float = 1.0,
        precision: torch.dtype = torch.float32,
    ) -> None:
        if {name: tuple(tensor.shape) for name, tensor in weights.items()} != CONVOLUTIONS:
            raise ValueError("These are not the weights of VGG-19.")
        self.device = torch.device(device)
        self.name = network_name(pooling, weights_hash)
        self.evaluations = 0
        self._layout, self.precision = torch.channels_last, precision
        self.content_factor = content_factor
        self._centres = {
            layer: centre.view(1, -1, 1, 1).to(self.device)
            for layer, centre in (centres or {}).items()
        }
        with torch.device("meta"):
            features = torchvision.models.vgg19(weights=None).features
        features.load_state_dict(
            {
                name.removeprefix("features."): tensor.to(precision)
                for name, tensor in weights.items()
            },
            assign=True,
        )
        features.requires_grad_(False).eval()
        features[0].padding = (0, 0)
        self._steps = [
            (module.to(self.device).to(memory_format=self._layout), name)
            for module, name in _named(features, pooling)
        ]
        self._mean = torch.tensor(_MEAN, device=self.device).view(1, 3, 1, 1)
        self._std = torch.tensor(_STD, device=self.device).view(1, 3, 1, 1)

    def features(self, picture: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The feature maps of `layers`, each (1, C, H / 2^k, W / 2^k).

        picture: (1, 3, H, W), RGB in [0, 1], both sides multiples of 16.
        Nothing deeper than the deepest of `layers` is evaluated.
        """
        self.evaluations += 1
        wanted, found = set(layers), {}
        x = (picture - self._mean) / self._std
        # Departs from VGG, which pads with zeros here too: black around the picture is an edge
        # that it does not have.
        x = replicate_pad(x, 1, 1, 1, 1).to(self.precision, memory_format=self._layout)
        for module, name in self._steps:
            x = module(x)
            if name in wanted:
                maps = x.float()
                found[name] = maps - self._centres[name] if name in self._centres else maps
                if len(found) == len(wanted):
                    return found
        raise KeyError(f"no such layers: {sorted(wanted - found.keys())}")


def _named(features: nn.Sequential, pooling: str) -> Iterator[tuple[nn.Module, str]]:
    names = (name for name, _, _ in _convolutions())
    for module in features:
        if isinstance(module, nn.ReLU):
            # In place would overwrite the convolution's output while autograd still needs it.
            yield nn.ReLU(inplace=False), next(names)
        elif isinstance(module, nn.MaxPool2d) and pooling == "average":
            yield nn.AvgPool2d(2), ""
        else:
            yield module, ""
