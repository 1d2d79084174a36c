"""What the installer writes into files of others: Krita's settings, and starting at login."""

import configparser
import plistlib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from impasto_daemon import service
from impasto_installer import kritarc
from impasto_installer.machine import Machine
from impasto_installer.startup import startup

OTHERS = "[General]\nlocale=de\n\n[python]\nenable_comics=true\nenable_impasto=false\n\n[zoom]\nx=1"


@pytest.mark.parametrize("text", ["", OTHERS, "[python]\n", "[python]\nenable_other=false",
                                  "[zoom]\nenable_impasto=true\n", "[General]\nx=1",
                                  "[python][more]\nx=1\n",
                                  "[python] \r\nenable_impasto = false\r\nx=1\r\n",
                                  "[python]\n" + 1000 * "\n"])  # fmt: skip
def test_plug_in_is_turned_on_and_everything_else_stays(text):
    enabled = kritarc.enable(text.encode())
    assert kritarc.is_enabled(enabled)
    assert kritarc.enable(enabled) == enabled
    disabled = kritarc.disable(enabled)
    assert b"impasto" not in disabled and not kritarc.is_enabled(disabled)
    assert disabled.strip() == kritarc.disable(text.encode()).strip()
    enabled = enabled.decode()
    settings = configparser.ConfigParser()
    settings.read_string(enabled)
    assert settings["python"]["enable_impasto"] == "true"
    kept = [line for line in text.splitlines() if "impasto" not in line and line]
    assert [line for line in enabled.splitlines() if line in kept] == kept


def test_plug_in_that_is_off_or_named_elsewhere_is_not_on():
    assert not kritarc.is_enabled(OTHERS.encode())
    assert not kritarc.is_enabled(b"[python]\na=1\n[zoom]\nenable_impasto=true\n")


@pytest.mark.parametrize("text", [b"[General]\nname=J\xfcrgen\n", b"[python]\r\na=1\r\n"])
def test_settings_of_another_encoding_or_with_other_ends_of_lines_keep_them(text):
    enabled = kritarc.enable(text)
    assert kritarc.is_enabled(enabled)
    assert kritarc.disable(enabled) == text


def machine(system):
    names = {"USERDOMAIN": "HOME", "USERNAME": "ada & co"}
    return Machine(system, Path("/home/ada & 100%"), names)


def test_systemd_runs_the_launcher_whatever_is_in_its_path():
    found = startup(machine("linux"))
    assert found.file == Path("/home/ada & 100%/.config/systemd/user/impasto.service")
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(found.text.decode())
    assert unit["Service"]["ExecStart"] == ('"/home/ada & 100%%/.local/bin/impasto" daemon run')
    assert found.register[:3] == ("systemctl", "--user", "enable")


def test_daemon_that_gave_way_to_another_is_not_started_again():
    unit = startup(machine("linux")).text.decode().splitlines()
    assert {"Restart=on-failure", f"SuccessExitStatus={service._ALREADY_RUNNING}"} <= {*unit}
    agent = plistlib.loads(startup(machine("darwin")).text)
    assert agent["KeepAlive"] == {"Crashed": True}


def test_launchd_agent_is_a_property_list():
    found = startup(machine("darwin"))
    agent = plistlib.loads(found.text)
    assert found.file.parent.name == "LaunchAgents" and found.file.stem == agent["Label"]
    assert agent["ProgramArguments"][1:] == ["daemon", "run"] and agent["RunAtLoad"]


def test_windows_task_starts_at_logon():
    found = startup(machine("win32"))
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    task = ET.fromstring(found.text)
    assert task.find("t:Triggers/t:LogonTrigger/t:UserId", space).text == "HOME\\ada & co"
    program = task.find("t:Actions/t:Exec/t:Command", space).text
    assert program.endswith("impasto.exe") and "ada & 100%" in program
    assert task.find("t:Actions/t:Exec/t:Arguments", space).text == "daemon start"
    assert str(found.file) in found.register
