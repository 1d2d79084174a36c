"""What `impasto doctor` looks at in the editors: our plug-in's files, and whether it is seen."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from impasto_daemon.doctor.checkup import Finding, Installation
from impasto_installer import kritarc
from impasto_installer.editor_query import ask
from impasto_installer.hosts import Host, find_hosts
from impasto_installer.install import advice, where_to_look
from impasto_installer.manifest import Manifest
from impasto_installer.plugins import KRITA_FILES
from impasto_installer.startup import startup
from impasto_installer.transaction import Transaction

_INSTALL = "Run the installer again."
_NAMED = 3


def check_editors(installation: Installation) -> Iterator[Finding]:
    """Every editor on the machine, and the command that plug-ins run."""
    if installation.manifest:
        yield from _files(
            installation, installation.manifest, "command", installation.machine.launcher
        )
        if installation.manifest.starts_at_login:
            start = startup(installation.machine).file
            yield from _files(installation, installation.manifest, "start at login", start)
    hosts = find_hosts(installation.machine)
    if not hosts:
        yield Finding("editors", None, "There is no GIMP 3 or Krita 5 on this machine.")
    for host in hosts:
        yield from _editor(installation, host)


def _editor(installation: Installation, host: Host) -> Iterator[Finding]:
    manifest = installation.manifest
    if host.hindrance:
        yield Finding(str(host), None, f"{host} does not have the plug-in: {host.hindrance}.")
        return
    if manifest is None or str(host.plugin) not in manifest.places:
        good = None if manifest is None else False
        yield Finding(str(host), good, f"{host} does not have the plug-in.", _INSTALL)
        return
    closed = [folder for folder in (host.folder, host.plugin) if _is_closed(folder)]
    if closed:

        def open_up() -> None:
            for folder in closed:
                folder.chmod(folder.stat().st_mode | stat.S_IRWXU)

        yield Finding(
            str(host), False, f"{closed[0]} cannot be written to.",
            f"Run: chmod u+rwx '{closed[0]}'", open_up,
        )  # fmt: skip
    yield from _files(installation, manifest, str(host), host.plugin)
    if host.editor == "Krita":
        yield from _krita(installation, manifest, host)
    else:
        yield from _gimp(host)


def _files(
    installation: Installation, manifest: Manifest, check: str, place: Path
) -> Iterator[Finding]:
    """What is no longer as it was placed."""
    damages = dict(manifest.damages(place))
    if not damages:
        yield Finding(check, True, f"Every file of {place} is as it was placed.")
        return

    def mend() -> None:
        for file in damages:
            manifest.mend(file, installation.machine.data / "spare")

    told = [f"{file.relative_to(place.parent)} {what}" for file, what in damages.items()]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    yield Finding(check, False, f"{', '.join(told[:_NAMED])}{more}.", _INSTALL, mend)


def _gimp(host: Host) -> Iterator[Finding]:
    python = shutil.which("python3") if host.interpreter else None
    if python and subprocess.run([python, "-c", "import gi"], capture_output=True).returncode:
        yield Finding(
            str(host), None,
            f"The first Python on the path, {python}, lacks GIMP's modules. Impasto's plug-in "
            "does not need it, but GIMP's own plug-ins in Python do.",
            f"Start GIMP with {Path(host.interpreter).parent} first on the path.",
        )  # fmt: skip
    yield _asked(host)


def _asked(host: Host) -> Finding:
    answer = ask(host)
    if answer.seen is None:
        next_step = advice(host) or where_to_look(host)
        return Finding(str(host), None, f"{host} could not be asked.", next_step)
    if answer.seen:
        return Finding(str(host), True, f"{host} sees the plug-in.")
    why = f" It says: {answer.log}" if answer.log else ""
    return Finding(str(host), False, f"{host} does not see the plug-in.{why}", _INSTALL)


def _krita(installation: Installation, manifest: Manifest, host: Host) -> Iterator[Finding]:
    for name in KRITA_FILES:
        yield from _files(installation, manifest, str(host), host.folder / name)
    settings = host.settings
    text = settings.read_bytes() if settings and settings.exists() else b""
    if settings and not kritarc.is_enabled(text):

        def turn_on() -> None:
            with Transaction(installation.machine.data) as changes:
                changes.write(settings, kritarc.enable(text))

        yield Finding(
            str(host), False, f"The plug-in is turned off in {host}.",
            "Turn it on: Settings ▸ Configure Krita ▸ Python Plugin Manager.",
            turn_on,
        )  # fmt: skip
    else:
        yield _asked(host)
    for line in _log(installation, host):
        yield Finding(str(host), False, f"Krita's log says: {line}", _INSTALL)


def _log(installation: Installation, host: Host) -> list[str]:
    """What Krita wrote, since it was last started, of a plug-in that it could not load."""
    local = installation.machine.folder("LOCALAPPDATA", "AppData/Local")
    folder = local if installation.machine.system == "win32" else host.folder.parent
    try:
        log = (folder / "krita.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    words = ("Could not import", "Error", "Traceback")
    lines = log.rpartition("SESSION:")[2].splitlines()
    return [x for x in lines if "impasto" in x and any(word in x for word in words)][-3:]


def _is_closed(folder: Path) -> bool:
    """By its mode, as root may write anywhere."""
    return os.name == "posix" and folder.is_dir() and not folder.stat().st_mode & stat.S_IWUSR
