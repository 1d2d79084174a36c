"""Where Impasto keeps things. Nothing is created here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from impasto_protocol.connection import outside_of_snaps, runtime_dir
from impasto_protocol.errors import UnsafeFolder


@dataclass(frozen=True)
class Paths:
    """runtime: socket, connection file and lock. data: weights and styles. config, log: files."""

    runtime: Path
    data: Path
    config: Path
    log: Path

    @property
    def presets(self) -> Path:
        """One file for each saved style."""
        return self.data / "presets"

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Paths:
        """The platform's usual folders, or all of them below `IMPASTO_HOME`.

        Raises UnsafeFolder when they are not this user's.
        """
        runtime = runtime_dir(environment)
        if home := environment.get("IMPASTO_HOME"):
            base = Path(home)
            return cls(runtime, base / "data", base / "config.toml", base / "log" / "daemon.log")
        own = _own_home()
        if sys.platform == "darwin":
            # platformdirs heeds XDG's variables, which an editor from the Dock is not told.
            data = own / "Library/Application Support/impasto"
            return cls(runtime, data, data / "config.toml", own / "Library/Logs/impasto/daemon.log")
        usual = platformdirs.PlatformDirs("impasto", appauthor=False)
        state = outside_of_snaps(usual.user_log_path, own / ".local/state/impasto/log")
        config = outside_of_snaps(usual.user_config_path, own / ".config/impasto")
        data = outside_of_snaps(usual.user_data_path, own / ".local/share/impasto")
        return cls(runtime, data, config / "config.toml", state / "daemon.log")


def _own_home() -> Path:
    """The home. Raises UnsafeFolder when root has that of a user: it would leave files there."""
    home = Path.home()
    if sys.platform != "win32" and os.geteuid() == 0 and home.exists() and home.stat().st_uid:
        raise UnsafeFolder(
            f"{home} belongs to a user, and this is run by root.",
            next_step="Run it as that user, without sudo, or set IMPASTO_HOME to a folder of "
            "root's.",
        )
    return home
