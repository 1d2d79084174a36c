"""The optimisers on problems whose answers are known."""

import itertools

import pytest
import torch

from impasto_daemon.engine.optimise import LBFGS, Adam


def minimise(optimiser, function, steps):
    losses = []
    for _ in range(steps):
        at = optimiser.trial.detach().requires_grad_()
        loss = function(at)
        (gradient,) = torch.autograd.grad(loss, at)
        optimiser.step(loss.detach(), gradient)
        losses.append(float(optimiser.loss))
    return losses


def quadratic(centre, stiffness):
    return lambda x: 0.5 * (stiffness * (x - centre).square()).sum()


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1].square()).square() + (1 - x[:-1]).square()).sum()


def test_lbfgs_solves_an_ill_conditioned_quadratic():
    centre = torch.linspace(-2, 2, 50, dtype=torch.float64)
    stiffness = torch.logspace(0, 3, 50, dtype=torch.float64)
    optimiser = LBFGS(torch.zeros(50, dtype=torch.float64), box=False)
    minimise(optimiser, quadratic(centre, stiffness), 300)
    torch.testing.assert_close(optimiser.picture, centre, atol=1e-4, rtol=0)


def test_lbfgs_follows_the_valley_of_rosenbrock():
    optimiser = LBFGS(torch.tensor([-1.2, 1.0, -1.2, 1.0], dtype=torch.float64), box=False)
    losses = minimise(optimiser, rosenbrock, 300)
    assert losses[-1] < 1e-8
    torch.testing.assert_close(optimiser.picture, torch.ones(4, dtype=torch.float64), atol=1e-3,
                               rtol=0)  # fmt: skip


def test_lbfgs_finds_the_best_point_of_the_box():
    centre = torch.linspace(-2, 3, 40, dtype=torch.float64)
    stiffness = torch.logspace(0, 2, 40, dtype=torch.float64)
    optimiser = LBFGS(torch.full((40,), 0.5, dtype=torch.float64), box=True)
    minimise(optimiser, quadratic(centre, stiffness), 100)
    torch.testing.assert_close(optimiser.picture, centre.clamp(0, 1), atol=1e-6, rtol=0)


def test_lbfgs_finds_the_best_point_of_the_box_when_pixels_pull_at_each_other():
    generator = torch.Generator().manual_seed(1)
    root = torch.randn(12, 12, dtype=torch.float64, generator=generator)
    stiffness = root @ root.T / 12 + 0.1 * torch.eye(12, dtype=torch.float64)
    pull = torch.randn(12, dtype=torch.float64, generator=generator)
    optimiser = LBFGS(torch.full((12,), 0.5, dtype=torch.float64), box=True)
    minimise(optimiser, lambda x: 0.5 * x @ stiffness @ x - pull @ x, 300)
    found = optimiser.picture
    # Karush, Kuhn and Tucker: no slope inside, only outward slopes at the bounds.
    gradient = stiffness @ found - pull
    assert torch.all((gradient.abs() < 1e-5) | ((found == 0) & (gradient > 0))
                     | ((found == 1) & (gradient < 0)))  # fmt: skip
    assert ((found == 0) | (found == 1)).any()


def test_lbfgs_never_lets_the_loss_of_its_picture_rise():
    losses = minimise(LBFGS(torch.tensor([-1.2, 1.0]), box=False), rosenbrock, 200)
    assert all(after <= before for before, after in itertools.pairwise(losses))


def test_lbfgs_comes_back_from_undefined_numbers():
    def cliff(x):
        return torch.where(x.sum() > 1, torch.nan, 0.5 * (x - 0.24).square().sum())

    optimiser = LBFGS(torch.zeros(4, dtype=torch.float64), box=False)
    minimise(optimiser, lambda x: cliff(x) * 1.0, 60)
    torch.testing.assert_close(optimiser.picture, torch.full((4,), 0.24, dtype=torch.float64),
                               atol=1e-4, rtol=0)  # fmt: skip


@pytest.mark.parametrize("box", [True, False])
def test_lbfgs_counts_failures_and_keeps_its_picture(box):
    optimiser = LBFGS(torch.full((4,), 0.5), box=box)
    optimiser.step(torch.tensor(1.0), torch.ones(4))
    for _ in range(7):
        optimiser.step(torch.tensor(torch.nan), torch.full((4,), torch.nan))
    assert float(optimiser.failures) == 7
    assert torch.equal(optimiser.picture, torch.full((4,), 0.5))
    assert torch.isfinite(optimiser.trial).all()


def test_lbfgs_moves_at_all_when_the_gradient_is_tiny():
    optimiser = LBFGS(torch.full((4,), 0.5), box=True)
    minimise(optimiser, lambda x: 1e-12 * (x - 0.2).square().sum(), 30)
    assert float((optimiser.picture - 0.2).abs().max()) < 0.05


def test_adam_stays_in_the_box_and_gets_there():
    centre = torch.linspace(-1, 2, 20)
    optimiser = Adam(torch.full((20,), 0.5), learning_rate=0.05, averaging=0.9)
    minimise(optimiser, quadratic(centre, torch.ones(20)), 300)
    torch.testing.assert_close(optimiser.picture, centre.clamp(0, 1), atol=0.02, rtol=0)


def test_adams_picture_is_the_corrected_average_of_its_iterates():
    optimiser = Adam(torch.zeros(3), learning_rate=0.1, averaging=0.8, box=False)
    iterates = []
    for _ in range(5):
        minimise(optimiser, quadratic(torch.ones(3), torch.ones(3)), 1)
        iterates.append(optimiser.trial.clone())
    weights = [0.8**age for age in range(5)][::-1]
    expected = sum(w * x for w, x in zip(weights, iterates, strict=True)) / sum(weights)
    torch.testing.assert_close(optimiser.picture, expected)


def test_adam_without_averaging_takes_its_last_iterate():
    optimiser = Adam(torch.zeros(3), learning_rate=0.1, averaging=0)
    minimise(optimiser, quadratic(torch.ones(3), torch.ones(3)), 4)
    torch.testing.assert_close(optimiser.picture, optimiser.trial)


def test_adam_agrees_with_torchs():
    ours = Adam(torch.zeros(5, dtype=torch.float64), learning_rate=0.1, averaging=0, box=False)
    theirs = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    reference = torch.optim.Adam([theirs], lr=0.1, betas=(0.9, 0.99), eps=1e-8)
    function = quadratic(torch.linspace(-1, 2, 5, dtype=torch.float64), torch.arange(1, 6))
    minimise(ours, function, 20)
    for _ in range(20):
        reference.zero_grad()
        function(theirs).backward()
        reference.step()
    torch.testing.assert_close(ours.trial, theirs.detach())


def test_adam_ignores_a_gradient_that_is_not_finite():
    optimiser = Adam(torch.full((3,), 0.5), learning_rate=0.1)
    optimiser.step(torch.tensor(torch.nan), torch.full((3,), torch.inf))
    assert torch.equal(optimiser.picture, torch.full((3,), 0.5))
    assert float(optimiser.failures) == 1
