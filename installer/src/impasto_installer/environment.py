"""The daemon's own Python environment: uv makes it, with the torch that fits the hardware."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from impasto_installer.machine import Machine
from impasto_installer.plugins import ROOT
from impasto_installer.transaction import remove
from impasto_protocol.connection import clean_environment
from impasto_protocol.errors import DiskFull, InstallFailed

_OLDEST_UV = (0, 10)  # knows CUDA 13, for which torch is built
PYTHONS = ">=3.11,<3.15"
_FULL = ("No space left", "quota exceeded", "(os error 112)", "(os error 1295)")
"""How uv and pip say it, also of a disk that is full for this user alone; by numbers on Windows."""


def hardware(machine: Machine) -> str:
    """What torch will compute on: cuda, rocm, apple or cpu."""
    if machine.system == "darwin":
        return "apple" if platform.machine() == "arm64" else "cpu"
    if machine.system == "win32":
        nvidia = [machine.folder("SYSTEMROOT", "Windows") / "System32/nvcuda.dll"]
    else:
        names = ("proc/driver/nvidia/version", "dev/nvidiactl", "usr/lib/wsl/lib/libcuda.so.1")
        nvidia = [machine.root / name for name in names]
    if any(file.exists() for file in nvidia):
        return "cuda"
    # By what uv asks, as the device of an AMD card is there without ROCm too.
    rocm = shutil.which("rocm_agent_enumerator", path=machine.environment.get("PATH"))
    return "rocm" if rocm else "cpu"


def torch_backend(chosen: str, found: str) -> str:
    """What to tell uv; empty for the package index's own torch.

    uv looks at the driver to choose among the builds for CUDA and ROCm.
    """
    if chosen != "auto":
        return "" if chosen == "pypi" else chosen
    return {"cuda": "auto", "rocm": "auto", "apple": "", "cpu": "cpu"}[found]


class Uv:
    """uv as we use it. wheels: a folder to take every package from, without a network."""

    def __init__(self, machine: Machine, wheels: Path | None = None) -> None:
        self._machine, self._wheels = machine, wheels
        self.private = machine.data / "uv"
        found = shutil.which("uv", path=machine.environment.get("PATH"))
        self._program = found if found and _serves(found) else self._bootstrapped()

    @property
    def missing(self) -> bool:
        """Whether it has to be bootstrapped."""
        return not self._program

    def bootstrap(self) -> None:
        """Get uv from pip, into an environment of its own. Raises InstallFailed."""
        source = ["--no-index", "--find-links", str(self._wheels)] if self._wheels else []
        made = subprocess.run(
            [sys.executable, "-I", "-m", "venv", str(self.private)],
            capture_output=True,
            check=False,
        )
        python, into = str(self._machine.program(self.private, "python")), []
        if made.returncode:
            # Some distributions leave out what makes environments, but have pip.
            python, into = sys.executable, ["--target", str(self.private)]
            remove(self.private)  # pip puts no program where half an environment has others
        try:
            _run(
                [python, "-m", "pip", "install", "--quiet", *into, *source, "uv"],
                self._variables(),
                self._machine.data,
            )
            self._program = self._bootstrapped()
            if not self._program:
                raise InstallFailed("pip left no program that can be run.")
        except InstallFailed as error:
            raise InstallFailed(
                f"uv, which puts the daemon together, could not be had: {error}",
                next_step="Install uv or python3-venv with your system's packages, or check the "
                "network; then run the installer again.",
            ) from error

    def _bootstrapped(self) -> str | None:
        """The uv that was had from pip; `--target` has no Scripts, not on Windows either."""
        program = self._machine.program(self.private, "uv")
        programs = (program, self.private / "bin" / program.name)
        return next(filter(_serves, map(str, programs)), None)

    def make(self, folder: Path) -> None:
        """A Python environment at `folder`, of this Python if the daemon runs on it.

        Raises InstallFailed.
        """
        ours = (3, 11) <= sys.version_info[:2] < (3, 15)
        python = getattr(sys, "_base_executable", sys.executable) if ours else PYTHONS
        offline = ["--offline"] if self._wheels else []
        try:
            self._uv("venv", "--quiet", *offline, "--python", python, str(folder))
        except InstallFailed as error:
            if ours or not offline:
                raise
            raise InstallFailed(
                "The daemon needs Python 3.11 to 3.14, which cannot be had offline.",
                next_step="Install one of these, and run the installer with it.",
            ) from error

    def install_daemon(self, folder: Path, built: Path, backend: str) -> None:
        """Put the daemon into a new environment, building our own wheels in `built`."""
        ready = list(self._wheels.glob("impasto_*.whl")) if self._wheels else []
        if ready:
            for wheel in ready:
                shutil.copy(wheel, built)
        else:
            self._uv("build", "--quiet", "--wheel", "--all-packages", "--out-dir", str(built),
                     *self._sources())  # fmt: skip
        self._install(folder, backend, sorted(map(str, built.glob("*.whl"))))

    def mend(self, folder: Path, built: Path, backend: str, packages: Mapping[str, str]) -> None:
        """Put packages, by name and requirement, anew into the daemon's environment."""
        ours = {wheel.name.split("-")[0].replace("_", "-"): str(wheel) for wheel in built.glob("*")}
        wanted = [ours.get(name, requirement) for name, requirement in packages.items()]
        again = [option for name in packages for option in ("--reinstall-package", name)]
        self._install(folder, backend, ["--no-deps", *again, *wanted])

    def _install(self, folder: Path, backend: str, arguments: Sequence[str]) -> None:
        torch = ["--torch-backend", backend] if backend and not self._wheels else []
        self._uv("pip", "install", "--quiet", "--python", str(folder), *torch, *self._sources(),
                 *arguments)  # fmt: skip

    def vendor(self, folder: Path, python: str, requirements: Sequence[str]) -> None:
        """Install packages for an editor's Python into a folder."""
        self._uv(
            "pip", "install", "--quiet", "--target", str(folder), "--only-binary", ":all:",
            "--python-version", python, "--link-mode", "copy", *self._sources(), *requirements,
        )  # fmt: skip

    def _sources(self) -> list[str]:
        if not self._wheels:
            return []
        return ["--offline", "--no-index", "--find-links", str(self._wheels)]

    def _uv(self, *arguments: str) -> None:
        assert self._program
        # In the checkout's folder it takes the versions that are tested together.
        folder = ROOT if (ROOT / "pyproject.toml").exists() else self._machine.home
        _run([self._program, *arguments], self._variables(), folder)

    def _variables(self) -> dict[str, str]:
        variables = clean_environment(self._machine.environment)
        variables["UV_PYTHON_INSTALL_DIR"] = str(self._machine.data / "python")
        if str(self._program).startswith(str(self.private)):
            variables["UV_CACHE_DIR"] = str(self._machine.data / "cache")
        return variables


def _serves(uv: str) -> bool:
    """Whether a uv can be run, and knows what it is told."""
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    told = re.match(r"uv (\d+)\.(\d+)", said)
    return told is not None and tuple(map(int, told.groups())) >= _OLDEST_UV


def _run(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
    # In a group of its own, so that nothing it started goes on when this is stopped, and in a
    # thread, where no signal comes between the start and our knowing of it.
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        started.append(
            subprocess.Popen(
                command, env=dict(environment), cwd=cwd, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )
        )  # fmt: skip

    with ThreadPoolExecutor(1) as starter:
        starter.submit(int).result()  # so that its thread is there to be waited for
        try:
            starter.submit(start).result()
            said, _ = started[0].communicate()
        except BaseException:
            starter.shutdown()
            for process in started:
                with process, contextlib.suppress(OSError):  # it may have ended by itself
                    process.kill() if os.name == "nt" else os.killpg(process.pid, signal.SIGKILL)
            raise
    (ended,) = started
    if not ended.returncode:
        return
    told = said.decode(errors="replace").strip()
    if any(words in told for words in _FULL):
        raise DiskFull("The disk is full.")
    last = " ".join(line.strip() for line in told.splitlines()[-6:])
    raise InstallFailed(
        f"{Path(command[0]).name} {command[1]} did not succeed: {last or ended.returncode}",
        next_step="Check the network, or use --wheels and --torch-backend; then run it again.",
    )


def free_gib(folder: Path) -> float:
    """The free space where a folder is or would be, in GiB."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / 2**30


def owns_everything() -> bool:
    """Whether this process is root, whose home is nobody's."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
