"""Taking away all that is ours, as one transaction, and nothing that merely lies beside it."""

from __future__ import annotations

import contextlib
import os
from contextlib import ExitStack
from pathlib import Path

from impasto_installer import kritarc
from impasto_installer.hosts import find_hosts
from impasto_installer.install import LAUNCHER, stop_daemon
from impasto_installer.machine import Machine
from impasto_installer.manifest import Manifest
from impasto_installer.plugins import KRITA_FILES
from impasto_installer.startup import startup, tell_system
from impasto_installer.terminal import Terminal
from impasto_installer.transaction import Transaction
from impasto_protocol import __version__
from impasto_protocol.errors import InstallFailed

_OWN = ("at-login.xml", "cache", "environment", "installed.json", "presets.lock", "python",
        "rates.json", "server.key", "spare", "styles", "uv", "weights", "wheels")  # fmt: skip
"""All that is ever in Impasto's own folder but saved styles, and paintings kept in `unsaved`."""


def uninstall(machine: Machine, terminal: Terminal, *, presets: bool) -> None:
    """Take everything away; the saved styles too with `presets`. Raises InstallFailed."""
    if not machine.data.exists():
        raise InstallFailed("Impasto is not installed.", next_step="There is nothing to do.")
    start, log = startup(machine), machine.log

    def register_again(kind: type[BaseException] | None, *_: object) -> None:
        if kind:
            tell_system(start.register, terminal)

    with ExitStack() as afterwards, Transaction(machine.data, terminal.say) as changes:
        manifest = Manifest.load(machine.data) or _presumed(machine)
        stop_daemon(machine)
        if start.file.exists():
            afterwards.push(register_again)  # once the file is where it was
            tell_system(start.unregister, terminal)
        _leave_editors(manifest, changes)
        starters = [*map(Path, manifest.places), start.file]
        places = [machine.config, log, *log.parent.glob(f"{log.name}.[0-9]")]
        places += [machine.data / name for name in _OWN] + [machine.presets] * presets
        for place in filter(os.path.lexists, starters):
            changes.replace(place)
        stop_daemon(machine)  # if one was started meanwhile
        for place in filter(os.path.lexists, places):
            changes.replace(place)
        own = (machine.data, machine.presets, machine.config.parent, *log.parents[1::-1])
        changes.made = [*map(Path, manifest.made), *own, machine.runtime, *changes.made]
    for name in ("connection.json", "daemon.lock", "daemon.sock"):
        with contextlib.suppress(OSError):
            (machine.runtime / name).unlink()
    changes.clear()


def _leave_editors(manifest: Manifest, changes: Transaction) -> None:
    """Have the editors forget the plug-ins, whose files are taken away with all others."""
    for place in map(Path, manifest.places):
        for remembered in place.parent.parent.glob("plug-in-settings/*plug-in-impasto-*"):
            changes.replace(remembered)
    for file in filter(Path.exists, map(Path, manifest.enabled)):
        before = file.read_bytes()
        after = kritarc.disable(before)
        if after != before:
            changes.write(file, after) if after.strip() else changes.replace(file)


def _presumed(machine: Machine) -> Manifest:
    """What an installation places, for where the manifest of one is gone."""
    hosts, launcher = find_hosts(machine), machine.launcher
    places = [host.plugin for host in hosts]
    places += [h.folder / name for h in hosts for name in KRITA_FILES if h.editor == "Krita"]
    if launcher.is_file() and LAUNCHER.splitlines()[1].encode() in launcher.read_bytes():
        places.append(launcher)
    enabled = [str(host.settings) for host in hosts if host.settings]
    return Manifest(__version__, list(map(str, places)), enabled=enabled)
