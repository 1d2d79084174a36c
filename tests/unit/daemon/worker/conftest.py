"""The worker's tests start many workers, each of which would unpack Oxford's network again."""

from functools import cache

import pytest

from impasto_daemon.weights import oxford, sources

unpack = cache(oxford.unpack)


@pytest.fixture(autouse=True, scope="module")
def network_unpacked_once():
    def open_oxford(path, data_dir):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()  # as where it was unpacked
        return unpack()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_open_oxford", open_oxford)
        yield
