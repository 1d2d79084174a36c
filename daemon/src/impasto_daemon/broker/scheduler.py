"""The jobs and the workers: who does what, when, and what happens when something breaks.

Holds no socket and starts no process itself; its clock and its workers are handed to it.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from impasto_daemon.broker import jobs
from impasto_daemon.broker.jobs import Effect, Event, Lifecycle
from impasto_daemon.broker.worker_process import WorkerProcess
from impasto_daemon.config import Config
from impasto_daemon.worker.orders import (
    Alive,
    Idle,
    Interrupt,
    JobUpdate,
    MakeWay,
    PutBy,
    Quit,
    Ready,
    Run,
    Stored,
    WeightsLoaded,
    WorkerMessage,
)
from impasto_protocol import messages
from impasto_protocol.codec import Buffer
from impasto_protocol.errors import (
    Busy,
    Conflict,
    GpuFailed,
    ImpastoError,
    JobStalled,
    UnknownJob,
    WorkerFailed,
)

log = logging.getLogger(__name__)

_STARTS = 3
"""So often in a row may a worker not come up before the jobs are told."""
_START_AGAIN_S, _REST_S = 1.0, 60.0
_MOST_KEPT = 4096
"""Jobs that have ended, be their results as small as they may."""
_ENDS_AT_ONCE = "It ends as it starts."
_NO_WORKER_STEP = "Run `impasto doctor`, which says what is missing; then try again."

JobRequest = messages.Stylise | messages.PresetSave | messages.PresetBake


@dataclass
class Job:
    """A job and what is known of it. owner: the client to tell. user: who may ask for it.

    rest: what is left of one that has made way, or has stored what it has. unsent: snapshots that
    its owner is yet to get.
    """

    request: JobRequest
    frames: list[Buffer]
    owner: bytes
    user: str
    client: str
    lifecycle: Lifecycle
    progress: messages.Progress | None = None
    ending: tuple[messages.JobMessage, Sequence[Buffer]] | None = None
    ended_at: float = 0.0
    delivered: bool = False
    rest: messages.PresetBake | None = None
    unsent: list[tuple[messages.JobMessage, Sequence[Buffer]]] = field(default_factory=list)

    @property
    def makes_way(self) -> bool:
        """It takes long and waits for whatever else there is."""
        return isinstance(self.request, messages.PresetBake)

    @property
    def id(self) -> str:
        """Its job id."""
        return self.request.job


@dataclass
class DeviceSlot:
    """One device and its worker, if any. deadline: when that must have been heard again.

    silence_s: how long it may be silent. failure: what its process is being ended for.
    is_missing: there is no such device, its worker said. was_up: it was ready once.
    failed_starts: how many in a row never were. next_start: when another may be tried.
    """

    device: str
    worker: WorkerProcess | None = None
    ready: bool = False
    job: Job | None = None
    interrupted: bool = False
    making_way: bool = False
    deadline: float = float("inf")
    silence_s: float = float("inf")
    idle_since: float = 0.0
    description: str = ""
    memory_mib: int = 0
    failure: ImpastoError | None = None
    is_missing: bool = False
    was_up: bool = False
    failed_starts: int = 0
    next_start: float = 0.0

    @property
    def is_free(self) -> bool:
        """Its worker has nothing to do, not even to let go of a job that has made way."""
        return self.ready and not self.job and not self.making_way

    @property
    def state(self) -> str:
        """For people: absent, starting, idle, busy or stopping."""
        if not self.worker:
            return "absent"
        if self.interrupted:
            return "stopping"
        return "busy" if self.job or self.making_way else "idle" if self.ready else "starting"


class Scheduler:
    """start_worker: starts one for a device.

    send: hands a job's message to its owner; True when it could be handed over.
    check_size: raises TooBig when a picture cannot be painted in the memory there is.
    release: lets go of what is held for a job, by its id. is_shared: whether others than the
    daemon's own user may come in.
    """

    def __init__(
        self,
        config: Config,
        start_worker: Callable[[str], WorkerProcess],
        send: Callable[[Job, messages.JobMessage, Sequence[Buffer]], bool],
        check_size: Callable[[messages.Stylise], None],
        release: Callable[[str], None],
        is_shared: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._config, self._clock, self._check_size = config, clock, check_size
        self._release, self._is_shared = release, is_shared
        self._start_worker, self._send = start_worker, send
        self.jobs: dict[str, Job] = {}
        self.weights = ""
        self.slots = [DeviceSlot(device) for device in config.device.split(",")]
        self._queue: list[Job] = []
        self._last_served: dict[str, int] = {}

    # What clients ask for ---------------------------------------------------------------------

    def submit(
        self, request: JobRequest, frames: list[Buffer], owner: bytes, user: str, client: str
    ) -> int:
        """Take in a job; how many are before it. The same id again is the same job.

        Raises Conflict, Busy, TooBig.
        """
        known = self.jobs.get(request.job)
        if known:
            if known.user != user or not _same(known.request, request):
                raise Conflict("This job id already stands for another job.")
            return self.collect(request.job, owner, user)
        self._check_queue(user, frames)
        if isinstance(request, messages.Stylise):
            self._check_size(request)
        job = Job(request, frames, owner, user, client, Lifecycle(keep=request.keep))
        self.jobs[request.job] = job
        self._queue.append(job)
        return len(self._queue) - 1 + sum(slot.job is not None for slot in self.slots)

    def _check_queue(self, user: str, frames: list[Buffer]) -> None:
        """Raises Busy where it is full, or half of what others leave of it is this user's."""
        places, room = self._config.queue, self._config.queue_mib << 20
        own = [job for job in self._queue if job.user == user]
        waiting, mine = (sum(_size(job.frames) for job in jobs) for jobs in (self._queue, own))
        if len(self._queue) >= places:
            raise Busy(f"{len(self._queue)} jobs are waiting already, {len(own)} of them yours.")
        if self._queue and waiting + _size(frames) > room:
            raise Busy(
                f"{waiting >> 20} MiB of pictures are waiting already, {mine >> 20} of them yours."
            )
        # Alone on a machine, a user leaves nobody out.
        left = places - (len(self._queue) - len(own)), room - (waiting - mine)
        wanted = len(own) + 1, mine + _size(frames)
        if self._is_shared() and own and (2 * wanted[0] > left[0] or 2 * wanted[1] > left[1]):
            raise Busy(
                f"{len(own)} of your jobs are waiting already; the other places are for others.",
                next_step="Wait for one of them to finish, or cancel one, then try again.",
            )

    def collect(self, job_id: str, owner: bytes, user: str) -> int:
        """Have a job's messages go to `owner` from now on. Raises UnknownJob."""
        job = self._find(job_id, user)
        job.owner, job.delivered = owner, False
        return self._queue.index(job) if job in self._queue else 0

    def cancel(self, job_id: str, user: str, *, keep: bool) -> None:
        """End a job, or with `keep` have it end with what there is. Raises UnknownJob."""
        self._apply(self._find(job_id, user), Event.CONCLUDE if keep else Event.CANCEL)

    def cancel_all(self, user: str) -> None:
        """End all jobs of a user."""
        for job in [job for job in self.jobs.values() if job.user == user]:
            self._apply(job, Event.CANCEL)

    def owner_gone(self, owner: bytes) -> None:
        """A client has not been heard for too long."""
        for job in [job for job in self.jobs.values() if job.owner == owner]:
            self._apply(job, Event.OWNER_GONE)

    def deliver(self, owner: bytes) -> None:
        """Tell a client the endings that it could not be told before, and send the snapshots."""
        for job in self.jobs.values():
            if job.owner == owner and not job.delivered:
                self._hand_over(job)

    @property
    def _usable(self) -> list[DeviceSlot]:
        """Those that are there; where none is, all, whose workers tell each job so."""
        return [slot for slot in self.slots if not slot.is_missing] or self.slots

    @property
    def has_workers(self) -> bool:
        """Some worker's process is still there."""
        return any(slot.worker for slot in self.slots)

    @property
    def busy_workers(self) -> list[int]:
        """The processes, where all are at a job: one lets go of it before another job begins."""
        at_work = [slot.worker.pid for slot in self._usable if slot.worker and slot.job]
        return at_work if len(at_work) == len(self._usable) else []

    def kill_workers(self) -> None:
        """End the workers at once, whatever they do."""
        for slot in self.slots:
            if slot.worker:
                slot.worker.kill()

    def close(self) -> None:
        """Cancel everything and ask the workers to end."""
        for job in list(self.jobs.values()):
            self._apply(job, Event.CANCEL)
        for slot in self.slots:
            if slot.worker:
                slot.worker.send(Quit())

    # What workers say -------------------------------------------------------------------------

    def on_worker_message(self, worker: WorkerProcess, message: WorkerMessage | None) -> None:
        """Take in a worker's message; None means that its process is gone."""
        slot = next((slot for slot in self.slots if slot.worker is worker), None)
        if slot is None:
            return
        if slot.job and not slot.interrupted:
            slot.deadline = self._clock() + slot.silence_s
        match message:
            case Ready(device, memory_mib):
                slot.ready, slot.description, slot.memory_mib = True, device, memory_mib
                slot.is_missing = not device
                slot.failed_starts, slot.was_up = 0, True
                slot.deadline, slot.idle_since = float("inf"), self._clock()
            case Alive(within_s):
                slot.silence_s = within_s
                if not slot.interrupted:
                    slot.deadline = self._clock() + within_s
            case WeightsLoaded(weights):
                self.weights = weights
            case JobUpdate(news, frames, lost):
                self._on_job_update(slot, news, frames, lost=lost)
            case PutBy(job_id, rest):
                if job := self.jobs.get(job_id):
                    job.rest = rest
                    self._apply(job, Event.MADE_WAY)
                slot.job = None
            case Stored(job_id, rest):
                if job := self.jobs.get(job_id):
                    job.rest = rest
            case Idle() if not slot.failure:  # or else its job waits for the process to be gone
                slot.job, slot.interrupted, slot.making_way = None, False, False
                slot.deadline, slot.idle_since = float("inf"), self._clock()
            case None:
                self._worker_gone(slot)
        self.tick()

    def _on_job_update(
        self, slot: DeviceSlot, news: messages.JobMessage, frames: Sequence[Buffer], *, lost: bool
    ) -> None:
        if lost:
            assert isinstance(news, messages.Failed)
            slot.failure = GpuFailed(news.message)
            self._replace(slot)
            return
        job = self.jobs.get(news.job)
        if not job or job.lifecycle.ended:
            return
        if isinstance(news, messages.ENDINGS):
            job.ending = (news, frames)
            done = isinstance(news, messages.Result)
            self._apply(job, Event.FINISHED if done else Event.FAILED)
        elif isinstance(news, messages.Snapshot):
            job.unsent.append((news, frames))
            self._hand_over(job)
            if sum(map(_kept_bytes, self.jobs.values())) > self._config.results_mib << 20:
                del job.unsent[-1:]
        else:
            if isinstance(news, messages.Progress):
                job.progress = dataclasses.replace(news, frames=())
            self._send(job, news, frames)

    def _worker_gone(self, slot: DeviceSlot) -> None:
        ends_itself = slot.failure is None
        failure = slot.failure or WorkerFailed("The worker process ended in the middle of it.")
        if slot.job or slot.failure or slot.ready or not slot.was_up:  # or it was to end
            log.warning("the worker of %s is gone: %s", slot.device, failure)
        else:
            log.info("the worker of %s has ended", slot.device)
        job, slot.job = slot.job, None
        slot.worker, slot.failure = None, None
        slot.ready = slot.interrupted = slot.making_way = False
        slot.deadline = float("inf")
        if job:
            self._fail(job, failure, Event.WORKER_LOST)
        elif not slot.was_up:
            self._not_started(slot, _ENDS_AT_ONCE if ends_itself else str(failure))

    # What time brings -------------------------------------------------------------------------

    def tick(self) -> None:
        """Hand out jobs, replace workers that are overdue, drop what has been kept long enough."""
        now = self._clock()
        for slot in self.slots:
            if slot.worker and now > slot.deadline:
                if not slot.interrupted:
                    slot.failure = JobStalled("The worker gave no sign of life.")
                self._replace(slot)
            idle_s = now - slot.idle_since
            if slot.is_free and idle_s > self._config.idle_unload_s and slot.worker:
                log.info("the worker of %s is idle: ending it", slot.device)
                slot.worker.send(Quit())
                slot.ready, slot.deadline = False, now + self._config.cancel_grace_s
        self._assign()
        self._forget(now)

    def _assign(self) -> None:
        for slot in self._usable:
            if not self._queue:
                return
            if not slot.worker:
                self._hire(slot)
            elif slot.is_free:
                # Whoever was served longest ago comes next, so that nobody starves.
                job = min(
                    self._queue,
                    key=lambda job: (
                        job.makes_way,
                        # A user may give any number of clients a name.
                        self._last_served.get(job.user, 0),
                        self._last_served.get(job.user + job.client, 0),
                    ),
                )  # fmt: skip
                self._queue.remove(job)
                turn = max(self._last_served.values(), default=0) + 1
                self._last_served |= {job.user: turn, job.user + job.client: turn}
                slot.job = job
                slot.silence_s = self._config.stall_s
                slot.deadline = self._clock() + slot.silence_s
                frames = tuple(memoryview(frame) for frame in job.frames)
                slot.worker.send(Run(job.rest or job.request, frames))
                self._apply(job, Event.ASSIGNED)
        waiting = sum(not job.makes_way for job in self._queue)
        baking = [slot for slot in self.slots if slot.job and slot.job.makes_way]
        freed = sum(slot.making_way and not slot.job for slot in self.slots)
        for slot in baking[: max(0, waiting - freed)]:
            if slot.job and slot.worker and not slot.making_way:
                slot.making_way = True
                slot.worker.send(MakeWay(slot.job.id))

    def _hire(self, slot: DeviceSlot) -> None:
        if self._clock() < slot.next_start:
            return
        slot.was_up = False
        try:
            slot.worker = self._start_worker(slot.device)
        except (OSError, RuntimeError) as error:  # no more files, memory or threads
            log.exception("a worker of %s cannot be started", slot.device)
            slot.next_start = self._clock() + _START_AGAIN_S
            self._not_started(slot, str(error))
        else:
            slot.deadline = self._clock() + self._config.stall_s

    def _not_started(self, slot: DeviceSlot, why: str) -> None:
        """Where that is so again and again on every device, tell those that wait."""
        slot.failed_starts += 1
        if slot.failed_starts < _STARTS:
            return
        slot.next_start = self._clock() + _REST_S
        if any(other.failed_starts < _STARTS for other in self._usable):
            return
        for other in self.slots:
            other.failed_starts, other.next_start = 0, 0.0
        failure = WorkerFailed(
            f"The process that paints does not come up: {why}", next_step=_NO_WORKER_STEP
        )
        for job in list(self._queue):
            self._fail(job, failure, Event.NO_WORKER)

    def _fail(self, job: Job, failure: ImpastoError, event: Event) -> None:
        if job.lifecycle.ended:
            return
        job.ending = (
            messages.Failed(
                job=job.id, code=failure.code, message=str(failure), next_step=failure.next_step
            ),
            (),
        )
        self._apply(job, event)

    def _replace(self, slot: DeviceSlot) -> None:
        if slot.worker:
            log.warning("killing the worker of %s: %s", slot.device, slot.failure)
            slot.deadline, slot.ready = float("inf"), False
            slot.worker.kill()

    def _forget(self, now: float) -> None:
        ended = [job for job in self.jobs.values() if job.ending and job.lifecycle.ended]
        kept_bytes, kept = sum(map(_kept_bytes, ended)), len(ended)
        forgotten = set[str]()
        for job in sorted(ended, key=lambda job: (not job.delivered, job.ended_at)):
            # However large, the last that is yet to be told is no more than one painting took.
            over = kept_bytes > self._config.results_mib << 20 and (kept > 1 or job.delivered)
            if over or kept > _MOST_KEPT or now - job.ended_at > self._config.result_keep_s:
                kept_bytes, kept = kept_bytes - _kept_bytes(job), kept - 1
                del self.jobs[job.id]
                forgotten |= {job.user, job.user + job.client}
        if forgotten:  # nor is anything kept of who has no job any more
            for job in self.jobs.values():
                forgotten -= {job.user, job.user + job.client}
            for name in forgotten:
                self._last_served.pop(name, None)

    # The lifecycle of a job -------------------------------------------------------------------

    def _apply(self, job: Job, event: Event) -> None:
        job.lifecycle, effects = jobs.advance(job.lifecycle, event)
        for effect in effects:
            self._carry_out(effect, job)
        if job.lifecycle.ended and not job.ended_at:
            job.ended_at = self._clock()
            job.frames = []
            self._release(job.id)
            if job in self._queue:
                self._queue.remove(job)

    def _carry_out(self, effect: Effect, job: Job) -> None:
        slot = next((slot for slot in self.slots if slot.job is job), None)
        match effect:
            case Effect.QUEUE_FIRST:
                job.ending = None
                job.unsent.clear()
                self._queue.insert(0, job)
            case Effect.INTERRUPT if slot and slot.worker:
                slot.interrupted = True
                slot.deadline = self._clock() + self._config.cancel_grace_s
                slot.worker.send(Interrupt(job.id))
            case Effect.CONCLUDE if slot and slot.worker:
                slot.worker.send(Interrupt(job.id, keep=True))
            case Effect.TELL_CANCELLED:
                job.ending = (messages.Cancelled(job=job.id), ())
                job.unsent.clear()
                self._hand_over(job)
            case Effect.TELL_RESULT | Effect.TELL_FAILED:
                self._hand_over(job)

    def _hand_over(self, job: Job) -> None:
        """Send what its owner is yet to get, its ending last."""
        while job.unsent and self._send(job, *job.unsent[0]):
            del job.unsent[0]
        if job.ending and not job.unsent:
            job.delivered = self._send(job, *job.ending)

    def _find(self, job_id: str, user: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None or job.user != user:
            raise UnknownJob("There is no such job, or its result has been dropped.")
        return job


def _same(one: JobRequest, other: JobRequest) -> bool:
    return dataclasses.replace(one, request=0) == dataclasses.replace(other, request=0)


def _kept_bytes(job: Job) -> int:
    """Of the pictures that came of it."""
    kept = [*job.unsent, *([job.ending] if job.ending else [])]
    return sum(_size(frames) for _, frames in kept)


def _size(frames: Sequence[Buffer]) -> int:
    return sum(len(frame) for frame in frames)
