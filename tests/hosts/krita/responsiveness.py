"""How long Krita's event loop is held up while a layer of 12 megapixels is painted.

    uv run pytest tests/hosts/krita/responsiveness.py -n0 -s

Beside it stands what Krita's own calls take for that layer, which no plug-in can shorten. Not part
of the test run, as it measures the machine too.
"""

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
