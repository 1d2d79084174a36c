"""The trained networks that a picture may be looked at with, and their layers. One row each.

Standard library only. A layer's numbers are those of torchvision's network, which a test holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Layer(NamedTuple):
    """A feature map that a picture can be seen by.

    module: the last one that it is made by, as torchvision calls it. stride_px: pixels of the
    picture from one position to the next. reach_px: how far a position sees beyond its own square.
    channels: of the map. flops: floating-point operations of all convolutions up to it, for each
    pixel of the picture.
    """

    module: str
    stride_px: int
    reach_px: int
    channels: int
    flops: float


@dataclass(frozen=True)
class NetworkShape:
    """label: for people. layers: by name, in order of depth, none with a stride above 16 px.

    style_layers, content_layers: those that are taken unless others are named. blocks: of a VGG,
    (channels, convolutions), with a pooling behind each.
    """

    label: str
    layers: dict[str, Layer]
    style_layers: tuple[str, ...]
    content_layers: tuple[str, ...]
    blocks: tuple[tuple[int, int], ...] = ()


def convolutions(
    blocks: tuple[tuple[int, int], ...],
) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(ReLU's name, torchvision's key of its convolution, shape of the weight) of a VGG."""
    index, channels = 0, 3
    for block, (width, count) in enumerate(blocks, start=1):
        for number in range(1, count + 1):
            yield f"relu{block}_{number}", f"features.{index}", (width, channels, 3, 3)
            index, channels = index + 2, width
        index += 1


def _vgg(label: str, blocks: tuple[tuple[int, int], ...]) -> NetworkShape:
    layers: dict[str, Layer] = {}
    reach = flops = 0.0
    for name, key, (width, channels, *_) in convolutions(blocks):
        stride = 2 ** (int(name[4]) - 1)
        reach += stride
        flops += 2 * 9 * width * channels / stride**2
        relu = f"features.{int(key.split('.')[1]) + 1}"
        layers[name] = Layer(relu, stride, int(reach), width, flops)
    style = tuple(f"relu{block}_1" for block in range(1, 6))
    return NetworkShape(label, layers, style, ("relu4_2",), blocks)


NETWORKS = {
    "vgg19": _vgg("VGG-19", ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))),
    "vgg16": _vgg("VGG-16", ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))),
    "googlenet": NetworkShape(
        "GoogLeNet",
        {
            "conv1": Layer("conv1", 2, 3, 64, 4_704),
            "conv3": Layer("conv3", 4, 8, 192, 19_040),
            "inception3a": Layer("inception3a", 8, 20, 256, 23_888),
            "inception3b": Layer("inception3b", 8, 28, 480, 34_480),
            "inception4a": Layer("inception4a", 16, 52, 512, 37_318),
            "inception4b": Layer("inception4b", 16, 68, 512, 40_630),
            "inception4c": Layer("inception4c", 16, 84, 512, 44_418),
            "inception4d": Layer("inception4d", 16, 100, 528, 48_886),
            "inception4e": Layer("inception4e", 16, 116, 832, 55_150),
        },
        ("conv1", "conv3", "inception3b", "inception4a", "inception4d"),
        ("inception4b",),
    ),
    "resnet50": NetworkShape(
        "ResNet-50",
        {
            "stem": Layer("relu", 2, 3, 64, 4_704),
            "layer1_1": Layer("layer1.0", 4, 9, 256, 13_920),
            "layer1_2": Layer("layer1.1", 4, 13, 256, 22_624),
            "layer1_3": Layer("layer1.2", 4, 17, 256, 31_328),
            "layer2_1": Layer("layer2.0", 8, 21, 512, 46_176),
            "layer2_2": Layer("layer2.1", 8, 29, 512, 54_880),
            "layer2_3": Layer("layer2.2", 8, 37, 512, 63_584),
            "layer2_4": Layer("layer2.3", 8, 45, 512, 72_288),
            "layer3_1": Layer("layer3.0", 16, 53, 1024, 87_136),
            "layer3_2": Layer("layer3.1", 16, 69, 1024, 95_840),
            "layer3_3": Layer("layer3.2", 16, 85, 1024, 104_544),
            "layer3_4": Layer("layer3.3", 16, 101, 1024, 113_248),
            "layer3_5": Layer("layer3.4", 16, 117, 1024, 121_952),
            "layer3_6": Layer("layer3.5", 16, 133, 1024, 130_656),
        },
        ("stem", "layer1_1", "layer1_3", "layer2_4", "layer3_3"),
        ("layer3_1",),
    ),
}
"""By `Settings.network`. VGG-19 comes with Impasto; the others are downloaded when asked for."""

LAYERS: dict[str, Layer] = {}
for _shape in NETWORKS.values():
    LAYERS |= {name: layer for name, layer in _shape.layers.items() if name not in LAYERS}
"""Every layer by name. Of a name that two have VGG-19's, which sees as far as the other's."""

LAYER_GROUPS = {
    "all": (),
    "fine": tuple(dict.fromkeys(
        itertools.chain.from_iterable(shape.style_layers[:3] for shape in NETWORKS.values())
    )),
    "coarse": tuple(dict.fromkeys(
        itertools.chain.from_iterable(shape.style_layers[3:] for shape in NETWORKS.values())
    )),
}  # fmt: skip
"""What may be taken of a style: the grain and the strokes, or the shapes; all: whatever is set."""
