"""The disk becomes full at every change in turn: an error, the old file whole, and nothing else.

What the real programs say then is tried by `tests/proofs/full_disk.py`.
"""

import errno
import itertools
import os
import tempfile

import numpy as np
import pytest
import torch
from tests.disk.test_power_loss import CHANGES, OLD, kept, preset, store
from tests.unit.installer.test_transaction import listing

from impasto_daemon.images.pictures import write_picture
from impasto_daemon.weights import store as weights
from impasto_protocol.codec import Picture
from impasto_protocol.errors import DiskFull

__all__ = ["store"]  # a fixture

NOISE = Picture(8, 8, 3, "uint8", np.random.default_rng(0).bytes(192))
NEEDS_SPACE = [(tempfile, "mkstemp"), (os, "mkdir"), (os, "fsync")]


def until_it_fits(act, monkeypatch):
    """Do it with space for no change, for one, for two, …, and yield after each that failed."""
    for space in itertools.count():
        left = [space]

        def limited(function, left=left):
            def take(*arguments, **named):
                left[0] -= 1
                if left[0] < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return function(*arguments, **named)

            return take

        with monkeypatch.context() as full:
            for module, name in NEEDS_SPACE:
                full.setattr(module, name, limited(getattr(module, name)))
            try:
                act()
            except DiskFull as error:
                assert error.next_step
            else:
                return
        yield space


PACK = "a pack"


@pytest.mark.parametrize("kind", ["a new style", "a replaced style", "a sorted style", PACK])
def test_styles_stay_as_they_were(store, tmp_path, monkeypatch, kind):
    before, failed = listing(tmp_path / "data"), 0
    new = {"C": 5, "A": 6, "B": 7}
    if kind == PACK:
        act, after = (
            lambda store: store.save_all([preset(*each) for each in new.items()], replace=True),
            new,
        )
    else:
        act, after = CHANGES[kind]
    for _ in until_it_fits(lambda: act(store), monkeypatch):
        failed += 1
        assert listing(tmp_path / "data") == before and kept(store) == OLD
    assert failed >= 2 and kept(store) == after


@pytest.mark.parametrize("kind", ["painting", "weights"])
def test_file_stays_as_it_was(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(weights, "_check_shapes", lambda *_: None)
    path = tmp_path / "painted.png" if kind == "painting" else weights.own_file(tmp_path)
    if kind == "painting":
        path.write_bytes(b"old")
    else:
        weights.keep({"x": torch.ones(64)}, path)
    old, failed = path.read_bytes(), 0

    def act():
        if kind == "painting":
            write_picture(path, NOISE)
        else:
            weights.keep({"x": torch.zeros(64)}, path)

    for _ in until_it_fits(act, monkeypatch):
        failed += 1
        assert not list(path.parent.glob(".impasto-*"))
        if kind == "painting":
            assert path.read_bytes() == old
        else:
            assert float(weights.load(path, data_dir=tmp_path)["x"][0]) in (0, 1)
    assert failed >= 2 and path.read_bytes() != old
