"""Pictures at another size, as a painting needs them."""

import pytest
import torch

from impasto_daemon.engine.resizing import enlarge, resize


@pytest.mark.parametrize("growth", [2**0.5, 3**0.5, 2])
def test_enlarged_picture_has_no_column_that_stands_out(noise, growth):
    picture = noise(3, 300, 300)
    side = round(300 * growth)
    contrasts = [
        enlarged.diff(dim=2).abs().mean(dim=(0, 1))[9:-9]
        for enlarged in (resize(picture, side, side), enlarge(picture, side, side))
    ]
    plain, even = (float(columns.max() / columns.median()) for columns in contrasts)
    assert even < 1.15 and even < plain


def test_enlarging_keeps_what_is_flat_and_the_border(noise):
    assert torch.allclose(enlarge(torch.full((3, 1, 40), 0.7), 2, 80), torch.tensor(0.7))
    ramp = torch.linspace(0, 1, 50).expand(3, 20, 50)
    assert float((enlarge(ramp, 40, 100) - resize(ramp, 40, 100)).abs().max()) < 0.02
