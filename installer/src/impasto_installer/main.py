"""The installer's command line."""

from __future__ import annotations

import argparse
import errno
import io
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from impasto_installer.environment import owns_everything
from impasto_installer.install import (
    Options,
    Plan,
    install,
    verify,
)
from impasto_installer.machine import Machine
from impasto_installer.manifest import Manifest
from impasto_installer.terminal import Terminal
from impasto_installer.uninstall import uninstall
from impasto_protocol.errors import ImpastoError, InstallFailed


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says: 0 done, 1 an error, 130 stopped with Ctrl-C."""
    given = _parser().parse_args(arguments)
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):  # not every terminal knows ✓
            output.reconfigure(errors="replace")
    terminal = Terminal(yes=given.yes)
    for name in ("SIGTERM", "SIGHUP"):  # the second comes when the terminal is closed
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), _stop)
    try:
        if owns_everything() and not given.as_root:
            raise InstallFailed(
                "Impasto is installed for one person, not for the whole machine.",
                next_step="Run the installer as yourself, without sudo (or with --as-root).",
            )
        return _act(given, terminal)
    except ImpastoError as error:
        return _tell(f"{error}\n{error.next_step}")
    except OSError as error:
        return _tell(_reason(error))
    except KeyboardInterrupt:
        _tell("Stopped.")
        return 130


def _reason(error: OSError) -> str:
    # Copying a folder fails with a list, of which the first has all that is known as words.
    words = error.args[0][0][2] if isinstance(error, shutil.Error) else str(error)
    full = (errno.ENOSPC, errno.EDQUOT)
    if error.errno in full or any(words.startswith(f"[Errno {code}]") for code in full):
        return "The disk is full.\nFree some space, then run the installer again."
    place = f"{error.filename}: {error.strerror}" if error.filename else words
    return f"{place}.\nSee that this place can be written to, then run the installer again."


def _act(given: argparse.Namespace, terminal: Terminal) -> int:
    machine = Machine.this()
    installed = Manifest.load(machine.data)
    if given.action == "uninstall":
        return _uninstall(given, machine, terminal)
    if given.action == "upgrade" and not machine.data.exists():
        raise InstallFailed("Impasto is not installed yet.", next_step="Leave out `upgrade`.")
    if "WindowsApps" in sys.base_prefix:
        raise InstallFailed(
            "This Python is Microsoft Store's, which hides what it writes from other programs.",
            next_step="Run the installer with Python from python.org, or have uv run it: "
            "uv run --no-project --managed-python installer\\install.py",
        )
    options = Options(given.torch_backend, given.wheels, given.weights, given.start_at_login)
    plan = Plan.of(machine, options)
    terminal.say("Impasto will be " + ("brought up to date:" if installed else "installed:"))
    terminal.say("\n".join(f"  {line}" for line in plan.lines()))
    if not plan.hosts:
        terminal.say("No GIMP 3 or Krita 5 was found; run this again once there is one.")
    if given.dry_run or not terminal.agrees("Go on?"):
        return 0
    install(plan, terminal)
    try:
        return _finish(plan, terminal)
    except KeyboardInterrupt:
        terminal.say("Stopped; what has been installed stays.")
        return 130


def _finish(plan: Plan, terminal: Terminal) -> int:
    """What may fail without anything having to be put back."""
    amiss = verify(plan, terminal)
    if amiss:
        return _tell("\n".join(amiss) + f"\nRun `{plan.machine.launcher} doctor`.")
    terminal.say("Impasto is installed. Restart the editors that are open.")
    launcher = str(plan.machine.launcher)
    if shutil.which("impasto") != launcher:
        terminal.say(f"At the command line it is called {launcher}.")
    return 0


def _uninstall(given: argparse.Namespace, machine: Machine, terminal: Terminal) -> int:
    unsaved = machine.data / "unsaved"
    kept = [] if given.presets else [f"the saved styles in {machine.presets}"]
    kept += [f"the paintings in {unsaved}"] if unsaved.exists() else []
    but = f" but {' and '.join(kept)}" if kept else ""
    terminal.say(f"Everything of Impasto{but} will be removed.")
    if given.dry_run or not terminal.agrees("Go on?"):
        return 0
    uninstall(machine, terminal, presets=given.presets)
    terminal.say("Impasto is gone.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("install.py", description="Install Impasto, for yourself.")
    add = parser.add_argument
    add("action", nargs="?", choices=["install", "upgrade", "uninstall"], default="install")
    add("--yes", action="store_true", help="ask nothing")
    add("--dry-run", action="store_true", help="only say what would be done")
    add("--torch-backend", default="", metavar="NAME",
        help="cpu, cu130, rocm7.1, … as uv knows them; pypi: the package index's own; auto: what "
        "fits the hardware; default: as before, and at first auto")  # fmt: skip
    add("--wheels", type=_there, metavar="DIR",
        help="take every package from DIR, offline; needs Python 3.11 to 3.14")  # fmt: skip
    add("--weights", type=_there, metavar="FILE", help="use this trained network, not Oxford's")
    add("--start-at-login", action="store_true", help="start the daemon at login")
    add("--presets", action="store_true", help="with uninstall: remove the saved styles too")
    add("--as-root", action="store_true", help="install into root's own home")
    return parser


def _there(name: str) -> Path:
    if not Path(name).exists():
        raise argparse.ArgumentTypeError(f"{name} is not there")
    return Path(name).resolve()


def _stop(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # putting things back is not stopped by a second one
    raise KeyboardInterrupt


def _tell(words: str) -> int:
    print(words, file=sys.stderr)
    return 1
