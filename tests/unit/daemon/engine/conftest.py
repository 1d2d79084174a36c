"""What the engine's tests paint with: small pictures, Oxford's network."""

import pytest
import torch

from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.weights import oxford


@pytest.fixture(scope="session")
def network():
    return FeatureNetwork(oxford.unpack(), weights_hash="oxford")


@pytest.fixture
def noise():
    """Seeded pictures: noise(channels, height, width)."""

    def make(*shape, seed=0):
        return torch.rand(shape, generator=torch.Generator().manual_seed(seed))

    return make


@pytest.fixture
def maps():
    """The feature maps of a picture by layer: maps(network, picture, layers)."""

    def look(network, picture, layers):
        return {s.layer: s.features.detach() for s in network.segments(picture, layers)}

    return look
