"""A baking that makes way, without what is learnt."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from impasto_daemon.images.arrays import from_array, to_array
from impasto_daemon.worker import baking_job
from impasto_daemon.worker.baking_job import Baker
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.colour_space import LINEAR, SRGB, SRGB_PRIMARIES, ColourSpace
from impasto_protocol.errors import WorkerFailed
from impasto_protocol.messages import PresetBake
from impasto_protocol.settings import Settings

INFO = SimpleNamespace(name="Dusk", settings=Settings())


class Job:
    """A channel to a broker that wants the device for something else at once."""

    due = concluding = False
    making_way = True

    def __init__(self, message):
        self.message = message

    def pictures(self):
        return {"photograph": [Picture(300, 300, 3, "uint8", bytes(270_000))]}

    def poll(self):
        pass

    def put_by(self, rest):
        self.rest = rest

    def stored(self, rest):
        self.message = rest


class Presets:
    """Keeps for how long what was stored was baked."""

    stored = ()

    def get(self, name):
        return SimpleNamespace(baked=None)

    def bake(self, info, baked):
        self.stored += (baked.minutes,)
        return True


@pytest.fixture
def begun(monkeypatch):
    """For how long each baking that was begun anew was to go on, in minutes; a turn takes one."""
    found = []

    def bake(*_, seconds, **__):
        found.append(seconds / 60)
        for minute in range(1, 100):
            yield SimpleNamespace(step=minute, spent_s=60 * minute, weights=dict)

    monkeypatch.setattr(baking_job, "bake", bake)
    return found


def put_by(baker, message):
    """What is left when the baking has made way after a minute."""
    job = Job(message)
    assert baker.bake(job, INFO, None, None) is None
    return job.rest


def test_baking_goes_on_where_it_was_unless_another_device_has_gone_on_with_it(begun):
    here, there = Baker(Presets()), Baker(Presets())
    rest = put_by(here, PresetBake(job=new_job_id(), name="Dusk", minutes=20))
    rest = put_by(here, rest)
    assert rest.minutes == 18 and begun == [20]
    rest = put_by(there, rest)
    assert rest.minutes == 17 and begun == [20, 18]
    put_by(here, rest)
    assert begun == [20, 18, 17]


def test_baking_whose_memory_runs_out_begins_again_with_what_is_left(begun, monkeypatch):
    job = Job(PresetBake(job=new_job_id(), name="Dusk", minutes=20, anew=True))
    job.making_way = False

    def bake(*_, **__):
        for minute in (1, 2, 3):
            yield SimpleNamespace(step=minute, spent_s=60 * minute, weights=dict)
        raise MemoryError

    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr(baking_job, "bake", bake)
        Baker(Presets()).bake(job, INFO, None, None)
    assert not job.message.anew
    job.making_way = True
    Baker(Presets()).bake(job, INFO, None, None)
    assert begun == [17]


def test_baking_that_goes_astray_leaves_what_was_stored_and_says_so(begun, monkeypatch):
    job, presets = Job(PresetBake(job=new_job_id(), name="Dusk", minutes=20)), Presets()
    job.making_way, weights = False, [torch.ones(1), torch.full((1,), torch.nan)]
    monkeypatch.setattr(baking_job, "_STORE_EVERY_S", -1.0)
    monkeypatch.setattr(baking_job, "bake", lambda *_, **__: (
        SimpleNamespace(step=1, spent_s=60, weights=lambda tensor=tensor: {"a": tensor})
        for tensor in weights
    ))  # fmt: skip
    with pytest.raises(WorkerFailed, match="the style is as it was up to a minute before"):
        Baker(presets).bake(job, INFO, None, None)
    assert presets.stored == (1.0,)


@pytest.mark.parametrize(("space", "channels", "remembered"), [
    (SRGB, 3, True), (SRGB, 4, False), (ColourSpace(SRGB_PRIMARIES, LINEAR), 3, False),
])  # fmt: skip
def test_networks_learn_from_what_was_painted_in_srgb_and_hides_nothing(
    space, channels, remembered
):
    baker = Baker(Presets())
    data = np.zeros((300, 300, channels), np.float32)
    baker.remember(Picture(300, 300, channels, "float32", data.tobytes(), space=space))
    assert bool(baker._painted) == remembered


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_networks_learn_from_what_was_painted_in_krita_in_its_own_colours(dtype):
    """Its layers are BGRA, be they transparent or not."""
    baker, white = Baker(Presets()), np.iinfo(dtype).max
    blue = np.tile(np.array([white, 0, 0, white], dtype), (300, 300, 1))
    baker.remember(from_array(blue, "bgr"))
    blue[7, 9, 3] -= 1
    baker.remember(from_array(blue, "bgr"))
    (kept,) = baker._painted.values()
    assert (kept.channels, kept.order) == (3, "rgb")
    assert (to_array(kept) == [0, 0, 255]).all()
