"""The doctor before plausible damage: names it, claims nothing it did not do, tells nobody."""

import io
import json
import subprocess
import sys
import zipfile
from importlib import import_module, metadata
from unittest.mock import MagicMock

import pytest
from click.testing import CliRunner

from impasto_daemon.doctor import checkup, editors
from impasto_daemon.doctor import daemon_check as daemon_check
from impasto_daemon.doctor.bundle import without_names, write_bundle
from impasto_daemon.doctor.checkup import Finding, Installation
from impasto_daemon.paths import Paths
from impasto_daemon.weights import oxford, sources, store
from impasto_installer.hosts import Host
from impasto_installer.kritarc import is_enabled
from impasto_installer.machine import Machine
from impasto_installer.manifest import Manifest
from impasto_installer.startup import startup
from impasto_protocol.errors import DaemonLost, NotWritten, VersionSkew

command = import_module("impasto_daemon.cli.doctor")


@pytest.fixture
def doctor(home, monkeypatch):
    """doctor(checks, arguments): what `impasto doctor --json` says of these checks alone."""

    def run(checks, *arguments, exit_code=1):
        monkeypatch.setattr(command, "_CHECKS", checks)
        done = CliRunner().invoke(command.doctor, ["--json", *map(str, arguments)])
        assert done.exit_code == exit_code, done.output
        return json.loads(done.stdout) if exit_code < 2 else done.output

    return run


@pytest.mark.parametrize("error", [PermissionError("closed"), DaemonLost("closed")])
def test_check_that_fails_is_a_finding_and_the_next_ones_go_on(doctor, error):
    def some_check(installation):
        yield Finding("some check", True, "half of it")
        raise error

    told = doctor((some_check, some_check))["findings"]
    assert [(f["check"], f["good"], f["words"]) for f in told] == [
        ("some check", True, "half of it"), ("some check", False, "closed"),
    ] * 2  # fmt: skip


def test_settings_with_a_typo_are_named_and_the_rest_is_looked_at(doctor, home):
    (home / "config.toml").write_text("threds = 1\n")
    told = doctor((checkup.check_settings, checkup.check_disk), "--bundle", home / "report.zip")[
        "findings"
    ]
    assert "threds" in told[0]["words"] and not told[0]["good"]
    assert {finding["check"] for finding in told} == {"settings", "disk"}
    assert zipfile.is_zipfile(home / "report.zip")


@pytest.mark.parametrize("place", ["none/report.zip", ".", "/dev/full"])
def test_bundle_that_cannot_be_written_is_told_before_anything_is_looked_at(
    home, monkeypatch, place
):
    def never(installation):
        raise AssertionError

    monkeypatch.setattr(command, "_CHECKS", (never,))
    with pytest.raises(NotWritten):
        command.doctor.main(["--bundle", str(home / place)], standalone_mode=False)


def test_what_is_still_amiss_is_not_called_mended(doctor):
    broken = ["one", "two"]

    def check(installation):
        yield from (Finding("check", False, name, "", lambda: broken[1:] and broken.pop())
                    for name in broken)  # fmt: skip

    told = doctor((check,), "--fix")
    assert [finding["words"] for finding in told["mended"]] == ["two"]
    assert [finding["words"] for finding in told["findings"]] == ["one"]


def test_command_line_without_its_packages_says_what_to_do():
    code = "import sys; sys.modules['click'] = None; from impasto_daemon.cli.__main__ import main"
    done = subprocess.run([sys.executable, "-c", f"{code}; main()"], capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "Run its installer again" in done.stderr


@pytest.mark.parametrize("damage", ["METADATA", "RECORD", "module.py", "half-written"])
def test_damaged_and_missing_packages_are_named(home, tmp_path, monkeypatch, damage):
    packages = {"impasto_daemon-1": "Requires-Dist: whole\nRequires-Dist: gone>=2\n",
                "whole-1": "", "torn-2": ""}  # fmt: skip
    for name, text in packages.items():
        folder = tmp_path / f"site/{name}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Name: {name[:-2]}\nVersion: {name[-1]}\n{text}")
        (folder / "RECORD").write_text(f"{folder.name}/METADATA,,\n{name}.py,,\n")
        (folder.parent / f"{name}.py").touch()
    torn = tmp_path / "site/torn-2.dist-info"
    if damage == "half-written":
        (torn / "RECORD").write_text(f"{torn.name}/METADATA,,\n\ntorn-2.p")
    else:
        (torn.parent / "torn-2.py" if damage == "module.py" else torn / damage).unlink()
    listed = metadata.Distribution.files.fget
    there = property(lambda package: [f for f in listed(package) or () if f.locate().exists()])
    monkeypatch.setattr(metadata.Distribution, "files", there)  # as from Python 3.12 on
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    (found,) = checkup.check_environment(Installation.here())
    assert found.good is False and found.words.endswith("lacks parts of these: gone, torn.")


def test_torch_is_tried_whatever_lies_in_the_folder_that_the_doctor_runs_in(
    home, tmp_path, monkeypatch
):
    (tmp_path / "random.py").write_text('raise SystemExit("a painter\'s own")')
    monkeypatch.chdir(tmp_path)
    (found,) = checkup.check_torch(Installation.here())
    assert "computes on" in found.words


class NoClient:
    """A client that fails with `error`."""

    error = DaemonLost("silent")

    def __init__(self, *_, **__):
        raise self.error


NoClient.connect = NoClient


@pytest.fixture
def living(home, monkeypatch):
    """A daemon that holds its lock. Returns what was done to it."""
    done = []
    monkeypatch.setattr(daemon_check, "daemon_is_running", lambda folder: not done)
    monkeypatch.setattr(daemon_check, "impasto_command", lambda: ["impasto"])
    monkeypatch.setattr(daemon_check, "Client", NoClient)
    monkeypatch.setattr(daemon_check.service, "stop", lambda paths: done.append("stopped"))
    monkeypatch.setattr(daemon_check.os, "kill", lambda *_: done.append("killed"))
    return done


def test_living_daemon_whose_connection_file_is_gone_is_not_said_to_hang(living):
    (found,) = daemon_check.check_daemon(Installation.here())
    assert "what tells of it is gone or damaged" in found.words and not found.mend


def test_daemon_that_is_named_is_asked_instead_of_one_here(living, monkeypatch, tmp_path):
    monkeypatch.setenv("IMPASTO_CONNECTION", str(tmp_path / "box.json"))
    (found,) = daemon_check.check_daemon(Installation.here())
    assert not found.good and found.words == "silent" and not found.mend
    monkeypatch.setattr(daemon_check, "Client", MagicMock())
    monkeypatch.setattr(daemon_check, "_answers_in_ms", lambda client: 7.0)
    (found,) = daemon_check.check_daemon(Installation.here())
    assert found.good and "names answered in 7 ms" in found.words


@pytest.mark.parametrize("error", [VersionSkew("too new"), DaemonLost("silent")])
def test_only_a_daemon_that_does_not_answer_is_ended_and_first_it_is_asked(
    living, monkeypatch, error
):
    monkeypatch.setattr(NoClient, "error", error)
    monkeypatch.setattr(daemon_check, "read_connection", lambda file: None)
    (found,) = daemon_check.check_daemon(Installation.here())
    if isinstance(error, VersionSkew):
        assert found.words == "too new" and not found.mend
        return
    assert found.words == "A daemon is running but does not answer."
    found.mend()
    assert living == ["stopped"]


def test_list_of_what_was_installed_that_cannot_be_read_is_amiss(home):
    (home / "data").mkdir()
    (home / "data/installed.json").write_text("{")
    (found,) = checkup.check_installation(Installation.here())
    assert found.good is False and "cannot be read" in found.words


def test_daemon_is_ended_before_an_interrupted_installation_is_put_back(home, monkeypatch):
    """It may run on the files that are moved."""
    journal = home / "data/unfinished/journal.json"
    journal.parent.mkdir(parents=True)
    journal.write_text("[]")
    at_work = []
    monkeypatch.setattr(checkup.service, "stop", lambda paths: at_work.append(journal.exists()))
    (found,) = checkup.check_installation(Installation.here())
    found.mend()
    assert at_work == [True] and not journal.exists()


def test_doctor_goes_on_in_what_was_put_back_with_the_same_words(
    doctor, home, tmp_path, monkeypatch
):
    journal, said = home / "data/unfinished/journal.json", tmp_path / "said"
    journal.parent.mkdir(parents=True)
    journal.write_text("[]")
    code = f"import sys; open({str(said)!r}, 'w').write(repr(sys.argv[1:])); sys.exit(7)"
    monkeypatch.setattr(command, "impasto_command", lambda: [sys.executable, "-c", code])
    monkeypatch.setattr(sys, "argv", ["impasto", "doctor", "--fix", "a b"])
    doctor((checkup.check_installation,), "--fix", exit_code=7)
    assert said.read_text() == "['doctor', '--fix', 'a b']"


@pytest.fixture
def krita(home):
    """A Krita whose settings name our plug-in, and are a link of its owner alone."""
    real, settings = home / "dotfiles", home / "kritarc"
    real.write_text("[General]\n")
    real.chmod(0o600)
    settings.symlink_to(real)
    return Host("Krita", "package", "5.2.9", "3.13", home / "krita", (), settings)


def test_turning_the_plug_in_on_keeps_link_and_permissions_of_the_settings(home, krita):
    (home / "data").mkdir()
    found = next(f for f in editors._krita(Installation.here(), Manifest("1"), krita) if f.mend)
    found.mend()
    assert is_enabled(krita.settings.read_bytes())
    assert krita.settings.is_symlink() and krita.settings.stat().st_mode & 0o777 == 0o600


def test_of_kritas_log_what_was_before_its_last_start_does_not_count(home, krita):
    log = home / "krita.log"
    old = "SESSION: 1. Executing krita\nCould not import impasto\n"
    log.write_text(f"{old}SESSION: 2. Executing krita\n")
    assert not editors._log(Installation.here(), krita)
    log.write_text(old)
    assert editors._log(Installation.here(), krita) == ["Could not import impasto"]


def test_unit_that_starts_the_daemon_at_login_is_looked_at(home, monkeypatch):
    monkeypatch.setattr(editors, "find_hosts", lambda machine: [])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    file, manifest = startup(Machine.this()).file, Manifest("1", starts_at_login=True)
    file.parent.mkdir(parents=True)
    file.write_text("unit")
    (home / "data/spare").mkdir(parents=True)
    manifest.record(file, home / "data/spare")
    file.unlink()
    (home / "data/installed.json").write_bytes(manifest.dump())
    found = [f for f in editors.check_editors(Installation.here()) if f.check == "start at login"]
    assert [(f.good, f.words) for f in found] == [(False, f"{file.name} is missing.")]
    found[0].mend()
    assert file.read_text() == "unit"


def test_damaged_weights_are_a_cross_and_oxfords_mend_it(home):
    path = store.own_file(Paths.of().data)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    path.with_suffix(".sha256").write_text("0" * 64)
    (found,) = checkup.check_trained_network(Installation.here())
    assert found.good is False and "damaged" in found.words
    found.mend()
    (found,) = checkup.check_trained_network(Installation.here())
    assert found.good and "oxford" in found.words


@pytest.mark.parametrize("chosen", ["first", "second"])
def test_damaged_weights_are_taken_anew_from_the_installers_file_only_if_they_are_those(
    home, tmp_path, chosen
):
    data, files = Paths.of().data, {}
    for times, name in enumerate(("first", "second"), 2):
        tensors = {name: tensor * times for name, tensor in oxford.unpack().items()}
        files[name] = store.keep(tensors, tmp_path / f"{name}.safetensors")
    path = store.adopt(files[chosen], data)
    sources.choose(sources.OWN, data)
    (data / "installed.json").write_bytes(Manifest("0", weights=str(files["first"])).dump())
    path.write_bytes(b"x")
    (found,) = checkup.check_trained_network(Installation.here())
    found.mend()
    (found,) = checkup.check_trained_network(Installation.here())
    assert found.good and ("oxford" in found.words) == (chosen == "second")
    assert (path.read_bytes() == files["first"].read_bytes()) == (chosen == "first")


def test_weights_of_the_users_own_are_not_said_to_be_whole(home, tmp_path, monkeypatch):
    tensors = {name: tensor * 2 for name, tensor in oxford.unpack().items()}
    file = store.keep(tensors, tmp_path / "mine.safetensors")
    file.with_suffix(".sha256").unlink()
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(file))
    (found,) = checkup.check_trained_network(Installation.here())
    assert found.good is None and "cannot be told" in found.words


OWN = {"/home/ada/.local/share/impasto": "[data]",
       "/home/ada/.config/GIMP/3.0/plug-ins/impasto": "[GIMP]"}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), [
    ("could not read /mnt/clients/Aunt Mathilda/nude study.tif", "could not read …"),
    ("'/mnt/Aunt's/nude study.tif' is missing", "'…' is missing"),
    (r'cannot open "C:\Users\Ada Lovelace\x.png": no', 'cannot open "…": no'),
    (r"at \\server\Ada Lovelace\x.png", "at …"),
    ("at ~ada/Pictures/x y.png", "at …"),
    ("no /home/ada/impasto-clients/acme/secret.tif", "no …"),
    ("/home/ada/.local/share/impasto/weights/vgg.safetensors is damaged",
     "[data]/weights/vgg.safetensors is damaged"),
    ("Every file of /home/ada/.config/GIMP/3.0/plug-ins/impasto is whole",
     "Every file of [GIMP] is whole"),
    ("/home/ada/.local/share/impasto-clients/x y.tif", "…"),
    ("'/home/ada/.local/share/impasto/presets/Aunt.safetensors' and /mnt/x y",
     "'…' and …"),
    ("impasto/runs.py is missing.", "impasto/runs.py is missing."),
    ("18:52:42,123 refused a connection from 192.168.1.5; 3 so far",
     "18:52:42,123 refused a connection from …; 3 so far"),
    ("from fe80::1c2:3; torch 2.15.0", "from …; torch 2.15.0"),
    ("listening at tcp://studio-box:5555", "listening at …"),
    ("the key Y<Zm/x.y&=tD[]k>R0kw3r!l2QJ9v7e@5s*uA1GB is no longer allowed",
     "the key … is no longer allowed"),
    ("the style Nude Study is dropped", "the style … is dropped"),
    ("on ADA's machine\n1 file", "on …'s machine\n1 file"),
])  # fmt: skip
def test_private_names_do_not_get_into_a_report(text, told):
    assert without_names(text, OWN, ["ada", "Nude Study"]) == told


def test_report_is_json_whatever_was_found(home):
    path = r"C:\Users\Ada Lovelace\x.png"
    for words in (f'"{path}" is missing', f"{path} is missing"):
        written = io.BytesIO()
        write_bundle(written, Installation.here(), [Finding("x", False, words)])
        with zipfile.ZipFile(written) as report:
            (told,) = json.loads(report.read("findings.json"))
        assert "Lovelace" not in told["words"]
