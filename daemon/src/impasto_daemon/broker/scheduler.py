"""The jobs and the workers: who does what, when, and what happens when something breaks.

Holds no socket and starts no process itself; its clock and its workers are handed to it.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from impasto_daemon.broker import jobs
from impasto_daemon.broker.jobs import Effect, Event, Life
from impasto_daemon.broker.worker_process import WorkerProcess
from impasto_daemon.config import Config
from impasto_daemon.worker.memory import estimate_mib, largest_px, usable_mib
from impasto_daemon.worker.orders import (
    Alive,
    FromWorker,
    Idle,
    Interrupt,
    Loaded,
    Quit,
    Ready,
    Run,
    Tell,
)
from impasto_protocol import messages
from impasto_protocol.codec import Buffer
from impasto_protocol.errors import (
    Busy,
    Conflict,
    GpuFailed,
    ImpastoError,
    JobStalled,
    TooBig,
    UnknownJob,
    WorkerFailed,
)

log = logging.getLogger(__name__)

JobOrder = messages.Stylise | messages.PresetSave


@dataclass
class Job:
    """A job and what is known of it. owner: the client to tell. user: who may ask for it."""

    order: JobOrder
    frames: list[Buffer]
    owner: bytes
    user: str
    client: str
    life: Life
    progress: messages.Progress | None = None
    ending: tuple[messages.JobMessage, Sequence[Buffer]] | None = None
    ended_at: float = 0.0
    told: bool = False

    @property
    def id(self) -> str:
        """Its job id."""
        return self.order.job


@dataclass
class Bench:
    """One device's place for a worker. within: when the worker must have been heard again."""

    device: str
    worker: WorkerProcess | None = None
    ready: bool = False
    job: Job | None = None
    interrupted: bool = False
    within: float = float("inf")
    patience_s: float = float("inf")
    idle_since: float = 0.0
    description: str = ""
    memory_mib: int = 0
    blame: ImpastoError | None = None

    @property
    def state(self) -> str:
        """For people: absent, starting, idle, busy or stopping."""
        if not self.worker:
            return "absent"
        if self.interrupted:
            return "stopping"
        return "busy" if self.job else "idle" if self.ready else "starting"


class Workshop:
    """tell: sends a job's message to its owner; True when it could be handed over."""

    def __init__(
        self,
        config: Config,
        hire: Callable[[str], WorkerProcess],
        tell: Callable[[Job, messages.JobMessage, Sequence[Buffer]], bool],
        clock: Callable[[], float],
    ) -> None:
        self._config, self._hire, self._tell, self._clock = config, hire, tell, clock
        self.jobs: dict[str, Job] = {}
        self.weights = ""
        self.benches = [Bench(device) for device in config.device.split(",")]
        self._queue: list[Job] = []
        self._turns: dict[str, int] = {}

    # What clients ask for ---------------------------------------------------------------------

    def submit(
        self, order: JobOrder, frames: list[Buffer], owner: bytes, user: str, client: str
    ) -> int:
        """Take in a job; how many are before it. The same id again is the same job.

        Raises Conflict, Busy, TooBig.
        """
        known = self.jobs.get(order.job)
        if known:
            if known.user != user or not _same(known.order, order):
                raise Conflict("This job id already stands for another job.")
            return self.collect(order.job, owner, user)
        if len(self._queue) >= self._config.queue:
            raise Busy(f"{len(self._queue)} jobs are waiting already.")
        self._check_size(order)
        job = Job(order, frames, owner, user, client, Life(keep=order.keep))
        self.jobs[order.job] = job
        self._queue.append(job)
        return len(self._queue) - 1 + sum(bench.job is not None for bench in self.benches)

    def collect(self, job_id: str, owner: bytes, user: str) -> int:
        """Have a job's messages go to `owner` from now on. Raises UnknownJob."""
        job = self._find(job_id, user)
        job.owner, job.told = owner, False
        return self._queue.index(job) if job in self._queue else 0

    def cancel(self, job_id: str, user: str, *, keep: bool) -> None:
        """End a job, or with `keep` have it end with what there is. Raises UnknownJob."""
        self._happen(self._find(job_id, user), Event.ENOUGH if keep else Event.CANCEL)

    def owner_gone(self, owner: bytes) -> None:
        """A client has not been heard for too long."""
        for job in [job for job in self.jobs.values() if job.owner == owner]:
            self._happen(job, Event.OWNER_GONE)

    def deliver(self, owner: bytes) -> None:
        """Tell a client the endings that it could not be told before."""
        for job in self.jobs.values():
            if job.owner == owner and job.ending and not job.told:
                job.told = self._tell(job, *job.ending)

    def close(self) -> None:
        """Cancel everything and end the workers."""
        for job in list(self.jobs.values()):
            self._happen(job, Event.CANCEL)
        for bench in self.benches:
            if bench.worker:
                bench.worker.send(Quit())

    # What workers say -------------------------------------------------------------------------

    def heard(self, worker: WorkerProcess, message: FromWorker | None) -> None:
        """Take in a worker's message; None means that its process is gone."""
        bench = next((bench for bench in self.benches if bench.worker is worker), None)
        if bench is None:
            return
        if bench.job and not bench.interrupted:
            bench.within = self._clock() + bench.patience_s
        match message:
            case Ready(device, memory_mib):
                bench.ready, bench.description, bench.memory_mib = True, device, memory_mib
                bench.within, bench.idle_since = float("inf"), self._clock()
            case Alive(within_s):
                bench.patience_s = within_s
                if not bench.interrupted:
                    bench.within = self._clock() + within_s
            case Loaded(weights):
                self.weights = weights
            case Tell(news, frames, lost):
                self._news(bench, news, frames, lost=lost)
            case Idle():
                bench.job, bench.interrupted = None, False
                bench.within, bench.idle_since = float("inf"), self._clock()
            case None:
                self._worker_gone(bench)
        self.tick()

    def _news(
        self, bench: Bench, news: messages.JobMessage, frames: Sequence[Buffer], *, lost: bool
    ) -> None:
        job = self.jobs.get(news.job)
        if not job or job.life.ended:
            return
        if lost:
            assert isinstance(news, messages.Failed)
            bench.blame = GpuFailed(news.message)
            self._replace(bench)
        elif isinstance(news, messages.ENDINGS):
            job.ending = (news, frames)
            done = isinstance(news, messages.Result)
            self._happen(job, Event.FINISHED if done else Event.FAILED)
        else:
            if isinstance(news, messages.Progress):
                job.progress = dataclasses.replace(news, frames=())
            self._tell(job, news, frames)

    def _worker_gone(self, bench: Bench) -> None:
        blame = bench.blame or WorkerFailed("The worker process ended in the middle of it.")
        log.warning("the worker of %s is gone: %s", bench.device, blame)
        job, bench.job = bench.job, None
        bench.worker, bench.ready, bench.interrupted, bench.blame = None, False, False, None
        bench.within = float("inf")
        if job:
            job.ending = (
                messages.Failed(
                    job=job.id, code=blame.code, message=str(blame), next_step=blame.next_step
                ),
                (),
            )
            self._happen(job, Event.WORKER_LOST)

    # What time brings -------------------------------------------------------------------------

    def tick(self) -> None:
        """Hand out jobs, replace workers that are overdue, drop what has been kept long enough."""
        now = self._clock()
        for bench in self.benches:
            if bench.worker and now > bench.within:
                if not bench.interrupted:
                    bench.blame = JobStalled("The worker gave no sign of life.")
                self._replace(bench)
            idle = bench.ready and not bench.job
            if idle and now - bench.idle_since > self._config.idle_unload_s and bench.worker:
                log.info("the worker of %s is idle: ending it", bench.device)
                bench.worker.send(Quit())
                bench.ready = False
        self._assign()
        self._forget(now)

    def _assign(self) -> None:
        for bench in self.benches:
            if not self._queue:
                return
            if not bench.worker:
                bench.worker = self._hire(bench.device)
                bench.within = self._clock() + self._config.stall_s
            elif bench.ready and not bench.job:
                # Whoever was served longest ago comes next, so that nobody starves.
                job = min(self._queue, key=lambda job: self._turns.get(job.user + job.client, 0))
                self._queue.remove(job)
                self._turns[job.user + job.client] = max(self._turns.values(), default=0) + 1
                bench.job = job
                self._happen(job, Event.ASSIGNED)
                bench.patience_s = self._config.stall_s
                bench.within = self._clock() + bench.patience_s
                frames = tuple(memoryview(frame) for frame in job.frames)
                bench.worker.send(Run(job.order, frames))

    def _replace(self, bench: Bench) -> None:
        if bench.worker:
            log.warning("killing the worker of %s: %s", bench.device, bench.blame)
            bench.within = float("inf")
            bench.worker.kill()

    def _forget(self, now: float) -> None:
        ended = [job for job in self.jobs.values() if job.ending and job.life.ended]
        kept_bytes = sum(_size(job) for job in ended)
        for job in sorted(ended, key=lambda job: (not job.told, job.ended_at)):
            too_much = kept_bytes > self._config.results_mib << 20
            if too_much or now - job.ended_at > self._config.result_keep_s:
                kept_bytes -= _size(job)
                del self.jobs[job.id]

    # The life of a job ------------------------------------------------------------------------

    def _happen(self, job: Job, event: Event) -> None:
        job.life, effects = jobs.advance(job.life, event)
        for effect in effects:
            self._carry_out(effect, job)
        if job.life.ended and not job.ended_at:
            job.ended_at = self._clock()
            job.frames = []
            if job in self._queue:
                self._queue.remove(job)

    def _carry_out(self, effect: Effect, job: Job) -> None:
        bench = next((bench for bench in self.benches if bench.job is job), None)
        match effect:
            case Effect.QUEUE_FIRST:
                job.ending = None
                self._queue.insert(0, job)
            case Effect.INTERRUPT if bench and bench.worker:
                bench.interrupted = True
                bench.within = self._clock() + self._config.cancel_grace_s
                bench.worker.send(Interrupt(job.id))
            case Effect.CONCLUDE if bench and bench.worker:
                bench.worker.send(Interrupt(job.id, keep=True))
            case Effect.TELL_CANCELLED:
                job.ending = (messages.Cancelled(job=job.id), ())
                job.told = self._tell(job, *job.ending)
            case Effect.TELL_RESULT | Effect.TELL_FAILED if job.ending:
                job.told = self._tell(job, *job.ending)

    def _find(self, job_id: str, user: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None or job.user != user:
            raise UnknownJob("There is no such job, or its result has been dropped.")
        return job

    def _check_size(self, order: JobOrder) -> None:
        sizes = [(i.height, i.width) for i in order.frames if i.role == "content"]
        need = max((estimate_mib(*size, order.settings) for size in sizes), default=0)
        known = max((bench.memory_mib for bench in self.benches), default=0)
        budget = self._config.memory_mib or known or usable_mib()
        if need > budget:
            most = largest_px(budget, order.settings)
            side = int(most**0.5)
            raise TooBig(
                f"This needs {need} MiB of memory and {budget} are there; up to "
                f"{most / 1e6:.1f} megapixels fit, such as {side} x {side} pixels."
            )


def _same(one: JobOrder, other: JobOrder) -> bool:
    return dataclasses.replace(one, request=0) == dataclasses.replace(other, request=0)


def _size(job: Job) -> int:
    return sum(len(frame) for frame in job.ending[1]) if job.ending else 0
