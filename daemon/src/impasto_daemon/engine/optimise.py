"""Optimisers that never wait for the device: every decision is a `torch.where`.

Both are given the loss and gradient at `trial` and move it. `picture` is what to show, `loss` the
last loss that was finite, `failures` how many evaluations in a row have not been.
"""

from __future__ import annotations

import torch
from torch import Tensor

from impasto_daemon.engine.sums import dot

_LARGEST_MOVE = 0.25
_FIRST_MOVE = 0.05


class LBFGS:
    """Limited-memory BFGS (Nocedal 1980), one evaluation a step, within [0, 1] when `box`.

    A step that does not lower the loss enough (Armijo), or not to a finite number, is taken back
    and a shorter one tried, so the loss of `picture` never rises. The box is kept by projection:
    pixels at a bound that want to leave it rest, and the pairs record the projected move. That is
    what clamping behind the optimiser's back lacks, and why that diverges.

    start: any shape. history: pairs of vectors remembered, each of the size of `start`.
    """

    def __init__(self, start: Tensor, *, history: int = 10, box: bool = True) -> None:
        self.trial = start.clone()
        self.picture = start.clone()
        self._box = box
        self._steps = 0
        self._moves = start.new_zeros(history, start.numel())
        self._changes = start.new_zeros(history, start.numel())
        self._curvatures = start.new_zeros(history)
        self._scale = start.new_zeros(())
        self._length = start.new_ones(())
        self.loss = start.new_full((), torch.inf)
        self.failures = start.new_zeros(())
        self._gradient = torch.zeros_like(start)

    def step(self, loss: Tensor, gradient: Tensor) -> None:
        """Take in the loss (0-d) and gradient (shape of start) at `trial`, and move it."""
        move = self.trial - self.picture
        enough = self.loss + 1e-4 * dot(self._gradient, move).clamp_max(0)
        finite = loss.isfinite() & gradient.isfinite().all()
        accepted = finite & (loss <= enough)
        self.failures = torch.where(finite, 0, self.failures + 1)
        self._remember(move, gradient - self._gradient, accepted)
        self.picture = torch.where(accepted, self.trial, self.picture)
        self._gradient = torch.where(accepted, gradient, self._gradient)
        self.loss = torch.where(accepted, loss, self.loss)
        self._length = torch.where(accepted, torch.ones_like(loss), self._length * 0.25)
        self.trial = self._moved(self._length * self._direction())
        self._steps += 1

    def _remember(self, move: Tensor, change: Tensor, accepted: Tensor) -> None:
        slot = self._steps % len(self._curvatures)
        curvature = dot(move, change)
        bend = dot(change, change)
        sound = accepted & (curvature > 1e-8 * (dot(move, move) * bend).sqrt())
        # An unsound pair takes its slot with curvature zero, which leaves it without effect.
        self._moves[slot] = torch.where(sound, move, 0).flatten()
        self._changes[slot] = torch.where(sound, change, 0).flatten()
        self._curvatures[slot] = torch.where(sound, 1 / curvature, 0)
        self._scale = torch.where(sound, curvature / bend, self._scale)

    def _direction(self) -> Tensor:
        """Minus the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4) of the gradient."""
        free = self._free()
        q = torch.where(free, self._gradient, 0).flatten()
        steepest = -q * torch.where(self._scale > 0, self._scale, _FIRST_MOVE / _largest(q))
        count = len(self._curvatures)
        newest_first = [(self._steps - age) % count for age in range(min(count, self._steps))]
        shares = {}
        for slot in newest_first:
            shares[slot] = self._curvatures[slot] * dot(self._moves[slot], q)
            q = q - shares[slot] * self._changes[slot]
        q = q * torch.where(self._scale > 0, self._scale, _FIRST_MOVE / _largest(q))
        for slot in reversed(newest_first):
            share = self._curvatures[slot] * dot(self._changes[slot], q)
            q = q + (shares[slot] - share) * self._moves[slot]
        direction = torch.where(free, -q.view_as(free), 0)
        descends = dot(direction, self._gradient) < 0
        direction = torch.where(descends, direction, steepest.view_as(free))
        return direction * (_LARGEST_MOVE / _largest(direction)).clamp_max(1)

    def _free(self) -> Tensor:
        if not self._box:
            return torch.ones_like(self.picture, dtype=torch.bool)
        below = (self.picture <= 0) & (self._gradient > 0)
        above = (self.picture >= 1) & (self._gradient < 0)
        return ~(below | above)

    def _moved(self, move: Tensor) -> Tensor:
        moved = self.picture + move
        return moved.clamp(0, 1) if self._box else moved


class Adam:
    """Adam (Kingma and Ba 2015), clamped to [0, 1] after each step when `box`.

    The picture is the average of the iterates, weighted by `averaging`^age and corrected for its
    start; a gradient that is not finite leaves everything as it was.
    """

    def __init__(
        self, start: Tensor, *, learning_rate: float, averaging: float = 0.99, box: bool = True
    ) -> None:
        self.trial = start.clone()
        self._box, self._rate, self._averaging = box, learning_rate, averaging
        self._first = torch.zeros_like(start)
        self._second = torch.zeros_like(start)
        self._sum = torch.zeros_like(start)
        self._steps = start.new_zeros(())
        self.loss = start.new_full((), torch.inf)
        self.failures = start.new_zeros(())

    @property
    def picture(self) -> Tensor:
        """The average of the iterates so far; the start before the first step."""
        total = 1 - self._averaging**self._steps
        return torch.where(self._steps > 0, self._sum / total, self.trial)

    def step(self, loss: Tensor, gradient: Tensor) -> None:
        """Take in the loss (0-d) and gradient (shape of start) at `trial`, and move it."""
        finite = loss.isfinite() & gradient.isfinite().all()
        self.failures = torch.where(finite, 0, self.failures + 1)
        self.loss = torch.where(finite, loss, self.loss)
        gradient = torch.where(finite, gradient, 0)
        self._steps = self._steps + finite
        count = self._steps.clamp_min(1)
        self._first = 0.9 * self._first + 0.1 * gradient
        self._second = 0.99 * self._second + 0.01 * gradient.square()
        size = (self._second / (1 - 0.99**count)).sqrt() + 1e-8
        move = self._rate * self._first / (1 - 0.9**count) / size
        moved = self.trial - torch.where(finite, move, 0)
        self.trial = moved.clamp(0, 1) if self._box else moved
        averaged = self._averaging * self._sum + (1 - self._averaging) * self.trial
        self._sum = torch.where(finite, averaged, self._sum)


def _largest(values: Tensor) -> Tensor:
    return values.abs().amax().clamp_min(1e-30)
