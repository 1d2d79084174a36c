#!/usr/bin/env python3
"""Puts a plug-in together with what it needs, in the shape its host loads. Standard library only.

usage: build.py gimp|krita FOLDER [--python 3.13] [--without-pyzmq]

For GIMP, FOLDER becomes the plug-in, such as ~/.config/GIMP/3.0/plug-ins/impasto; for Krita, the
plug-in goes into FOLDER, such as ~/.local/share/krita. --python is the version
of the host's own Python. Without pyzmq the plug-in speaks to the daemon through its bridge.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_REQUIREMENTS = ("msgpack>=1.2.3,<2", "pyzmq>=27.1,<28")


def build_gimp(target: Path, python: str, *, pyzmq: bool = True) -> Path:
    """Make `target` the plug-in's folder, replacing what is there."""
    if target.exists():
        shutil.rmtree(target)
    ignored = shutil.ignore_patterns("__pycache__", "vendor")
    shutil.copytree(ROOT / "plugins" / "gimp" / "impasto", target, ignore=ignored)
    # GIMP passes over a plug-in whose file is not named like its folder, or cannot be run.
    (target / "impasto.py").rename(target / f"{target.name}.py")
    (target / f"{target.name}.py").chmod(0o755)
    _vendor(target / "vendor", python, pyzmq=pyzmq)
    return target


def build_krita(target: Path, python: str, *, pyzmq: bool = True) -> Path:
    """Put the plug-in into `target`, beside what is there."""
    plugin = target / "pykrita" / "impasto"
    if plugin.exists():
        shutil.rmtree(plugin)
    ignored = shutil.ignore_patterns("__pycache__", "vendor")
    shutil.copytree(ROOT / "plugins" / "krita", target, ignore=ignored, dirs_exist_ok=True)
    _vendor(plugin / "vendor", python, pyzmq=pyzmq)
    return plugin


def _vendor(folder: Path, python: str, *, pyzmq: bool) -> None:
    wanted = _REQUIREMENTS if pyzmq else _REQUIREMENTS[:1]
    subprocess.run(
        ["uv", "pip", "install", "--quiet", "--target", str(folder), "--only-binary", ":all:",
         "--python-version", python, *wanted],
        check=True,
    )  # fmt: skip
    package = ROOT / "shared" / "src" / "impasto_protocol"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, folder / "impasto_protocol", ignore=ignored)


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host", choices=["gimp", "krita"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default="3.13", help="version of the host's Python")
    parser.add_argument("--without-pyzmq", action="store_true", help="use the bridge")
    given = parser.parse_args()
    build = build_gimp if given.host == "gimp" else build_krita
    print(build(given.folder, given.python, pyzmq=not given.without_pyzmq))


if __name__ == "__main__":
    main()
