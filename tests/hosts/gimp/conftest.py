"""GIMP 3 with the plug-in in it, and the real daemon."""

import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest
from tests.hosts.conftest import running_daemon
from tests.hosts.host import Host
from tests.integration.conftest import own_daemon  # noqa: F401

from impasto_installer.environment import Uv
from impasto_installer.machine import Machine
from impasto_installer.plugins import build_gimp
from impasto_protocol.messages import Status

HERE = Path(__file__).parent
SERVER = f"exec(compile(open('{HERE}/server.py').read(), 'server.py', 'exec'), globals())"


DEBIANS = {"3.0": "trixie", "3.2": "forky"}
"""The Debian that has each GIMP; of its Python a plug-in sees only what runs in any."""


class Gimp(Host):
    """A GIMP without a window."""

    command = ("gimp-console", "-idf")

    def __init__(self, tree, folder, environment, display=None):
        command = [*self.command, "--batch-interpreter=python-fu-eval", "-b", SERVER, "--quit"]
        super().__init__(tree, folder, command, environment, display)


class Pair(Gimp):
    """A GIMP without a window that runs a second piece while the first waits for a painting."""

    def __init__(self, tree, folder, environment):
        super().__init__(tree, folder, {**environment, "IMPASTO_TEST_SERVER": HERE / "server.py"})
        (folder / "work/beside").mkdir()

    def beside(self, code, **values):
        """What a piece of code leaves in `answer` that runs beside another."""
        return self.end(self.begin(f"{code}\nkeep = True", where="beside", **values))

    def close(self):
        (self.folder / "work/beside/end").touch()
        super().close()


class Window(Gimp):
    """A GIMP with a window on a screen of its own."""

    command = ("gimp", "--no-splash", "--new-instance")

    def __init__(self, tree, folder, environment, display):
        quiet = {"NO_AT_BRIDGE": "1", "GTK_A11Y": "none"}
        super().__init__(tree, folder, {**environment, **quiet}, display)

    def keys(self, *keys, window=None):
        """Press keys, in the image's window or in the one that has a title."""
        (*_, found) = self.await_window(window or "GIMP$")
        self.xdotool("windowfocus", "--sync", found)
        for key in keys:
            self.xdotool("key", "--window", "0", key)
            time.sleep(0.2)

    def windows(self, title):
        """The windows whose title matches."""
        return self.xdotool("search", "--onlyvisible", "--name", title)

    def await_window(self, title, timeout_s=120):
        """The windows whose title matches, once there is one that takes keys."""
        deadline = time.monotonic() + timeout_s
        if found := self.windows(title):
            return found
        while not (found := self.windows(title)):
            assert time.monotonic() < deadline, f"no window {title!r}\n{self.log()}"
            time.sleep(0.1)
        time.sleep(1)  # a window that has just come is seen before it listens
        return found


def install(folder, *, pyzmq=True):
    """The plug-in in a GIMP profile, with what it needs."""
    build_gimp(folder / "plug-ins/impasto", Uv(Machine.this()).vendor, "3.13", pyzmq=pyzmq)


def settings_of(tree):
    """GIMP's own settings, with which nothing comes up beside the image."""
    return (
        f'(config-version "{tree.version("gimp")}") (show-welcome-dialog no) (check-updates no)'
        " (save-session-info no)"
    )


def plug_in_processes(profile):
    """The process ids of the plug-in of this GIMP; another module's tests may run one of theirs."""
    program, found = os.fsencode(profile / "plug-ins/impasto/impasto.py"), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if program in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


@pytest.fixture
def changed_profile(profile, tmp_path):
    """A copy of the profile whose plug-in a test may break: its folder, and the plug-in's."""
    folder = tmp_path / "profile"
    shutil.copytree(profile, folder)
    return folder, folder / "plug-ins" / "impasto"


@pytest.fixture(scope="session", params=list(DEBIANS))
def version(request):
    return request.param


@pytest.fixture(scope="session")
def tree(version, debian):
    """The Debian with this GIMP."""
    return debian(DEBIANS[version])


@pytest.fixture(scope="session")
def tested(tree):
    return "GIMP", tree.version("gimp"), str(tree)


@pytest.fixture(scope="session")
def profile(tree, tmp_path_factory):
    """A GIMP profile with the plug-in in it, whose plug-ins GIMP has looked at already."""
    folder = tmp_path_factory.mktemp("profile")
    install(folder)
    first = Gimp(tree, tmp_path_factory.mktemp("first"), {"GIMP3_DIRECTORY": str(folder)})
    first.run("")
    first.close()
    assert (folder / "pluginrc").exists()
    return folder


@pytest.fixture(scope="session")
def gimp_daemon(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("d")) as daemon:
        yield daemon


@pytest.fixture
def running_job():
    """running_job(daemon): the job that is being painted, once it is; neither draft nor style."""

    def is_painted(job):
        running = job.state == "running" and job.step > 1
        # Of a style that is being saved no share is told.
        return running and job.share > 0 and not job.draft and not job.bakes

    def find(daemon):
        deadline = time.monotonic() + 300
        with daemon.connect() as client:
            while time.monotonic() < deadline:
                if job := next(filter(is_painted, client.ask(Status())[0].jobs), None):
                    return job
                time.sleep(0.1)
        raise AssertionError("no job was painted")

    return find


@pytest.fixture
def own_gimp(tree, profile, tmp_path):
    """Starts GIMPs for tests that break something: own_gimp(profile=…, IMPASTO_HOME=…)."""
    running = []

    def start(*, profile=profile, **environment):
        folder = tmp_path / f"gimp{len(running)}"
        folder.mkdir()
        variables = {"GIMP3_DIRECTORY": str(profile), **environment}
        running.append(Gimp(tree, folder, variables))
        return running[-1]

    yield start
    for host in running:
        host.close()


@pytest.fixture(scope="session")
def gimp(tree, profile, gimp_daemon, tmp_path_factory):
    """One GIMP for all tests that leave it as they found it."""
    environment = {"GIMP3_DIRECTORY": str(profile), "IMPASTO_HOME": str(gimp_daemon.home)}
    running = Gimp(tree, tmp_path_factory.mktemp("gimp"), environment)
    yield running
    running.close()


@pytest.fixture(scope="module")
def pair(tree, profile, gimp_daemon, tmp_path_factory):
    """One GIMP in which something can happen to what is being painted."""
    folder = tmp_path_factory.mktemp("pair")
    shutil.copytree(profile, folder / "profile")
    plug_in = folder / "profile/plug-ins/beside"
    plug_in.mkdir()
    shutil.copy(HERE / "beside.py", plug_in)
    (plug_in / "beside.py").chmod(0o755)
    environment = {
        "GIMP3_DIRECTORY": str(folder / "profile"), "IMPASTO_HOME": str(gimp_daemon.home)
    }  # fmt: skip
    running = Pair(tree, folder, environment)
    yield running
    running.close()


@pytest.fixture(scope="session")
def last_values(pictures):
    """What each dialog was left with; it comes up with that."""
    stylize = (
        f'(style-file "file://{pictures["style"]}")\n(quality "custom")\n(iterations 150)\n'
        '(tolerance 0)\n(style-loss "gram")\n(normalisation "relative")\n'
    )
    return {"stylize": stylize}


@pytest.fixture(scope="module")
def window(tree, screen, profile, gimp_daemon, last_values, tmp_path_factory):
    """One GIMP with a window."""
    own = tmp_path_factory.mktemp("window")
    folder = own / "profile"
    shutil.copytree(profile, folder)
    (folder / "gimprc").write_text(settings_of(tree))
    (folder / "shortcutsrc").write_text(
        '(file-version 1) (action "plug-in-impasto-stylize" "<Primary><Alt>y")'
        ' (action "plug-in-impasto-again" "<Primary><Alt>g")'
        ' (action "plug-in-impasto-apply-preset" "<Primary><Alt>p")'
        ' (action "plug-in-impasto-save-preset" "<Primary><Alt>v")'
        ' (action "dialogs-undo-history" "<Primary><Alt>u")'
        ' (action "image-flip-horizontal" "<Primary><Alt>h")'
    )
    settings = folder / "plug-in-settings"
    settings.mkdir(exist_ok=True)
    for entry, values in last_values.items():
        (settings / f"GimpProcedureConfigRun-plug-in-impasto-{entry}.last").write_text(values)
    environment = {"GIMP3_DIRECTORY": str(folder), "IMPASTO_HOME": str(gimp_daemon.home)}
    running = Window(tree, own, environment, screen)
    yield running
    running.close()
