"""The styles used last, on disk: found again, dropped when damaged, never more than the limit."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_daemon.presets.style_cache import StyleCache

ROOT = np.random.default_rng(0).random((513, 513), np.float32)
MOMENTS = {(64, "relu5_1"): ROOT + ROOT.T}  # half a MiB


def same(found, expected=MOMENTS):
    return found.keys() == expected.keys() and all(
        np.array_equal(found[key], expected[key]) for key in expected
    )


@pytest.fixture
def cache(tmp_path):
    return StyleCache(tmp_path / "styles", 2)


def names(tmp_path):
    return {path.name for path in (tmp_path / "styles").iterdir()}


def test_statistics_are_found_again_by_another_process(cache, tmp_path):
    assert cache.get("a") == {}
    cache.put("a", MOMENTS)
    assert same(StyleCache(tmp_path / "styles", 2).get("a")) and cache.get("b") == {}


def test_what_was_used_longest_ago_goes_first(cache, tmp_path):
    for age, name in enumerate("abc"):
        cache.put(name, MOMENTS)
        os.utime(tmp_path / "styles" / name, (age, age))
    assert cache.get("a")
    cache.put("d", MOMENTS)
    assert names(tmp_path) == {"a", "c", "d"}


def test_leftover_of_a_crash_counts_and_goes_too(cache, tmp_path):
    cache.put("a", MOMENTS)
    left = tmp_path / "styles" / ".a-1234"
    left.write_bytes(bytes(2 << 20))
    os.utime(left, (1, 1))
    cache.put("b", MOMENTS)
    assert names(tmp_path) == {"a", "b"}


def test_limit_of_zero_keeps_nothing(tmp_path):
    StyleCache(tmp_path / "styles", 2).put("a", MOMENTS)
    off = StyleCache(tmp_path / "styles", 0)
    off.put("b", MOMENTS)
    assert names(tmp_path) == set() and off.get("b") == {}


@given(st.data())
def test_damaged_file_is_ignored_and_removed(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("styles")
    cache = StyleCache(folder, 2)
    cache.put("a", {(64, "relu1_1"): ROOT[:65, :65] + ROOT[:65, :65].T})
    whole = (folder / "a").read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=9))
    spoilt = whole[:place] + noise + whole[place + data.draw(st.integers(0, 9)) :]
    (folder / "a").write_bytes(spoilt)
    found = cache.get("a")
    assert (spoilt == whole) == bool(found) == (folder / "a").exists()


@pytest.mark.parametrize("what", ["folder", "pipe", "digest of nothing useful"])
def test_what_is_no_entry_does_no_harm(cache, tmp_path, what):
    cache.put("b", MOMENTS)
    path = tmp_path / "styles" / "a"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        from impasto_protocol.codec import digest_of

        path.write_bytes(digest_of(b"x") + b"x")
    assert cache.get("a") == {} and same(cache.get("b"))


def test_full_disk_is_no_failure(cache, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left")))
    cache.put("a", MOMENTS)
    monkeypatch.undo()
    assert cache.get("a") == {}
