"""Where things are on a machine. Nothing is created here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from impasto_protocol.connection import outside_of_snaps, runtime_dir


@dataclass(frozen=True)
class Machine:
    """A user's machine. system: linux, darwin or win32. root: what stands for `/`, in tests."""

    system: str
    home: Path
    environment: Mapping[str, str]
    root: Path = Path("/")

    @classmethod
    def this(cls) -> Machine:
        """The one that this runs on."""
        system = sys.platform if sys.platform in ("darwin", "win32") else "linux"
        environment = dict(os.environ)  # on Windows its names are in capitals, and stay so
        if own := environment.get("IMPASTO_HOME"):
            # What is run for us is run in other folders.
            environment["IMPASTO_HOME"] = str(Path(own).absolute())
        return cls(system, Path.home(), environment)

    def folder(self, variable: str, usual: str) -> Path:
        """The folder that an environment variable names, else the usual one in the home."""
        named = self.environment.get(variable)
        return outside_of_snaps(Path(named), self.home / usual) if named else self.home / usual

    @property
    def data(self) -> Path:
        """Impasto's own folder, the same that the daemon has."""
        if own := self.environment.get("IMPASTO_HOME"):
            return Path(own) / "data"
        if self.system == "win32":
            return self.folder("LOCALAPPDATA", "AppData/Local") / "impasto"
        if self.system == "darwin":
            return self.home / "Library/Application Support/impasto"
        return self.folder("XDG_DATA_HOME", ".local/share") / "impasto"

    @property
    def presets(self) -> Path:
        """The saved styles."""
        return self.data / "presets"

    @property
    def config(self) -> Path:
        """The daemon's settings."""
        if own := self.environment.get("IMPASTO_HOME"):
            return Path(own) / "config.toml"
        if self.system != "linux":
            return self.data / "config.toml"
        return self.folder("XDG_CONFIG_HOME", ".config") / "impasto/config.toml"

    @property
    def log(self) -> Path:
        """The daemon's log; older ones are beside it."""
        if own := self.environment.get("IMPASTO_HOME"):
            return Path(own) / "log/daemon.log"
        if self.system == "win32":
            return self.data / "Logs/daemon.log"
        if self.system == "darwin":
            return self.home / "Library/Logs/impasto/daemon.log"
        return self.folder("XDG_STATE_HOME", ".local/state") / "impasto/log/daemon.log"

    @property
    def runtime(self) -> Path:
        """The folder of the daemon's socket."""
        return runtime_dir(self.environment)

    @property
    def environment_dir(self) -> Path:
        """The daemon's own Python environment."""
        return self.data / "environment"

    def program(self, folder: Path, name: str) -> Path:
        """A program of a Python environment."""
        if self.system == "win32":
            return folder / "Scripts" / f"{name}.exe"
        return folder / "bin" / name

    @property
    def launcher(self) -> Path:
        """The `impasto` that people and plug-ins run."""
        if self.system == "win32":
            return self.program(self.environment_dir, "impasto")
        return self.home / ".local/bin/impasto"
