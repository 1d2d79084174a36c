"""What a worker keeps warm, as it is on devices that are not here."""

import pytest
import torch

from impasto_daemon.config import Config
from impasto_daemon.worker.models import ModelCache


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """cache(device): the one of a worker on it."""
    monkeypatch.setattr("os.nice", lambda by: 0)
    monkeypatch.setattr("torch.set_num_threads", lambda count: None)
    return lambda device: ModelCache(Config(device=device), tmp_path)


@pytest.mark.parametrize(("device", "number"), [("cuda", 0), ("cuda:1", 1)])
def test_graphs_are_recorded_on_the_gpu_that_paints(cache, monkeypatch, device, number):
    chosen = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    cache(device)
    assert chosen == [number]
