"""The lifecycle of a job as a table, and as whatever can happen to it in whatever order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_daemon.broker.jobs import ATTEMPTS, ENDS, Effect, Event, Lifecycle, State, advance

NEW, KEPT = Lifecycle(), Lifecycle(keep=True)
FIRST, LAST = Lifecycle(State.RUNNING, 1), Lifecycle(State.RUNNING, ATTEMPTS)

TABLE = [
    (NEW, Event.ASSIGNED, State.RUNNING, ()),
    (NEW, Event.CANCEL, State.CANCELLED, (Effect.TELL_CANCELLED,)),
    (NEW, Event.CONCLUDE, State.QUEUED, ()),
    (Lifecycle(concluding=True), Event.ASSIGNED, State.RUNNING, (Effect.CONCLUDE,)),
    (NEW, Event.OWNER_GONE, State.CANCELLED, (Effect.TELL_CANCELLED,)),
    (KEPT, Event.OWNER_GONE, State.QUEUED, ()),
    (FIRST, Event.FINISHED, State.DONE, (Effect.TELL_RESULT,)),
    (FIRST, Event.FAILED, State.FAILED, (Effect.TELL_FAILED,)),
    (FIRST, Event.WORKER_LOST, State.QUEUED, (Effect.QUEUE_FIRST,)),
    (LAST, Event.WORKER_LOST, State.FAILED, (Effect.TELL_FAILED,)),
    (FIRST, Event.CANCEL, State.CANCELLED, (Effect.INTERRUPT, Effect.TELL_CANCELLED)),
    (FIRST, Event.OWNER_GONE, State.CANCELLED, (Effect.INTERRUPT, Effect.TELL_CANCELLED)),
    (FIRST, Event.CONCLUDE, State.RUNNING, (Effect.CONCLUDE,)),
    (Lifecycle(State.RUNNING, 1, keep=True), Event.OWNER_GONE, State.RUNNING, ()),
]


@pytest.mark.parametrize(("lifecycle", "event", "state", "effects"), TABLE)
def test_transition(lifecycle, event, state, effects):
    found, told = advance(lifecycle, event)
    assert (found.state, told) == (state, effects)


@pytest.mark.parametrize("state", sorted(ENDS, key=str))
@pytest.mark.parametrize("event", Event)
def test_nothing_happens_to_a_job_that_has_ended(state, event):
    lifecycle = Lifecycle(state, 1)
    assert advance(lifecycle, event) == (lifecycle, ())


TELLING = {Effect.TELL_RESULT, Effect.TELL_FAILED, Effect.TELL_CANCELLED}


@given(st.booleans(), st.lists(st.sampled_from(Event), max_size=30))
def test_owner_is_told_one_end_and_no_worker_is_tried_too_often(keep, events):
    lifecycle, told = Lifecycle(keep=keep), []
    for event in events:
        lifecycle, effects = advance(lifecycle, event)
        told += [effect for effect in effects if effect in TELLING]
        assert lifecycle.attempts <= ATTEMPTS
    assert len(told) == lifecycle.ended
