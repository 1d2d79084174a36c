"""VGG-19 as torchvision has it, but for what is said to depart from it."""

import subprocess
import sys

import pytest
import torch
import torchvision
from torch import nn

from impasto_daemon.engine.convolutions import CONVOLUTIONS
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.weights import oxford
from impasto_protocol.settings import LAYER, STYLE_LAYERS


@pytest.fixture(scope="module")
def weights():
    return oxford.unpack()


def reference(weights, picture, layer):
    """relu`layer` by torchvision's own modules, inside a border wide enough not to matter."""
    with torch.device("meta"):
        features = torchvision.models.vgg19(weights=None).features
    features.load_state_dict(
        {name.removeprefix("features."): w.float() for name, w in weights.items()}, assign=True
    )
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    x, relus = (picture - mean) / std, 0
    for module in features:
        x = module(x)
        relus += isinstance(module, nn.ReLU)
        if relus == LAYER.index(layer) + 1 and isinstance(module, nn.ReLU):
            return x
    raise AssertionError(layer)


def test_table_is_torchvisions():
    with torch.device("meta"):
        state = torchvision.models.vgg19(weights=None).state_dict()
    expected = {k: tuple(v.shape) for k, v in state.items() if k.startswith("features.")}
    assert expected == CONVOLUTIONS


@pytest.mark.parametrize("layer", ["relu1_1", "relu3_1", "relu4_2"])
@torch.no_grad()
def test_features_are_torchvisions_away_from_the_border(weights, noise, maps, layer):
    picture = noise(1, 3, 192, 192)
    found = maps(FeatureNetwork(weights, weights_hash="oxford"), picture, [layer])[layer]
    expected = reference(weights, picture, layer)
    middle = slice(found.shape[-1] * 3 // 8, found.shape[-1] * 5 // 8)
    torch.testing.assert_close(
        found[..., middle, middle],
        expected[..., middle, middle],
        atol=1e-5 * float(expected.max()),
        rtol=1e-3,
    )


def test_nothing_deeper_than_the_deepest_layer_is_evaluated(network, noise, maps, monkeypatch):
    calls = []
    run = nn.Conv2d.forward
    monkeypatch.setattr(nn.Conv2d, "forward", lambda self, x: calls.append(1) or run(self, x))
    maps(network, noise(1, 3, 16, 16), ["relu1_1", "relu2_1"])
    assert len(calls) == 3


@pytest.mark.parametrize("side", [1, 16])
def test_deepest_layer_of_the_smallest_picture_has_a_position(network, noise, maps, side):
    found = maps(network, noise(1, 3, side, side), STYLE_LAYERS)
    assert found["relu5_1"].shape[-2:] == (1, 1)


def test_parameters_are_frozen_and_channels_last(network):
    parameters = [p for module, _ in network._steps for p in module.parameters()]
    assert len(parameters) == len(CONVOLUTIONS)
    for parameter in parameters:
        assert not parameter.requires_grad
        if parameter.dim() == 4:
            assert parameter.is_contiguous(memory_format=torch.channels_last)


def test_average_pooling_changes_what_is_behind_it(weights, noise, maps):
    average = FeatureNetwork(weights, weights_hash="u", pooling="average")
    most = FeatureNetwork(weights, weights_hash="u")
    picture = noise(1, 3, 32, 32)
    for layer, same in (("relu1_2", True), ("relu2_1", False)):
        one, other = (maps(net, picture, [layer])[layer] for net in (average, most))
        assert torch.equal(one, other) == same
    assert average.name != most.name


@pytest.mark.parametrize("spoil", ["missing", "superfluous", "shape"])
def test_weights_that_are_not_vgg19_are_refused(spoil):
    weights = {name: torch.zeros(shape) for name, shape in CONVOLUTIONS.items()}
    if spoil == "missing":
        del weights["features.0.bias"]
    elif spoil == "superfluous":
        weights["classifier.0.weight"] = torch.zeros(1)
    else:
        weights["features.0.bias"] = torch.zeros(65)
    with pytest.raises(ValueError, match="not the weights"):
        FeatureNetwork(weights, weights_hash="spoilt")


def test_engine_works_without_sockets_and_the_rest_of_the_daemon():
    code = """
import sys
for name in ("zmq", "msgpack", "click", "rich", "safetensors", "platformdirs"):
    sys.modules[name] = None
import torch
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.engine.convolutions import CONVOLUTIONS
from impasto_daemon.engine.network import FeatureNetwork
from impasto_protocol.settings import Settings
weights = {k: torch.randn(s) / 30 for k, s in CONVOLUTIONS.items()}
network = FeatureNetwork(weights, weights_hash="random")
*_, last = stylise(torch.rand(3, 20, 20), Style(torch.rand(3, 30, 30), network),
                   Settings(iterations=2), network)
assert last.steps == 2
loaded = {name for name in sys.modules if name.startswith("impasto_daemon.")}
assert all(name.startswith("impasto_daemon.engine") for name in loaded), loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)
