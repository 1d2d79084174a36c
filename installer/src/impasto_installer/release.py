"""The archives of a release: the same files give the same bytes, on any day and machine."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from impasto_installer.plugins import ROOT, Vendor, build_gimp, build_krita

_PARTS = ("LICENSE", "README.md", "daemon", "installer", "plugins", "pyproject.toml", "shared")
_LITTER = shutil.ignore_patterns(
    "__pycache__", ".*", "vendor", "dist", "*.egg-info", "starter_styles"
)
_NEWEST_SERVED = "3.14"


def build_release(out: Path, vendor: Vendor, version: str) -> list[Path]:
    """Write the archives into a folder: GIMP's plug-in, Krita's, and all of Impasto.

    The plug-ins hold no compiled code and so serve every system and Python; they speak to the
    daemon through its bridge.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        gimp, krita, whole = (Path(name) / part for part in ("gimp", "krita", "whole"))
        build_gimp(gimp / "impasto", vendor, _NEWEST_SERVED, pyzmq=False)
        made = [write_zip(out / f"impasto-gimp-{version}.zip", gimp)]
        build_krita(krita, vendor, _NEWEST_SERVED, pyzmq=False)
        made.append(write_zip(out / f"impasto-krita-{version}.zip", krita))
        (whole / f"impasto-{version}").mkdir(parents=True)
        for part in _PARTS:
            source, target = ROOT / part, whole / f"impasto-{version}" / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=_LITTER)
            else:
                shutil.copy(source, target)
        made.append(write_zip(out / f"impasto-{version}.zip", whole))
    return made


def write_zip(target: Path, folder: Path) -> Path:
    """Everything below a folder, in order and without its dates.

    Folders have entries of their own: Krita finds a plug-in's module by them.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*"), key=lambda path: path.as_posix()):
            name = path.relative_to(folder).as_posix()
            entry = zipfile.ZipInfo(f"{name}/" if path.is_dir() else name)
            executable = path.is_dir() or path.stat().st_mode & 0o100
            entry.create_system = 3
            entry.external_attr = (0o40755 if path.is_dir() else
                                   0o100755 if executable else 0o100644) << 16  # fmt: skip
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, b"" if path.is_dir() else path.read_bytes())
    return target
