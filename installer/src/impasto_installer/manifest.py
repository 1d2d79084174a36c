"""What was placed where, with a hash and a spare copy of every file of the plug-ins."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from impasto_protocol.connection import write_file


@dataclass
class Manifest:
    """An installation. Paths are absolute.

    places: files and folders that are ours alone. files: each with its sha256 and mode.
    made: folders that were not there before. enabled: settings of Krita that name the plug-in.
    weights: the file that was named. torch: as it was chosen.
    """

    version: str
    places: list[str] = field(default_factory=list)
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    enabled: list[str] = field(default_factory=list)
    weights: str = ""
    torch: str = ""
    starts_at_login: bool = False

    @classmethod
    def load(cls, data: Path) -> Manifest | None:
        """The manifest in Impasto's folder, if Impasto is installed."""
        try:
            told = json.loads((data / "installed.json").read_text(encoding="utf-8"))
            return cls(**told | {"files": {k: (v[0], v[1]) for k, v in told["files"].items()}})
        except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError):
            return None

    def dump(self) -> bytes:
        """The manifest as the file holds it."""
        return json.dumps(asdict(self), indent=1).encode()

    def record(self, place: Path, spare: Path) -> None:
        """Note a file or folder that was just placed, and keep a copy of what is in it."""
        self.places.append(str(place))
        for file in [place] if place.is_file() else _files(place):
            digest = _digest(file)
            self.files[str(file)] = (digest, _mode(file))
            if not (spare / digest).exists():
                shutil.copyfile(file, spare / digest)

    def damages(self, place: Path | None = None) -> Iterator[tuple[Path, str]]:
        """Each file, of a place or of all, that is not as it was placed, and what is amiss."""
        for name, (digest, mode) in self.files.items():
            file = Path(name)
            if place is None or file.is_relative_to(place):
                what = _damage(file, digest, mode)
                if what:
                    yield file, what

    def mend(self, file: Path, spare: Path) -> None:
        """Bring a placed file back. Raises OSError, also where no good spare copy is left."""
        digest, mode = self.files[str(file)]
        content = (spare / digest).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise FileNotFoundError(f"The spare copy of {file} is damaged as well.")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, content, mode)


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


def _damage(file: Path, digest: str, mode: int) -> str:
    try:
        if _digest(file) != digest:
            return "was changed"
        return "has other permissions" if os.name == "posix" and _mode(file) != mode else ""
    except FileNotFoundError:
        return "is missing"
    except OSError:
        return "cannot be read"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)
