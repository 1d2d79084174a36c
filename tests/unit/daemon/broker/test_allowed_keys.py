"""Keys that are given and taken while the daemon runs."""

import pytest

from impasto_daemon.broker.allowed_keys import AllowedKeys
from impasto_daemon.config import load_config

OWN, GUEST, OTHER = ("ogx"[number] * 40 for number in range(3))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config.toml"


@pytest.fixture
def read(file):
    file.write_text(f'allowed_keys = ["{GUEST}"]\n')
    return lambda: load_config(file, environment={}).config


@pytest.fixture
def keys(file, read):
    return AllowedKeys(OWN, read().allowed_keys, file, read)


def seen_twice(keys):
    return keys.withdrawn() | keys.withdrawn()


def test_keys_of_the_file_and_the_own_one_are_allowed(keys):
    assert OWN in keys and GUEST in keys and OTHER not in keys
    assert not seen_twice(keys)


def test_key_that_the_file_no_longer_has_is_withdrawn_once(keys, file):
    file.write_text(f'allowed_keys = ["{OTHER}"]\nqueue = 3\n')
    assert seen_twice(keys) == {GUEST}
    assert GUEST not in keys and OTHER in keys
    assert not seen_twice(keys)


def test_key_that_is_taken_out_while_the_daemon_begins_is_withdrawn(file, read):
    known = read().allowed_keys
    file.write_text("")
    assert seen_twice(AllowedKeys(OWN, known, file, read)) == {GUEST}


def test_file_that_is_gone_allows_nobody_but_the_user(keys, file):
    file.unlink()
    assert seen_twice(keys) == {GUEST}
    assert OWN in keys and GUEST not in keys


def test_file_that_is_only_being_written_withdraws_nothing(keys, file):
    whole = file.read_text()
    file.write_text("")
    assert not keys.withdrawn()
    file.write_text(whole)
    assert not seen_twice(keys)
    assert GUEST in keys


def test_keys_stay_as_they_are_where_the_file_cannot_be_read(keys, file, caplog):
    file.write_text("allowed_keys = [")
    assert not seen_twice(keys) and not seen_twice(keys)
    assert GUEST in keys and len(caplog.records) == 1
