#!/usr/bin/env python3
"""Builds a release: `python3 installer/build.py [FOLDER]`, by default into `dist`. Needs uv."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "installer/src"), str(ROOT / "shared/src")]

from impasto_installer.environment import Uv  # noqa: E402
from impasto_installer.machine import Machine  # noqa: E402
from impasto_installer.release import build_release  # noqa: E402
from impasto_protocol import __version__  # noqa: E402

out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
for archive in build_release(out, Uv(Machine.this()).vendor, __version__):
    print(archive)
