"""VGG-16, GoogLeNet and ResNet-50 as torchvision has them, and the table that says how they are.

Their weights are made up: what is held here does not depend on them.
"""

import pytest
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from impasto_daemon.engine.guidance import Guided
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.network import FeatureNetwork, tensor_shapes
from impasto_daemon.engine.objective import Objective
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.engine.tiles import WHOLE, Tiling
from impasto_protocol.networks import NETWORKS
from impasto_protocol.settings import Settings

SIDE = 320
OTHERS = [name for name in NETWORKS if name != "vgg19"]


def made_up(network):
    """Weights that keep the features' size from layer to layer."""
    drawn = torch.Generator().manual_seed(3)
    return {
        name: torch.rand(shape, generator=drawn) + 0.5 if len(shape) == 1
        else torch.randn(shape, generator=drawn) * (2 / shape[1:].numel()) ** 0.5
        for name, shape in ((n, torch.Size(s)) for n, s in tensor_shapes(network).items())
    }  # fmt: skip


@pytest.fixture(scope="module", params=OTHERS)
def other(request):
    """A network's name, its weights, and the network in float64."""
    weights = made_up(request.param)
    return request.param, weights, FeatureNetwork(
        weights, network=request.param, weights_hash="made", precision=torch.float64
    )  # fmt: skip


def theirs(name, weights, picture):
    """Every module's output by its path, of torchvision's own network."""
    options = {"googlenet": {"init_weights": False, "aux_logits": False}}.get(name, {})
    model = torchvision.models.get_model(name, weights=None, **options).eval()
    rest = {k: v for k, v in model.state_dict().items() if k not in weights}
    model.load_state_dict(weights | rest)
    found = {}
    wanted = {layer.module for layer in NETWORKS[name].layers.values()}
    for path, module in model.named_modules():
        if path in wanted:
            module.register_forward_hook(
                lambda _, __, out, path=path: found.setdefault(path, out.clone())
            )
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    model.double()((picture - mean) / std)
    return found


@torch.no_grad()
def test_features_are_torchvisions_away_from_the_border(other, maps):
    name, weights, network = other
    picture = torch.rand(1, 3, SIDE, SIDE, dtype=torch.float64)
    layers = NETWORKS[name].layers
    found, expected = maps(network, picture, list(layers)), theirs(name, weights, picture)
    for layer, about in layers.items():
        side, hidden = found[layer].shape[-1], -(-about.reach_px // about.stride_px) + 1
        middle = slice(hidden, side - hidden)
        assert side * about.stride_px == SIDE and found[layer].shape[1] == about.channels
        torch.testing.assert_close(
            found[layer][..., middle, middle], expected[about.module][..., middle, middle]
        )


def test_table_says_what_the_convolutions_take(other):
    name, _, network = other
    picture, before = torch.rand(1, 3, SIDE, SIDE), 0
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        for segment in network.segments(picture, NETWORKS[name].layers):
            flops = counted.get_total_flops() / SIDE**2
            # The first convolution also sees a border of its own.
            assert NETWORKS[name].layers[segment.layer].flops == pytest.approx(flops, rel=0.02)
            assert flops > before
            before = flops


def test_layers_see_no_further_than_the_table_says(other):
    """What is changed beyond their reach leaves them as they are, to the bit."""
    name, _, network = other
    for layer in (*NETWORKS[name].style_layers, [*NETWORKS[name].layers][-1]):
        about, begin = NETWORKS[name].layers[layer], SIDE // 2
        seen = []
        for level in (0.2, 0.8):
            picture = torch.full((1, 3, SIDE, SIDE), level, dtype=torch.float64)
            own = slice(begin - about.reach_px, begin + about.stride_px + about.reach_px)
            drawn = torch.Generator().manual_seed(5)
            kept = torch.rand(3, own.stop - own.start, own.stop - own.start, generator=drawn)
            picture[0, :, own, own] = kept.double()
            with torch.no_grad():
                (segment,) = network.segments(picture, [layer])
            place = begin // about.stride_px
            seen.append(segment.features[0, :, place, place])
        torch.testing.assert_close(*seen, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_tiles_are_painted_as_the_whole_is(other, pooling):
    name, weights, _ = other
    network = FeatureNetwork(
        weights, network=name, weights_hash="made", pooling=pooling, precision=torch.float64
    )
    settings = Settings(network=name, style_loss="histogram")
    picture = torch.rand(1, 3, 70, 290, dtype=torch.float64)
    masked = MaskedPicture.of(torch.rand(3, 70, 290, dtype=torch.float64))
    style = Style(torch.rand(3, 120, 150, dtype=torch.float64), network)
    target = Guided(style).target(150, settings)
    (terms, gradient), (of_tiles, by_tiles) = (
        Objective(masked, [target], settings, network, tiling).evaluate(picture)
        for tiling in (WHOLE, Tiling(1, 2))
    )
    assert terms.keys() == of_tiles.keys()
    for term, value in terms.items():
        assert float(of_tiles[term]) == pytest.approx(float(value), rel=1e-9)
    torch.testing.assert_close(by_tiles, gradient, rtol=1e-7, atol=1e-9 * gradient.abs().max())


def test_painting_comes_nearer_to_its_style_and_is_refined(other):
    name, weights, _ = other
    network = FeatureNetwork(weights, network=name, weights_hash="made")
    style = Style(torch.rand(3, 90, 110).pow(3), network)
    settings = Settings(network=name, iterations=12, working_px=64, refinement=3, tolerance=0)
    events = list(stylise(torch.rand(3, 96, 130), style, settings, network))
    losses = [float(sum(event.losses.values())) for event in events[1:13]
              if hasattr(event, "losses")]  # fmt: skip
    assert losses[-1] < 0.7 * losses[0]
    assert events[-1].picture.shape == (3, 96, 130) and not events[-1].diverged
