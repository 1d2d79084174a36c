"""The error tree: codes are stable, and come back from the wire as what they were."""

import dataclasses

import msgpack
import pytest

from impasto_protocol import errors
from impasto_protocol.codec import decode
from impasto_protocol.connection import Connection
from impasto_protocol.fields import field_spec
from impasto_protocol.messages import MESSAGES, JobInfo, PresetGet, PresetInfo, PresetSort
from impasto_protocol.settings import Settings


def every_error():
    found = [errors.ImpastoError]
    for error in found:
        found.extend(error.__subclasses__())
    return found


def test_codes_are_pinned():
    codes = {error.code for error in every_error()}
    assert codes == {
        "ALREADY_RUNNING", "BAD_FIELD", "BAD_IMAGE", "BAD_MESSAGE", "BAD_REQUEST", "BUSY",
        "CANCELLED", "CONFIG_INVALID", "CONFLICT", "DAEMON_LOST", "DAEMON_NOT_RUNNING",
        "DAEMON_START_FAILED", "DISK_FULL", "NOT_WRITTEN", "DOWNLOAD_FAILED", "GPU_FAILED",
        "HOST_UNSUPPORTED", "INSTALL_FAILED",
        "INTERNAL", "JOB_FAILED", "JOB_STALLED", "NO_DEVICE", "OUT_OF_MEMORY", "PICTURE_REJECTED",
        "NOT_BAKED", "PICTURE_UNREADABLE", "PRESET_EXISTS",
        "PRESET_INVALID", "PROTOCOL", "SETUP", "STYLE_REJECTED", "STYLE_UNREADABLE", "TOO_BIG",
        "TOO_LARGE",
        "TOO_MANY_PARTS", "UNKNOWN_CLIENT", "UNKNOWN_JOB", "UNKNOWN_PRESET", "UNKNOWN_TYPE",
        "UNSAFE_FOLDER", "VERSION_SKEW", "WEIGHTS_BAD", "WORKER_FAILED",
    }  # fmt: skip


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_error_comes_back_from_its_code(error):
    found = errors.error_from_code(error.code, "What went wrong.", "What to do.")
    assert (str(found), found.next_step) == ("What went wrong.", "What to do.")
    assert type(found) is error


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_every_error_says_what_to_do(error):
    assert error("It broke.").next_step.endswith((".", ")"))


def test_unknown_code_of_a_newer_peer_is_still_an_error():
    assert type(errors.error_from_code("NEW_ONE", "x", "y")) is errors.ImpastoError


def specs():
    for kind in (*MESSAGES.values(), Settings, Connection, JobInfo, PresetInfo):
        for field in dataclasses.fields(kind):
            yield pytest.param(field_spec(field), id=f"{kind.__name__}.{field.name}")


@pytest.mark.parametrize("spec", list(specs()))
def test_what_must_have_a_form_says_in_words_which(spec):
    assert bool(spec.pattern) == bool(spec.form)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: PresetSort(name="x", tags=("a" * 33,)), "'tags' must be tags of 1 to 32 letters"),
    (lambda: PresetGet(name="a" * 65), "'name' has more than 64 letters"),
    (lambda: Settings(seed=1.5), "'seed' must be a whole number"),
    (lambda: Settings(strength=2), "'strength' must lie between 0 and 1"),
])  # fmt: skip
def test_wrong_value_of_a_person_s_is_to_be_corrected(make, words):
    with pytest.raises(errors.BadField, match=words) as caught:
        make()
    assert "Correct that value" in caught.value.next_step


@pytest.mark.parametrize("header", [{}, {"name": "x", 1: 2}, b"\x82\xa1x\x01\xa1x\x02"])
def test_header_that_another_version_sends_calls_for_an_update(header):
    head = header if isinstance(header, bytes) else msgpack.packb({"type": "preset.get", **header})
    with pytest.raises(errors.BadField) as caught:
        decode([head])
    assert "Update the plug-in and the daemon" in caught.value.next_step
