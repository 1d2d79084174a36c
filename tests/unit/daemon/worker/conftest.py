"""The worker's tests start many workers, each of which would make the same untrained network."""

from functools import cache

import pytest

from impasto_daemon.engine import untrained


@pytest.fixture(autouse=True, scope="session")
def untrained_weights_made_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(untrained, "untrained_weights", cache(untrained.untrained_weights))
        yield
