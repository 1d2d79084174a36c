"""The client: finds the daemon or starts it, sends requests, and follows jobs.

Nothing runs in the background. A program either waits here (`Job.events`, `Job.result`) or has
its own event loop call `Client.pump` when `Client.fd` is readable and a few times a second.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import subprocess
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from impasto_protocol.chosen_style import ChosenStyle, in_message
from impasto_protocol.codec import (
    Buffer,
    Picture,
    check_size,
    decode,
    digest_of,
    encode,
    subject_of,
    verify,
)
from impasto_protocol.connection import (
    Connection,
    clean_environment,
    connection_file,
    daemon_is_running,
    read_connection,
    running_impasto,
    runtime_dir,
)
from impasto_protocol.errors import (
    BadField,
    BadMessage,
    Cancelled,
    DaemonLost,
    DaemonNotRunning,
    DaemonStartFailed,
    ImpastoError,
    ProtocolError,
    UnknownClient,
    UnknownJob,
    UnsafeFolder,
    VersionSkew,
    error_from_code,
    error_from_lines,
)
from impasto_protocol.limits import (
    FRAME_BYTES,
    PING_EVERY_S,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    SILENCE_S,
)
from impasto_protocol.messages import (
    ENDINGS,
    Accepted,
    Cancel,
    Collect,
    Error,
    Estimate,
    Estimated,
    Failed,
    FileInfo,
    Hello,
    JobMessage,
    Message,
    Ping,
    PresetBake,
    PresetExport,
    PresetFile,
    PresetGet,
    PresetImport,
    PresetInfo,
    PresetList,
    Presets,
    PresetSave,
    PresetsImported,
    Progress,
    Result,
    Status,
    Stylise,
    Welcome,
)
from impasto_protocol.messages import (
    Cancelled as CancelledMessage,
)
from impasto_protocol.settings import Settings
from impasto_protocol.style_names import is_pack
from impasto_protocol.translations import _

if TYPE_CHECKING:
    from impasto_protocol.bridge import BridgeTransport
    from impasto_protocol.zeromq import ZeroMqTransport

Event = tuple[JobMessage, list[Picture]]
"""A message about a job, and the pictures that came with it."""

_WAIT_S = 0.25
_QUIET_S = 15.0
"""Of a job that nothing was heard of for so long is asked: it, or its end, may have been lost."""
_REPEATABLE = (Estimate, PresetExport, PresetGet, PresetList, Status)
"""Requests that change nothing, and so are sent again after as long."""
_SLOW_LINE_BYTES_S = 500_000
"""To another machine. While a picture is under way on it nothing else is heard."""
_COLLECTED_BYTES, _STYLE_BYTES, _PICTURE_BYTES = 1 << 27, 20 << 20, 8 << 20
"""What may come of a job of another program's, of a style's file, and of its picture."""


def new_job_id() -> str:
    """A job id that nobody can guess."""
    return uuid.uuid4().hex


_SEVERAL_STYLES = 7
"""The minor version of the protocol from which on a painting may have several styles."""


class Client:
    """A connection to the daemon. Use it from one thread; close it, or use it in a `with`.

    name: what to be called in the daemon's status, for people. is_running: asked now and then
    whether the daemon still runs, so that its end is known before its silence has lasted. is_own:
    it is this machine's own daemon, which can be ended here.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        name: str = "client",
        timeout_s: float = SILENCE_S,
        is_running: Callable[[], bool] = lambda: True,
        is_own: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._timeout_s, self._is_running = clock, timeout_s, is_running
        self._is_own = is_own
        self._requests = itertools.count(1)
        self._asked: dict[int, _Question] = {}
        self._answers: dict[int, tuple[Message, Sequence[Buffer]]] = {}
        self._jobs: dict[str, Job] = {}
        self._pinged = self._looked = clock()
        self._unanswered: float | None = None
        # Within one machine the kernel vouches for the bytes, and a digest would cost time.
        self._digests = bool(connection.server_key)
        self._line_bytes_s = _SLOW_LINE_BYTES_S if connection.server_key else math.inf
        self._frame_bytes = FRAME_BYTES
        self._transport = _open_transport(connection)
        try:
            self.welcome = self._greet(name)
            self._frame_bytes = self.welcome.frame_bytes
        except ImpastoError:
            self.close()
            raise

    @classmethod
    def connect(
        cls,
        *,
        name: str = "client",
        file: Path | None = None,
        start: bool = True,
        timeout_s: float = 30,
    ) -> Client:
        """A client of the running daemon, or of one started for it when `start`.

        file: the connection file of another machine's daemon; `IMPASTO_CONNECTION` names one too.
        Raises DaemonNotRunning, DaemonStartFailed, DaemonLost, VersionSkew or UnsafeFolder.
        """
        named = file or os.environ.get("IMPASTO_CONNECTION")
        if named:
            return cls(_read_named(Path(named)), name=name, is_own=False)
        folder = runtime_dir()
        connection = _await_connection(folder, timeout_s, start=start)
        return cls(connection, name=name, is_running=lambda: daemon_is_running(folder))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the daemon. Jobs sent with `keep` go on, the others are cancelled."""
        self._transport.close()

    @property
    def fd(self) -> int:
        """Becomes readable when there may be something for `pump`; only ever wait for reading."""
        return self._transport.fd

    def wait(self, seconds: float) -> None:
        """Sleep until there is something for `pump`, at most so long."""
        self._transport.wait(seconds)

    def submit(
        self,
        message: Stylise | PresetSave | PresetBake,
        pictures: Mapping[str, Picture | Sequence[Picture]],
    ) -> Job:
        """Send a job with its pictures by role; at once, without waiting for an answer.

        Raises TooLarge when a picture is over the daemon's limit, VersionSkew when the daemon is
        too old for it.
        """
        if isinstance(message, PresetBake) and message.type not in self.welcome.capabilities:
            raise _too_old(_("The daemon is older and cannot bake styles."))
        roles = pictures.keys() - {"content", "style", "start", "selection"}
        several = isinstance(message, Stylise) and (message.styles or roles)
        if several and self.welcome.minor < _SEVERAL_STYLES:
            raise _too_old(_("The daemon is older and paints in one style everywhere."))
        sent = [
            (role, picture)
            for role, found in pictures.items()
            for picture in ([found] if isinstance(found, Picture) else found)
        ]
        infos = tuple(picture.info(role, digest=self._digests) for role, picture in sent)
        described = replace(message, frames=infos)
        self._send(described, [picture.data for _role, picture in sent])
        return self._follow(message.job, sum(len(picture.data) for _role, picture in sent))

    def bake(
        self, name: str, photographs: Sequence[Picture] = (), *, minutes: float = 20.0,
        anew: bool = False, preview_px: int = 0,
    ) -> Job:  # fmt: skip
        """Have the preset of that name baked for so long, and further than it is unless `anew`.

        photographs: what it is baked from; none: those that come with Impasto, and what was
        painted last. The job goes on when this client is closed. Raises as `submit` does.
        """
        message = PresetBake(
            job=new_job_id(), name=name, minutes=minutes, anew=anew, preview_px=preview_px
        )
        return self.submit(message, {"photograph": photographs})

    def stylise(
        self,
        content: Picture,
        style: Picture | str | Sequence[ChosenStyle],
        settings: Settings | None = None,
        *,
        preview_px: int = 0,
        keep: bool = False,
        others: Mapping[str, Picture] | None = None,
    ) -> Job:
        """Have `content` painted in a style: of a picture, of the preset of that name, or several.

        others: pictures of other roles that `Stylise` names, as `selection`.
        """
        chosen = [ChosenStyle(style)] if isinstance(style, Picture | str) else style
        named, pictures = in_message(chosen)
        message = Stylise(
            job=new_job_id(), settings=settings or Settings(), preview_px=preview_px, keep=keep,
            **named,
        )  # fmt: skip
        return self.submit(message, {"content": content, **pictures, **(others or {})})

    def estimate(
        self,
        size: tuple[int, int],
        settings: Settings,
        part: tuple[int, int] = (0, 0),
        planes: int = 0,
    ) -> Estimated | None:
        """What painting a picture, or a part of it, would take; None from an older daemon.

        size, part: (height, width) in px; a part of nothing is all. planes: masks with it, as
        `count_planes` has them.
        """
        if Estimate.type not in self.welcome.capabilities:
            return None
        answer, _ = self.ask(
            Estimate(
                height=size[0],
                width=size[1],
                part_height=part[0],
                part_width=part[1],
                settings=settings,
                planes=planes,
            )
        )
        if not isinstance(answer, Estimated):
            raise BadMessage("The daemon's answer was not an estimate.")
        return answer

    def collect(self, job_id: str) -> Job:
        """Follow a job that was sent earlier, perhaps by another program, and get its result."""
        self._send(Collect(job=job_id))
        return self._follow(job_id, _COLLECTED_BYTES)

    def cancel(self, job_id: str, *, keep: bool = False) -> None:
        """Ask for a job to end now, perhaps another program's; see `Job.cancel`."""
        self._send(Cancel(job=job_id, keep=keep))

    def ask(self, message: Message) -> tuple[Message, list[Picture]]:
        """Send a request and wait for its answer; an `error` answer is raised."""
        answer, frames = self._exchange(message)
        return answer, pictures_in(answer, frames)

    def request(self, message: Message, frames: Sequence[Buffer] = ()) -> int:
        """Send a request, without waiting; its number, for `answer`."""
        number = self._send(message, frames)
        size_bytes = _answer_bytes(message) + sum(map(_size, frames))
        self._asked[number] = _Question(message, size_bytes, self._clock())
        return number

    def answer(self, number: int) -> tuple[Message, Sequence[Buffer]] | None:
        """The answer to a request and its frames, if it has arrived; call `pump` before.

        An `error` answer is raised.
        """
        if number not in self._answers:
            return None
        answer, frames = self._answers.pop(number)
        if isinstance(answer, Error):
            raise error_from_code(answer.code, answer.message, answer.next_step)
        return answer, frames

    def presets(self) -> list[PresetInfo]:
        """Every saved style, by name."""
        return [info for page in self.preset_pages() for info in page.presets]

    def preset_pages(self) -> Iterator[Presets]:
        """Every saved style, by name, a few at a time, and the damaged ones among them."""
        page = Presets(more=True)
        while page.more:
            after = page.presets[-1].name if page.presets else ""
            answer, _ = self.ask(PresetList(after=after))
            if not isinstance(answer, Presets):
                raise BadMessage("The daemon's answer was not a list of styles.")
            page = answer
            yield page

    def export_presets(self, names: Sequence[str], *, pack: bool = False) -> bytes:
        """The file of a saved style, or a pack of several."""
        answer, frames = self._exchange(PresetExport(names=tuple(names), pack=pack))
        if not isinstance(answer, PresetFile):
            raise BadMessage("The daemon's answer was not a file.")
        verify(answer.file, frames[-1])
        return bytes(frames[-1])

    def import_presets(
        self, data: bytes, *, name: str = "", replace: bool = False
    ) -> tuple[str, ...]:
        """Keep the style in a file, as `name`, or all of a pack's; the names they have now."""
        name = "" if is_pack(data) else name  # which its styles have themselves
        file = FileInfo(len(data), digest_of(data) if self._digests else b"")
        message = PresetImport(name=name, replace=replace, file=file)
        answer, _ = self._exchange(message, [data])
        if not isinstance(answer, PresetsImported):
            raise BadMessage("The daemon's answer was not a list of names.")
        return answer.names

    def pump(self) -> None:
        """Take in what has arrived, without waiting, and give a sign of life when one is due.

        Raises DaemonLost when the daemon has been silent for too long, or is no longer the same.
        """
        while (parts := self._transport.receive()) is not None:
            self._receive(parts)
        now = self._clock()
        if self._unanswered is not None and now - self._looked > PING_EVERY_S:
            # This program was busy or asleep, and what came meanwhile may not have got here yet.
            self._unanswered = now
        self._looked = now
        patience_s = self._timeout_s + self._on_the_line_s()
        if self._unanswered is not None and now - self._unanswered > patience_s:
            raise DaemonLost(
                _("The daemon has stopped answering."),
                next_step=_("End it with `impasto daemon stop`, then try again.")
                if self._is_own
                else _("See that it runs on its machine, and that this one reaches it."),
            )
        if now - self._pinged >= PING_EVERY_S:
            self._pinged = now
            if not self._is_running():
                raise DaemonLost(_("The daemon has ended."))
            with contextlib.suppress(DaemonLost):  # which it is only after a while
                self._send(Ping())
                self._ask_again()

    def _on_the_line_s(self) -> float:
        """How long all that may be under way takes, at most."""
        jobs = sum(job.size_bytes for job in self._jobs.values())
        asked = sum(question.size_bytes for question in self._asked.values())
        return (jobs + asked) / self._line_bytes_s

    def _ask_again(self) -> None:
        """What was asked, or is to be known of a job, may have been lost with the connection."""
        now, quiet_s = self._clock(), _QUIET_S + self._on_the_line_s()
        for number, question in self._asked.items():
            if isinstance(question.message, _REPEATABLE) and now - question.asked > quiet_s:
                question.asked = now
                self._transport.send(encode(replace(question.message, request=number), ()))
        for job in self._jobs.values():
            if now - job.heard > quiet_s:
                job.heard = now
                self._send(Collect(job=job.id))

    def _wait(self, until: Callable[[], bool]) -> None:
        while not until():
            self.wait(_WAIT_S)
            self.pump()

    def _exchange(
        self, message: Message, frames: Sequence[Buffer] = ()
    ) -> tuple[Message, Sequence[Buffer]]:
        number = self.request(message, frames)
        self._wait(lambda: number in self._answers)
        answer = self.answer(number)
        assert answer
        return answer

    def _greet(self, name: str) -> Welcome:
        answer, _ = self.ask(Hello(major=PROTOCOL_MAJOR, minor=PROTOCOL_MINOR, client=name[:64]))
        if not isinstance(answer, Welcome) or answer.major != PROTOCOL_MAJOR:
            raise VersionSkew("The daemon speaks another version of the protocol.")
        return answer

    def _send(self, message: Message, frames: Sequence[Buffer] = ()) -> int:
        number = next(self._requests)
        for info in message.described:
            check_size(info, self._frame_bytes)
        if self._unanswered is None:
            self._unanswered = self._clock()
        self._transport.send(encode(replace(message, request=number), frames))
        return number

    def _follow(self, job_id: str, size_bytes: int) -> Job:
        job = self._jobs[job_id] = Job(self, job_id, size_bytes)
        return job

    def _receive(self, parts: Sequence[Buffer]) -> None:
        self._unanswered = None
        try:
            message = decode(parts)
        except ImpastoError as error:
            message = _unreadable(parts, error)
        if isinstance(message, Error) and message.code == UnknownClient.code:
            # The transport mends itself, even to another daemon at the same place.
            raise DaemonLost(_("The daemon was started anew."))
        if isinstance(message, JobMessage | Error) and (job := self._jobs.get(message.job)):
            try:
                pictures = pictures_in(message, parts[1:])
            except ImpastoError as error:  # they were damaged on the way
                message, pictures = _unreadable(parts, error), []
            job.take(message, pictures)
            if job.ended:
                del self._jobs[job.id]
        elif message.request in self._asked:
            del self._asked[message.request]
            self._answers[message.request] = (message, parts[1:])


class Job:
    """One job as its client sees it. heard: when it was heard of last, by the client's clock.

    size_bytes: of the pictures that were sent for it, or else may come of it.
    """

    def __init__(self, client: Client, job_id: str, size_bytes: int) -> None:
        self.id, self.size_bytes = job_id, size_bytes
        self.ended = False
        self.heard = client._clock()
        self._client = client
        self._is_running = False
        self._arrived: deque[Event] = deque()
        self._refusal: ImpastoError | None = None

    def take(self, message: JobMessage | Error, pictures: list[Picture]) -> None:
        """Put a message about this job, or its refusal, where `poll` and `events` find it."""
        if isinstance(message, Error):
            self._refusal = error_from_code(message.code, message.message, message.next_step)
        elif not (isinstance(message, Accepted) and self._is_running):
            self._arrived.append((message, pictures))
        self.ended = isinstance(message, (Error, *ENDINGS))
        self.heard = self._client._clock()
        self._is_running = self._is_running or isinstance(message, Progress)

    def poll(self) -> list[Event]:
        """What has arrived since the last call, without waiting; call `Client.pump` before it.

        Raises what the daemon refused the job with, whatever came before that.
        """
        if self._refusal:
            raise self._refusal
        arrived = list(self._arrived)
        self._arrived.clear()
        return arrived

    def events(self) -> Iterator[Event]:
        """Every message about the job as it arrives, the last being its end."""
        while True:
            self._client._wait(lambda: bool(self._arrived) or self.ended)
            if self._arrived:
                yield self._arrived.popleft()
            elif self._refusal:
                raise self._refusal
            else:
                return

    def result(
        self, on_event: Callable[[JobMessage, list[Picture]], None] = lambda message, pictures: None
    ) -> tuple[Result, list[Picture]]:
        """Wait for the end: the result and its picture. Raises what the job ended with instead.

        on_event: called with each message on the way and its pictures.
        """
        for message, pictures in self.events():
            on_event(message, pictures)
            if result := result_in(message):
                return result, pictures
        raise UnknownJob(_("The job's result has been taken already."))

    def cancel(self, *, keep: bool = False) -> None:
        """Ask for the job to end now; with `keep` the picture as it stands becomes the result."""
        self._client.cancel(self.id, keep=keep)


def result_in(message: JobMessage) -> Result | None:
    """The result, if a message is one; None on the way. Raises what the job ended with instead."""
    if isinstance(message, Failed):
        raise error_from_code(message.code, message.message, message.next_step)
    if isinstance(message, CancelledMessage):
        raise Cancelled(_("The job was cancelled."))
    return message if isinstance(message, Result) else None


def pictures_in(message: Message, frames: Sequence[Buffer]) -> list[Picture]:
    """The pictures that came with a message. Raises BadImage when one was damaged."""
    # Not strict: a file may follow the pictures.
    described = zip(message.frames, frames, strict=False)
    return [Picture.received(info, frame) for info, frame in described]


@dataclass
class _Question:
    """A request that is yet to be answered. asked: when it was sent last."""

    message: Message
    size_bytes: int
    asked: float


def _unreadable(parts: Sequence[Buffer], error: ImpastoError) -> Error:
    """What a newer daemon says and this client cannot read fails what it is about, if known."""
    request, job = subject_of(parts)
    if not (request or job):
        raise error
    step = ProtocolError.default_next_step if isinstance(error, BadField) else error.next_step
    return Error(request=request, job=job, code=error.code, message=str(error), next_step=step)


def _answer_bytes(message: Message) -> int:
    """What may come in answer to a request."""
    if isinstance(message, PresetExport):
        return len(message.names) * _STYLE_BYTES
    if isinstance(message, PresetGet) and not message.thumbnail_only:
        return _PICTURE_BYTES
    return 0


def _size(frame: Buffer) -> int:
    return memoryview(frame).nbytes


def _open_transport(connection: Connection) -> ZeroMqTransport | BridgeTransport:
    try:
        from impasto_protocol.zeromq import ZeroMqTransport
    except ImportError:
        # This Python cannot load pyzmq, but the daemon's own can.
        from impasto_protocol.bridge import BridgeTransport

        return BridgeTransport(connection)
    return ZeroMqTransport(connection)


def start_daemon() -> None:
    """Run the program that starts the daemon and puts it into the background.

    Raises DaemonStartFailed with its own words when it does not succeed.
    """
    _run_program("daemon", "start")


def stop_daemon() -> None:
    """Run the program that ends the daemon, if one runs.

    Raises DaemonStartFailed with its own words when it goes on.
    """
    _run_program("daemon", "stop")


def _run_program(*arguments: str) -> None:
    with running_impasto() as command:
        ended = subprocess.run(
            [*command, *arguments],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            # On Windows a console would come up for a moment.
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    if ended.returncode:
        words = (ended.stderr or ended.stdout).strip().splitlines()
        raise error_from_lines(
            words, _("`impasto {names}` did not succeed.").format(names=" ".join(arguments))
        )


def _read_named(file: Path) -> Connection:
    """The connection file of another machine's daemon, which a person has named.

    There is no other of it, and a link to it is theirs.
    """
    try:
        return read_connection(Path(os.path.realpath(file)))
    except UnsafeFolder as error:
        step = _("Run: chmod 600 '{path}'; then try again.").format(path=file)
        raise UnsafeFolder(str(error), next_step=step) from error
    except DaemonNotRunning as error:
        words, why = str(error), error.__cause__
        if isinstance(why, FileNotFoundError):
            words = _("There is no file {path}.").format(path=file)
        elif isinstance(why, OSError):
            words = _("{name} cannot be read: {reason}.").format(name=file, reason=why.strerror)
        raise DaemonNotRunning(
            words, next_step=_("Set IMPASTO_CONNECTION to a connection file, or to nothing.")
        ) from error


def _await_connection(folder: Path, timeout_s: float, *, start: bool) -> Connection:
    """The connection file of a daemon that may only just be starting, or ending."""
    deadline = time.monotonic() + timeout_s
    while True:
        if not daemon_is_running(folder):
            if not start:
                raise DaemonNotRunning(_("No daemon is running."))
            start_daemon()
        try:
            return read_connection(connection_file(folder))
        except DaemonNotRunning:
            if time.monotonic() > deadline:
                raise DaemonStartFailed(_("The daemon did not come up in time.")) from None
            time.sleep(0.05)


def _too_old(words: str) -> VersionSkew:
    return VersionSkew(words, next_step=_("End it with `impasto daemon stop`, then try again."))
