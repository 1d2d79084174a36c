"""What only newer Kritas have: text that flows."""

import numpy as np
import pytest
from tests.hosts.krita.pieces import BEFORE

FLOWING = "Dusk over the roofs of the town"
ROUND = '<defs><ellipse id="round" cx="80" cy="60" rx="60" ry="50"/></defs>'
ARC = '<defs><path id="arc" d="M 10 90 Q 80 10 150 90"/></defs>'
STYLE = "font-size:18px;fill:#101060;white-space:pre-wrap"
TEXTS = {
    "wrapped": f'<text x="10" y="30" style="{STYLE};inline-size:90px">{FLOWING}</text>',
    "within a shape": f'{ROUND}<text style="{STYLE};shape-inside:url(#round)">{FLOWING}</text>',
    "on a path": f'{ARC}<text style="{STYLE}"><textPath href="#arc">{FLOWING}</textPath></text>',
    "underlined, with an outline": f'<text x="10" y="60" style="{STYLE};stroke:#e08020;'
    'stroke-width:2;text-decoration:underline wavy #107040">Dusk</text>',
}


@pytest.fixture(scope="module", autouse=True)
def style(saved_style):
    """There is a style to paint in."""


@pytest.mark.parametrize("version", ["5.3"], indirect=True)
def test_flowing_texts_are_painted_as_they_look(krita, pictures, tmp_path):
    """They stay texts, in their layer, and are hidden."""
    told = krita.run(
        BEFORE
        + """
def picture():
    document.refreshProjection()
    document.waitForDone()
    return bytes(document.pixelData(0, 0, 160, 120))

def keep(name):
    (folder / name).write_bytes(picture())

def main():
    global document
    told = {}
    for name, text in texts.items():
        document = yield from opened(photo)
        keep(f"{name} without it")
        plain = picture()
        layer = document.createVectorLayer("Seen")
        document.rootNode().addChildNode(layer, document.topLevelNodes()[0])
        document.waitForDone()
        yield 100
        layer.addShapesFromSvg('<svg xmlns="http://www.w3.org/2000/svg" width="160px" '
                               f'height="120px" viewBox="0 0 160 120">{text}</svg>')
        yield from until(lambda: picture() != plain)
        document.setActiveNode(layer)
        yield from until(lambda: document.activeNode() == layer)
        keep(f"{name} before")
        yield from painted(document, strength=0.0, iterations=1)
        keep(f"{name} after")
        told[name] = [docker.words.text(), [shape.type() for shape in layer.shapes()],
                      [[node.name(), node.visible()] for node in document.topLevelNodes()]]
        yield from closed(document)
    return told
""",
        texts=TEXTS,
        folder=tmp_path,
        **pictures,
    )
    for name, (words, shapes, layers) in told.items():
        assert words.startswith("Done") and shapes == ["KoSvgTextShapeID"], name
        assert layers == [["Background", True], ["Seen", False], ["Dusk 0%", True]], name
        before, after, without = (
            np.fromfile(tmp_path / f"{name} {when}", np.uint8).astype(int)
            for when in ("before", "after", "without it")
        )
        assert np.abs(before - without).max() > 100, name
        assert np.abs(after - before).max() <= 1, name
