"""Where settings of the daemon come from, and what is said when one is wrong."""

import dataclasses
from pathlib import Path

import pytest

from impasto_daemon import service
from impasto_daemon.cli.daemon import daemon
from impasto_daemon.config import Config, load_config
from impasto_protocol.errors import ConfigInvalid
from impasto_protocol.fields import field_spec


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


@pytest.mark.parametrize(("named", "from_file", "from_here"), [
    ("own.safetensors", "file/own.safetensors", "here/own.safetensors"),
    ("~/own.safetensors", "home/own.safetensors", "home/own.safetensors"),
    ("torchvision", "torchvision", "torchvision"), ("", "", ""),
])  # fmt: skip
def test_path_means_the_same_wherever_the_daemon_works(
    tmp_path, monkeypatch, named, from_file, from_here
):
    for folder in ("file", "here"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    file = tmp_path / "file/config.toml"
    file.write_text(f"weights = '{named}'\n")

    def absolute(path):
        return str(tmp_path / path) if "/" in path else path

    assert load_config(file, {}).config.weights == absolute(from_file)
    for source in ({"environment": {"IMPASTO_WEIGHTS": named}}, {"options": {"weights": named}}):
        found = load_config(file, **{"environment": {}} | source)
        assert found.config.weights == absolute(from_here)


@pytest.mark.parametrize("how", ["environment", "option"])
def test_daemon_that_is_started_elsewhere_is_given_an_absolute_path(
    home, tmp_path, monkeypatch, how
):
    monkeypatch.chdir(tmp_path)
    if how == "environment":
        monkeypatch.setenv("IMPASTO_WEIGHTS", "own.safetensors")
    given = ["--weights", "own.safetensors"] if how == "option" else []
    handed_on = []
    monkeypatch.setattr(service, "start", lambda options, paths: handed_on.extend(options) or 1)
    daemon.main(["start", *given], standalone_mode=False)
    assert handed_on == ["--weights", str(tmp_path / "own.safetensors")]


def test_file_that_begins_with_a_byte_order_mark_is_read(tmp_path):
    """As Windows' own editor writes it."""
    file = tmp_path / "config.toml"
    file.write_text("queue = 7\n", encoding="utf-8-sig")
    assert load_config(file, {}).config.queue == 7


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
    with pytest.raises(ConfigInvalid, match=r"environment.*threads"):
        load_config(Path("/none"), {"IMPASTO_THREADS": "many"})


def test_several_devices_may_be_named():
    assert Config(device="cuda:0,cuda:1").device == "cuda:0,cuda:1"


@pytest.mark.parametrize(("text", "environment", "options", "step"), [
    ("device = 'gpu'", {}, {}, "remove device in that file"),
    ("device =", {}, {}, "remove that line"),
    ("", {"IMPASTO_THREADS": "-3"}, {}, "unset the variable IMPASTO_THREADS"),
    ("", {}, {"log_level": "loud"}, "Correct --log-level"),
])  # fmt: skip
def test_next_step_is_where_the_wrong_value_is(tmp_path, text, environment, options, step):
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        load_config(file, environment, options)
    assert step in caught.value.next_step


@pytest.mark.parametrize("field", dataclasses.fields(Config), ids=lambda field: field.name)
def test_setting_that_must_have_a_form_says_in_words_which(field):
    assert bool(field_spec(field).pattern) == bool(field_spec(field).form)
