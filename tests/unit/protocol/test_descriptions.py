"""What painters read."""

import pytest

from impasto_protocol.descriptions import describe_estimate, describe_progress, diagnostics
from impasto_protocol.errors import HostUnsupported
from impasto_protocol.messages import Accepted, Estimated, Progress


@pytest.mark.parametrize("told, quality, words", [
    ({}, "", "It takes 2.0 GiB of memory; how long is known after the first painting."),
    ({"seconds": 40.0}, "good", "It takes about 40 s and 2.0 GiB of memory."),
    ({"seconds": 900.0}, "good",
     "It takes about 15 min and 2.0 GiB of memory. Quality Draft takes less."),
    ({"seconds": 900.0}, "draft", "It takes about 15 min and 2.0 GiB of memory."),
    ({"free_mib": 1024}, "good", "It needs 2.0 GiB of memory, and 1.0 are free."),
])  # fmt: skip
def test_estimate_in_a_painters_words(told, quality, words):
    estimated = Estimated(**{"memory_mib": 2048, "free_mib": 4096, "evaluations": 1, **told})
    assert describe_estimate(estimated, quality) == words


def test_estimate_is_of_all_paintings_that_are_to_be():
    estimated = Estimated(memory_mib=2048, free_mib=4096, evaluations=1, seconds=225.0)
    words = describe_estimate(estimated, "good", 4)
    assert words == "It takes about 15 min and 2.0 GiB of memory. Quality Draft takes less."


@pytest.mark.parametrize("message, words, share", [
    (Accepted(job="a" * 32, position=1), "Waiting for another painting", None),
    (Accepted(job="a" * 32, position=2), "Waiting for 2 other paintings", None),
    (Progress(job="a" * 32, phase="style", step=0, of=6), "Studying the style", None),
    (Progress(job="a" * 32, phase="painting", step=0, of=300), "Painting, 0%", 0.0),
    (Progress(job="a" * 32, phase="painting", step=75, of=300, losses={"total": 3.5},
              seconds_left=240.0), "Painting, 25%, at most about 4 min to go", 0.25),
    (Progress(job="a" * 32, phase="painting", step=300, of=330, share=0.25, seconds_left=240.0),
     "Painting, 25%, at most about 4 min to go", 0.25),
    # Nobody waits for all of so many: it ends when the picture changes no more.
    (Progress(job="a" * 32, phase="painting", step=75, of=100_000, losses={"total": 3.5},
              seconds_left=44_000.0), "Painting until it changes no more, step 75", None),
])  # fmt: skip
def test_progress_in_a_painters_words(message, words, share):
    assert describe_progress(message) == (words, share)


def fail(error):
    raise error


@pytest.mark.parametrize(
    "error, told",
    [(HostUnsupported("“Anna's face” is a mask.", next_step="Select Anna's layer."),
      "HOST_UNSUPPORTED: HostUnsupported at fail:"),
     (FileNotFoundError(2, "No such file or directory", "/home/anna/face.png"),
      "FileNotFoundError: No such file or directory at fail:"),
     (AttributeError("'NoneType' object has no attribute 'remove'"),
      "AttributeError: 'NoneType' object has no attribute 'remove' at fail:"),
     (KeyError("Anna's face"), "KeyError at fail:")],
)  # fmt: skip
def test_diagnostics_tell_what_went_wrong_and_where_but_no_names(error, told):
    with pytest.raises(type(error)) as raised:
        fail(error)
    words = diagnostics("Krita 6.0.0", raised.value)
    assert f"\nerror: {told}" in words and "anna" not in words.lower()
