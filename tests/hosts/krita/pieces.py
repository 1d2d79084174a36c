"""What the pieces of Krita's tests have in common; it stands before each of them."""

from tests.conftest import GRAM

BEFORE = (
    f"GRAM = {GRAM}"
    + """
import sys
from impasto.recipe import Recipe
from impasto_protocol.settings import Settings

krita = Krita.instance()
docker = krita.activeWindow().qwindow().findChild(sys.modules["impasto"].Docker)


def begin(style="Dusk", as_source=True, **settings):
    quick = Settings(**{"iterations": 4, "tolerance": 0.0, **GRAM, **settings})
    docker._paint(lambda: Recipe(style, quick, as_source=as_source))


def twelve_megapixels(photo):
    document = yield from opened(photo)
    document.scaleImage(4000, 3000, 300, 300, "Bilinear")
    document.waitForDone()
    yield 1000
    return document


def painted(document, **settings):
    begin(**settings)
    yield from done(document, docker.painting)


def done(document, painting):
    yield from until(lambda: docker.painting is None)
    if painting and painting.canvas:
        # By then Krita has made it the active layer, and the plug-in given that back.
        yield from until(lambda: painting._step is not None)
    document.waitForDone()
    yield 50


def ended(painting):
    yield from until(lambda: docker.painting is None and not painting.canvas)
    yield from until(lambda: not painting._busy)
    yield 100


def answered(call, answer):
    QtCore.QTimer.singleShot(0, call)
    yield from until(QtWidgets.QApplication.activeModalWidget, 20)
    dialog = QtWidgets.QApplication.activeModalWidget()
    yield 200
    answer(dialog)
    yield from until(lambda: not QtWidgets.QApplication.activeModalWidget())


def agree(dialog):
    dialog.button(QtWidgets.QMessageBox.Yes).click()


def disagree(dialog):
    dialog.button(QtWidgets.QMessageBox.No).click()


def layers(document):
    return [node.name() for node in document.topLevelNodes() if "mask" not in node.type()]


def failed():
    yield from opened(photo)
    begin()
    yield from until(lambda: docker.painting is None)
    return docker.words.text()


def trigger(action):
    krita.action(action).trigger()
    krita.activeDocument().waitForDone()
    yield 250  # what a painting hides is shown again by then


def closed(document):
    # Krita 5.1 and 5.2 crash where they have not yet shown a change in their list of layers.
    yield 300
    document.setModified(False)
    document.close()
    yield from until(lambda: document not in krita.documents())
    yield 50


def pixels(node, box=None):
    bounds = node.bounds()
    box = box or (bounds.x(), bounds.y(), bounds.width(), bounds.height())
    return bytes(node.pixelData(*box)).hex()
"""
)

LONG = "iterations=90_000, working_px=256"

BEGUN = (
    BEFORE
    + f"""
def begun(prepared="", states=2):
    document = yield from opened(photo)
    exec(prepared, {{**globals(), "document": document}})
    document.waitForDone()
    yield 100
    document.setModified(False)
    before = tree(document.rootNode())
    begin({LONG})
    yield from until(lambda: docker.painting and docker.painting.canvas)
    seen = set()
    def moving():
        seen.add(pixels(docker.painting.canvas))
        return len(seen) >= states
    yield from until(moving)
    return document, before
"""
)

FIRST = (
    BEFORE
    + """
def main():
    yield from until(docker.isVisible)
    docker.again()
    again = docker.words.text()
    missing = yield from failed()
    docker._copy_diagnostics()
    copied = QtWidgets.QApplication.clipboard().text()
    return [krita.version(), again, missing, copied]
"""
)
