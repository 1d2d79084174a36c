"""The life of a job as a table, and as whatever can happen to it in whatever order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_daemon.broker.jobs import ATTEMPTS, ENDS, Effect, Event, Life, State, advance

NEW, KEPT = Life(), Life(keep=True)
FIRST, LAST = Life(State.RUNNING, 1), Life(State.RUNNING, ATTEMPTS)

TABLE = [
    (NEW, Event.ASSIGNED, State.RUNNING, ()),
    (NEW, Event.CANCEL, State.CANCELLED, (Effect.TELL_CANCELLED,)),
    (NEW, Event.ENOUGH, State.CANCELLED, (Effect.TELL_CANCELLED,)),
    (NEW, Event.OWNER_GONE, State.CANCELLED, (Effect.TELL_CANCELLED,)),
    (KEPT, Event.OWNER_GONE, State.QUEUED, ()),
    (FIRST, Event.FINISHED, State.DONE, (Effect.TELL_RESULT,)),
    (FIRST, Event.FAILED, State.FAILED, (Effect.TELL_FAILED,)),
    (FIRST, Event.WORKER_LOST, State.QUEUED, (Effect.QUEUE_FIRST,)),
    (LAST, Event.WORKER_LOST, State.FAILED, (Effect.TELL_FAILED,)),
    (FIRST, Event.CANCEL, State.CANCELLED, (Effect.INTERRUPT, Effect.TELL_CANCELLED)),
    (FIRST, Event.OWNER_GONE, State.CANCELLED, (Effect.INTERRUPT, Effect.TELL_CANCELLED)),
    (FIRST, Event.ENOUGH, State.RUNNING, (Effect.CONCLUDE,)),
    (Life(State.RUNNING, 1, keep=True), Event.OWNER_GONE, State.RUNNING, ()),
]


@pytest.mark.parametrize(("life", "event", "state", "effects"), TABLE)
def test_transition(life, event, state, effects):
    found, told = advance(life, event)
    assert (found.state, told) == (state, effects)


@pytest.mark.parametrize("state", sorted(ENDS, key=str))
@pytest.mark.parametrize("event", Event)
def test_nothing_happens_to_a_job_that_has_ended(state, event):
    life = Life(state, 1)
    assert advance(life, event) == (life, ())


TELLING = {Effect.TELL_RESULT, Effect.TELL_FAILED, Effect.TELL_CANCELLED}


@given(st.booleans(), st.lists(st.sampled_from(Event), max_size=30))
def test_owner_is_told_one_end_and_no_worker_is_tried_too_often(keep, events):
    life, told = Life(keep=keep), []
    for event in events:
        life, effects = advance(life, event)
        told += [effect for effect in effects if effect in TELLING]
        assert life.attempts <= ATTEMPTS
    assert len(told) == life.ended
