"""Putting a plug-in together with what it needs, in the shape that its editor loads."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from impasto_protocol.errors import InstallFailed

ROOT = Path(__file__).resolve().parents[3]
"""The checkout or the unpacked archive."""

KRITA = ROOT / "plugins/krita"
KRITA_FILES = ("pykrita/impasto.desktop", "actions/impasto.action")
"""What Krita's plug-in has beside its folder."""

Vendor = Callable[[Path, str, Sequence[str]], None]
"""Installs requirements into a folder, for a version of Python."""

_OURS = shutil.ignore_patterns("__pycache__", "vendor")
_REQUIREMENTS = ("msgpack>=1.2.3,<2", "pyzmq>=27.1,<28")
_LITTER = (".*", "bin", "**/__pycache__", "*.dist-info/[!ML]*")  # but metadata and licences
ANY_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Without compiled code any version is as good; of this one offline folders have packages."""

_OLDEST_SHARED = (3, 12)  # pyzmq has one build for this Python and all that follow


def build_gimp(
    target: Path, vendor: Vendor, python: str, *, pyzmq: bool = True, interpreter: str = ""
) -> Path:
    """Make `target` GIMP's plug-in. interpreter: what runs it; empty: the first on the path."""
    shutil.copytree(ROOT / "plugins/gimp/impasto", target, ignore=_OURS)
    # GIMP passes over a plug-in whose file is not named like its folder, or cannot be run.
    main = (target / "impasto.py").rename(target / f"{target.name}.py")
    if interpreter:
        _, rest = main.read_text(encoding="utf-8").split("\n", 1)
        main.write_text(f"#!{interpreter}\n{rest}", encoding="utf-8")
    main.chmod(0o755)
    _fill(target / "vendor", vendor, python, pyzmq=pyzmq)
    return target


def build_krita(target: Path, vendor: Vendor, python: str, *, pyzmq: bool = True) -> Path:
    """Put Krita's plug-in into its folder of resources: the plug-in's own folder in there."""
    plugin = target / "pykrita/impasto"
    shutil.copytree(KRITA / "pykrita/impasto", plugin, ignore=_OURS)
    for name in KRITA_FILES:
        (target / name).parent.mkdir(exist_ok=True)
        shutil.copy(KRITA / name, target / name)
    _fill(plugin / "vendor", vendor, python, pyzmq=pyzmq)
    return plugin


def common_python(versions: Sequence[str]) -> str:
    """The version to vendor for where several editors share a folder; empty where none will do."""
    numbers = [tuple(map(int, version.split("."))) for version in versions if version]
    if len(numbers) < len(versions):
        return ""
    if len(set(numbers)) > 1 and min(numbers) < _OLDEST_SHARED:
        return ""
    return ".".join(map(str, min(numbers)))


def _fill(folder: Path, vendor: Vendor, python: str, *, pyzmq: bool) -> None:
    try:
        vendor(folder, python, _REQUIREMENTS if pyzmq else _REQUIREMENTS[:1])
    except InstallFailed:
        if not pyzmq:
            raise
        # An offline folder may have none for this Python; the plug-in then uses the bridge.
        shutil.rmtree(folder, ignore_errors=True)
        vendor(folder, ANY_PYTHON, _REQUIREMENTS[:1])
    # The pure msgpack that remains runs in every Python, and the headers it packs are small.
    for library in [*folder.glob("msgpack/*.so"), *folder.glob("msgpack/*.pyd")]:
        library.unlink()
    for pattern in _LITTER:
        for litter in folder.glob(pattern):
            shutil.rmtree(litter) if litter.is_dir() else litter.unlink()
    package = ROOT / "shared/src/impasto_protocol"
    shutil.copytree(package, folder / "impasto_protocol", ignore=_OURS)
