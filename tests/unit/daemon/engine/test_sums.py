"""Sums in one order, whatever the number of threads."""

import pytest
import torch

from impasto_daemon.engine.sums import dot, total


@pytest.mark.parametrize("count", [0, 1, 4096, 4097, 100_000, 20_000_000])
def test_sum_is_that_of_all(count):
    values = torch.rand(count, generator=torch.Generator().manual_seed(0))
    assert float(total(values)) == pytest.approx(float(values.double().sum()), rel=1e-6)


def test_product_is_that_of_all_and_has_its_gradient(noise):
    one, other = noise(3, 70, 90).requires_grad_(), noise(3, 70, 90, seed=1)
    product = dot(one, other)
    assert float(product.detach()) == pytest.approx(
        float((one.detach().double() * other.double()).sum()), rel=1e-6
    )
    (gradient,) = torch.autograd.grad(product, one)
    assert torch.equal(gradient, other)


def test_number_of_threads_changes_no_bit(noise):
    values, before, found = noise(3_000_001), torch.get_num_threads(), set()
    try:
        for threads in (1, 2, 3, 5):
            torch.set_num_threads(threads)
            found.add(float(total(values)))
    finally:
        torch.set_num_threads(before)
    assert len(found) == 1
