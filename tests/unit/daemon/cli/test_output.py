"""What is printed comes out whatever the terminal, and with every name as it is."""

import json
import os
import subprocess
import sys

import pytest
from rich.table import Table

from impasto_daemon.cli import daemon as command
from impasto_daemon.cli.config import config
from impasto_daemon.cli.output import console
from impasto_protocol.client import Client, new_job_id
from impasto_protocol.messages import JobInfo, Report


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_name_that_the_encoding_lacks_does_not_end_a_command(tmp_path, encoding):
    home = tmp_path / "絵é🎨\udcff"
    home.mkdir()
    (home / "config.toml").write_text("queue = 7\n")

    def said(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "impasto_daemon.cli", "config", "show", "--origin", *arguments],
            env={**os.environ, "IMPASTO_HOME": str(home), "PYTHONIOENCODING": encoding},
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0 and not done.stderr, done.stderr
        return done.stdout.decode(encoding)

    assert "\\udcff" in said()
    assert json.loads(said("--json"))["queue"]["origin"] == str(home / "config.toml")


def test_name_with_brackets_or_colons_is_shown_as_it_is(capsys):
    rows = Table("style")
    for name in ("Portrait [draft]", "[/]", ":cat:"):
        rows.add_row(name)
        console.print(name)
    console.print(rows)
    said = capsys.readouterr().out
    assert [said.count(name) for name in ("Portrait [draft]", "[/]", ":cat:")] == [2, 2, 2]


def test_endpoint_of_ipv6_is_shown(home, capsys):
    (home / "config.toml").write_text('endpoint = "tcp://[fe80::1]:5555"\n')
    config.main(["show"], standalone_mode=False)
    assert "tcp://[fe80::1]:5555" in capsys.readouterr().out


def test_client_whose_name_has_brackets_is_told_with_its_job(monkeypatch, capsys):
    class Daemon:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def ask(self, message):
            job = JobInfo(job=new_job_id(), client="[/]", state="running")
            return Report(version="0", pid=1, uptime_s=1, worker="busy", clients=1, dropped=0,
                          jobs=(job,)), []  # fmt: skip

    monkeypatch.setattr(Client, "connect", lambda **_: Daemon())
    command.status.main([], standalone_mode=False)
    assert "[/]" in capsys.readouterr().out
