"""Impasto broken in ten ways: the doctor names each, and mends it."""

import json
import os
import shutil
import signal
import subprocess
import time
import zipfile
from collections import defaultdict

import pytest
from tests.hosts.conftest import ROOT
from tests.hosts.installer.conftest import PYTHON


def doctor(painter, *arguments, **environment):
    """What the doctor found amiss, what it mended, and what is good: words, by check."""
    done = painter.impasto("doctor", "--json", *arguments, **environment)
    assert "{" in done.stdout, done.stdout
    told = json.loads(done.stdout[done.stdout.index("{") :])
    assert done.returncode == any(finding["good"] is False for finding in told["findings"])
    amiss, mended, good = defaultdict(list), defaultdict(list), defaultdict(list)
    for finding in told["findings"]:
        if finding["good"] is not None:
            (good if finding["good"] else amiss)[finding["check"]].append(finding["words"])
    for finding in told["mended"]:
        mended[finding["check"]].append(finding["words"])
    return amiss, mended, good


def leave_stale_connection(painter):
    """As after a power cut in the middle of writing it."""
    painter.impasto("daemon", "stop")
    file = painter.runtime / "impasto/connection.json"
    file.write_text('{"endpoint": "ipc:///gone", "pid": 1')
    file.chmod(0o600)


needs_weights = pytest.mark.skipif(not os.environ.get("IMPASTO_WEIGHTS"), reason="no weights")


@needs_weights
def test_deleted_changed_and_closed_files_stale_connection_and_missing_weights(painter):
    amiss, mended, _ = doctor(painter)
    assert not amiss and not mended
    before = painter.files()
    (painter.plugin / "procedures.py").unlink()
    changed = painter.plugin / "vendor/impasto_protocol/client.py"
    changed.write_text(changed.read_text().replace("daemon", "demon", 1))
    (painter.plugin / "impasto.py").chmod(0o644)
    (painter.home / ".local/bin/impasto").chmod(0o777)
    painter.plugin.chmod(0o555)
    leave_stale_connection(painter)
    (painter.data / "weights/vgg19_features.safetensors").unlink()
    amiss, _, _ = doctor(painter)
    words = " ".join(amiss[painter.gimp])
    assert "impasto/procedures.py is missing" in words
    assert "impasto/vendor/impasto_protocol/client.py was changed" in words
    assert "impasto/impasto.py has other permissions" in words
    assert "cannot be written to" in words and "does not see the plug-in" in words
    assert "impasto has other permissions" in amiss["command"][0]
    assert "left over" in amiss["connection"][0]
    assert "is not there" in amiss["weights"][0]
    leave_stale_connection(painter)  # the doctor itself has started a daemon
    amiss, mended, _ = doctor(painter, "--fix")
    assert not amiss
    assert mended.keys() == {painter.gimp, "command", "connection", "weights"}
    assert painter.files() == before


def test_runtime_folder_that_is_open_to_others(painter):
    painter.impasto("daemon", "stop")
    folder = painter.runtime / "impasto"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    amiss, mended, _ = doctor(painter, "--fix")
    assert "open to other users" in mended["connection"][0]
    assert "connection" not in amiss and "daemon" not in amiss


def test_daemon_that_hangs_is_ended_and_another_one_starts(painter):
    assert painter.impasto("daemon", "start").returncode == 0
    pid = json.loads((painter.runtime / "impasto/connection.json").read_text())["pid"]
    os.kill(pid, signal.SIGSTOP)
    amiss, mended, _ = doctor(painter, "--fix")
    assert mended == {"daemon": ["A daemon is running but does not answer."]}
    assert "daemon" not in amiss


def test_other_python_first_on_the_path_is_told_and_does_no_harm(painter):
    done = painter.impasto("doctor", PATH=f"{PYTHON.parent}:/usr/bin:/bin")
    assert done.returncode == 0 and f"{painter.gimp} sees the plug-in" in done.stdout, done.stdout
    assert f"{PYTHON.parent}/python3, lacks GIMP's modules" in done.stdout


def test_full_disk_is_told_and_what_it_cut_short_mended(painter):
    log = painter.home / ".local/state/impasto/log"
    (painter.plugin / "job_process.py").write_text("")
    done = painter.run("bash", "-c", f"""
        mount -t tmpfs -o size=64k none {log} && head -c 1M /dev/zero >{log}/full 2>/dev/null
        exec {painter.home}/.local/bin/impasto doctor
        """)  # fmt: skip
    assert done.returncode == 1
    assert f"0.0 GiB are free for {log}." in done.stdout and "Free some space" in done.stdout
    assert "impasto/job_process.py was changed" in done.stdout
    amiss, mended, _ = doctor(painter, "--fix")
    assert mended.keys() == {painter.gimp} and "disk" not in amiss


def test_damaged_environment_is_put_together_again(painter):
    (package,) = painter.data.glob("environment/lib/*/site-packages/impasto_daemon")
    (package / "broker/broker.py").unlink()
    shutil.rmtree(package.parent / "torchvision/ops")
    amiss, mended, _ = doctor(painter, "--fix")
    (words,) = mended["environment"]
    assert "impasto-daemon" in words and "torchvision" in words
    assert not {"environment", "daemon"} & amiss.keys()


def test_upgrade_that_was_killed_is_put_back(painter):
    before = painter.files()
    process = painter.tree.start(
        [PYTHON, ROOT / "installer/install.py", "--yes", "--as-root", "--torch-backend", "pypi"],
        painter.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 200
    while (
        not (painter.data / "environment/lib64").exists()
        or not (painter.data / "unfinished/journal.json").exists()
    ):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(3)  # what it had started ends as well
    amiss, _, _ = doctor(painter)
    assert amiss["installation"] == ["An installation was interrupted."]
    amiss, _, _ = doctor(painter, "--fix")
    assert "installation" not in amiss and "environment" not in amiss
    assert painter.files() == before


def test_bundle_holds_nothing_private(painter):
    bundle = painter.home.parent / "report.zip"
    secret = painter.home / "Pictures/aunt-mathilda.png"
    log = painter.home / ".local/state/impasto/log/daemon.log"
    with log.open("a") as file:
        file.write(f"could not read {secret}\ncould not read /mnt/clients/aunt/mathilda.tif\n")
    painter.impasto("doctor", "--bundle", bundle)
    with zipfile.ZipFile(bundle) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(parts) == {"findings.json", "settings.json", "system.txt", "daemon.log"}
    assert json.loads(parts["findings.json"]) and "protocol: " in parts["system.txt"]
    for text in parts.values():
        for private in ("mathilda", "clients", str(painter.home.parent), "root"):
            assert private not in text, text
