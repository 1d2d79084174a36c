"""What goes wrong around the plug-in: it is said, nothing is left, and the next run works."""

import os
import shutil
import time

from tests.hosts.conftest import IMPASTO
from tests.hosts.gimp.conftest import plug_in_processes

from impasto_protocol.messages import Cancel, Status

PAINT = """
image = load(photo)
layer = image.get_layers()[0]
before = tree(image.get_layers())
clean = image.is_dirty()
status, _, error = stylize(image, layer, style, **arguments)
after = tree(image.get_layers())
answer = status, error, after == before, image.undo_is_enabled(), len(after)
"""
LONG = {"iterations": 100_000}


def test_cancelled_job_leaves_the_image_as_it_was(gimp, gimp_daemon, pictures, running_job):
    number = gimp.begin(PAINT, arguments=LONG, **pictures)
    job = running_job(gimp_daemon)
    assert job.client == "GIMP"
    with gimp_daemon.connect() as client:
        client._send(Cancel(job=job.job))
        client.ask(Status())
    assert gimp.end(number) == ["cancel", "cancelled", True, True, 1]


def test_killed_plug_in_ends_its_job_and_leaves_nothing(
    gimp, gimp_daemon, pictures, running_job, profile
):
    """As GIMP ends one that does what it must not, or a painter one that takes too much memory."""
    number = gimp.begin(PAINT, arguments={**LONG, "preview": False}, **pictures)
    job = running_job(gimp_daemon)
    os.kill(max(plug_in_processes(profile)), 9)  # the second of the two, which does the work
    status, error, same, undo, _ = gimp.end(number)
    assert (status, same, undo) == ("execution-error", True, True)
    assert error.startswith("WORKER_FAILED") and "Try once more" in error
    killed = time.monotonic()
    with gimp_daemon.connect() as client:
        while True:
            states = {found.job: found.state for found in client.ask(Status())[0].jobs}
            if states[job.job] == "cancelled":
                break
            assert time.monotonic() - killed < 9
            time.sleep(0.1)


def test_process_that_ends_over_a_preview_is_followed_by_one_without(
    gimp, gimp_daemon, pictures, running_job, profile
):
    """GIMP ends one that writes a preview in the moment in which the layer is turned."""
    number = gimp.begin(PAINT, arguments=LONG, **pictures)
    first = running_job(gimp_daemon)
    os.kill(max(plug_in_processes(profile)), 9)
    while (second := running_job(gimp_daemon)).job == first.job:
        time.sleep(0.1)
    with gimp_daemon.connect() as client:
        client._send(Cancel(job=second.job, keep=True))
        client.ask(Status())
    status, error, *_, layers = gimp.end(number)
    assert (status, error, layers) == ("success", None, 2)


def test_killed_daemon_is_noticed_and_the_next_run_starts_another(
    own_gimp, own_daemon, pictures, tmp_path, running_job
):
    daemon = own_daemon(home=tmp_path / "h")
    gimp = own_gimp(IMPASTO_HOME=str(daemon.home), IMPASTO_COMMAND=IMPASTO)
    number = gimp.begin(PAINT, arguments=LONG, **pictures)
    running_job(daemon)
    daemon.process.kill()
    began = time.monotonic()
    status, error, same, undo, _ = gimp.end(number)
    assert status == "execution-error" and error.startswith("DAEMON_LOST"), error
    assert "Run it again" in error and same and undo
    assert time.monotonic() - began < 9
    status, error, *_ = gimp.run(PAINT, arguments={}, **pictures)
    assert (status, error) == ("success", None)
    assert daemon.impasto("daemon", "stop").returncode == 0


def test_without_the_program_it_says_what_to_install(own_gimp, pictures, tmp_path):
    gimp = own_gimp(IMPASTO_HOME=str(tmp_path / "none"))
    status, error, same, *_ = gimp.run(PAINT, arguments={}, **pictures)
    assert status == "execution-error" and same
    assert error.startswith("DAEMON_NOT_RUNNING") and "Install Impasto" in error


def test_missing_files_and_another_version_are_said_and_the_menu_entries_stay(
    own_gimp, changed_profile, gimp_daemon, pictures, tmp_path
):
    """In one GIMP, which starts the plug-in anew for each of them."""
    profile, plug_in = changed_profile
    vendor, aside = plug_in / "vendor", tmp_path / "aside"
    vendor.rename(aside)
    gimp = own_gimp(profile=profile, IMPASTO_HOME=str(gimp_daemon.home))

    def said():
        status, error, same, *_ = gimp.run(PAINT, arguments={}, **pictures)
        assert status == "execution-error" and same
        return error

    without_any = said()
    aside.rename(vendor)
    (vendor / "msgpack").rename(aside)
    for error in (without_any, said()):
        assert "files are not complete" in error and "Install Impasto again" in error
    aside.rename(vendor / "msgpack")
    limits = vendor / "impasto_protocol/limits.py"
    limits.write_text(limits.read_text().replace("PROTOCOL_MAJOR = 1", "PROTOCOL_MAJOR = 0"))
    error = said()
    assert error.startswith("VERSION_SKEW") and "Update the plug-in" in error


def test_without_pyzmq_the_bridge_serves(
    gimp, own_gimp, changed_profile, gimp_daemon, pictures, running_job
):
    profile, plug_in = changed_profile
    for part in ("zmq", "pyzmq.libs"):
        shutil.rmtree(plug_in / "vendor" / part)
    # Nor msgpack's compiled half, as in a Python that no wheel was made for.
    for library in (plug_in / "vendor" / "msgpack").glob("*.so"):
        library.unlink()
    without = own_gimp(
        profile=profile, IMPASTO_HOME=str(gimp_daemon.home),
        IMPASTO_COMMAND=IMPASTO,
    )  # fmt: skip
    same = """
image = load(photo)
_, painted, error = stylize(image, image.get_layers()[0], style)
answer = error, tree([painted])[0]["pixels"] if painted else None
"""
    error, bridged = without.run(same, **pictures)
    assert error is None
    assert gimp.run(same, **pictures) == [None, bridged]
    number = without.begin(PAINT, arguments=LONG, **pictures)
    job = running_job(gimp_daemon)
    with gimp_daemon.connect() as client:
        client._send(Cancel(job=job.job))
        client.ask(Status())
    assert without.end(number)[0] == "cancel"
