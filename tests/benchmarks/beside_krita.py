"""What a painting costs a painter who goes on drawing in Krita, and what the drawing costs it.

    PYTHONPATH=. python tests/benchmarks/beside_krita.py

The real Krita 5.2 draws strokes: each point comes as soon as the last one is on the screen, each
stroke when all of the last one is in the picture. That keeps about one core busy. Thirty steps at
256 px, alone and beside it, in turns. Takes four minutes; as root, after tests/hosts/provision.
With IMPASTO_ARTEFACTS a picture of Krita's window is left in that folder.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from beside_an_editor import CORES, ROUNDS, Round, Told, beside, rounds_beside
from daemon_overhead import connected, running_daemon
from figures import Figure, print_table
from tests.hosts.conftest import HOSTS, Tree, xvfb
from tests.hosts.krita.conftest import PYTHONS, Krita, install

DRAW = """
import math, time
from krita import ManagedColor

POINTS, EDGE = 40, 20
krita = Krita.instance()

def main():
    yield from ready()
    window = krita.activeWindow()
    document, view = krita.activeDocument(), window.activeView()
    canvas = next(widget for widget in window.qwindow().findChildren(QtWidgets.QWidget)
                  if "GLCanvas" in widget.metaObject().className() and widget.isVisible())
    view.setBrushSize(20)
    layer = fresh_layer(document)
    document.waitForDone()
    yield 300
    screen = Screen(canvas)
    strokes = []
    while not stop.exists():
        colour_of(view, canvas, len(strokes))
        frames_ms = yield from stroke(screen, len(strokes))
        while not document.tryBarrierLock():
            yield 1
        document.unlock()
        strokes.append([time.monotonic(), frames_ms])
    screen.close()
    box = layer.bounds()
    alpha = bytes(layer.pixelData(box.x(), box.y(), box.width(), box.height()))[3::4]
    return [strokes, len(alpha) - alpha.count(0)]


def ready():
    if not krita.documents():
        document = krita.createDocument(2000, 1500, "drawing", "RGBA", "U8", "", 300.0)
        yield from shown(document)


def fresh_layer(document):
    for node in document.topLevelNodes():
        if node.name() == "strokes":
            node.remove()
    layer = document.createNode("strokes", "paintlayer")
    document.rootNode().addChildNode(layer, None)
    return layer


def colour_of(view, canvas, number):
    colour = QtGui.QColor.fromHsv(number * 47 % 360, 220, 200)
    view.setForeGroundColor(ManagedColor.fromQColor(colour, view.canvas()))


def stroke(screen, number):
    # A wave from left to right, further down each time.
    width, height = screen.canvas.width(), screen.canvas.height()
    y = 3 * EDGE + number * 31 % (height - 6 * EDGE)
    frames_ms = []
    screen.move(EDGE, y)
    screen.press(EDGE, y)
    for i in range(1, POINTS + 1):
        began, shown = time.monotonic(), screen.frames
        screen.move(EDGE + (width - 2 * EDGE) * i / POINTS, y + 15 * math.sin(i / 3), down=True)
        while screen.frames == shown:
            yield 1
        frames_ms.append((time.monotonic() - began) * 1000)
    screen.release(width - EDGE, y)
    return frames_ms


class Screen(QtCore.QObject):
    # What a painter has before him: Krita's canvas, on which frames appear.
    def __init__(self, canvas):
        super().__init__()
        self.canvas, self.frames = canvas, 0
        canvas.installEventFilter(self)

    def close(self):
        self.canvas.removeEventFilter(self)

    def eventFilter(self, canvas, event):
        self.frames += event.type() == QtCore.QEvent.Paint
        return False

    def move(self, x, y, down=False):
        self._send(QtCore.QEvent.MouseMove, x, y, QtCore.Qt.NoButton, down)

    def press(self, x, y):
        self._send(QtCore.QEvent.MouseButtonPress, x, y, QtCore.Qt.LeftButton, True)

    def release(self, x, y):
        self._send(QtCore.QEvent.MouseButtonRelease, x, y, QtCore.Qt.LeftButton, False)

    def _send(self, kind, x, y, button, down):
        place = QtCore.QPointF(x, y)
        buttons = QtCore.Qt.LeftButton if down else QtCore.Qt.NoButton
        event = QtGui.QMouseEvent(
            kind, place, QtCore.QPointF(self.canvas.mapToGlobal(place.toPoint())), button, buttons,
            QtCore.Qt.NoModifier,
        )
        QtWidgets.QApplication.sendEvent(self.canvas, event)
"""
"""Draws until the file `stop` is there: when each stroke was done, its frames; pixels drawn."""


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        home = Path(folder, "daemon")
        home.mkdir()
        with running_daemon(home), connected(home) as client, running_krita(folder, home) as krita:
            rounds = rounds_beside(client, lambda: drawing(krita))
            print_table(f"beside a Krita that draws, {CORES} cores", beside(rounds))
            print_table("the drawing", [*frames(rounds), kept_beside_idle_loop(krita)])


def frames(rounds: Sequence[Round]) -> Iterator[Figure]:
    """How fast Krita draws, and how long a point takes from the pen to the screen."""
    for name, told in (
        ("alone", [each.undisturbed for each in rounds]),
        ("beside", [each.disturbed for each in rounds]),
    ):
        yield Figure(f"strokes {name}", [each.speed for each in told], "a second")
        for which, share in (("median", 0.5), ("95th percentile", 0.95)):
            values = [percentile(each.frames_ms, share) for each in told]
            yield Figure(f"frame {name}, {which}", values, "ms")
        yield Figure(f"frame {name}, longest", [max(each.frames_ms) for each in told], "ms")


def kept_beside_idle_loop(krita: Krita) -> Figure:
    """What the drawing keeps of its speed beside a loop that only ever takes what is left.

    Krita's threads work on both cores; what it loses here, no program can spare it.
    """
    kept = []
    for _ in range(ROUNDS):
        with drawing(krita) as alone:
            time.sleep(5)
        with idle_loop(), drawing(krita) as together:
            time.sleep(5)
        kept.append(together.speed / alone.speed)
    return Figure("kept of its speed beside an idle-priority loop", kept)


@contextmanager
def idle_loop() -> Iterator[None]:
    """A program that computes, in next to no memory, whenever no other wants the core."""
    code = "import os; os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nwhile True: pass"
    loop = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def percentile(values: Sequence[float], share: float) -> float:
    """What that share of the values stays under."""
    return statistics.quantiles(values, n=100)[round(share * 100) - 1]


@contextmanager
def running_krita(folder: str, home: Path) -> Iterator[Krita]:
    """A Krita with the plug-in, connected with the daemon in that home."""
    place = Tree(HOSTS / "trixie", Path(folder))
    data = install(Path(folder, "data"), PYTHONS["5.2"])
    own = Path(folder, "krita")
    own.mkdir()
    with xvfb("1400x900") as screen:
        krita = Krita(place, own, data, {"IMPASTO_HOME": str(home)}, screen)
        try:
            yield krita
            krita.picture("drawing")
        finally:
            krita.close()


@contextmanager
def drawing(krita: Krita) -> Iterator[Told]:
    """Krita draws strokes; told are those that were begun and done while the context lasted."""
    stop = krita.folder / "stop"
    stop.unlink(missing_ok=True)
    piece = krita.begin(DRAW, stop=stop)
    time.sleep(2)
    told, began = Told(), time.monotonic()
    try:
        yield told
    finally:
        ended = time.monotonic()
        stop.touch()
        strokes, drawn_px = krita.end(piece)
    assert drawn_px > 100_000, f"only {drawn_px} pixels were drawn"
    done = [frames_ms for at, frames_ms in strokes if began < at < ended]
    times = [at for at, _ in strokes if began < at < ended]
    told.speed = (len(times) - 1) / (times[-1] - times[0])
    told.frames_ms = list(chain.from_iterable(done))


if __name__ == "__main__":
    main()
