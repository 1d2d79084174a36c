"""Every error Impasto can report: a stable code, a sentence for a painter, and what to do next.

    ImpastoError
    ├── ProtocolError        one side sent what the other cannot use
    │   ├── BadMessage  BadField  UnknownType  TooLarge  TooManyParts  UnknownClient  VersionSkew
    ├── RequestError         the request is well formed but cannot be carried out
    │   ├── BadImage  TooBig  PictureUnreadable  PictureRejected  Conflict
    │   ├── StyleUnreadable  StyleRejected (of a picture, too)
    │   ├── UnknownJob  PresetInvalid  UnknownPreset  PresetExists  NotBaked  Busy
    │   ├── HostUnsupported
    ├── JobError             an accepted job ended without a picture
    │   ├── Cancelled  OutOfMemory  GpuFailed  JobStalled  WorkerFailed
    └── SetupError           something around the daemon needs a hand
        ├── WeightsBad  DownloadFailed  NoDevice  ConfigInvalid  UnsafeFolder  NotWritten ─ DiskFull
        └── DaemonNotRunning  DaemonStartFailed  DaemonLost  AlreadyRunning  InstallFailed

The four groups are for `except`; the codes are what travels and never change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ImpastoError(Exception):
    """Any error of ours. `str(error)` is the sentence; `next_step` says what to do about it."""

    code: ClassVar[str] = "INTERNAL"
    default_next_step: ClassVar[str] = (
        "Try once more; if it happens again, report it with the end of `impasto daemon logs`."
    )

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        super().__init__(message)
        self.next_step = next_step or self.default_next_step


class ProtocolError(ImpastoError):
    """A message broke the protocol."""

    code = "PROTOCOL"
    default_next_step = "Update the plug-in and the daemon to the same version."


class BadMessage(ProtocolError):
    """The header is not a msgpack map of the agreed form."""

    code = "BAD_MESSAGE"


class BadField(ProtocolError):
    """A field is missing, of the wrong type, or out of range; `field` names it."""

    code = "BAD_FIELD"
    default_next_step = "Correct that value, then try again."

    def __init__(self, message: str, *, field: str = "", next_step: str | None = None) -> None:
        super().__init__(message, next_step=next_step)
        self.field = field


class UnknownType(ProtocolError):
    """The message type is not one this side knows."""

    code = "UNKNOWN_TYPE"


class TooLarge(ProtocolError):
    """A header or frame is over the limit announced in `welcome`."""

    code = "TOO_LARGE"
    default_next_step = (
        "Use a smaller picture, or raise the daemon's setting `frame_mib`; `impasto config show` "
        "tells the file."
    )


class TooManyParts(ProtocolError):
    """A message has more parts than any message may have."""

    code = "TOO_MANY_PARTS"


class UnknownClient(ProtocolError):
    """A client without a `hello`: it never said one, or said it to a daemon that has ended."""

    code = "UNKNOWN_CLIENT"
    default_next_step = "Run it again: it connects anew."


class VersionSkew(ProtocolError):
    """The sides speak different major versions of the protocol; or a recipe is a newer one's."""

    code = "VERSION_SKEW"


class RequestError(ImpastoError):
    """A request that cannot be carried out as asked."""

    code = "BAD_REQUEST"


class BadImage(RequestError):
    """Pixels and their description disagree, or the pixels are not finite numbers."""

    code = "BAD_IMAGE"
    default_next_step = ProtocolError.default_next_step


class TooBig(RequestError):
    """The picture does not fit the memory budget; the sentence names the largest that does."""

    code = "TOO_BIG"
    default_next_step = (
        "Choose a smaller working size (`--working-px` at the command line), or select a smaller "
        "part of it."
    )


class PictureUnreadable(RequestError):
    """The picture file is missing, is not a regular file, or ends too early."""

    code = "PICTURE_UNREADABLE"
    default_next_step = "Open the picture in an editor and save it again as PNG or JPEG."


class PictureRejected(RequestError):
    """The picture file is of a kind or size that is not accepted."""

    code = "PICTURE_REJECTED"
    default_next_step = "Save the picture as PNG, JPEG or WebP of at most 200 megapixels."


class StyleUnreadable(PictureUnreadable):
    """The style file is missing, is not a regular file, or ends too early."""

    code = "STYLE_UNREADABLE"
    default_next_step = "Open the style picture in an editor and save it again as PNG or JPEG."


class StyleRejected(PictureRejected):
    """The style file is of a kind or size that is not accepted."""

    code = "STYLE_REJECTED"
    default_next_step = "Save the style picture as PNG, JPEG or WebP of at most 200 megapixels."


class Conflict(RequestError):
    """The job id already stands for another request."""

    code = "CONFLICT"
    default_next_step = "Use a new job id for a new request."


class UnknownJob(RequestError):
    """No such job, or its result has been dropped, or it belongs to someone else."""

    code = "UNKNOWN_JOB"
    default_next_step = "Run it again."


class PresetInvalid(RequestError):
    """A preset's name or file does not hold what a preset must."""

    code = "PRESET_INVALID"
    default_next_step = "Get its file anew, or save the style again from its picture."


class UnknownPreset(RequestError):
    """There is no preset of that name."""

    code = "UNKNOWN_PRESET"
    default_next_step = "Choose one of the saved styles; `impasto style list` shows them."


class NotBaked(RequestError):
    """The quality is instant and the style is not baked."""

    code = "NOT_BAKED"
    default_next_step = (
        "Bake the style, by a right click on it or by `impasto style bake`, or choose another "
        "quality."
    )


class PresetExists(RequestError):
    """A preset of that name is already there."""

    code = "PRESET_EXISTS"
    default_next_step = (
        "Choose another name, or replace the old style: `--replace` at the command line."
    )


class Busy(RequestError):
    """The queue is full."""

    code = "BUSY"
    default_next_step = "Wait for a job to finish, or cancel one, then try again."


class HostUnsupported(RequestError):
    """What is selected in the editor cannot be painted; raised by plug-ins."""

    code = "HOST_UNSUPPORTED"
    default_next_step = "Select one layer and try again."


class JobError(ImpastoError):
    """A job that was accepted and ended without a picture."""

    code = "JOB_FAILED"


class Cancelled(JobError):
    """Somebody asked for the job to be cancelled."""

    code = "CANCELLED"
    default_next_step = "Nothing was changed. Run it again whenever you like."


class OutOfMemory(JobError):
    """The device has not enough memory, even on the second, smaller try."""

    code = "OUT_OF_MEMORY"
    default_next_step = "Close other programs, or use a smaller picture."


class GpuFailed(JobError):
    """The GPU failed twice with the same job."""

    code = "GPU_FAILED"
    default_next_step = (
        "Restart the computer or update the driver; until then run `impasto daemon stop`, then "
        "`impasto daemon start --device cpu`."
    )


class JobStalled(JobError):
    """The worker gave no sign of life for too long, twice."""

    code = "JOB_STALLED"
    default_next_step = "Try a smaller picture; if it stalls again, report `impasto daemon logs`."


class WorkerFailed(JobError):
    """The worker process ended twice in the middle of the same job."""

    code = "WORKER_FAILED"


class SetupError(ImpastoError):
    """Something around the daemon is not as it must be."""

    code = "SETUP"


class WeightsBad(SetupError):
    """The weights file is missing, damaged, or not VGG-19."""

    code = "WEIGHTS_BAD"
    default_next_step = "Choose another file, or run `impasto weights use oxford`."


class DownloadFailed(SetupError):
    """A download did not complete."""

    code = "DOWNLOAD_FAILED"
    default_next_step = "Check the network and run `impasto weights fetch` again; it resumes."


class NoDevice(SetupError):
    """The requested device is not there."""

    code = "NO_DEVICE"
    default_next_step = (
        "Choose another device where this one was chosen, or none (`impasto config show --origin` "
        "tells where), then run `impasto daemon stop`; or check the GPU driver."
    )


class ConfigInvalid(SetupError):
    """The configuration file has a value that cannot be used."""

    code = "CONFIG_INVALID"
    default_next_step = "Correct that setting, or remove it; `impasto config show` tells the file."


class UnsafeFolder(SetupError):
    """A private folder is a link, or open to other users."""

    code = "UNSAFE_FOLDER"


class NotWritten(SetupError):
    """A file could not be written, for another reason than a full disk if it is not DiskFull."""

    code = "NOT_WRITTEN"
    default_next_step = "Choose another place, or see that this one can be written to."


class DiskFull(NotWritten):
    """There is no space left for a file."""

    code = "DISK_FULL"
    default_next_step = "Free some space, then try again."


class DaemonNotRunning(SetupError):
    """No daemon is running and none was to be started."""

    code = "DAEMON_NOT_RUNNING"
    default_next_step = "Start it with `impasto daemon start`."


class DaemonStartFailed(SetupError):
    """The daemon was started but did not come up."""

    code = "DAEMON_START_FAILED"
    default_next_step = "See why with `impasto daemon logs`."


class DaemonLost(SetupError):
    """The daemon stopped answering."""

    code = "DAEMON_LOST"
    default_next_step = "Run it again: the daemon is started anew when it is needed."


class AlreadyRunning(SetupError):
    """Another daemon of this user is running."""

    code = "ALREADY_RUNNING"
    default_next_step = "Use the running one, or stop it with `impasto daemon stop`."


class InstallFailed(SetupError):
    """Impasto could not be put in place; everything is as it was before."""

    code = "INSTALL_FAILED"
    default_next_step = "Run the installer again; it goes on from what is there."


def _tree(base: type[ImpastoError]) -> list[type[ImpastoError]]:
    return [base, *(error for child in base.__subclasses__() for error in _tree(child))]


def error_from_code(code: str, message: str, next_step: str) -> ImpastoError:
    """The error that `code` stands for; an unknown code of a newer peer gives an ImpastoError."""
    by_code = {error.code: error for error in reversed(_tree(ImpastoError))}
    return by_code.get(code, ImpastoError)(message, next_step=next_step)


def error_from_lines(said: Sequence[str], otherwise: str) -> ImpastoError:
    """The error that `impasto` printed: its code and words on a line, the next step below it.

    otherwise: what is said when it printed nothing.
    """
    code, _, words = (said[0] if said else "").partition(" ")
    if code.isupper() and len(said) > 1:
        return error_from_code(code, words, said[1])
    return DaemonStartFailed(" ".join(said[:2]) or otherwise)
