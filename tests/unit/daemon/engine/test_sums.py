"""Sums in one order, whatever the number of threads."""

import pytest
import torch

from impasto_daemon.engine.sums import dot, total


@pytest.mark.parametrize("count", [0, 1, 4096, 4097, 100_000, 20_000_000])
def test_sum_is_that_of_all(count):
    values = torch.rand(count, generator=torch.Generator().manual_seed(0))
    assert float(total(values)) == pytest.approx(float(values.double().sum()), rel=1e-6)


@pytest.mark.parametrize("type_", [torch.float32, torch.bfloat16])
def test_product_is_that_of_all_in_float32(noise, type_):
    one, other = noise(3, 1300, 1300).to(type_), noise(3, 1300, 1300, seed=1)
    expected = (one.double() * other.double()).sum()
    assert float(dot(one, other)) == pytest.approx(float(expected), rel=1e-6)


def test_number_of_threads_changes_no_bit(noise):
    values, before, found = noise(3_000_001), torch.get_num_threads(), set()
    try:
        for threads in (1, 2, 3, 5):
            torch.set_num_threads(threads)
            found.add(float(total(values)))
    finally:
        torch.set_num_threads(before)
    assert len(found) == 1
