"""Where Impasto keeps things. Nothing is created here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from impasto_protocol.connection import runtime_dir


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
        """The platform's usual folders, or all of them below `IMPASTO_HOME`."""
        runtime = runtime_dir(environment)
        if home := environment.get("IMPASTO_HOME"):
            base = Path(home)
            return cls(runtime, base / "data", base / "config.toml", base / "log" / "daemon.log")
        usual = platformdirs.PlatformDirs("impasto", appauthor=False)
        return cls(
            runtime,
            usual.user_data_path,
            usual.user_config_path / "config.toml",
            usual.user_log_path / "daemon.log",
        )
