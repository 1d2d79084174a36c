"""The networks that paint what is judged here: the untrained one, and the real one if named."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.integration.conftest import own_daemon  # noqa: F401

from impasto_daemon.engine.network import Vgg19
from impasto_daemon.engine.untrained import untrained_vgg19
from impasto_daemon.worker.models import choose_precision


@pytest.fixture(scope="session")
def untrained():
    return untrained_vgg19()


@pytest.fixture(scope="session")
def real_weights(weights_file):
    return load_file(weights_file)


@pytest.fixture(scope="session")
def trained(real_weights):
    """The network as the daemon would have it on this machine."""
    precision = choose_precision("auto", torch.device("cpu"))
    return Vgg19(real_weights, weights_hash="real", precision=precision)


@pytest.fixture(scope="session")
def photograph(images):
    def load(name, longest_px):
        image = Image.open(images / name).convert("RGB")
        image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255

    return load
