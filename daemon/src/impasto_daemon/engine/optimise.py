"""Optimisers that never wait for the device: every decision is a `torch.where`.

Both are given the terms of the loss and its gradient at `trial` and move it. `picture` is what to
show, `loss` the last loss that was finite and not taken back, `terms` what it was the sum of,
`failures` how many evaluations in a row have not been finite.
"""

from __future__ import annotations

import torch
from torch import Tensor

from impasto_daemon.engine.sums import blocks, dot

_LARGEST_MOVE = 0.25
_FIRST_MOVE = 0.05


class LBFGS:
    """Limited-memory BFGS (Nocedal 1980), one evaluation a step, within [0, 1] when `box`.

    A step that does not lower the loss enough (Armijo), or not to a finite number, is taken back
    and a shorter one tried, so the loss of `picture` never rises. The box is kept by projection:
    pixels at a bound that want to leave it rest, and the pairs record the projected move. That is
    what clamping behind the optimiser's back lacks, and why that diverges.

    start: any shape. history: pairs of vectors remembered, each of the size of `start`, as
    numbers of type `pairs`. Everything is changed in place; `trial` and `picture` too.
    """

    def __init__(
        self,
        start: Tensor,
        *,
        history: int = 10,
        box: bool = True,
        pairs: torch.dtype | None = None,
    ) -> None:
        self.trial = start.clone(memory_format=torch.contiguous_format)
        self.picture = self.trial.clone()
        self._gradient = torch.zeros_like(self.trial)
        self._box, self._steps = box, 0
        self._moves, self._changes = (
            [torch.zeros_like(self.trial, dtype=pairs) for _ in range(history)] for _ in range(2)
        )
        self._curvatures = start.new_zeros(history)
        self._scale = start.new_zeros(())
        self._length = start.new_ones(())
        self.loss = self.terms = start.new_full((), torch.inf)
        self.failures = start.new_zeros(())

    def step(self, terms: Tensor, gradient: Tensor) -> None:
        """Take in the terms of the loss, of any shape, and gradient at `trial`, and move it."""
        loss = terms.sum()
        slot = self._steps % len(self._curvatures)
        move, change = self._moves[slot], self._changes[slot]
        _subtract(self.trial, self.picture, out=move)
        _subtract(gradient, self._gradient, out=change)
        enough = self.loss + 1e-4 * dot(self._gradient, move).clamp_max(0)
        finite = loss.isfinite() & gradient.isfinite().all()
        accepted = finite & (loss <= enough)
        self.failures = torch.where(finite, 0, self.failures + 1)
        self._judge(slot, accepted)
        torch.where(accepted, self.trial, self.picture, out=self.picture)
        torch.where(accepted, gradient, self._gradient, out=self._gradient)
        self.loss = torch.where(accepted, loss, self.loss)
        self.terms = torch.where(accepted, terms, self.terms)
        self._length = torch.where(accepted, torch.ones_like(loss), self._length * 0.25)
        self._point()
        self._steps += 1
        self.trial.mul_(self._length).add_(self.picture)
        if self._box:
            self.trial.clamp_(0, 1)

    def _judge(self, slot: int, accepted: Tensor) -> None:
        """Keep a new pair if it is sound; otherwise it has curvature zero, hence no effect."""
        move, change = self._moves[slot], self._changes[slot]
        curvature = dot(move, change)
        bend = dot(change, change)
        sound = accepted & (curvature > 1e-8 * (dot(move, move) * bend).sqrt())
        move.masked_fill_(~sound, 0)
        change.masked_fill_(~sound, 0)
        self._curvatures[slot] = torch.where(sound, 1 / curvature, 0)
        self._scale = torch.where(sound, curvature / bend, self._scale)

    def _point(self) -> None:
        """Make `trial` the direction to go in.

        Minus the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4) of the gradient.
        """
        resting = self._resting()
        q = torch.neg(self._gradient, out=self.trial).masked_fill_(resting, 0)
        first = torch.where(self._scale > 0, self._scale, _FIRST_MOVE / _largest(q))
        count = len(self._curvatures)
        newest_first = [(self._steps - age) % count for age in range(min(count, self._steps))]
        shares = {}
        for slot in newest_first:
            shares[slot] = self._curvatures[slot] * dot(self._moves[slot], q)
            _add(q, -shares[slot], self._changes[slot])
        q.mul_(torch.where(self._scale > 0, self._scale, _FIRST_MOVE / _largest(q)))
        for slot in reversed(newest_first):
            share = self._curvatures[slot] * dot(self._changes[slot], q)
            _add(q, shares[slot] - share, self._moves[slot])
        q.masked_fill_(resting, 0)
        descends = dot(q, self._gradient) < 0
        for part, gradient, rests in zip(
            *(blocks(plane) for plane in (q, self._gradient, resting)), strict=True
        ):
            steepest = (-first * gradient).masked_fill_(rests, 0)
            torch.where(descends, part, steepest, out=part)
        q.mul_((_LARGEST_MOVE / _largest(q)).clamp_max(1))

    def _resting(self) -> Tensor:
        """The pixels at a bound that want to leave the box."""
        if not self._box:
            return torch.zeros_like(self.picture, dtype=torch.bool)
        below = (self.picture <= 0).logical_and_(self._gradient > 0)
        above = (self.picture >= 1).logical_and_(self._gradient < 0)
        return below.logical_or_(above)


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
        self.loss = self.terms = start.new_full((), torch.inf)
        self.failures = start.new_zeros(())

    @property
    def picture(self) -> Tensor:
        """The average of the iterates so far; the start before the first step."""
        total = 1 - self._averaging**self._steps
        return torch.where(self._steps > 0, self._sum / total, self.trial)

    def step(self, terms: Tensor, gradient: Tensor) -> None:
        """Take in the terms of the loss, of any shape, and gradient at `trial`, and move it."""
        loss = terms.sum()
        finite = loss.isfinite() & gradient.isfinite().all()
        self.failures = torch.where(finite, 0, self.failures + 1)
        self.loss = torch.where(finite, loss, self.loss)
        self.terms = torch.where(finite, terms, self.terms)
        self._steps = self._steps + finite
        count = self._steps.clamp_min(1)
        planes = self.trial, self._first, self._second, self._sum, gradient
        for trial, first, second, average, slope in zip(*map(blocks, planes), strict=True):
            slope = torch.where(finite, slope, 0)
            first.mul_(0.9).add_(slope, alpha=0.1)
            second.mul_(0.99).addcmul_(slope, slope, value=0.01)
            size = (second / (1 - 0.99**count)).sqrt_().add_(1e-8)
            move = self._rate * first / (1 - 0.9**count) / size
            trial.sub_(torch.where(finite, move, 0))
            if self._box:
                trial.clamp_(0, 1)
            averaged = torch.lerp(trial, average, self._averaging)
            torch.where(finite, averaged, average, out=average)


def _subtract(one: Tensor, other: Tensor, *, out: Tensor) -> None:
    """one − other, rounded to the type of `out`."""
    for part, some, others in zip(*map(blocks, (out, one, other)), strict=True):
        part.copy_(some - others)


def _add(sums: Tensor, share: Tensor, values: Tensor) -> None:
    """Add so much of other values; share: 0-d."""
    for part, some in zip(blocks(sums), blocks(values), strict=True):
        part.addcmul_(some.to(part.dtype), share)


def _largest(values: Tensor) -> Tensor:
    low, high = values.aminmax()
    return torch.maximum(-low, high).clamp_min(1e-30)
