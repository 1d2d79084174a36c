"""Runs inside Krita: does the pieces of a test that are put into a folder, one after the other.

A piece NUMBER.py is run with what stands here and what earlier pieces left in `kept`; its
`answer` goes to NUMBER.json. A piece with a generator `main` gives the event loop so many
milliseconds at each `yield`. Inert unless IMPASTO_TEST_FOLDER is set.
"""

import hashlib
import json
import os
import sys
import traceback
from pathlib import Path

from krita import Extension, InfoObject, Krita
from PyQt5 import QtCore, QtGui, QtWidgets  # noqa: F401

kept = {}


def until(is_so, seconds=120):
    """Let the event loop run until something is so."""
    clock = QtCore.QElapsedTimer()
    clock.start()
    while not is_so():
        if clock.elapsed() > seconds * 1000:
            raise TimeoutError("it did not come to be")
        yield 10


def opened(path):
    """Open a picture in a window of its own, and wait until it is there."""
    document = Krita.instance().openDocument(str(path))
    yield from shown(document)
    return document


def shown(document):
    document.setBatchmode(True)
    Krita.instance().activeWindow().addView(document)
    Krita.instance().setActiveDocument(document)
    yield from until(lambda: Krita.instance().activeDocument() == document
                     and document.activeNode() is not None)  # fmt: skip
    document.waitForDone()
    yield 100


def tree(node):
    """What the layers below a node are, as plain values, down to every pixel."""
    found = []
    for child in node.childNodes():
        box = child.bounds()
        data = child.pixelData(box.x(), box.y(), box.width(), box.height())
        found.append({
            "name": child.name(), "type": child.type(), "opacity": child.opacity(),
            "visible": child.visible(),
            "box": [box.x(), box.y(), box.width(), box.height()],
            "pixels": hashlib.sha256(bytes(data)).hexdigest(), "children": tree(child),
        })  # fmt: skip
    return found


def export(document, path):
    """Write a document as it looks to a PNG."""
    document.waitForDone()
    yield 100
    document.waitForDone()
    info = InfoObject()
    info.setProperty("alpha", True)
    assert document.exportImage(str(path), info)


class Driver(Extension):
    def setup(self):
        pass

    def createActions(self, window):
        folder = os.environ.get("IMPASTO_TEST_FOLDER")
        if folder and not hasattr(self, "_timer"):
            self._folder, self._running = Path(folder), None
            Krita.instance().setBatchmode(True)
            # An exception in a slot would open a dialog that waits for somebody.
            sys.excepthook = lambda *error: traceback.print_exception(*error)
            self._timer = QtCore.QTimer()
            self._timer.timeout.connect(self._look)
            self._timer.start(20)

    def _look(self):
        if (self._folder / "end").exists():
            sys.stderr.flush()
            os._exit(0)
        piece = min(self._folder.glob("*.py"), default=None)
        if not piece or self._running:
            return
        self._running = piece
        scope = {**globals(), "answer": None}
        try:
            exec(compile(piece.read_text(encoding="utf-8"), str(piece), "exec"), scope)
            self._step(scope, scope["main"]() if "main" in scope else iter(()))
        except Exception:
            self._fail()

    def _step(self, scope, steps):
        try:
            pause_ms = next(steps)
        except StopIteration as end:
            self._tell({"answer": scope["answer"] if end.value is None else end.value})
        except Exception:
            self._fail()
        else:
            QtCore.QTimer.singleShot(pause_ms, lambda: self._step(scope, steps))

    def _fail(self):
        self._tell({"error": traceback.format_exc()})
        # For the next piece.
        for document in Krita.instance().documents():
            document.setModified(False)
            document.close()

    def _tell(self, told):
        unfinished = self._running.with_suffix(".part")
        unfinished.write_text(json.dumps(told))
        self._running.unlink()
        unfinished.replace(self._running.with_suffix(".json"))
        self._running = None


Krita.instance().addExtension(Driver(Krita.instance()))
