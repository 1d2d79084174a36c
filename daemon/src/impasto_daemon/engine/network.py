"""VGG-19 (Simonyan and Zisserman 2014) as a fixed extractor of feature maps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from impasto_daemon.engine.budget import DeviceKind
from impasto_daemon.engine.convolutions import CONVOLUTIONS, MEAN, STD, convolutions
from impasto_daemon.engine.network_name import network_name
from impasto_daemon.engine.padding import pad_to_network, replicate_pad
from impasto_daemon.engine.sums import one_thread
from impasto_daemon.engine.winograd import WinogradConvolution, saves_time


@dataclass(frozen=True)
class Segment:
    """The network from one wanted layer, or the picture, to the next; `features` is the latter's.

    start: what it was computed from, a leaf of the graph that ends in `features`.
    """

    layer: str
    start: Tensor
    features: Tensor


def backpropagate(segments: list[Segment], add_slope: Callable[[Segment, Tensor], None]) -> Tensor:
    """The gradient of the picture that `segments` begin with, (1, 3, H, W).

    add_slope: adds the derivative of the loss by a segment's own features to the second, which is
    shaped like them. The list is emptied from the deepest on, which gives its memory back.
    """
    gradient = torch.zeros_like(segments[-1].features)
    while segments:
        segment = segments.pop()
        add_slope(segment, gradient)
        with one_thread(when=_is_split_among_threads(segment)):
            (gradient,) = torch.autograd.grad(segment.features, segment.start, gradient)
    return gradient


def _is_split_among_threads(segment: Segment) -> bool:
    """Whether the gradient behind a segment would be a sum in as many parts as there are threads.

    Of the first convolution, whose gradient has but three channels, oneDNN makes one in float32
    without AVX-512. It waits for memory, so that one thread takes hardly longer.
    """
    features = segment.features
    return (
        segment.layer == "relu1_1"
        and features.device.type == "cpu"
        and features.dtype == torch.float32
    )


class Vgg19:
    """VGG-19 up to its last convolution; frozen, channels-last, pixels normalised inside.

    weights: the tensors of CONVOLUTIONS, any float type.
    weights_hash: names the weights; `self.name` adds what else the features depend on.
    pooling: "max", or "average", which Gatys et al. found to look smoother.
    precision: of the convolutions and of the feature maps.
    Raises ValueError when a tensor is missing, superfluous or of the wrong shape.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        *,
        weights_hash: str,
        pooling: str = "max",
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
    ) -> None:
        if {name: tuple(tensor.shape) for name, tensor in weights.items()} != CONVOLUTIONS:
            raise ValueError("These are not the weights of VGG-19.")
        self.device = torch.device(device)
        self.name = network_name(pooling, weights_hash)
        self.evaluations = 0
        self._layout, self.precision = torch.channels_last, precision
        self._steps = [
            (self._made_ready(module), name) for module, name in _steps(weights, pooling)
        ]
        self._mean = torch.tensor(MEAN, device=self.device).view(1, 3, 1, 1)
        self._std = torch.tensor(STD, device=self.device).view(1, 3, 1, 1)

    def _made_ready(self, module: nn.Module) -> nn.Module:
        module = module.to(self.device, self.precision).to(memory_format=self._layout)
        if isinstance(module, nn.Conv2d) and saves_time(module):
            return WinogradConvolution(module)
        return module

    @property
    def kind(self) -> DeviceKind:
        """What a painting with it is planned by."""
        return DeviceKind(self.precision.itemsize, gpu=self.device.type == "cuda")

    def segments(self, picture: Tensor, layers: Collection[str]) -> Iterator[Segment]:
        """The feature maps of `layers` in order of depth, each (1, C, H / 2^k, W / 2^k).

        picture: (1, 3, H, W), RGB in [0, 1]; sides grow to multiples of 16. A map is made when it
        is asked for, and nothing deeper than the deepest of `layers` is. See `backpropagate`.
        """
        self.evaluations += 1
        wanted = set(layers)
        start, x = picture, (pad_to_network(picture) - self._mean) / self._std
        # Departs from VGG, which pads with zeros here too: black around the picture is an edge
        # that it does not have.
        x = replicate_pad(x, 1, 1, 1, 1).to(self.precision, memory_format=self._layout)
        for module, name in self._steps:
            x = module(x)
            if name in wanted:
                yield Segment(name, start, x)
                wanted.remove(name)
                if not wanted:
                    return
                if x.requires_grad:
                    start = x = x.detach().requires_grad_()
        raise KeyError(f"no such layers: {sorted(wanted)}")


def _steps(weights: Mapping[str, Tensor], pooling: str) -> Iterator[tuple[nn.Module, str]]:
    """Every module in order, with its name in `features`; empty for what has none."""
    block = "1"
    for name, key, shape in convolutions():
        if name[4] != block:
            block = name[4]
            yield nn.AvgPool2d(2) if pooling == "average" else nn.MaxPool2d(2), ""
        first = key == "features.0"
        convolution = nn.Conv2d(shape[1], shape[0], 3, padding=0 if first else 1, device="meta")
        for part in ("weight", "bias"):
            setattr(convolution, part, nn.Parameter(weights[f"{key}.{part}"], requires_grad=False))
        yield convolution, ""
        yield nn.ReLU(inplace=True), name
