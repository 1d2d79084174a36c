"""What a GPU is to do, told once and then repeated: of a small picture the telling takes longer.

A CUDA graph does not ask the processor for anything: the kernels of an evaluation, the network's,
those of the losses and of the gradient, follow each other as they did when it was recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

LARGEST_PX = 1 << 20
"""Of a picture; with a larger one the GPU takes longer than the processor takes to tell it."""

_ALIKE = 1e-3

Evaluation = tuple[dict[str, Tensor], Tensor]
"""The terms of a loss, 0-d, and the gradient of their sum."""

log = logging.getLogger(__name__)


def cuda_graph(evaluate: Callable[[], Evaluation]) -> tuple[Evaluation, Callable[[], None]]:
    """What an evaluation leaves, and what repeats it there. Raises RuntimeError."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = evaluate()
    return found, graph.replay


class Replayed:
    """An evaluation that is recorded after the first and replayed from the second on.

    evaluate: has its picture at the same place each time, and never waits for the device.
    record: `cuda_graph`, or what does the same.
    What cannot be recorded, or gives other numbers when it is replayed, is evaluated plainly.
    What is returned is overwritten by the next.
    """

    def __init__(
        self,
        evaluate: Callable[[], Evaluation],
        record: Callable[[Callable[[], Evaluation]], tuple[Evaluation, Callable[[], None]]],
    ) -> None:
        self._evaluate, self._record = evaluate, record
        self._recorded: tuple[Evaluation, Callable[[], None]] | None = None
        self._begun = False

    def __call__(self) -> Evaluation:
        """Evaluate once more."""
        if self._recorded:
            found, replay = self._recorded
            replay()
            return found
        found = self._evaluate()
        if not self._begun:
            self._begun = True
            self._begin(found)
        return found

    def _begin(self, plain: Evaluation) -> None:
        """Replay from now on, if the same comes of it."""
        try:
            recorded = self._record(self._evaluate)
            found, replay = recorded
            found[1].fill_(torch.nan)  # or what replays nothing would leave what was there
            replay()
            alike = _are_alike(plain, found)
        except RuntimeError as error:
            log.warning("An evaluation cannot be recorded: %s", error)
            return
        if alike:
            self._recorded = recorded
        else:
            log.warning("An evaluation is another when it is replayed.")


def _are_alike(one: Evaluation, other: Evaluation) -> bool:
    losses, others = (torch.stack(list(terms.values())) for terms, _ in (one, other))
    away = (one[1] - other[1]).norm() <= _ALIKE * one[1].norm()
    return bool(torch.allclose(losses, others, rtol=_ALIKE) and away)
