"""A layer of 12 megapixels painted in the real Krita: sharp, in a memory that is bounded.

    uv run pytest tests/hosts/krita/large_layer.py -n0 -s

Ten minutes a version on two cores; not part of the test run. IMPASTO_ARTEFACTS keeps the painting.
"""

import pytest
from tests.hosts.krita.pieces import BEFORE
from tests.hosts.large_layer import report

pytestmark = pytest.mark.timeout(3000)

PIECE = (
    BEFORE
    + """
from impasto_protocol.settings import QUALITIES

def main():
    document = yield from twelve_megapixels(large)
    begin(**QUALITIES["good"], tolerance=0.002, memory_mib=4096)
    yield from until(lambda: docker.painting is None, 2400)
    document.waitForDone()
    yield 1000
    words, names = docker.words.text(), layers(document)
    document.exportImage(saved, InfoObject())
    yield from closed(document)
    return [words, names]
"""
)


def test_large_layer_comes_out_sharp_and_within_its_memory(
    krita, krita_daemon, saved_style, pictures, tmp_path, version
):
    saved = tmp_path / "painted.png"
    with report(krita_daemon, f"krita-{version}") as host:
        host.follow("krita")
        words, names = krita.end(krita.begin(PIECE, saved=str(saved), **pictures), timeout_s=2500)
        print(words)
        assert len(names) == 2
        host.keep(saved)
