"""The error tree: codes are stable, and come back from the wire as what they were."""

import pytest

from impasto_protocol import errors


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
        "PICTURE_UNREADABLE", "PRESET_EXISTS",
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
