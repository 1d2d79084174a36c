"""What painters read."""

import pytest

from impasto_protocol.descriptions import describe_estimate
from impasto_protocol.messages import Estimated


@pytest.mark.parametrize("told, quality, words", [
    ({}, "", "It takes 2.0 GiB of memory; how long is known after the first painting."),
    ({"seconds": 40.0}, "good", "It takes about 40 s and 2.0 GiB of memory."),
    ({"seconds": 900.0}, "good",
     "It takes about 15 min and 2.0 GiB of memory. Quality draft takes less."),
    ({"seconds": 900.0}, "draft", "It takes about 15 min and 2.0 GiB of memory."),
    ({"free_mib": 1024}, "good", "It needs 2.0 GiB of memory, and 1.0 are free."),
])  # fmt: skip
def test_estimate_in_a_painters_words(told, quality, words):
    estimated = Estimated(**{"memory_mib": 2048, "free_mib": 4096, "evaluations": 1, **told})
    assert describe_estimate(estimated, quality) == words
