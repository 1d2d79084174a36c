"""An evaluation that is recorded: only what comes out the same is replayed."""

import pytest
import torch

from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.objective import Objective
from impasto_daemon.engine.replay import Replayed, cuda_graph
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.weights import oxford
from impasto_protocol.settings import Settings


class Evaluations:
    """x² at a place that is changed in between, recorded without a GPU; off: by so much wrong.

    empty: nothing is recorded, though it is evaluated, as on another GPU than the one that records.
    """

    def __init__(self, off=0.0, fails=False, empty=False):
        self.place, self.off, self.fails = torch.tensor([3.0]), off, fails
        self.empty = empty
        self.plain = self.replayed = 0

    def evaluate(self):
        self.plain += 1
        return {"a": self.place.square()[0]}, 2 * self.place

    def record(self, evaluate):
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        (terms, gradient), loss = evaluate(), self.place.square()[0]

        def replay():
            self.replayed += 1
            if self.empty:
                return
            loss.copy_(self.place.square()[0] + self.off)
            gradient.copy_(2 * self.place)

        return ({**terms, "a": loss}, gradient), replay


def at(replayed, found, value):
    found.place.fill_(value)
    terms, gradient = replayed()
    return float(terms["a"]), float(gradient)


def test_from_the_second_on_it_is_replayed():
    found = Evaluations()
    replayed = Replayed(found.evaluate, found.record)
    assert [at(replayed, found, x) for x in (3, 4, 5)] == [(9, 6), (16, 8), (25, 10)]
    assert found.plain == 2  # the second of them is recorded
    assert found.replayed == 3


@pytest.mark.parametrize("found", [
    Evaluations(off=0.1), Evaluations(fails=True), Evaluations(empty=True),
])  # fmt: skip
def test_what_is_another_or_cannot_be_recorded_is_evaluated_plainly(found, caplog):
    replayed = Replayed(found.evaluate, found.record)
    assert [at(replayed, found, x) for x in (3, 4, 5)] == [(9, 6), (16, 8), (25, 10)]
    assert found.replayed == (0 if found.fails else 1)
    assert len(caplog.records) == 1


@pytest.mark.gpu
@pytest.mark.parametrize("style_loss", ["gram", "shifted"])
def test_a_painting_is_the_same_replayed_and_not(noise, monkeypatch, style_loss, caplog):
    network = FeatureNetwork(
        oxford.unpack(), weights_hash="oxford", device="cuda", precision=torch.bfloat16
    )
    style = Style(noise(3, 200, 200), network)
    chosen = Settings(iterations=30, scales=2, style_loss=style_loss)
    recorded = []
    monkeypatch.setattr(
        "impasto_daemon.engine.stylise.cuda_graph",
        lambda evaluate: recorded.append(evaluate) or cuda_graph(evaluate),
    )
    *_, replayed = stylise(noise(3, 256, 320), style, chosen, network)
    assert len(recorded) == 2 and not caplog.records
    monkeypatch.setattr(Objective, "is_replayable", property(lambda _: False))
    *_, plain = stylise(noise(3, 256, 320), style, chosen, network)
    assert len(recorded) == 2
    torch.testing.assert_close(replayed.picture, plain.picture, rtol=0, atol=1 / 255)
