"""Each term against the paper's sums written as plain loops, and gradients against differences."""

import itertools

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from impasto_daemon.engine.gram import add_gram_gradient, gram_sum
from impasto_daemon.engine.histogram import add_remapped, bin_sum
from impasto_daemon.engine.losses import (
    ContentLoss,
    GaussianLoss,
    GramLoss,
    HistogramLoss,
    StyleLosses,
    TotalVariation,
    polar_factor,
    squared_error,
)

N, HEIGHT, WIDTH = 3, 4, 5
M = HEIGHT * WIDTH


def features(seed, height=HEIGHT, width=WIDTH):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, N, height, width, generator=generator, dtype=torch.float64)


def ones(height=HEIGHT, width=WIDTH):
    return torch.ones(height, width, dtype=torch.float64)


def content(found, target, mask=None, *, relative):
    """The content loss of one feature map."""
    loss = ContentLoss(1.0, squared_error(target, target * 0, mask), relative=relative)
    return loss.value(squared_error(found, target, mask))


def gram(maps, mask=None):
    return gram_sum(maps, mask) / (maps[0, 0].numel() if mask is None else mask.sum())


def style(found, target, mask=None, *, relative):
    """The style loss of one feature map against the Gram matrix of another."""
    positions = (ones() if mask is None else mask).sum()
    loss = StyleLosses([(torch.ones(()), GramLoss(gram(target), relative=relative))], positions)
    return loss.at(gram_sum(found, mask))[0]


def paper_gram(maps):
    """Gatys et al. 2016, eq. 3: G_ij = Σ_k F_ik F_jk."""
    flat = maps[0].reshape(N, -1).tolist()
    return [[sum(a * b for a, b in zip(flat[i], flat[j], strict=True)) for j in range(N)]
            for i in range(N)]  # fmt: skip


def test_gram_matrix_is_the_papers_per_position():
    maps = features(1)
    expected = torch.tensor(paper_gram(maps), dtype=torch.float64) / M
    torch.testing.assert_close(gram(maps), expected)


def test_gram_matrix_counts_each_position_by_its_mask():
    maps, mask = features(1), torch.rand(HEIGHT, WIDTH, dtype=torch.float64)
    expected = torch.zeros(N, N, dtype=torch.float64)
    for row, column in itertools.product(range(HEIGHT), range(WIDTH)):
        here = maps[0, :, row, column]
        expected += mask[row, column] * torch.outer(here, here)
    torch.testing.assert_close(gram(maps, mask), expected / mask.sum())


def test_gatys_content_loss_is_equation_1():
    found, target = features(1), features(2)
    expected = 0.0
    for channel, row, column in itertools.product(range(N), range(HEIGHT), range(WIDTH)):
        expected += float(found[0, channel, row, column] - target[0, channel, row, column]) ** 2
    assert float(content(found, target, relative=False)) == pytest.approx(0.5 * expected)


def test_gatys_style_loss_is_equation_4():
    found, target = features(1), features(2)
    ours, theirs = paper_gram(found), paper_gram(target)
    expected = sum((ours[i][j] - theirs[i][j]) ** 2 for i in range(N) for j in range(N))
    found_loss = float(style(found, target, relative=False))
    assert found_loss == pytest.approx(expected / (4 * N**2 * M**2))


def test_relative_losses_are_squared_relative_errors():
    found, target = features(1), features(2)
    error = float((found - target).square().sum() / target.square().sum())
    assert float(content(found, target, relative=True)) == pytest.approx(error)
    ours, theirs = gram(found), gram(target)
    error = float((ours - theirs).square().sum() / theirs.square().sum())
    assert float(style(found, target, relative=True)) == pytest.approx(error)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_relative_losses_do_not_feel_the_weights_magnitude(factor):
    found, target = features(1), features(2)
    for make in (
        lambda f: content(found * f, target * f, relative=True),
        lambda f: style(found * f, target * f, relative=True),
    ):
        assert float(make(factor)) == pytest.approx(float(make(1.0)))


def test_relative_losses_of_nothing_are_not_undefined():
    nothing = torch.zeros(1, N, HEIGHT, WIDTH, dtype=torch.float64)
    assert float(content(nothing, nothing, relative=True)) == 0
    assert float(style(nothing, nothing, relative=True)) == 0
    assert torch.isfinite(content(features(1), nothing, relative=True))


def test_masked_positions_do_not_count():
    found, target, mask = features(1), features(2), ones()
    mask[0] = 0
    changed = found.clone()
    changed[:, :, 0] = 9
    for loss in (content, style):
        unchanged = float(loss(found, target, mask, relative=True))
        assert float(loss(changed, target, mask, relative=True)) == unchanged


def paint_masks():
    """Of all, of all alike, of each pixel its own."""
    return [ones()[None], 0.1 * ones()[None], torch.arange(M).double().view(1, HEIGHT, WIDTH) / M]


@pytest.mark.parametrize("mask", paint_masks())
def test_total_variation_is_the_mean_of_squared_differences_by_the_lesser_mask(mask):
    picture = features(3)
    expected = 0.0
    for channel, row, column in itertools.product(range(N), range(HEIGHT), range(WIDTH)):
        for down, across in ((1, 0), (0, 1)):
            if row + down < HEIGHT and column + across < WIDTH:
                here, next_to = (row, column), (row + down, column + across)
                difference = float(picture[0, channel][next_to] - picture[0, channel][here])
                expected += difference**2 * float(min(mask[0][here], mask[0][next_to]))
    loss, _ = TotalVariation(1.0, mask).value_and_gradient(picture)
    assert float(loss) == pytest.approx(expected / (N * float(mask.sum())))


def test_total_variation_of_nothing_is_not_undefined():
    loss, gradient = TotalVariation(1.0, 0 * ones()[None]).value_and_gradient(features(3))
    assert float(loss) == 0 and not gradient.any()


def test_total_variation_of_a_picture_looked_at_in_parts_is_that_of_the_whole(monkeypatch):
    loss = TotalVariation(1.0, paint_masks()[-1])
    whole = loss.value_and_gradient(features(3))
    monkeypatch.setattr("impasto_daemon.engine.losses._ROWS", 1)
    torch.testing.assert_close(loss.value_and_gradient(features(3)), whole)


def slope_of_content(found, target, mask, *, relative):
    loss = ContentLoss(1.0, squared_error(target, target * 0, mask), relative=relative)
    return loss.gradient(found, target, mask)


def slope_of_style(found, target, mask, *, relative):
    positions = (ones() if mask is None else mask).sum()
    loss = StyleLosses([(torch.ones(()), GramLoss(gram(target), relative=relative))], positions)
    slope = torch.zeros_like(found)
    add_gram_gradient(slope, found, mask, loss.at(gram_sum(found, mask))[1])
    return slope


@pytest.mark.parametrize("mask", [None, torch.arange(M, dtype=torch.float64).view(HEIGHT, WIDTH)])
@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("loss, slope", [(content, slope_of_content), (style, slope_of_style)])
def test_gradient_is_what_finite_differences_say(loss, slope, relative, mask):
    found, target = features(1), features(2)
    gradient = slope(found, target, mask, relative=relative)
    assert_slope(lambda at: loss(at, target, mask, relative=relative), found, gradient)


@pytest.mark.parametrize("mask", paint_masks())
def test_total_variations_gradient_is_what_finite_differences_say(mask):
    loss = TotalVariation(3.0, mask).value_and_gradient
    assert_slope(lambda at: loss(at)[0], features(1), loss(features(1))[1])


def test_gram_matrix_of_a_map_looked_at_in_parts_is_that_of_the_whole(monkeypatch):
    maps, mask, slope = features(1), torch.rand(HEIGHT, WIDTH).double(), paper_gram(features(3))
    slope = torch.tensor(slope, dtype=torch.float64)
    found = []
    for block in (1, N * WIDTH * 3, 1 << 22):
        monkeypatch.setattr("impasto_daemon.engine.gram._BLOCK", block)
        gradient = torch.zeros_like(maps)
        add_gram_gradient(gradient, maps, mask, slope)
        found.append((gram_sum(maps, mask), gradient))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])


def histogram_loss(found, target, mask=None):
    """Of a map against another, and its gradient, by the bins."""
    positions = (ones(*found.shape[-2:]) if mask is None else mask).sum()
    target = bin_sum(target) / target[0, 0].numel()
    loss, gradient = HistogramLoss(target, relative=False), torch.zeros_like(found)
    value, slope = StyleLosses([(torch.ones(()), loss)], positions).at(bin_sum(found, mask))
    add_remapped(gradient, found, mask, slope.double())
    return value, gradient


@pytest.mark.parametrize("power", [0.3, 2, 3])
def test_histogram_loss_pairs_the_features_of_a_channel_by_their_order(power):
    """Risser et al. 2017: R(F) has the place among the style's that F has among its own."""
    found, target = features(1, 60, 80), features(2, 60, 80) ** power
    ordered, order = found.flatten(2).sort(dim=2)
    wanted = torch.zeros_like(ordered).scatter(2, order, target.flatten(2).sort(dim=2)[0])
    wanted = wanted.view_as(found)
    value, gradient = histogram_loss(found, target)
    expected = (found - wanted).square().sum() / 4800
    assert float(value) == pytest.approx(float(expected), rel=0.01)
    slope = 2 * (found - wanted) / 4800
    assert float((gradient - slope).norm()) < 0.03 * float(slope.norm())


def test_histogram_of_a_map_counts_each_position_by_its_mask():
    found, target, mask = features(1), features(2), ones()
    mask[:2] = 0
    value, gradient = histogram_loss(found, target, mask)
    halved, other = histogram_loss(found, target, mask / 2)
    assert not gradient[:, :, :2].any() and gradient[:, :, 2:].any()
    torch.testing.assert_close((value, gradient), (halved, other))
    changed = found.clone()
    changed[:, :, :2] = 9
    assert float(histogram_loss(changed, target, mask)[0]) == float(value)


def test_histogram_of_equal_features_is_without_loss_and_of_nothing_finite():
    found = features(1)
    value, gradient = histogram_loss(found, found)
    assert float(value) == pytest.approx(0, abs=1e-9) and float(gradient.abs().max()) < 1e-6
    for one, other in ((found * 0, found), (found, found * 0)):
        value, gradient = histogram_loss(one, other)
        assert 0 < float(value) < 10 and gradient.isfinite().all()


@pytest.mark.parametrize("factor", [0, 1e-6, 1])
def test_distance_of_gaussians_is_stable_where_features_vanish(factor):
    target = gram_sum(features(2), ones=True) / M
    for loss in (GaussianLoss(target, relative=True), GaussianLoss(target * 0, relative=True)):
        value, slope = loss.at(gram_sum(features(1) * factor, ones=True) / M)
        assert value.isfinite() and slope.isfinite().all()
    assert float(GaussianLoss(target, relative=True).at(target)[0]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("smallest", "bound", "within"), [(-2, 1, 1e-3), (-3, 0.05, 5e-3)])
def test_polar_factor_is_the_orthogonal_matrix_next_to_one(smallest, bound, within):
    drawn = torch.Generator().manual_seed(7)
    left, right = (
        torch.linalg.qr(torch.randn(128, 128, generator=drawn, dtype=torch.float64)).Q
        for _ in range(2)
    )
    singular = torch.logspace(3, smallest, 128, dtype=torch.float64)
    matrix = left @ singular.diag() @ right.T
    exact = polar_factor(matrix, bound * singular[-1])
    assert float((exact - left @ right.T).abs().max()) < 1e-6
    found = polar_factor(matrix.float(), bound * singular[-1])
    assert float((found - left @ right.T).abs().max()) < within
    assert float((found.T @ found - torch.eye(128)).abs().max()) < 1e-8
    assert float((found * matrix).sum()) == pytest.approx(float(singular.sum()), rel=1e-6)


def test_distance_of_gaussians_does_not_wait_for_a_gpu():
    """A tensor without numbers, as a GPU's are before it is done, raises where one is asked for."""
    with FakeTensorMode():
        target, mean = (torch.rand(65, 65, device="cuda") for _ in range(2))
        loss = GaussianLoss(target, relative=True)
        value, slope = loss.at(mean)
        assert value.is_cuda and slope.shape == (65, 65)
        with pytest.raises(DataDependentOutputException):
            float(value)


def assert_slope(loss, at, gradient: Tensor):
    step = 1e-6
    for index in itertools.product(range(1), range(N), range(HEIGHT), range(WIDTH)):
        there, back = at.clone(), at.clone()
        there[index] += step
        back[index] -= step
        slope = float(loss(there) - loss(back)) / (2 * step)
        assert float(gradient[index]) == pytest.approx(slope, rel=1e-5, abs=1e-9)
