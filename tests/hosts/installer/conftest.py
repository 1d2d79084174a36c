"""A painter's home in the editors' tree, and the installer run in it as a painter would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hosts.conftest import ROOT, Tree
from tests.integration.conftest import ONE_THREAD

from impasto_installer.environment import Uv
from impasto_installer.machine import Machine

PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
PYTHONS = {"trixie": "3.13", "forky": "3.14"}
"""The Python of each Debian."""


class Painter:
    """A home in which the installer is run, and what was installed by it."""

    def __init__(self, tree, home, uv):
        self.tree, self.home, self.runtime = tree, home, home.parent / "run"
        self.runtime.mkdir(mode=0o700)
        home.mkdir()
        self.data = home / ".local/share/impasto"
        self.gimp, self.krita = (
            f"{name} {tree.version(name.lower())} (package)" for name in ("GIMP", "Krita")
        )
        series = ".".join(tree.version("gimp").split(".")[:2])
        self.profile = home / ".config/GIMP" / series
        self.plugin = self.profile / "plug-ins/impasto"
        self.environment = {
            "HOME": str(home), "XDG_RUNTIME_DIR": str(self.runtime),
            "PATH": f"/usr/bin:/bin:{uv.parent}",
            # Nothing is fetched twice, and a copy of torch takes its time.
            "UV_OFFLINE": "1", "UV_LINK_MODE": "symlink", "UV_CACHE_DIR": str(uv_cache()),
            **ONE_THREAD,
        }  # fmt: skip

    def run(self, *command, timeout_s=300, **environment):
        """A command in the tree, with its exit code and all that it said."""
        process = self.tree.start(
            [*map(str, command)], {**self.environment, **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        said, _ = process.communicate(timeout=timeout_s)
        return subprocess.CompletedProcess(command, process.returncode, said)

    def installer(self, *arguments, source=ROOT, **environment):
        """The installer, by the same Python as the tests', whose packages uv has."""
        chosen = ["--yes", "--as-root", "--torch-backend", "pypi", *arguments]
        return self.run(PYTHON, source / "installer/install.py", *chosen, **environment)

    def impasto(self, *arguments, **environment):
        """The command that was installed."""
        return self.run(self.home / ".local/bin/impasto", *arguments, **environment)

    def files(self):
        """Every file, but what GIMP itself and caches of bytecode keep."""
        found, profile = set(), self.profile.relative_to(self.home).as_posix()
        for path in self.home.rglob("*"):
            name = path.relative_to(self.home).as_posix()
            if "__pycache__" not in name and not name.startswith((profile, ".cache")):
                found.add(name)
        return found | {p.relative_to(self.home).as_posix()
                        for p in self.profile.rglob("*impasto*")}  # fmt: skip


def uv_cache():
    """Where uv keeps what it has downloaded."""
    told = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True)
    return Path(told.stdout.strip())


@pytest.fixture(scope="session")
def uv():
    """The program itself, as what is on the path may be a shim."""
    beside = Path(sys.base_prefix) / "bin/uv"
    return beside if beside.exists() else Path(shutil.which("uv"))


@pytest.fixture(scope="session")
def weights_copy(tmp_path_factory):
    """The trained network where the tree can see it; None where there is none."""
    if not os.environ.get("IMPASTO_WEIGHTS"):
        return None
    copy = tmp_path_factory.mktemp("weights") / "vgg19.safetensors"
    return Path(shutil.copyfile(os.environ["IMPASTO_WEIGHTS"], copy))


@pytest.fixture(scope="session")
def known_to_uv(tmp_path_factory):
    """Has uv look up all that the installer will ask for, as the tree has no network."""
    folder = tmp_path_factory.mktemp("known")

    def uv(*arguments):
        subprocess.run(["uv", *map(str, arguments)], cwd=ROOT, capture_output=True, check=True)

    uv("build", "--wheel", "--all-packages", "--out-dir", folder)
    uv("venv", "--python", PYTHON, folder / "v")
    uv("pip", "install", "--dry-run", "--python", folder / "v", *folder.glob("*.whl"))
    for python in PYTHONS.values():
        needed = "msgpack>=1.2.3,<2", "pyzmq>=27.1,<28"
        Uv(Machine.this()).vendor(folder / python, python, needed)


@pytest.fixture(scope="session", params=list(PYTHONS))
def version(request):
    """The Debian, which has a GIMP and a Krita of its own."""
    return request.param


@pytest.fixture(scope="session")
def tree(version, debian, uv, tmp_path_factory):
    return Tree(debian(version).folder, tmp_path_factory.getbasetemp(), uv_cache(), uv.parent)


@pytest.fixture(scope="session")
def tested(tree):
    editors = f"GIMP {tree.version('gimp')} and Krita {tree.version('krita')}"
    return "installer and doctor", editors, str(tree)


@pytest.fixture(scope="session")
def new_painter(tree, uv, known_to_uv, tmp_path_factory):
    """Makes painters who have started GIMP once, all but the first by a copy of that home."""
    started = tmp_path_factory.mktemp("started") / "home"

    def make():
        painter = Painter(tree, tmp_path_factory.mktemp("p") / "home", uv)
        if started.exists():
            shutil.copytree(started, painter.home, dirs_exist_ok=True)
        else:
            painter.run("gimp-console", "-idf", "--quit")
            shutil.copytree(painter.home, started)
        return painter

    return make


@pytest.fixture(scope="session")
def painter(new_painter, weights_copy):
    """A painter who has Impasto installed. Tests leave it whole."""
    painter = new_painter()
    painter.before = painter.files()
    weights = ["--weights", weights_copy] if weights_copy else []
    painter.installed = painter.installer(*weights)
    assert painter.installed.returncode == 0, painter.installed.stdout
    yield painter
    painter.impasto("daemon", "stop")
