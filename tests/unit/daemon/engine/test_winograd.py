"""Convolutions with fewer products, beside torch's own."""

import pytest
import torch
from torch import nn

from impasto_daemon.engine import winograd as module
from impasto_daemon.engine.winograd import WinogradConvolution, saves_time


@pytest.fixture
def direct():
    torch.manual_seed(0)
    return nn.Conv2d(24, 40, 3, padding=1).requires_grad_(False)


def seen(convolution, size):
    """What it makes of a map, and a gradient of it."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 24, *size, generator=generator).to(memory_format=torch.channels_last)
    made = convolution(x.requires_grad_())
    slope = torch.randn(made.shape, generator=generator)
    return made.detach(), torch.autograd.grad(made, x, slope)[0]


@pytest.mark.parametrize("band", [1, 1 << 15, 1 << 22])
@pytest.mark.parametrize("size", [(16, 16), (17, 30), (38, 51)])
def test_map_and_gradient_are_those_of_the_convolution(direct, monkeypatch, size, band):
    monkeypatch.setattr(module, "_BAND", band)
    for found, expected in zip(
        seen(WinogradConvolution(direct), size), seen(direct, size), strict=True
    ):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        assert found.is_contiguous(memory_format=torch.channels_last)


def test_small_map_is_what_torch_makes_of_it(direct):
    for size in (15, 40), (40, 15):
        assert torch.equal(seen(WinogradConvolution(direct), size)[0], seen(direct, size)[0])


def test_number_of_threads_changes_no_bit(direct):
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 8):
            torch.set_num_threads(threads)
            found.append(seen(WinogradConvolution(direct), (90, 70)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(map(torch.equal, found[0], other))


def test_it_is_for_many_channels_in_float32():
    many, few = nn.Conv2d(128, 256, 3), nn.Conv2d(128, 128, 3)
    assert saves_time(many) and not saves_time(few)
    assert not saves_time(many.to(torch.bfloat16)) and not saves_time(many.to(torch.float64))
