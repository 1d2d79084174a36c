"""Where settings of the daemon come from, and what is said when one is wrong."""

import pytest

from impasto_daemon.config import Config, load_config
from impasto_protocol.errors import ConfigInvalid


def test_later_sources_overrule_earlier_ones_and_say_where_they_are_from(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("queue = 7\nstall_s = 9\nlog_level = 'debug'\n")
    environment = {"IMPASTO_STALL_S": "10", "IMPASTO_ALLOW_REMOTE": "true", "HOME": "/x"}
    found = load_config(file, environment, {"log_level": "error", "device": None})
    assert (found.config.queue, found.config.stall_s) == (7, 10.0)
    assert (found.config.allow_remote, found.config.log_level) == (True, "error")
    assert found.config.idle_unload_s == Config().idle_unload_s
    assert [found.origin[name] for name in ("queue", "stall_s", "log_level", "device")] == [
        str(file), "environment", "command line", "default",
    ]  # fmt: skip


def test_missing_file_is_an_empty_one(tmp_path):
    assert load_config(tmp_path / "none.toml", {}).config == Config()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("queue = ", "cannot be read"),
        ("quue = 3", "quue"),
        ("queue = 0", "queue"),
        ("queue = '3'", "queue"),
        ("device = 'gpu'", "device"),
        ("endpoint = 'udp://x:1'", "endpoint"),
    ],
)
def test_wrong_line_is_named_with_its_file(tmp_path, text, said):
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigInvalid, match=said) as caught:
        load_config(file, {})
    assert str(file) in str(caught.value) and caught.value.next_step


def test_wrong_variable_is_named():
    from pathlib import Path

    with pytest.raises(ConfigInvalid, match=r"environment.*threads"):
        load_config(Path("/none"), {"IMPASTO_THREADS": "many"})


def test_several_devices_may_be_named():
    assert Config(device="cuda:0,cuda:1").device == "cuda:0,cuda:1"
