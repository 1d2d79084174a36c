"""What the pieces of Krita's tests have in common; it stands before each of them."""

BEFORE = """
import sys
from impasto.recipe import Recipe
from impasto_protocol.settings import Settings

krita = Krita.instance()
docker = krita.activeWindow().qwindow().findChild(sys.modules["impasto"].Docker)


def begin(style="Dusk", **settings):
    quick = Settings(**{"iterations": 4, "tolerance": 0.0, **settings})
    docker._paint(lambda: Recipe(style, quick))


def painted(document, **settings):
    begin(**settings)
    yield from until(lambda: docker.painting is None)
    yield 600


def failed():
    yield from opened(photo)
    begin()
    yield from until(lambda: docker.painting is None)
    return docker.words.text()


def trigger(action):
    krita.action(action).trigger()
    yield 600


def closed(document):
    document.setModified(False)
    document.close()
    yield 200


def pixels(node, box=None):
    bounds = node.bounds()
    box = box or (bounds.x(), bounds.y(), bounds.width(), bounds.height())
    return bytes(node.pixelData(*box)).hex()
"""

LONG = "iterations=90_000, working_px=256"

BEGUN = (
    BEFORE
    + f"""
def begun(prepared="", states=2):
    document = yield from opened(photo)
    exec(prepared, {{**globals(), "document": document}})
    document.waitForDone()
    yield 300
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
