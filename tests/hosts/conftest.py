"""The editors, each real and in a tree of its own that tests run it in by chroot."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.hosts.host import AS_NICE_AS_THE_WORKER
from tests.integration.conftest import make_daemon

ROOT = Path(__file__).resolve().parents[2]
YOUNG = ("3.2", "5.3", "forky")
"""The newest version of each editor, and the Debian with both: tested with `--every-editor`."""
OLD = "5.1"
"""The oldest Krita: what is marked `in_oldest` alone is tested in it without `--every-editor`."""
IMPASTO = str(Path(sys.executable).with_name("impasto"))
"""What an editor starts a daemon with."""
HOSTS = Path(os.environ.get("IMPASTO_HOSTS", "/var/tmp/impasto-hosts"))


class Debian:
    """A Debian in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def version(self, package):
        """A package's version, as its makers call it: of Debian's "1:5.2.9+dfsg-1", 5.2.9."""
        known = (self.folder / "var/lib/dpkg/status").read_text()
        (found,) = re.findall(rf"^Package: {package}\n(?:.+\n)*?Version: (.+)", known, re.MULTILINE)
        return re.match(r"(?:\d+:)?([\d.]+)", found)[1]

    def __str__(self):
        release = (self.folder / "etc/os-release").read_text()
        return re.search(r'^PRETTY_NAME="(.+)"', release, re.MULTILINE)[1].replace("GNU/Linux ", "")


class Tree(Debian):
    """A Debian in a folder, in which the checkout and the tests' files are at their own paths."""

    def __init__(self, folder, *shared):
        super().__init__(folder)
        self._shared = shared

    def start(self, command, environment, **options):
        """Run a command in the tree: the process. Its mounts go when it ends."""
        steps = ["set -e"]
        for path in {*self._shared, ROOT, Path(sys.prefix), Path(sys.base_prefix), Path("/dev")}:
            steps += [
                f"mkdir -p '{self.folder}{path}'",
                f"mount --rbind '{path}' '{self.folder}{path}'",
            ]
        steps += [f"mount -t proc proc '{self.folder}/proc'", f'exec chroot "{self.folder}" "$@"']
        variables = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment}
        return subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", "\n".join(steps),
             "bash", "env", "-i", *(f"{k}={v}" for k, v in variables.items()), *command],
            **options,
        )  # fmt: skip


class Here(Debian):
    """This machine's own Debian."""

    def __init__(self):
        super().__init__(Path("/"))

    def start(self, command, environment, **options):
        variables = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment}
        return subprocess.Popen(
            ["env", "-i", *(f"{k}={v}" for k, v in variables.items()), *command], **options
        )


def lacking(what):
    """Skip the test, or fail it where the editors must be there."""
    if os.environ.get("IMPASTO_NEED_HOSTS"):
        pytest.fail(what)
    pytest.skip(what)


def pytest_collection_modifyitems(config, items):
    left = [] if config.getoption("--every-editor") else [i for i in items if _is_left_out(i)]
    if left:
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


def _is_left_out(item):
    version = item.callspec.params.get("version") if hasattr(item, "callspec") else None
    return version in YOUNG or (version == OLD and not item.get_closest_marker("in_oldest"))


@pytest.fixture(scope="session")
def debian(tmp_path_factory):
    """debian(name): the tree of a Debian."""

    def find(name):
        folder = HOSTS / name
        if not (folder / "usr/bin/gimp-console").exists() or os.geteuid() != 0:
            lacking(f"no editors in {folder}: run tests/hosts/provision {folder} as root")
        return Tree(folder, tmp_path_factory.getbasetemp())

    return find


@pytest.fixture(autouse=True)
def _told(request):
    """Which editor a test was run in, for `tested.py`."""
    if "version" in request.fixturenames:
        told = " | ".join(request.getfixturevalue("tested"))
        request.node.user_properties.append(("editor", told))


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A photograph of 160 x 120 px, the same of 800 x 600, and a painting, for an editor to see."""
    folder = tmp_path_factory.mktemp("pictures")
    named = os.environ.get("IMPASTO_IMAGES")
    demo = ROOT / "daemon/src/impasto_daemon/demo"
    photo = Path(named) / "tubingen.jpg" if named else demo / "photograph.jpg"
    style = Path(named) / "starry_night_google.jpg" if named else demo / "painting.jpg"
    sizes = {"photo": (160, 120), "large": (800, 600), "style": (256, 200)}
    for name, size in sizes.items():
        source = style if name == "style" else photo
        Image.open(source).convert("RGB").resize(size).save(folder / f"{name}.png")
    return {name: folder / f"{name}.png" for name in sizes}


@contextlib.contextmanager
def running_daemon(folder, *, starter_styles=False):
    """The real daemon, with the real weights where they are named."""
    weights = os.environ.get("IMPASTO_WEIGHTS")
    daemon = make_daemon(folder, **({"IMPASTO_WEIGHTS": weights} if weights else {}))
    if starter_styles:  # which only a new home is given
        (daemon.home / "data/presets").rmdir()
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.end()


@contextlib.contextmanager
def xvfb(size):
    """A screen that nobody sees: its name. size: WIDTHxHEIGHT."""
    if not shutil.which("Xvfb"):
        lacking("there is no Xvfb")
    read, write = os.pipe()
    server = subprocess.Popen(
        # Without -noreset nobody can connect just after the last client has gone; with -r a key
        # whose release comes late is not repeated.
        [*AS_NICE_AS_THE_WORKER, "Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24",
         "-nolisten", "tcp", "-noreset", "-r"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as said:
            yield f":{said.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def screen():
    with xvfb("1400x900") as name:
        yield name
