"""Starting the daemon at login, where that is wanted: the text for each system, and its commands.

Without it the daemon starts when the first picture is to be painted.
"""

from __future__ import annotations

import plistlib
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from impasto_installer.machine import Machine
from impasto_installer.terminal import Terminal

# With 3 the daemon ends that finds another one.
_UNIT = """[Unit]
Description=Impasto paints pictures in the style of others

[Service]
ExecStart="{program}" daemon run
Restart=on-failure
SuccessExitStatus=3
Nice=10

[Install]
WantedBy=default.target
"""

# `daemon run` would keep a console open that ends the daemon when it is closed.
_TASK = """<?xml version="1.0"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><LogonTrigger><UserId>{user}</UserId></LogonTrigger></Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions><Exec><Command>{program}</Command><Arguments>daemon start</Arguments></Exec></Actions>
</Task>
"""


@dataclass(frozen=True)
class Startup:
    """A file that starts the daemon at login, and the commands that take it up and drop it."""

    file: Path
    text: bytes
    register: tuple[str, ...]
    unregister: tuple[str, ...]


def startup(machine: Machine) -> Startup:
    """The systemd user unit, launchd agent or scheduled task of a machine."""
    program = str(machine.launcher)
    if machine.system == "win32":
        file = machine.data / "at-login.xml"
        # A task for whoever logs in is the administrator's to make.
        names = (machine.environment.get(name) for name in ("USERDOMAIN", "USERNAME"))
        user = "\\".join(filter(None, names))
        return Startup(
            file, _TASK.format(program=escape(program), user=escape(user)).encode(),
            ("schtasks", "/Create", "/TN", "Impasto", "/XML", str(file), "/F"),
            ("schtasks", "/Delete", "/TN", "Impasto", "/F"),
        )  # fmt: skip
    if machine.system == "darwin":
        file = machine.home / "Library/LaunchAgents/impasto.daemon.plist"
        agent = {
            "Label": "impasto.daemon", "ProgramArguments": [program, "daemon", "run"],
            # Not for an exit code: one that gives way to another daemon has one, too.
            "RunAtLoad": True, "KeepAlive": {"Crashed": True}, "LowPriorityIO": True,
        }  # fmt: skip
        return Startup(
            file, plistlib.dumps(agent),
            ("launchctl", "load", "-w", str(file)), ("launchctl", "unload", "-w", str(file)),
        )  # fmt: skip
    file = machine.folder("XDG_CONFIG_HOME", ".config") / "systemd/user/impasto.service"
    systemctl = ("systemctl", "--user")
    return Startup(
        file, _UNIT.format(program=program.replace("%", "%%")).encode(),
        (*systemctl, "enable", "--now", "impasto.service"),
        (*systemctl, "disable", "--now", "impasto.service"),
    )  # fmt: skip


def tell_system(command: tuple[str, ...], terminal: Terminal) -> None:
    """Have the system start the daemon at login or not; a refusal is said, and no failure."""
    try:
        subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        terminal.say(f"Refused, so starting at login stays as it is: {shlex.join(command)}")
