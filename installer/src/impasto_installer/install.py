"""Installing and upgrading, as one transaction."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from impasto_installer import kritarc
from impasto_installer.editor_query import ask, start_once
from impasto_installer.environment import (
    Uv,
    free_gib,
    hardware,
    torch_backend,
)
from impasto_installer.hosts import START_ONCE, Host, find_hosts
from impasto_installer.machine import Machine
from impasto_installer.manifest import Manifest
from impasto_installer.plugins import (
    ANY_PYTHON,
    KRITA_FILES,
    build_gimp,
    build_krita,
    common_python,
)
from impasto_installer.startup import startup, tell_system
from impasto_installer.terminal import Terminal
from impasto_installer.transaction import Transaction
from impasto_protocol import __version__
from impasto_protocol.connection import clean_environment
from impasto_protocol.errors import DiskFull, InstallFailed

_CHOSEN_WEIGHTS = ("chosen", *(f"{name}.{ending}" for name in ("vgg19_features", "torchvision")
                               for ending in ("safetensors", "sha256")))  # fmt: skip
"""What `impasto weights use FILE` may write, in the folder of all networks' weights."""

_NEEDED_GIB = {"cu": 9.0, "rocm": 20.0, "": 3.0}
"""By how the backend's or the hardware's name begins."""
_UPGRADE_GIB = 1.0

LAUNCHER = """#!/bin/sh
# Placed by Impasto's installer, and removed by it.
# An editor's own Python and libraries are not for this one.
unset PYTHONHOME PYTHONPATH
[ -n "$APPIMAGE" ] && unset LD_LIBRARY_PATH
# While an upgrade goes on, or after it was interrupted, the one before it serves.
for python in '{data}'/unfinished/*/bin/python '{data}/environment/bin/python'; do
    [ -x "$python" ] && exec "$python" -P -m impasto_daemon.cli "$@"
done
echo 'Impasto is not complete: its own Python is gone. Run its installer again.' >&2
exit 1
"""


@dataclass(frozen=True)
class Options:
    """What can be chosen about an installation. torch: empty for what was chosen before."""

    torch: str = ""
    wheels: Path | None = None
    weights: Path | None = None
    starts_at_login: bool = False


@dataclass
class Plan:
    """What is about to be done, for the painter to agree to."""

    machine: Machine
    options: Options
    hosts: list[Host] = field(default_factory=list)
    left_out: list[Host] = field(default_factory=list)

    @classmethod
    def of(cls, machine: Machine, options: Options) -> Plan:
        """A plan for the editors that are on the machine."""
        hosts = find_hosts(machine)
        return cls(
            machine, options,
            [host for host in hosts if not host.hindrance], [h for h in hosts if h.hindrance],
        )  # fmt: skip

    def lines(self) -> list[str]:
        """The plan in a painter's words."""
        found, machine, options = hardware(self.machine), self.machine, self.options
        chosen = _chosen_torch(options, Manifest.load(machine.data))
        backend = torch_backend(chosen, found) or "the package index's own"
        lines = [f"The daemon, with torch for {found} ({backend}), in {machine.environment_dir}"]
        lines += [f"The command {machine.launcher}"] if machine.system != "win32" else []
        lines += [f"The plug-in for {host}, in {host.plugin}" for host in self.hosts]
        lines += filter(None, map(advice, self.hosts))
        lines += [f"{host} started without a window, so that it takes over the settings of your "
                  "older GIMP first" for host in self.hosts if host.takes_over]  # fmt: skip
        lines += [f"Turned on in {s}" for s in sorted({str(h.settings) for h in self.hosts
                                                       if h.settings})]  # fmt: skip
        if options.weights:
            lines.append(f"The trained network from {options.weights}")
        if options.starts_at_login:
            lines.append(f"The daemon started at login, by {startup(machine).file}")
        return lines + [f"Not for {host}: {host.hindrance}" for host in self.left_out]


def install(plan: Plan, terminal: Terminal) -> None:
    """Put everything in place, or leave everything as it is. Raises ImpastoError."""
    machine, options = plan.machine, plan.options
    with ExitStack() as afterwards, Transaction(machine.data, terminal.say) as changes:
        old = Manifest.load(machine.data)
        manifest = Manifest(__version__, torch=_chosen_torch(options, old))
        backend = torch_backend(manifest.torch, hardware(machine))
        _check_space(machine, backend, old)
        uv = Uv(machine, options.wheels)
        if old:
            manifest.made, manifest.enabled, manifest.weights = old.made, old.enabled, old.weights
            _close_folders(machine, old)
        stop_daemon(machine)
        # One that is started meanwhile runs on files that are about to go.
        afterwards.callback(stop_daemon, machine)
        for kept in (machine.config, machine.log):
            changes.make(kept.parent)
        for filled_by_uv in (machine.data / "cache", machine.data / "python"):
            if not filled_by_uv.exists():
                changes.replace(filled_by_uv)
        if uv.missing:
            with terminal.doing("Getting uv"):
                changes.replace(uv.private)
                uv.bootstrap()
        with terminal.doing("Putting the daemon together"):
            _place_environment(machine, uv, backend, changes)
        if options.weights:
            manifest.weights = str(options.weights)
            with terminal.doing("Checking the trained network"):
                _use_weights(machine, options.weights, changes)
        _start_gimps(plan, terminal)
        spare = changes.replace(machine.data / "spare")
        spare.mkdir()
        _place_launcher(machine, manifest, changes, spare)
        for hosts in _by_folder(plan.hosts):
            with terminal.doing(f"The plug-in for {', '.join(map(str, hosts))}"):
                _place_plugin(hosts, uv, manifest, changes, spare)
        _drop_what_is_gone(old, manifest, changes)
        if options.starts_at_login or (old and old.starts_at_login):
            manifest.starts_at_login = True
            start = startup(machine)
            manifest.record(changes.write(changes.replace(start.file), start.text), spare)
        manifest.made += [str(folder) for folder in changes.made]
        changes.write(machine.data / "installed.json", manifest.dump())
    if manifest.starts_at_login:
        tell_system(startup(machine).register, terminal)


def verify(plan: Plan, terminal: Terminal) -> list[str]:
    """Ask every editor whether it sees the plug-in: what is amiss, in words."""
    amiss = []
    for host in plan.hosts:
        with terminal.doing(f"Asking {host} whether it sees the plug-in"):
            answer = ask(host)
        if answer.seen is False:
            amiss.append(f"{host} does not see the plug-in.\n{answer.log}")
        elif answer.seen is None:
            terminal.say(f"  {host} could not be asked; {where_to_look(host)}")
    return amiss


def advice(host: Host) -> str:
    """What an editor in a sandbox needs to reach the daemon, which it cannot start."""
    if host.packaging == "snap":
        return f"{host} is in a sandbox that keeps it from the daemon; no way through is known."
    if host.packaging != "flatpak":
        return ""
    return (
        f"{host} is in a sandbox. Let it reach the daemon with `flatpak override --user "
        f"--filesystem=xdg-run/impasto {host.command[-1]}`, and install with --start-at-login."
    )


def where_to_look(host: Host) -> str:
    """Where a painter sees for himself whether the plug-in is there."""
    if host.editor == "GIMP":
        return "look under Filters ▸ Artistic after its next start."
    return "look at Settings ▸ Configure Krita ▸ Python Plugin Manager after its next start."


def stop_daemon(machine: Machine) -> None:
    """End a daemon of ours, if one runs."""
    if machine.program(machine.environment_dir, "python").exists():
        _impasto(machine, "daemon", "stop")


def _chosen_torch(options: Options, old: Manifest | None) -> str:
    return options.torch or (old.torch if old else "auto")


def _check_space(machine: Machine, backend: str, old: Manifest | None) -> None:
    # The package index's own torch for Linux is the one for CUDA.
    index = "cuda" if machine.system == "linux" else "cpu"
    kind = {"auto": hardware(machine), "": index}.get(backend, backend)
    needed = next(gib for start, gib in _NEEDED_GIB.items() if kind.startswith(start))
    needed = _UPGRADE_GIB if old else needed
    free = free_gib(machine.data)
    if free < needed:
        raise DiskFull(
            f"{machine.data.parent} has {free:.1f} GiB of free space, and {needed:.0f} are needed."
        )


def _close_folders(machine: Machine, old: Manifest) -> None:
    """Keep others out of Impasto's own folders, which older installers made open to them."""
    own = {machine.data, machine.config.parent, *machine.log.parents[:2]}
    for folder in own.intersection(map(Path, old.made)):
        with suppress(OSError):
            folder.chmod(0o700)


def _place_environment(machine: Machine, uv: Uv, backend: str, changes: Transaction) -> None:
    environment = changes.replace(machine.environment_dir)
    built = changes.replace(machine.data / "wheels")
    uv.make(environment)
    built.mkdir()
    uv.install_daemon(environment, built, backend)


def _use_weights(machine: Machine, file: Path, changes: Transaction) -> None:
    for place in (machine.data / "weights" / name for name in _CHOSEN_WEIGHTS):
        # What is there stays there until it is written to: it may be the file that is named.
        changes.write(place, place.read_bytes()) if place.exists() else changes.replace(place)
    used = _impasto(machine, "weights", "use", str(file))
    if used.returncode:
        raise InstallFailed(
            " ".join(used.stderr.decode(errors="replace").split()),
            next_step="Name another file, or leave --weights out to use Oxford's.",
        )


def _start_gimps(plan: Plan, terminal: Terminal) -> None:
    """Have them take over settings before the plug-in makes the folder; leave out who cannot."""
    for host in [*plan.hosts]:
        if not host.takes_over:  # of two with one folder the first does
            continue
        with terminal.doing(f"{host} takes over the settings of your older GIMP"):
            start_once(host)
        if host.takes_over:
            plan.hosts.remove(host)
            terminal.say(f"  Not for {host}: {START_ONCE}")


def _place_launcher(
    machine: Machine, manifest: Manifest, changes: Transaction, spare: Path
) -> None:
    if machine.system == "win32":
        return
    text = LAUNCHER.format(data=str(machine.data).replace("'", "'\\''"))
    manifest.record(changes.write(changes.replace(machine.launcher), text.encode(), 0o755), spare)


def _by_folder(hosts: list[Host]) -> list[list[Host]]:
    folders: dict[tuple[str, Path], list[Host]] = {}
    for host in hosts:
        folders.setdefault((host.editor, host.folder), []).append(host)
    return list(folders.values())


def _place_plugin(
    hosts: list[Host], uv: Uv, manifest: Manifest, changes: Transaction, spare: Path
) -> None:
    host = hosts[0]
    python = common_python([h.python for h in hosts])
    pyzmq = bool(python) and all(h.takes_compiled for h in hosts)
    python, target = python or ANY_PYTHON, changes.replace(host.plugin)
    if host.editor == "GIMP":
        # Where the path decides, a Python without GIMP's modules may come first on it.
        fixed = {h.interpreter for h in hosts}
        interpreter = fixed.pop() if len(fixed) == 1 else ""
        build_gimp(target, uv.vendor, python, pyzmq=pyzmq, interpreter=interpreter)
        manifest.record(target, spare)
        return
    beside = [changes.replace(host.folder / name) for name in KRITA_FILES]
    build_krita(host.folder, uv.vendor, python, pyzmq=pyzmq)
    for place in (target, *beside):
        manifest.record(place, spare)
    for settings in {h.settings for h in hosts if h.settings}:
        text = settings.read_bytes() if settings.exists() else b""
        changes.write(settings, kritarc.enable(text))
        manifest.enabled = sorted({*manifest.enabled, str(settings)})


def _drop_what_is_gone(old: Manifest | None, new: Manifest, changes: Transaction) -> None:
    """The plug-ins in editors that are there no longer."""
    for place in set(old.places if old else ()) - set(new.places):
        if os.path.lexists(place):
            changes.replace(Path(place))


def _impasto(machine: Machine, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    python = str(machine.program(machine.environment_dir, "python"))
    return subprocess.run(
        [python, "-P", "-m", "impasto_daemon.cli", *arguments],
        env=clean_environment(machine.environment), stdin=subprocess.DEVNULL,
        capture_output=True, check=False,
    )  # fmt: skip
