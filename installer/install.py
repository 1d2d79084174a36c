#!/usr/bin/env python3
"""Installs Impasto: `python3 installer/install.py`; `--help` tells what can be chosen."""

import sys
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit("Impasto's installer needs Python 3.10 or newer, not " + sys.version.split()[0])

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "installer/src"), str(ROOT / "shared/src")]
sys.dont_write_bytecode = True

from impasto_installer.main import main  # noqa: E402

sys.exit(main())
