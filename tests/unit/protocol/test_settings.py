"""Ranges and cross-checks of a painting's settings."""

import dataclasses
from dataclasses import replace

import pytest

from impasto_protocol.errors import BadField, VersionSkew
from impasto_protocol.fields import from_dict, to_dict
from impasto_protocol.networks import LAYER_GROUPS, NETWORKS
from impasto_protocol.settings import (
    QUALITIES,
    VARIATION_NOISE,
    Settings,
    kept_settings,
    variations_of,
)


def test_settings_survive_being_made_plain():
    settings = Settings(strength=0.3, style_layers=("relu1_1",), snapshots=(1, 10))
    assert from_dict(Settings, to_dict(settings)) == settings


def test_whole_numbers_serve_as_floats():
    assert dataclasses.astuple(Settings(strength=1)) == dataclasses.astuple(Settings(strength=1.0))
    assert type(Settings(strength=1).strength) is float


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strength", -0.1),
        ("strength", 1.1),
        ("strength", float("nan")),
        ("strength", True),
        ("iterations", -1),
        ("iterations", 100_001),
        ("iterations", 10.5),
        ("optimiser", "sgd"),
        ("style_layers", ()),
        ("style_layers", ("relu1_1", "relu1_1")),
        ("style_layers", ("relu6_1",)),
        ("style_layer_weights", (1.0,)),
        ("style_layer_weights", (0.0,) * 5),
        ("content_weight", -1.0),
        ("snapshots", (0,)),
        ("seed", 2**60),
    ],
)
def test_value_out_of_range_is_refused_by_name(field, value):
    with pytest.raises(BadField) as caught:
        Settings(**{field: value})
    assert caught.value.field == field


def test_unknown_setting_is_refused_where_only_known_ones_may_stand():
    with pytest.raises(BadField, match="strenght"):
        from_dict(Settings, {"strenght": 0.5}, known_only=True)


def test_another_network_has_its_own_layers_where_none_are_named():
    there = Settings(network="googlenet", content_layers=("conv3",))
    assert there.style_layers == NETWORKS["googlenet"].style_layers
    assert there.content_layers == ("conv3",)
    back = replace(Settings(network="resnet50"), network="vgg19")
    assert back == Settings()


def test_recipe_with_a_setting_that_is_not_known_asks_for_an_update():
    assert kept_settings(to_dict(Settings(strength=0.4))) == Settings(strength=0.4)
    with pytest.raises(VersionSkew) as caught:
        kept_settings({"strength": 0.5, "later": 1})
    assert "Update Impasto" in caught.value.next_step


def test_recipe_of_before_there_was_a_choice_is_painted_as_it_was():
    older = to_dict(Settings(normalisation="relative", style_loss="gram"))
    del older["style_loss"]
    assert kept_settings(older) == Settings(normalisation="relative", style_loss="gram")


def test_layer_that_a_network_does_not_have_is_refused_by_name():
    for network, layer in (("vgg16", "relu3_4"), ("resnet50", "relu4_3"), ("vgg19", "conv1")):
        with pytest.raises(BadField, match=layer):
            Settings(network=network, content_layers=(layer,))


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_grain_and_shapes(network):
    shape = NETWORKS[network]
    for group in ("fine", "coarse"):
        assert set(LAYER_GROUPS[group]) & set(shape.style_layers)
    assert not set(LAYER_GROUPS["fine"]) & set(LAYER_GROUPS["coarse"])
    strides = [layer.stride_px for layer in shape.layers.values()]
    assert strides == sorted(strides) and strides[-1] <= 16


def test_variations_differ_by_their_seeds_and_start_from_noise():
    found = variations_of(Settings(seed=5), 3)
    assert [settings.seed for settings in found] == [5, 6, 7]
    assert {settings.start_noise for settings in found} == {VARIATION_NOISE}
    assert variations_of(Settings(start_noise=1.0), 2)[1].start_noise == 1.0
    at_once = Settings(**QUALITIES["instant"])
    assert variations_of(at_once, 4) == [at_once]  # they would be the same
