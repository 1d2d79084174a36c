"""The lifecycle of a job as pure transitions: no clock, no socket, no process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

ATTEMPTS = 2
"""How often a job may be given to a worker before its failure is the job's own."""


class State(Enum):
    """Where a job is. The last three are ends, and each job reaches exactly one of them."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(Enum):
    """What can happen to a job."""

    ASSIGNED = "a worker took it"
    FINISHED = "the worker brought its result"
    FAILED = "the worker gave up, and would again"
    MADE_WAY = "the worker put it by for another"
    WORKER_LOST = "the worker crashed, hung or lost its GPU"
    NO_WORKER = "no worker comes up"
    CANCEL = "its owner wants it no more"
    CONCLUDE = "its owner wants the picture as it stands"
    OWNER_GONE = "its owner has not been heard for too long"


class Effect(Enum):
    """What is to be done about it."""

    QUEUE_FIRST = "put it at the head of the queue"
    INTERRUPT = "tell the worker to let go of it"
    CONCLUDE = "tell the worker to finish with what it has"
    TELL_RESULT = "tell the owner the result"
    TELL_FAILED = "tell the owner why it failed"
    TELL_CANCELLED = "tell the owner that it was cancelled"


ENDS = frozenset({State.DONE, State.FAILED, State.CANCELLED})


@dataclass(frozen=True)
class Lifecycle:
    """state: where the job is. attempts: workers it was given to. keep: it outlives its owner.

    concluding: its owner wants the first picture there is.
    """

    state: State = State.QUEUED
    attempts: int = 0
    keep: bool = False
    concluding: bool = False

    @property
    def ended(self) -> bool:
        """It is over."""
        return self.state in ENDS


def advance(lifecycle: Lifecycle, event: Event) -> tuple[Lifecycle, tuple[Effect, ...]]:
    """The lifecycle after `event`, and what to do. What cannot matter any more changes nothing."""
    match lifecycle.state, event:
        case State.QUEUED, Event.ASSIGNED:
            running = replace(lifecycle, state=State.RUNNING, attempts=lifecycle.attempts + 1)
            return running, (Effect.CONCLUDE,) if lifecycle.concluding else ()
        case State.RUNNING, Event.FINISHED:
            return replace(lifecycle, state=State.DONE), (Effect.TELL_RESULT,)
        case State.RUNNING, Event.MADE_WAY:
            waiting = replace(lifecycle, state=State.QUEUED, attempts=lifecycle.attempts - 1)
            return waiting, (Effect.QUEUE_FIRST,)
        case State.RUNNING, Event.WORKER_LOST if lifecycle.attempts < ATTEMPTS:
            return replace(lifecycle, state=State.QUEUED), (Effect.QUEUE_FIRST,)
        case (State.RUNNING, Event.FAILED | Event.WORKER_LOST) | (State.QUEUED, Event.NO_WORKER):
            return replace(lifecycle, state=State.FAILED), (Effect.TELL_FAILED,)
        case State.RUNNING, Event.CONCLUDE:
            return replace(lifecycle, concluding=True), (Effect.CONCLUDE,)
        case State.QUEUED, Event.CONCLUDE:
            return replace(lifecycle, concluding=True), ()
        case ((State.QUEUED | State.RUNNING), Event.OWNER_GONE) if lifecycle.keep:
            return lifecycle, ()
        case State.RUNNING, Event.CANCEL | Event.OWNER_GONE:
            cancelled = replace(lifecycle, state=State.CANCELLED)
            return cancelled, (Effect.INTERRUPT, Effect.TELL_CANCELLED)
        case State.QUEUED, Event.CANCEL | Event.OWNER_GONE:
            return replace(lifecycle, state=State.CANCELLED), (Effect.TELL_CANCELLED,)
    return lifecycle, ()
