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


def test_apples_gpu_is_bounded_and_given_back_and_makes_its_own_products(cache, monkeypatch):
    told = []
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: told.append("given back"))
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 100 << 20)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 8000 << 20)
    monkeypatch.setattr(torch.mps, "set_per_process_memory_fraction", told.append)
    found = cache("mps")
    found.bound(1900)
    found.bound(9000)
    assert told == ["given back", 0.25, "given back", 1.0]
    assert not found.rate.kind.saves_products and not found.rate.kind.gpu
