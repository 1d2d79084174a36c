#!/usr/bin/env python3
"""Builds a release: `python3 installer/build.py [FOLDER]`, by default into `dist`. Needs uv."""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "installer/src"), str(ROOT / "shared/src")]

from impasto_installer import plugins  # noqa: E402
from impasto_installer.environment import Uv  # noqa: E402
from impasto_installer.install import VERSION  # noqa: E402
from impasto_installer.machine import Machine  # noqa: E402
from impasto_installer.release import build_release  # noqa: E402

VENDOR = Uv(Machine.this()).vendor


def build_gimp(target: Path, python: str, *, pyzmq: bool = True) -> Path:
    """Make `target` GIMP's plug-in, for a version of GIMP's Python, replacing what is there."""
    shutil.rmtree(target, ignore_errors=True)
    return plugins.build_gimp(target, VENDOR, python, pyzmq=pyzmq)


def build_krita(target: Path, python: str, *, pyzmq: bool = True) -> Path:
    """Put Krita's plug-in into its folder of resources, replacing an older one."""
    shutil.rmtree(target / "pykrita/impasto", ignore_errors=True)
    return plugins.build_krita(target, VENDOR, python, pyzmq=pyzmq)


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    for archive in build_release(out, VENDOR, VERSION):
        print(archive)
