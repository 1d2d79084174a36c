"""From the click to the first change on the canvas, and to the finished layer, in the real Krita.

    uv run pytest tests/hosts/krita/first_change.py -n0 -s

Seven minutes a version; not part of the test run, as it measures the machine too.
"""

import pytest
from tests.hosts.conftest import IMPASTO
from tests.hosts.first_change import ROUNDS, SIZES, WAYS, daemon_with_styles, print_steps
from tests.hosts.krita.pieces import BEFORE

pytestmark = pytest.mark.timeout(1800)

PIECE = (
    BEFORE
    + """
import time
from impasto import layers as pixels_in_krita
from impasto.painting import Painting
from impasto_protocol.client import Client, stop_daemon

marks, began = {}, 0.0

def mark(name):
    marks.setdefault(name, time.monotonic() - began)

def after(owner, name, told):
    real = getattr(owner, name)
    def watched(*arguments, **options):
        found = real(*arguments, **options)
        mark(told(*arguments) if callable(told) else told)
        return found
    setattr(owner, name, watched)

def heard(painting, message, pictures):
    phase = getattr(message, "phase", "")
    return f"{phase or message.type} {'seen' if pictures else 'heard'}"

after(pixels_in_krita, "read", "read from the layer")
after(Client, "submit", "sent")
after(Painting, "_hear", heard)
after(Painting, "_write", "FIRST CHANGE")

def main():
    global began
    document = yield from opened(large)
    document.scaleImage(width, height, 300, 300, "Bilinear")
    document.waitForDone()
    yield 1000
    found = []
    for number in range(rounds):
        if not number:
            stop_daemon()
            yield from until(lambda: docker._daemon.state == "away", 60)
        yield 1500
        marks.clear()
        began = time.monotonic()
        begin(style="Swirls", **settings)
        painting = docker.painting
        yield from until(lambda: docker.painting is None, 400)
        mark("FINISHED LAYER")
        found.append(dict(marks))
        yield from done(document, painting)
        yield 500
        trigger("edit_undo")
    yield from closed(document)
    return found
"""
)


def test_when_a_change_is_seen(own_krita, pictures, version, tmp_path):
    found = {}
    with daemon_with_styles(tmp_path / "d") as daemon:
        krita = own_krita(IMPASTO_HOME=str(daemon.home), IMPASTO_COMMAND=IMPASTO)
        for size, (width, height) in SIZES.items():
            for way, settings in WAYS.items():
                values = {"width": width, "height": height, "settings": settings, "rounds": ROUNDS}
                number = krita.begin(PIECE, **values, **pictures)
                found[size, way] = krita.end(number, timeout_s=900)
    print_steps(f"Krita {version}", found)
