"""Where the daemon can be reached: the private runtime folder, the connection file, the lock.

The lock is the kernel's and alone says whether a daemon lives; no decision rests on a pid. Files
are locked and written here as the installer does it too. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from impasto_protocol.errors import AlreadyRunning, DaemonNotRunning, ImpastoError, UnsafeFolder
from impasto_protocol.fields import from_dict, spec_field, to_dict, validate
from impasto_protocol.translations import _

TEMPORARY = ".impasto-"
"""How the names of files begin that are being written."""

_FILE_BYTES = 16 * 1024
_TOUCHED_S = 3600
_KEY = r"([0-9a-zA-Z.:+=^!/*?&<>()\[\]{}@%$#-]{40})?"
_KEY_FORM = "40 letters of Z85, or empty"
_RUN_USER = Path("/run/user")
_SHARED_TEMPORARY = Path("/tmp")
_NOT_INHERITED = {"VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "__PYVENV_LAUNCHER__"}
_NOT_INHERITED_PREFIXES = ("PYTHON", "LD_", "DYLD_")
"""Of variables that an interpreter and a loader heed."""
_ANOTHER_HOME = _("Set IMPASTO_HOME to a folder of your own that can be written to.")


@dataclass(frozen=True)
class Connection:
    """What a client needs to know to reach a daemon. On TCP its keys are the right to use it."""

    endpoint: str = spec_field(
        "ZeroMQ endpoint",
        pattern=r"(ipc|tcp)://.+",
        form="like ipc:///x or tcp://127.0.0.1:5555",
        longest=300,
    )
    major: int = spec_field("protocol version", low=0)
    minor: int = spec_field("protocol version", low=0)
    version: str = spec_field("the daemon's version", longest=64)
    pid: int = spec_field("the daemon's process, for people", low=0)
    server_key: str = spec_field(
        "CURVE public key of the daemon, Z85", default="", pattern=_KEY, form=_KEY_FORM
    )
    public_key: str = spec_field(
        "CURVE public key for the client, Z85", default="", pattern=_KEY, form=_KEY_FORM
    )
    secret_key: str = spec_field(
        "CURVE secret key for the client, Z85", default="", pattern=_KEY, form=_KEY_FORM
    )

    def __post_init__(self) -> None:
        validate(self)


def runtime_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of this user's socket, connection file and lock; it need not exist.

    `IMPASTO_HOME` moves it, along with everything else Impasto keeps.
    """
    if home := environment.get("IMPASTO_HOME"):
        return Path(home) / "run"
    if sys.platform == "win32":
        return Path(environment["LOCALAPPDATA"]) / "Impasto" / "run"
    usual = _RUN_USER / str(os.getuid())
    # On macOS a shell may have the variable, but no editor from the Dock.
    told = None if sys.platform == "darwin" else environment.get("XDG_RUNTIME_DIR")
    # The usual one too, as a shell, a service and an editor of one user may not all have been told,
    # and instead of one in it, as a snap is told.
    for folder in (told, usual):
        if folder and _is_own(Path(folder)):
            return (usual if Path(folder).is_relative_to(usual) else Path(folder)) / "impasto"
    # Likewise: TMPDIR may differ between them.
    shared = sys.platform != "darwin" and os.access(_SHARED_TEMPORARY, os.W_OK | os.X_OK)
    temporary = _SHARED_TEMPORARY if shared else Path(tempfile.gettempdir())
    return temporary / f"impasto-{os.getuid()}"


def outside_of_snaps(folder: Path, usual: Path) -> Path:
    """`folder`, but the `usual` one where a snap's terminal names a folder of the snap's."""
    return usual if folder.is_relative_to(Path.home() / "snap") else folder


def _is_own(folder: Path) -> bool:
    """Whether a folder is there, this user's, and can be written to."""
    try:
        found = folder.stat()
    except OSError:
        return False
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return own and os.access(folder, os.W_OK | os.X_OK)


def make_folders(folder: Path) -> None:
    """Make a folder of Impasto's own, and those that it is in, each that is not there for its owner
    alone, whatever the umask. Raises OSError.
    """
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def make_private(folder: Path) -> Path:
    """Create `folder`, for its owner alone, or make sure that it is so.

    Raises UnsafeFolder, with the command to run, when it is a link or open to others, or when it
    cannot be made.
    """
    try:
        make_folders(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    except OSError as error:
        raise UnsafeFolder(
            _("{folder} cannot be made: {reason}.").format(
                folder=folder, reason=error.strerror or error
            ),
            next_step=_ANOTHER_HOME,
        ) from error
    if sys.platform == "win32":
        return folder
    found = folder.lstat()
    if found.st_uid != os.getuid():
        raise UnsafeFolder(
            _("{folder} belongs to another user.").format(folder=folder),
            next_step=_("Run: sudo rm -r '{folder}'").format(folder=folder),
        )
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeFolder(
            _("{folder} is not a folder.").format(folder=folder),
            next_step=_("Run: rm '{folder}'").format(folder=folder),
        )
    if found.st_mode & 0o077:
        raise UnsafeFolder(
            _("{folder} is open to other users.").format(folder=folder),
            next_step=_("Run: chmod 700 '{folder}'").format(folder=folder),
        )
    return folder


def write_connection(folder: Path, connection: Connection) -> Path:
    """Put the connection file in `folder`, whole or not at all, for its owner alone (0600)."""
    told = json.dumps(to_dict(connection), indent=1)
    return write_file(connection_file(folder), told.encode(), 0o600)


def read_connection(path: Path) -> Connection:
    """The connection file at `path`.

    Raises DaemonNotRunning when there is none or it is damaged, UnsafeFolder when others may
    have written or read it.
    """
    try:
        opened = open_private(path)
    except OSError as error:
        raise DaemonNotRunning(_("No daemon is running.")) from error
    with opened as file:
        try:
            found = from_dict(Connection, json.loads(file.read(_FILE_BYTES)))
            keys = found.server_key, found.public_key, found.secret_key
            if not all(keys) and (any(keys) or found.endpoint.startswith("tcp")):
                raise ValueError("a key is missing")
            return found
        except (ValueError, TypeError, AttributeError, ImpastoError) as error:
            raise DaemonNotRunning(_("{path} is damaged.").format(path=path)) from error


def open_private(path: Path) -> BinaryIO:
    """Open for reading a file that nobody else may have written or read; no link.

    Raises OSError, and UnsafeFolder where others may.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")
    found = os.fstat(file.fileno())
    if sys.platform != "win32" and (found.st_mode & 0o077 or found.st_uid != os.getuid()):
        file.close()
        raise UnsafeFolder(
            _("{path} is open to other users.").format(path=path),
            next_step=_("Run: rm '{path}'; then try again.").format(path=path),
        )
    return file


def impasto_command(environment: Mapping[str, str] = os.environ) -> list[str]:
    """How to run `impasto`: as `IMPASTO_COMMAND` says, beside this Python, on PATH, or installed.

    Raises DaemonNotRunning when it is not found.
    """
    if command := environment.get("IMPASTO_COMMAND"):
        return [command]
    beside = shutil.which("impasto", path=str(Path(sys.executable).parent))
    on_path = shutil.which("impasto", path=environment.get("PATH"))
    # An editor that was started from a menu may not have the user's own programs on its path.
    found = beside or on_path or shutil.which("impasto", path=str(_installed(environment)))
    if not found:
        raise DaemonNotRunning(
            _("No daemon is running, and the program `impasto` was not found to start one."),
            next_step=_("Install Impasto, or set IMPASTO_COMMAND to the path of `impasto`."),
        )
    return [found]


@contextlib.contextmanager
def running_impasto() -> Iterator[list[str]]:
    """The command that runs `impasto`. Raises DaemonNotRunning when it is not there or cannot run.

    A launcher is there and yet cannot run when the Python that it names is gone.
    """
    command = impasto_command()
    try:
        yield command
    except OSError as error:
        raise DaemonNotRunning(
            _("The program {command} could not be run: {reason}.").format(
                command=command[0], reason=error.strerror
            ),
            next_step=_(
                "Run Impasto's installer again, or set IMPASTO_COMMAND to the path of `impasto`."
            ),
        ) from error


def clean_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """An environment for `impasto` or uv, without what is set for another Python and its libraries.

    An AppImage, snap or flatpak names libraries and a Python that are not the daemon's.
    """
    return {
        name: value
        for name, value in environment.items()
        if name not in _NOT_INHERITED and not name.startswith(_NOT_INHERITED_PREFIXES)
    }


def _installed(environment: Mapping[str, str]) -> Path:
    """The folder that the installer puts the program into."""
    if sys.platform != "win32":
        return Path.home() / ".local/bin"
    if home := environment.get("IMPASTO_HOME"):
        return Path(home) / "data/environment/Scripts"
    return Path(environment["LOCALAPPDATA"]) / "impasto/environment/Scripts"


def connection_file(folder: Path) -> Path:
    """The path of the connection file in the runtime `folder`."""
    return folder / "connection.json"


def hold_lock(folder: Path) -> BinaryIO:
    """Take the lock that makes this process the daemon; it holds while the file stays open.

    Raises AlreadyRunning when another process has it, UnsafeFolder where there are no locks. The
    lock file itself is never deleted by Impasto.
    """
    file = _open_lock(folder, "ab")
    # A client that looks whether a daemon lives holds the lock for a moment; hence a few tries.
    for pause_s in (0.02, 0.05, 0.1, 0.2, 0.0):
        if _lock(file, folder):
            return file
        time.sleep(pause_s)
    file.close()
    raise AlreadyRunning(_("Another daemon of this user is running."))


def keeps_lock(lock: BinaryIO, folder: Path) -> bool:
    """Whether the file of a lock that is held is still there; if not, another may have taken it.

    What clears old files away is kept from this one.
    """
    if sys.platform == "win32":  # it deletes no file that is open
        return True
    try:
        held = os.fstat(lock.fileno())
        if time.time() - held.st_mtime > _TOUCHED_S:
            os.utime(lock.fileno())
        return os.path.samestat(held, (folder / "daemon.lock").stat())
    except (FileNotFoundError, NotADirectoryError):
        # Where the folder went as well, as at a logout, no other has begun.
        return not os.path.lexists(folder)
    except OSError:  # which says nothing of it
        return True


def daemon_is_running(folder: Path) -> bool:
    """Whether some process holds the daemon's lock. Raises UnsafeFolder if there are no locks."""
    try:
        with _open_lock(folder, "rb+") as file:
            return not _lock(file, folder)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _open_lock(folder: Path, mode: Literal["ab", "rb+"]) -> BinaryIO:
    try:
        return (folder / "daemon.lock").open(mode)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise UnsafeFolder(
            _("{folder} cannot be used: {reason}.").format(folder=folder, reason=error.strerror),
            next_step=_ANOTHER_HOME,
        ) from error


def _lock(file: BinaryIO, folder: Path) -> bool:
    try:
        return lock_file(file)
    except OSError as error:
        file.close()
        raise UnsafeFolder(
            _("Files in {folder} cannot be locked: {reason}.").format(
                folder=folder, reason=error.strerror
            ),
            next_step=_("Set IMPASTO_HOME to a folder on a disk of this machine."),
        ) from error


def write_file(target: Path, content: bytes, mode: int | None = 0o644) -> Path:
    """Put `content` at `target`, replacing what is there, whole or not at all. Raises OSError.

    mode: who may read and write it; None: whoever might the old file, or a new one of any program.
    A reader finds the old file or the new one, never a part, also after the power went; once this
    has returned, the new one.
    """
    kept = _mode_of(target) if mode is None else mode
    if kept is None:
        descriptor, name = _make_usual(target.parent)
    else:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=TEMPORARY)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if kept is not None:
                temporary.chmod(kept)
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):  # Windows deletes nothing that is read-only
            temporary.chmod(0o600)
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_names(target.parent)
    return target


def _mode_of(file: Path) -> int | None:
    with contextlib.suppress(OSError):
        return stat.S_IMODE(file.stat().st_mode)
    return None


def _make_usual(folder: Path) -> tuple[int, str]:
    """As `mkstemp`, but open to whom a new file of any program is.

    The umask is left to the system: it can be asked for only by being set, for every thread.
    """
    name = str(folder / f"{TEMPORARY}{os.urandom(8).hex()}")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    return os.open(name, flags, 0o666), name


def sync_names(folder: Path) -> None:
    """Have the power's loss not bring back what files in `folder` were called, where it can be had.

    Not every file system syncs a folder, and Windows opens none.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def lock_file(file: BinaryIO) -> bool:
        """Lock an open file for this process, until it is closed; False when another has it."""
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def lock_file(file: BinaryIO) -> bool:
        """Lock an open file for this process, until it is closed; False when another has it.

        Raises OSError on a file system that has no locks.
        """
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
