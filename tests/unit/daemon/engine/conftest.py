"""What the engine's tests paint with: small pictures, the untrained network."""

import pytest
import torch

from impasto_daemon.engine.untrained import untrained_vgg19


@pytest.fixture(scope="session")
def untrained():
    return untrained_vgg19()


@pytest.fixture
def noise():
    """Seeded pictures: noise(channels, height, width)."""

    def make(*shape, seed=0):
        return torch.rand(shape, generator=torch.Generator().manual_seed(seed))

    return make
