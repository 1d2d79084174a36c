"""The daemon's socket: takes messages from clients, answers them, and never waits for anything.

Knows no torch. What a message may not do is answered with an error; nothing a client sends can
end this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import zmq
import zmq.asyncio

from impasto_daemon import __version__
from impasto_daemon.broker.address import Address
from impasto_daemon.broker.awake_clock import AwakeClock
from impasto_daemon.broker.estimator import Estimator
from impasto_daemon.broker.preset_requests import PresetRequests, Request
from impasto_daemon.broker.scheduler import Job, JobRequest, Scheduler
from impasto_daemon.broker.worker_process import WorkerProcess
from impasto_daemon.config import Config
from impasto_daemon.engine.network_name import network_name
from impasto_daemon.files import clear_temporary, not_written
from impasto_daemon.logs import rotate
from impasto_daemon.paths import Paths
from impasto_daemon.presets.store import PresetStore
from impasto_daemon.weights import sources
from impasto_daemon.worker.orders import WorkerMessage
from impasto_daemon.worker.rates import RATES_FILE, Rates
from impasto_protocol import messages
from impasto_protocol.codec import Buffer, decode, encode, subject_of
from impasto_protocol.colour_space import SRGB
from impasto_protocol.connection import connection_file, read_connection, write_connection
from impasto_protocol.errors import (
    BadField,
    BadImage,
    BadMessage,
    Busy,
    ImpastoError,
    NotBaked,
    NotWritten,
    ProtocolError,
    UnknownClient,
    UnknownType,
    VersionSkew,
)
from impasto_protocol.limits import (
    FROZEN_S,
    HEADER_BYTES,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    UNREACHABLE_S,
)
from impasto_protocol.settings import Settings

log = logging.getLogger(__name__)

_TICK_S = 0.25
_WATCH_S = 0.5
_ROTATE_S = 60
_FORGET_S = 24 * 3600
_ABANDONED_S = 3600
_REPORTED = 256
_LOCAL = "local"
_QUEUED_FOR_CLIENT = 64


@dataclass
class ConnectedClient:
    """A client. user: its CURVE key, or "local" for this machine's user.

    broken: when its link was found broken, which may mend. gone: it was silent for too long, but
    may only have slept, so it is remembered for a while.
    """

    name: str
    user: str
    seen: float
    broken: float = float("inf")
    gone: bool = False


class Broker:
    """The daemon, bound to `address`. Run it with `await broker.serve()`.

    is_daemon: asked now and then whether this process still is the daemon.
    """

    def __init__(
        self,
        config: Config,
        paths: Paths,
        address: Address,
        clock: Callable[[], float] = time.monotonic,
        is_daemon: Callable[[], bool] = lambda: True,
    ) -> None:
        self._is_daemon = is_daemon
        self._config, self._paths, self._clock = config, paths, AwakeClock(clock)
        self._began = self._clock()
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._clients: dict[bytes, ConnectedClient] = {}
        self._dropped = self._refused = 0
        self._presets = PresetStore(paths.presets)
        self._preset_requests = PresetRequests(self._presets, self._network_names)
        # One thread: requests about presets are met in the order in which they came.
        self._preset_thread = ThreadPoolExecutor(1)
        self._pending: dict[asyncio.Task[None], tuple[bytes, int]] = {}
        self._estimator = Estimator(
            config, Rates(paths.data / RATES_FILE), lambda: self._scheduler.busy_workers
        )
        self._scheduler = Scheduler(
            config, self._start_worker, self._send_to_owner, self._estimator.check_size,
            self._presets.release, lambda: bool(self._address.keys and self._address.keys.others),
            self._clock,
        )  # fmt: skip
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.router_mandatory = True
        self._socket.router_handover = True
        self._socket.maxmsgsize = max(config.frame_mib << 20, HEADER_BYTES)
        self._socket.sndhwm = _QUEUED_FOR_CLIENT
        self._socket.linger = 500
        self._address = address
        address.bind(self._context, self._socket)

    async def serve(self) -> None:
        """Answer clients until stopped by a message or a signal."""
        for number in _ending_signals():
            with contextlib.suppress(NotImplementedError):
                self._loop.add_signal_handler(number, self._stopping.set)
        await self._address.open()
        self._announce()
        log.info("listening at %s", self._address.endpoint)
        # What programs that were killed have left; weights are downloaded by others, too.
        self._presets.release()
        clear_temporary(self._paths.data / "weights", before=time.time() - _ABANDONED_S)
        self._preset_thread.submit(self._preset_requests.open)
        work = (
            self._receive(),
            self._regularly(_TICK_S, self._scheduler.tick),
            self._regularly(_WATCH_S, self._look_around),
            self._regularly(_ROTATE_S, partial(rotate, self._paths.log)),
        )
        tasks = [asyncio.create_task(task) for task in work]
        await self._stopping.wait()
        log.info("ending")
        file = connection_file(self._paths.runtime)
        with contextlib.suppress(OSError, ImpastoError):
            if read_connection(file) == self._address.connection():  # or it is the next daemon's
                file.unlink()
        self._scheduler.close()
        self._preset_thread.shutdown(wait=False, cancel_futures=True)
        for task in (*tasks, *self._pending):
            task.cancel()
        await asyncio.gather(*tasks, *self._pending, return_exceptions=True)
        await self._end_workers()
        self._socket.close()
        await self._address.close(self._context, is_ours=self._is_daemon())

    def _announce(self) -> None:
        """Tell clients where the daemon is, also when what told them is gone or damaged.

        Raises NotWritten.
        """
        connection = self._address.connection()
        with contextlib.suppress(ImpastoError):
            if read_connection(connection_file(self._paths.runtime)) == connection:
                return
        try:
            write_connection(self._paths.runtime, connection)
        except OSError as error:
            raise not_written(f"{self._paths.runtime} cannot be written to", error) from error

    async def _end_workers(self) -> None:
        """A worker that does not let go of its job would hold this process up at its end."""
        deadline = self._clock() + self._config.cancel_grace_s
        while self._scheduler.has_workers and self._clock() < deadline:
            await asyncio.sleep(0.02)
        self._scheduler.kill_workers()

    async def _receive(self) -> None:
        while True:
            # Where there is another message already, receiving it gives way to nothing.
            await asyncio.sleep(0)
            frames = await self._socket.recv_multipart(copy=False)
            sender, *parts = [frame.buffer for frame in frames]
            user = str(frames[-1].get("User-Id")) if self._address.keys else _LOCAL
            if self._address.keys and user not in self._address.keys:
                self._refused += 1
                continue
            try:
                self._handle(bytes(sender), parts, user)
            except Exception:
                self._dropped += 1
                log.exception("a message could not be handled")

    async def _regularly(self, every_s: float, act: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                act()
            except Exception:
                log.exception("what comes with time failed")

    def _look_around(self) -> None:
        """See who may no longer be here, and who is not."""
        if not self._is_daemon():
            log.warning("the lock's file was taken away, so that another daemon may be here")
            self._stopping.set()
            return
        with contextlib.suppress(NotWritten):
            self._announce()
        for user in self._address.keys.withdrawn() if self._address.keys else ():
            self._turn_out(user)
        for identity, client in list(self._clients.items()):
            silent_s = self._clock() - client.seen
            if silent_s > UNREACHABLE_S and not client.gone:
                # Not asked for; but that a link broke shows only when something is sent.
                self._send(identity, messages.Pong())
                if silent_s > FROZEN_S or self._clock() - client.broken > UNREACHABLE_S:
                    log.info("client %s is gone", client.name)
                    client.gone = True
                    self._scheduler.owner_gone(identity)
            if silent_s > _FORGET_S:
                del self._clients[identity]

    def _turn_out(self, user: str) -> None:
        """End what a user asked for who is no longer allowed to, and say nothing more."""
        log.info("the key %s is no longer allowed", user)
        self._scheduler.cancel_all(user)
        theirs = {identity for identity, client in self._clients.items() if client.user == user}
        for request, (sender, _) in self._pending.items():
            if sender in theirs:
                request.cancel()
        for identity in theirs:
            del self._clients[identity]

    def _handle(self, sender: bytes, parts: Sequence[Buffer], user: str) -> None:
        if not parts or not len(parts[0]):
            self._dropped += 1
            return
        try:
            message = decode(parts, frame_bytes=self._config.frame_mib << 20)
        except ImpastoError as error:
            self._dropped += 1
            # At 1, 2, 4, 8, …: a flood of them must not fill the log.
            if self._dropped & (self._dropped - 1) == 0:
                log.warning("%s unreadable messages so far; the last: %s", self._dropped, error)
            request, job = subject_of(parts)
            self._send(sender, dataclasses.replace(_error(error, job), request=request))
            return
        try:
            self._require_hello(sender, message, user)
            answer, frames = self._answer(sender, message, parts[1:], user)
        except ImpastoError as error:
            answer, frames = _error(error, _job_of(message)), ()
        except Exception:
            log.exception("a request failed unexpectedly")
            answer, frames = _error(_unexpected(), _job_of(message)), ()
        if answer:
            self._send(sender, dataclasses.replace(answer, request=message.request), frames)
        self._scheduler.deliver(sender)

    def _require_hello(self, sender: bytes, message: messages.Message, user: str) -> None:
        if isinstance(message, messages.Hello):
            if message.major != PROTOCOL_MAJOR:
                newer = "plug-in" if message.major < PROTOCOL_MAJOR else "daemon"
                raise VersionSkew(
                    f"The daemon speaks protocol {PROTOCOL_MAJOR}, the client {message.major}.",
                    next_step=f"Update the {newer}.",
                )
            self._clients[sender] = ConnectedClient(message.client, user, self._clock())
        elif sender in self._clients:
            client = self._clients[sender]
            client.seen, client.broken, client.gone = self._clock(), float("inf"), False
        else:
            raise UnknownClient("The first message must be `hello`.")

    def _answer(
        self, sender: bytes, message: messages.Message, frames: Sequence[Buffer], user: str
    ) -> tuple[messages.Message | None, Sequence[Buffer]]:
        match message:
            case messages.Hello():
                return self._welcome(), ()
            case messages.Ping():
                return messages.Pong(), ()
            case messages.Status():
                return self._report(user), ()
            case messages.Estimate():
                return self._estimator.estimate(message), ()
            case messages.Stop():
                if user not in (_LOCAL, self._address.own_key):
                    raise BadMessage(
                        "Only the daemon's own user may stop it.",
                        next_step="Stop it as that user, on the machine that it runs on.",
                    )
                self._loop.call_later(0.1, self._stopping.set)
                return messages.Done(), ()
            case messages.Stylise() | messages.PresetSave() | messages.PresetBake():
                return self._submit(sender, message, frames, user), ()
            case messages.Cancel():
                self._scheduler.cancel(message.job, user, keep=message.keep)
                return None, ()
            case messages.Collect():
                position = self._scheduler.collect(message.job, sender, user)
                return messages.Accepted(job=message.job, position=position), ()
            case _ if isinstance(message, Request):
                if (sender, message.request) in self._pending.values():
                    return None, ()  # it is asked again, as the answer takes its time
                waiting = sum(whose == sender for whose, _ in self._pending.values())
                if waiting >= self._config.queue:
                    raise Busy(f"{waiting} requests are waiting already.")
                asked = self._loop.create_task(self._answer_preset_request(sender, message, frames))
                self._pending[asked] = sender, message.request
                asked.add_done_callback(self._pending.pop)
                return None, ()
        raise UnknownType(f"{message.type!r} is for clients, not for the daemon.")

    def _submit(
        self,
        sender: bytes,
        message: JobRequest,
        frames: Sequence[Buffer],
        user: str,
    ) -> messages.Accepted:
        _check_roles(message)
        is_new = message.job not in self._scheduler.jobs
        if isinstance(message, messages.PresetBake) and is_new:
            self._presets.info(message.name)
        if isinstance(message, messages.PresetSave) and is_new:
            self._presets.check_place(message.name, replace=message.replace)
        try:
            if isinstance(message, messages.Stylise) and is_new:
                self._hold_styles(message)
            elif isinstance(message, messages.PresetBake) and is_new:
                # By which it is known whatever its name is by then.
                self._presets.hold(message.job, [message.name])
            position = self._scheduler.submit(
                message, list(frames), sender, user, self._clients[sender].name
            )
        except Exception:
            if is_new:
                self._presets.release(message.job)
            raise
        self._loop.call_soon(self._scheduler.tick)
        return messages.Accepted(job=message.job, position=position)

    def _hold_styles(self, message: messages.Stylise) -> None:
        """Have a job painted in its styles as they are now. Raises UnknownPreset, NotBaked."""
        presets = self._presets.hold(message.job, filter(None, (u.preset for u in message.uses)))
        for use in message.uses:
            info = presets.info(use.preset) if use.preset else None
            if not message.settings.iterations and not (info and info.is_baked):
                why = f"{info.name!r} is not baked" if info else "is not kept"
                raise NotBaked(f"The style {why}, so it cannot be painted at once.")

    async def _answer_preset_request(
        self, sender: bytes, message: Request, frames: Sequence[Buffer]
    ) -> None:
        answer: messages.Message
        found: Sequence[Buffer] = ()
        try:
            answer, found = await self._loop.run_in_executor(
                self._preset_thread, self._preset_requests.answer, message, frames
            )
        except ImpastoError as error:
            answer = _error(error)
        except Exception:
            log.exception("a request about presets failed unexpectedly")
            answer = _error(_unexpected())
        self._send(sender, dataclasses.replace(answer, request=message.request), found)

    def _network_names(self, settings: Settings) -> Collection[str]:
        identity = sources.identify(self._config.weights, self._paths.data, settings.network)
        return {network_name(settings, name) for name in identity.names}

    def _welcome(self) -> messages.Welcome:
        return messages.Welcome(
            major=PROTOCOL_MAJOR,
            minor=PROTOCOL_MINOR,
            version=__version__,
            device=self._scheduler.slots[0].description,
            weights=self._scheduler.weights,
            frame_bytes=self._config.frame_mib << 20,
            queue=self._config.queue,
            capabilities=tuple(sorted(messages.MESSAGES)),
        )

    def _report(self, user: str) -> messages.Report:
        slot = self._scheduler.slots[0]
        own = [job for job in self._scheduler.jobs.values() if job.user == user]
        # Those that have ended longest ago make room.
        ended = [job.id for job in own if job.lifecycle.ended]
        left_out = set(ended[: max(0, len(own) - _REPORTED)])
        shown = [job for job in own if job.id not in left_out][:_REPORTED]
        return messages.Report(
            version=__version__,
            pid=os.getpid(),
            uptime_s=self._clock() - self._began,
            worker=slot.state,
            device=slot.description,
            memory_mib=slot.memory_mib,
            weights=self._scheduler.weights,
            clients=sum(not client.gone for client in self._clients.values()),
            dropped=self._dropped,
            refused=self._refused + (self._address.gate.refused if self._address.gate else 0),
            jobs=tuple(map(_job_info, shown)),
        )

    # Workers ----------------------------------------------------------------------------------

    def _start_worker(self, device: str) -> WorkerProcess:
        config = dataclasses.replace(self._config, device=device)
        return WorkerProcess(config, self._paths.data, self._paths.log, self._on_worker_message)

    def _on_worker_message(self, worker: WorkerProcess, message: WorkerMessage | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon is ending
            self._loop.call_soon_threadsafe(self._scheduler.on_worker_message, worker, message)

    # Sending ----------------------------------------------------------------------------------

    def _send_to_owner(
        self, job: Job, message: messages.JobMessage, frames: Sequence[Buffer]
    ) -> bool:
        return self._send(job.owner, message, frames)

    def _send(self, to: bytes, message: messages.Message, frames: Sequence[Buffer] = ()) -> bool:
        """Hand a message over without waiting; False when the client is gone or does not read."""
        client = self._clients.get(to)
        try:
            parts = [to, *encode(message, frames)]
            sent: Any = self._socket.send_multipart(parts, flags=zmq.DONTWAIT, copy=False)
            if sent.done() and sent.exception():
                raise sent.exception()
        except (zmq.ZMQError, ImpastoError) as error:
            log.debug("not sent: %s", error)
            if client and isinstance(error, zmq.ZMQError) and error.errno == zmq.EHOSTUNREACH:
                client.broken = min(client.broken, self._clock())
            return False
        if client:
            client.broken = float("inf")
        return True


_GREY = ("selection", "mask", "strength")
_AS_LARGE = ("content", "map", *_GREY)


def _check_roles(message: JobRequest) -> None:
    roles = sorted(info.role for info in message.frames)
    if isinstance(message, messages.PresetBake):
        if set(roles) - {"photograph"} or any(info.order != "rgb" for info in message.frames):
            raise _bad_frames("The frames must be photographs.", "frames")
        return
    needed, optional = ["style"], list[str]()
    if isinstance(message, messages.Stylise):
        styles = message.uses
        needed = ["content"] + ["mask"] * sum(style.masked for style in styles)
        needed += ["style"] * sum(not style.preset for style in styles)
        optional = ["selection", "start", "strength"]
        if "map" in roles or "style_map" in roles:
            needed += ["map", "style_map"]
            if len(styles) > 1 or styles[0].masked:
                raise _bad_frames("A map goes with one style and no mask.", "styles")
        _check_layers(message)
    others = [role for role in roles if role not in optional]
    twice = any(roles.count(role) > 1 for role in optional)
    if others != sorted(needed) or twice:
        raise _bad_frames(f"The frames must be {' and '.join(needed)}.", "frames")
    sizes = {(i.height, i.width) for i in message.frames if i.role in _AS_LARGE}
    if len(sizes) > 1 or any(i.role in _GREY and i.channels != 1 for i in message.frames):
        raise BadImage("Selection, masks and maps must be as large as the picture; masks grey.")
    if any(i.order != "rgb" and i.role not in ("content", "start") for i in message.frames):
        raise _bad_frames("Only the content and the start may be bgr.", "order")
    if isinstance(message, messages.Stylise) and message.cut and "selection" not in roles:
        raise _bad_frames("There is no selection to cut the painting with.", "cut")
    if isinstance(message, messages.PresetSave):
        (style,) = message.frames
        if style.space != SRGB:
            raise _bad_frames("A style to be kept must be sRGB.", "space")
        if style.dtype != "uint8":
            raise BadImage(
                "A style to be kept must be an 8-bit picture.",
                next_step="Convert it to 8 bits a channel and try again.",
            )


def _check_layers(message: messages.Stylise) -> None:
    for style in message.uses:
        if style.layers and not {*style.layers} & {*message.settings.style_layers}:
            layers = ", ".join(style.layers)
            raise BadField(f"None of {layers} is among the style_layers.", field="layers")


def _bad_frames(words: str, field: str) -> BadField:
    """The error for frames that no plug-in of this version sends."""
    return BadField(words, field=field, next_step=ProtocolError.default_next_step)


def _ending_signals() -> list[signal.Signals]:
    ending = [signal.SIGTERM, signal.SIGINT]
    # A terminal that is closed; nohup has it be ignored.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        ending.append(signal.SIGHUP)
    return ending


def _job_of(message: messages.Message) -> str:
    return message.job if isinstance(message, messages.JobMessage) else ""


def _error(error: ImpastoError, job: str = "") -> messages.Error:
    return messages.Error(
        code=error.code,
        message=str(error)[:2000],
        next_step=error.next_step[:1000],
        job=job,
    )


def _unexpected() -> ImpastoError:
    return ImpastoError("Something went wrong inside Impasto.")


def _job_info(job: Job) -> messages.JobInfo:
    progress = job.progress
    return messages.JobInfo(
        job=job.id,
        client=job.client,
        state=job.lifecycle.state.value,
        step=progress.step if progress else 0,
        of=progress.of if progress else 0,
        draft=isinstance(job.request, messages.Stylise) and job.request.draft,
        bakes=job.request.name if isinstance(job.request, messages.PresetBake) else "",
        share=(progress.share or 0.0) if progress else 0.0,
    )
