"""What every test may use: the real weights and pictures where they are named, small pictures."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from impasto_protocol.codec import Picture

# A slow machine is no failure.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


GRAM = {"style_loss": "gram", "normalisation": "relative"}
"""What the field's programs match. It takes least and makes little of rounding: for paintings whose
look is not the matter."""

SLOW = ("hosts", "paintings")
"""Folders that `--fast` leaves out: editors and installer, and paintings that are judged."""
ORDER = (
    "hosts/krita", "hosts/gimp", "hosts/installer", "integration", "paintings", "hostile", "disk",
    "unit/daemon/worker/test_worker.py", "unit/daemon/engine/test_tiles.py", "unit",
)  # fmt: skip
"""What takes longest begins first, so that neither of two that run tests waits for the other."""


def pytest_addoption(parser):
    parser.addoption(
        "--fast", action="store_true", help=f"leave out {' and '.join(SLOW)}: under four minutes"
    )

    parser.addoption(
        "--every-editor", action="store_true",
        help="run the tests of the editors in the newest GIMP and Krita too: half an hour more",
    )  # fmt: skip


def pytest_ignore_collect(collection_path, config):
    here = collection_path.relative_to(Path(__file__).parent).parts
    return True if config.getoption("--fast") and here and here[0] in SLOW else None


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        # Two that paint with two threads each take five times as long as with one.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    # A shell's background job ignores Ctrl-C, and so would every program that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Together(LoadScopeScheduling):
    """What a module starts is started once, and one Krita at a time has what it needs."""

    def _split_scope(self, nodeid):
        file, _, test = nodeid.partition("::")
        version = test.partition("[")[2][:3]  # if it has one
        if "hosts/gimp/" in file:
            return file + version
        if "hosts/installer/" in file:
            return "installer" + version
        return "krita" if "hosts/krita/" in file else file


def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)


def place(item):
    """Where in `ORDER` a test is."""
    file = item.nodeid.removeprefix("tests/")
    return next((n for n, begin in enumerate(ORDER) if file.startswith(begin)), len(ORDER))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=place)
    needs = {"weights": "IMPASTO_WEIGHTS", "images": "IMPASTO_IMAGES"}
    for item in items:
        for mark, variable in needs.items():
            if item.get_closest_marker(mark) and not os.environ.get(variable):
                item.add_marker(pytest.mark.skip(reason=f"{variable} is not set"))
        if item.get_closest_marker("gpu"):
            import torch

            if not torch.cuda.is_available():
                item.add_marker(pytest.mark.skip(reason="there is no CUDA device"))


@pytest.fixture(scope="session")
def weights_file():
    return Path(os.environ["IMPASTO_WEIGHTS"])


@pytest.fixture(scope="session")
def images():
    return Path(os.environ["IMPASTO_IMAGES"])


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A private place for everything Impasto keeps, and no settings from outside."""
    for name in list(os.environ):
        if name.startswith("IMPASTO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("IMPASTO_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def picture():
    """Makes an 8-bit picture of seeded noise: picture(height, width, channels)."""

    def make(height=24, width=32, channels=3, seed=0):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
        return Picture(height, width, channels, "uint8", pixels.tobytes())

    return make
