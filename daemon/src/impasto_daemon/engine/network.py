"""A trained network as a fixed extractor of feature maps: VGG-19, or another of `NETWORKS`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from impasto_daemon.engine.budget import DeviceKind
from impasto_daemon.engine.convolutions import MEAN, STD, vgg_tensors
from impasto_daemon.engine.network_name import network_name
from impasto_daemon.engine.padding import pad_to_network, replicate_pad
from impasto_daemon.engine.sums import one_thread
from impasto_daemon.engine.winograd import WinogradConvolution, saves_time
from impasto_protocol.networks import NETWORKS, NetworkShape, convolutions
from impasto_protocol.settings import Settings


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


class FeatureNetwork:
    """A network up to the last layer that may be taken; frozen, channels-last, pixels normalised.

    weights: its `tensor_shapes`, any float type.
    weights_hash: names the weights; `self.name` adds what else the features depend on.
    pooling: "max", or "average", which Gatys et al. found to look smoother.
    precision: of the convolutions and of the feature maps.
    Raises ValueError when a tensor is missing, superfluous or of the wrong shape.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        *,
        network: str = "vgg19",
        weights_hash: str,
        pooling: str = "max",
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
    ) -> None:
        shape = NETWORKS[network]
        if {name: tuple(tensor.shape) for name, tensor in weights.items()} != tensor_shapes(
            network
        ):
            raise ValueError(f"These are not the weights of {shape.label}.")
        self.device = torch.device(device)
        self.name = network_name(Settings(network=network, pooling=pooling), weights_hash)
        self.evaluations = 0
        self._layout, self.precision = torch.channels_last, precision
        steps = list(_vgg_steps(weights, shape) if shape.blocks else _steps(weights, network))
        first = next(module for step, _ in steps for module in step.modules()
                     if isinstance(module, nn.Conv2d))  # fmt: skip
        self._border_px, first.padding = int(first.padding[0]), (0, 0)
        self._steps = [(self._made_ready(_pooled(module, pooling)), name) for module, name in steps]
        self._mean = torch.tensor(MEAN, device=self.device).view(1, 3, 1, 1)
        self._std = torch.tensor(STD, device=self.device).view(1, 3, 1, 1)

    def _made_ready(self, module: nn.Module) -> nn.Module:
        module = module.to(self.device, self.precision).to(memory_format=self._layout)
        if isinstance(module, nn.Conv2d) and saves_time(module):
            return WinogradConvolution(module)
        return module

    @property
    def arithmetic(self) -> str:
        """What else than its name the digits of its features depend on."""
        return f"{self.device.type}-{self.precision}".replace("torch.", "")

    @property
    def kind(self) -> DeviceKind:
        """What a painting with it is planned by."""
        device = self.device.type
        return DeviceKind(self.precision.itemsize, gpu=device == "cuda", apple=device == "mps")

    def segments(self, picture: Tensor, layers: Collection[str]) -> Iterator[Segment]:
        """The feature maps of `layers` in order of depth, each (1, C, H / 2^k, W / 2^k).

        picture: (1, 3, H, W), RGB in [0, 1]; sides grow to multiples of 16. A map is made when it
        is asked for, and nothing deeper than the deepest of `layers` is. See `backpropagate`.
        """
        self.evaluations += 1
        wanted = set(layers)
        start, x = picture, (pad_to_network(picture) - self._mean) / self._std
        # Departs from the networks, which pad with zeros here too: black around the picture is an
        # edge that it does not have.
        x = replicate_pad(x, *[self._border_px] * 4)
        x = x.to(self.precision, memory_format=self._layout)
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


def tensor_shapes(network: str) -> dict[str, tuple[int, ...]]:
    """Every tensor of a network by torchvision's name, up to the last layer that may be taken."""
    if NETWORKS[network].blocks:
        return vgg_tensors(network)
    return {
        f"{path}.{name}": tuple(tensor.shape)
        for path, module in _trunk(network)
        for name, tensor in module.state_dict().items()
        if tensor.is_floating_point()
    }


def _vgg_steps(
    weights: Mapping[str, Tensor], shape: NetworkShape
) -> Iterator[tuple[nn.Module, str]]:
    """Every module in order, with its layer's name; empty for what has none."""
    block = "1"
    for name, key, kernel in convolutions(shape.blocks):
        if name[4] != block:
            block = name[4]
            yield nn.MaxPool2d(2), ""
        convolution = nn.Conv2d(kernel[1], kernel[0], 3, padding=1, device="meta")
        for part in ("weight", "bias"):
            setattr(convolution, part, nn.Parameter(weights[f"{key}.{part}"], requires_grad=False))
        yield convolution, ""
        yield nn.ReLU(inplace=True), name


def _steps(weights: Mapping[str, Tensor], network: str) -> Iterator[tuple[nn.Module, str]]:
    """The same of any network of torchvision's, by its own modules."""
    layers = {layer.module: name for name, layer in NETWORKS[network].layers.items()}
    for path, module in _trunk(network):
        own = {
            name.removeprefix(f"{path}."): tensor.float()
            for name, tensor in weights.items()
            if name.startswith(f"{path}.")
        }
        counters = module.state_dict().keys() - own.keys()  # of batches, for training
        own |= {name: torch.zeros((), dtype=torch.long) for name in counters}
        module.load_state_dict(own, assign=True)
        yield module.eval().requires_grad_(requires_grad=False), layers.get(path, "")


def _trunk(network: str) -> Iterator[tuple[str, nn.Module]]:
    """The modules of torchvision's network, without weights, by the path that it has them at."""
    import torchvision

    shape, options = NETWORKS[network], {}
    if network == "googlenet":
        options = {"init_weights": False, "aux_logits": False}
    with torch.device("meta"):
        model = torchvision.models.get_model(network, weights=None, **options)
    last = list(shape.layers.values())[-1].module
    for name, child in model.named_children():
        parts = child.named_children() if isinstance(child, nn.Sequential) else [("", child)]
        for number, module in parts:
            path = f"{name}.{number}" if number else name
            yield path, module
            if path == last:
                return


def _pooled(module: nn.Module, pooling: str) -> nn.Module:
    """A pooling of that kind in place of one by the maximum; anything else as it is."""
    if pooling == "max" or not isinstance(module, nn.MaxPool2d):
        return module
    return nn.AvgPool2d(
        module.kernel_size, module.stride, module.padding, module.ceil_mode, count_include_pad=False
    )
