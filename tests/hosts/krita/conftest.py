"""Krita with the plug-in and a driver in it, and the real daemon."""

import shutil
import time
from pathlib import Path

import pytest
from PIL import Image
from tests.conftest import GRAM
from tests.hosts.conftest import Here, lacking, running_daemon
from tests.hosts.host import Host
from tests.hosts.krita.pieces import FIRST
from tests.integration.conftest import own_daemon  # noqa: F401

from impasto_installer.environment import Uv
from impasto_installer.machine import Machine
from impasto_installer.plugins import build_krita
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.messages import PresetSave, Status
from impasto_protocol.settings import Settings

HERE = Path(__file__).parent
RESOURCES = Path(".local", "share", "krita")
PYTHONS = {"5.1": "3.11", "5.2": "3.13", "5.3": "3.14"}
"""The Python of each Krita."""
DEBIANS = {"5.2": "trixie", "5.3": "forky"}
"""The Debian that has it, where this is not the one that the tests run in."""
DUSK = Settings(strength=0.6, style_scale=1.5, keep_colours=True, seed=5, **GRAM)


class Krita(Host):
    """A Krita on a screen."""

    def __init__(self, place, folder, data, environment, display, resources=None):
        if resources:
            shutil.copytree(resources, folder / RESOURCES)
        (folder / "run").mkdir(mode=0o700)
        (folder / ".config").mkdir()
        (folder / ".config" / "kritarc").write_text(
            "[python]\nenable_impasto=true\nenable_impasto_driver=true\n"
        )
        variables = {
            "XDG_RUNTIME_DIR": str(folder / "run"), "LIBGL_ALWAYS_SOFTWARE": "1",
            "XDG_DATA_DIRS": f"{data}:/usr/local/share:/usr/share", **environment,
        }  # fmt: skip
        super().__init__(place, folder, ["krita", "--nosplash"], variables, display)

    def close(self):
        super().close()
        # A painter would have seen it in a window of Krita's.
        assert "Traceback" not in (self.folder / "host.log").read_text()


def install(data, python):
    """A folder for XDG_DATA_DIRS with the plug-in and the driver in it."""
    build_krita(data / "krita", Uv(Machine.this()).vendor, python)
    shutil.copytree(HERE / "driver", data / "krita", dirs_exist_ok=True)
    return data


@pytest.fixture(scope="session", params=list(PYTHONS))
def version(request):
    return request.param


@pytest.fixture(scope="session")
def place(version, debian):
    """Where a Krita is."""
    if version not in DEBIANS:
        if not shutil.which("krita"):
            lacking("Krita is not installed: run tests/hosts/provision as root")
        return Here()
    tree = debian(DEBIANS[version])
    if not (tree.folder / "usr/bin/krita").exists():
        lacking(f"no Krita in {tree.folder}: run tests/hosts/provision as root")
    return tree


@pytest.fixture(scope="session")
def tested(place):
    return "Krita", place.version("krita"), str(place)


@pytest.fixture(scope="session")
def data(version, place, tmp_path_factory):
    return install(tmp_path_factory.mktemp("data"), PYTHONS[version])


@pytest.fixture
def changed_data(data, tmp_path):
    """A copy of the data whose plug-in a test may break: its folder, and the plug-in's."""
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    return folder, folder / "krita/pykrita/impasto"


@pytest.fixture(scope="session")
def krita_daemon(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("d")) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def first_start(place, data, screen, pictures, tmp_path_factory):
    """What a Krita tells that was never started before, without a daemon; and where it was."""
    folder = tmp_path_factory.mktemp("first")
    first = Krita(place, folder, data, {"IMPASTO_HOME": str(folder / "home")}, screen)
    told = first.run(FIRST, **pictures)
    first.close()
    return told, folder


@pytest.fixture(scope="session")
def resources(first_start):
    """The brushes and all else that Krita unpacks at its first start, which takes a while."""
    return first_start[1] / RESOURCES


@pytest.fixture(scope="session")
def krita(place, data, krita_daemon, screen, resources, tmp_path_factory):
    """One Krita for all tests that leave it as they found it."""
    environment = {"IMPASTO_HOME": str(krita_daemon.home)}
    folder = tmp_path_factory.mktemp("krita")
    running = Krita(place, folder, data, environment, screen, resources)
    yield running
    running.close()


@pytest.fixture
def own_krita(place, data, screen, resources, tmp_path):
    """Starts Kritas for tests that break something: own_krita(data=…, IMPASTO_HOME=…)."""
    running = []

    def start(*, data=data, screen=screen, **environment):
        folder = tmp_path / f"krita{len(running)}"
        folder.mkdir()
        running.append(Krita(place, folder, data, environment, screen, resources))
        return running[-1]

    yield start
    for host in running:
        host.close()


def save_style(daemon, pictures, name="Dusk"):
    """Have a daemon keep a style, with settings that no control has by itself."""
    image = Image.open(pictures["style"])
    picture = Picture(image.height, image.width, 3, "uint8", image.tobytes())
    message = PresetSave(job=new_job_id(), name=name, settings=DUSK)
    with daemon.connect() as client:
        client.submit(message, {"style": picture}).result()


@pytest.fixture(scope="session")
def saved_style(krita_daemon, pictures):
    save_style(krita_daemon, pictures)


def state_of(daemon, job):
    with daemon.connect() as client:
        return {info.job: info.state for info in client.ask(Status())[0].jobs}[job]


def await_cancelled(daemon, job):
    deadline = time.monotonic() + 60
    while state_of(daemon, job) != "cancelled":
        assert time.monotonic() < deadline
        time.sleep(0.1)
