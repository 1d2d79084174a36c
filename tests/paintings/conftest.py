"""The network that paints what is judged here, and the field's pictures."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.integration.conftest import own_daemon  # noqa: F401

from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.weights import oxford
from impasto_daemon.worker.models import choose_precision


@pytest.fixture(scope="session")
def tensors():
    return oxford.unpack()


@pytest.fixture(scope="session")
def network(tensors):
    """Oxford's, as the daemon would have it on this machine."""
    precision = choose_precision("auto", torch.device("cpu"))
    return FeatureNetwork(tensors, weights_hash="oxford", precision=precision)


@pytest.fixture(scope="session")
def photograph(images):
    def load(name, longest_px):
        image = Image.open(images / name).convert("RGB")
        image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255

    return load
