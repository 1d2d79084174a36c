"""Each term against the paper's sums written as plain loops, and gradients against differences."""

import itertools

import pytest
import torch
from torch import Tensor

from impasto_daemon.engine.gram import gram_matrix
from impasto_daemon.engine.losses import ContentLoss, StyleLoss, TotalVariation

N, HEIGHT, WIDTH = 3, 4, 5
M = HEIGHT * WIDTH


def features(seed, height=HEIGHT, width=WIDTH):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, N, height, width, generator=generator, dtype=torch.float64)


def ones(height=HEIGHT, width=WIDTH):
    return torch.ones(height, width, dtype=torch.float64)


def paper_gram(maps):
    """Gatys et al. 2016, eq. 3: G_ij = Σ_k F_ik F_jk."""
    flat = maps[0].reshape(N, -1).tolist()
    return [[sum(a * b for a, b in zip(flat[i], flat[j], strict=True)) for j in range(N)]
            for i in range(N)]  # fmt: skip


def test_gram_matrix_is_the_papers_per_position():
    maps = features(1)
    expected = torch.tensor(paper_gram(maps), dtype=torch.float64) / M
    torch.testing.assert_close(gram_matrix(maps), expected)


def test_gram_matrix_counts_each_position_by_its_mask():
    maps, mask = features(1), torch.rand(HEIGHT, WIDTH, dtype=torch.float64)
    expected = torch.zeros(N, N, dtype=torch.float64)
    for row, column in itertools.product(range(HEIGHT), range(WIDTH)):
        here = maps[0, :, row, column]
        expected += mask[row, column] * torch.outer(here, here)
    torch.testing.assert_close(gram_matrix(maps, mask), expected / mask.sum())


def test_gatys_content_loss_is_equation_1():
    found, target = features(1), features(2)
    expected = 0.0
    for channel, row, column in itertools.product(range(N), range(HEIGHT), range(WIDTH)):
        expected += float(found[0, channel, row, column] - target[0, channel, row, column]) ** 2
    loss = ContentLoss(target, ones(), ones(), relative=False)
    assert float(loss(found)) == pytest.approx(0.5 * expected)


def test_gatys_style_loss_is_equation_4():
    found, target = features(1), features(2)
    ours, theirs = paper_gram(found), paper_gram(target)
    expected = sum((ours[i][j] - theirs[i][j]) ** 2 for i in range(N) for j in range(N))
    loss = StyleLoss(gram_matrix(target), ones(), relative=False)
    assert float(loss(found)) == pytest.approx(expected / (4 * N**2 * M**2))


def test_relative_losses_are_squared_relative_errors():
    found, target = features(1), features(2)
    error = float((found - target).square().sum() / target.square().sum())
    assert float(ContentLoss(target, ones(), ones(), relative=True)(found)) == pytest.approx(error)
    ours, theirs = gram_matrix(found), gram_matrix(target)
    error = float((ours - theirs).square().sum() / theirs.square().sum())
    assert float(StyleLoss(theirs, ones(), relative=True)(found)) == pytest.approx(error)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_relative_losses_do_not_feel_the_weights_magnitude(factor):
    found, target = features(1), features(2)
    for make in (
        lambda f: ContentLoss(target * f, ones(), ones(), relative=True)(found * f),
        lambda f: StyleLoss(gram_matrix(target * f), ones(), relative=True)(found * f),
    ):
        assert float(make(factor)) == pytest.approx(float(make(1.0)))


def test_relative_losses_of_nothing_are_not_undefined():
    nothing = torch.zeros(1, N, HEIGHT, WIDTH, dtype=torch.float64)
    assert float(ContentLoss(nothing, ones(), ones(), relative=True)(nothing)) == 0
    assert float(StyleLoss(gram_matrix(nothing), ones(), relative=True)(nothing)) == 0
    assert torch.isfinite(ContentLoss(nothing, ones(), ones(), relative=True)(features(1)))


def test_masked_positions_do_not_count():
    found, target, mask = features(1), features(2), ones()
    mask[0] = 0
    changed = found.clone()
    changed[:, :, 0] = 9
    for loss in (
        ContentLoss(target, mask, mask, relative=True),
        StyleLoss(gram_matrix(target), mask, relative=True),
    ):
        assert float(loss(changed)) == float(loss(found))


def test_total_variation_is_the_mean_of_squared_differences():
    picture = features(3)
    expected = 0.0
    for channel, row, column in itertools.product(range(N), range(HEIGHT), range(WIDTH)):
        here = float(picture[0, channel, row, column])
        if row + 1 < HEIGHT:
            expected += (float(picture[0, channel, row + 1, column]) - here) ** 2
        if column + 1 < WIDTH:
            expected += (float(picture[0, channel, row, column + 1]) - here) ** 2
    assert float(TotalVariation()(picture)) == pytest.approx(expected / (N * M))


LOSSES = {
    "content, gatys": ContentLoss(features(2), ones(), ones(), relative=False),
    "content, relative": ContentLoss(features(2), ones(), ones(), relative=True),
    "style, gatys": StyleLoss(gram_matrix(features(2, 6, 6)), ones(), relative=False),
    "style, relative": StyleLoss(gram_matrix(features(2, 6, 6)), ones(), relative=True),
    "total variation": TotalVariation(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_is_what_finite_differences_say(name):
    loss, at = LOSSES[name], features(1)
    found = at.clone().requires_grad_()
    loss(found).backward()
    gradient: Tensor = found.grad
    step = 1e-6
    for index in itertools.product(range(1), range(N), range(HEIGHT), range(WIDTH)):
        there, back = at.clone(), at.clone()
        there[index] += step
        back[index] -= step
        slope = float(loss(there) - loss(back)) / (2 * step)
        assert float(gradient[index]) == pytest.approx(slope, rel=1e-5, abs=1e-9)
