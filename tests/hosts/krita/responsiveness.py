"""How long Krita's event loop is held up while a layer of 12 megapixels is painted or previewed.

    uv run pytest tests/hosts/krita/responsiveness.py -n0 -s

Beside it stands what Krita's own calls take for that layer, which no plug-in can shorten. Not part
of the test run, as it measures the machine too.
"""

import pytest
from tests.hosts.krita.pieces import BEFORE

PIECE = (
    BEFORE
    + """
import time

def main():
    document = yield from twelve_megapixels(large)
    own, spent = {}, {}
    box = (0, 0, 4000, 3000)
    node = document.topLevelNodes()[0]
    def timed(name, call):
        began = time.monotonic()
        found = call()
        own[name] = max(own.get(name, 0), round((time.monotonic() - began) * 1000))
        return found
    for _ in range(3):
        data = timed("pixelData", lambda: node.pixelData(*box))
        scratch = document.createNode("scratch", "paintlayer")
        timed("setPixelData", lambda: scratch.setPixelData(data, *box))
        timed("addChildNode", lambda: node.parentNode().addChildNode(scratch, node))
        timed("refreshProjection", document.refreshProjection)
        scratch.remove()
        yield 1500
    from impasto import layers, painting
    def watch(module, name):
        real = getattr(module, name)
        def watched(*arguments):
            began = time.monotonic()
            found = real(*arguments)
            spent[name] = max(spent.get(name, 0), round((time.monotonic() - began) * 1000))
            return found
        setattr(module, name, watched)
    for name in ("read", "enlarge", "write"):
        watch(layers, name)
    watch(painting.Painting, "_insert")
    gaps, clock, timer = [], QtCore.QElapsedTimer(), QtCore.QTimer()
    timer.timeout.connect(lambda: gaps.append(clock.restart()))
    clock.start()
    timer.start(1)
    begin(iterations=120, working_px=256)
    yield from until(lambda: docker.painting is None, 400)
    yield 1000
    timer.stop()
    words = docker.words.text()
    yield from closed(document)
    return [words, own, spent, sorted(gaps)[-8:], len([gap for gap in gaps if gap > 100])]
"""
)


def test_how_long_krita_is_held_up(krita, saved_style, pictures, version):
    words, own, spent, gaps, over = krita.end(krita.begin(PIECE, **pictures), timeout_s=500)
    print(
        f"\nKrita {version}: {words}\nKrita's own calls, ms: {own}\nours around them, ms: {spent}"
    )
    print(f"longest gaps of the event loop, ms: {gaps}; {over} over 100 ms")


PREVIEW = (
    BEFORE
    + """
def main():
    sys.modules["impasto_protocol.settings"].DRAFT_ITERATIONS = 4
    document = yield from twelve_megapixels(large)
    document.setColorSpace("RGBA", depth, "sRGB-elle-V2-srgbtrc.icc")
    document.waitForDone()
    docker.styles.fetch()
    docker.styles.choose("Dusk")
    yield from until(lambda: docker.styles.chosen)
    yield 3000
    gaps, clock, timer = [], QtCore.QElapsedTimer(), QtCore.QTimer()
    timer.timeout.connect(lambda: gaps.append(clock.restart()))
    clock.start()
    timer.start(1)
    yield 5000
    told = [sorted(gaps)[-3:]]
    docker.preview.show()
    for strength in (60, 70):
        gaps.clear()
        docker.controls.strength.setValue(strength)
        yield from until(lambda: docker.preview._draft.is_painted, 60)
        yield from until(lambda: docker.preview._words.text().startswith("About"), 60)
        told.append(sorted(gaps)[-3:])
    timer.stop()
    docker.preview.hide()
    yield from closed(document)
    return told
"""
)


@pytest.mark.parametrize("depth", ["U8", "U16"])
def test_how_long_a_preview_holds_krita_up(krita, saved_style, pictures, version, depth):
    told = krita.end(krita.begin(PREVIEW, depth=depth, **pictures), timeout_s=300)
    print(f"\nKrita {version}, {depth}: longest gaps of the event loop in ms, with no preview: "
          f"{told[0]}; with the first one: {told[1]}; with the next: {told[2]}")  # fmt: skip
