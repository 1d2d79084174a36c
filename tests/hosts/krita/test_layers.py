"""What comes out of Krita and what goes back in, in the real editor."""

import numpy as np
import pytest
from PIL import Image
from tests.hosts.krita.pieces import BEFORE


@pytest.fixture(scope="session", autouse=True)
def style(saved_style):
    """There is a style to paint in."""


def test_whole_layer_in_one_undo_step(krita, pictures):
    told = krita.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    before = tree(document.rootNode())
    yield from painted(document)
    words, active = docker.words.text(), document.activeNode().name()
    after = tree(document.rootNode())
    yield from trigger("edit_undo")
    undone = tree(document.rootNode())
    yield from trigger("edit_redo")
    redone = tree(document.rootNode())
    yield from closed(document)
    return [before, after, undone, redone, words, active]
""",
        **pictures,
    )
    before, after, undone, redone, words, active = told
    assert words.startswith("Done"), words
    assert undone == before and redone == after
    assert after[0] == before[0] and after[1]["name"] == "Dusk 50%" and active == "Background"
    assert after[1]["pixels"] != before[0]["pixels"]


def test_feathered_selection_is_cut_softly(krita, pictures, tmp_path):
    """Checked outside Krita: what the layer shows is the blend by the soft selection."""
    krita.run(
        BEFORE
        + """
from krita import Selection
def main():
    document = yield from opened(photo)
    soft = Selection()
    soft.select(50, 40, 60, 50, 255)
    soft.feather(8)
    document.setSelection(soft)
    yield 200
    yield from export(document, folder / "before.png")
    box = (0, 0, document.width(), document.height())
    (folder / "selection").write_bytes(bytes(document.selection().pixelData(*box)))
    yield from painted(document)
    assert docker.words.text().startswith("Done"), docker.words.text()
    canvas = document.topLevelNodes()[1]
    assert canvas.name() == "Dusk 50%", canvas.name()
    (folder / "painting").write_bytes(bytes(canvas.pixelData(*box)))
    kinds = [child.type() for child in canvas.childNodes()]
    yield from export(document, folder / "after.png")
    names = [node.name() for node in document.topLevelNodes() if "mask" not in node.type()]
    yield from trigger("edit_undo")
    left = [node.name() for node in document.topLevelNodes() if "mask" not in node.type()]
    yield from trigger("edit_redo")
    yield from export(document, folder / "redone.png")
    again = [node.name() for node in document.topLevelNodes() if "mask" not in node.type()]
    yield from closed(document)
    (folder / "told").write_text(repr([kinds, names, left, again]))
""",
        folder=tmp_path,
        **pictures,
    )
    kinds, names, left, again = eval((tmp_path / "told").read_text())
    assert names == again == ["Background", "Dusk 50%"] and left == ["Background"]

    def shown(name):
        return np.asarray(Image.open(tmp_path / name).convert("RGB"), float)

    before, after = shown("before.png"), shown("after.png")
    selection = np.fromfile(tmp_path / "selection", np.uint8).reshape(120, 160) / 255.0
    assert 0.2 < selection[39, 80] < 0.8  # it is soft
    painting = np.fromfile(tmp_path / "painting", np.uint8).reshape(120, 160, 4).astype(float)
    colours, alpha = painting[..., 2::-1], painting[..., 3] / 255
    if kinds:
        assert kinds == ["transparencymask"]
        alpha = alpha * selection
    else:
        assert np.abs(alpha - selection).max() < 1 / 255  # Krita 5.1: it is the transparency
    blend = before + (colours - before) * alpha[..., None]
    assert np.abs(after - blend).max() <= 1
    assert np.array_equal(after[selection == 0], before[selection == 0])
    assert np.abs(after - before)[selection == 1].mean() > 1
    assert np.array_equal(after, shown("redone.png"))


SPACES = [
    ("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc"),
    ("RGBA", "F16", ""),
    ("RGBA", "F32", ""),
    ("RGBA", "F32", "sRGB-elle-V2-srgbtrc.icc"),
    ("RGBA", "U8", "ClayRGB-elle-V2-g22.icc"),
    ("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc"),
    ("GRAYA", "U16", "Gray-D50-elle-V2-g10.icc"),
    ("CMYKA", "U8", ""),
    ("LABA", "U16", ""),
]


@pytest.mark.parametrize("space", SPACES, ids=["-".join(filter(None, s)) for s in SPACES])
def test_every_colour_space_paints_the_same_picture(krita, pictures, space, tmp_path):
    """A document converted to another space is painted as the sRGB one is, as it looks."""
    told = krita.run(
        BEFORE
        + """
def look(node, document):
    seen = node.duplicate()
    assert seen.setColorSpace("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc")
    return bytes(seen.pixelData(0, 0, document.width(), document.height()))
def main():
    document = yield from opened(photo)
    model, depth, profile = space
    profile = profile or krita.profiles(model, depth)[0]
    if model != "RGBA" or depth != "U8" or "sRGB" not in profile:
        document.setColorSpace(model, depth, profile)
        document.waitForDone()
        yield 300
    before = tree(document.rootNode())
    yield from painted(document)
    assert docker.words.text().startswith("Done"), docker.words.text()
    after = tree(document.rootNode())
    yield from trigger("edit_undo")
    undone = tree(document.rootNode()) == before
    yield from trigger("edit_redo")
    redone = tree(document.rootNode()) == after
    background, canvas = document.topLevelNodes()
    (folder / "before").write_bytes(look(background, document))
    (folder / "after").write_bytes(look(canvas, document))
    told = [canvas.name(), canvas.colorModel(), canvas.colorDepth(), profile,
            canvas.colorProfile(), undone, redone]
    yield from closed(document)
    return told
""",
        folder=tmp_path,
        space=space,
        **pictures,
    )
    name, model, depth, wanted, profile, *steps = told
    assert steps == [True, True]  # converted without a step of its own
    assert (name, model, depth, profile) == ("Dusk 50%", *space[:2], wanted)

    def seen(name):
        return np.fromfile(tmp_path / name, np.uint16).reshape(120, 160, 4) / 65535

    before, after = seen("before"), seen("after")
    # Four steps from the photograph: near to it in every space, red and blue where they were.
    assert 0.004 < np.abs(after - before)[..., :3].mean() < 0.12
    assert (after[..., 3] == 1).all()
    if space[1] != "U8":
        assert len(np.unique(after[..., 0])) > 1000  # nothing was squeezed through 8 bits


PROJECTED = {
    "group": """
node = document.createGroupLayer("Seen")
node.addChildNode(background.duplicate(), None)
""",
    "vector": """
node = document.createVectorLayer("Seen")
svg = '<svg viewBox="0 0 160 120"><rect width="90" height="70" style="fill:#c04020"/></svg>'
later = lambda: node.addShapesFromSvg(svg)
""",
    "fill": """
info = InfoObject()
info.setProperty("color", "#30a060")
everywhere = Selection()
everywhere.select(0, 0, 160, 120, 255)
node = document.createFillLayer("Seen", "color", info, everywhere)
""",
    "file": """
node = document.createFileLayer("Seen", str(style), "None")
""",
    "clone": """
node = document.createCloneLayer("Seen", background)
""",
}


@pytest.mark.parametrize("kind", PROJECTED)
def test_other_layers_are_painted_as_they_look(krita, pictures, kind):
    names, words, seen, untouched = krita.run(
        BEFORE
        + """
from krita import Selection
def main():
    document = yield from opened(photo)
    background = document.topLevelNodes()[0]
    scope = {**globals(), "document": document, "background": background}
    exec(piece, scope)
    node = scope["node"]
    document.rootNode().addChildNode(node, background)
    yield 300
    scope.get("later", lambda: None)()
    yield from until(lambda: bytes(node.projectionPixelData(10, 10, 1, 1))[3:])
    document.setActiveNode(node)
    yield 300
    before = pixels(background)
    yield from painted(document)
    names = [node.name() for node in document.topLevelNodes()]
    painting = bytes(document.topLevelNodes()[-1].pixelData(10, 10, 20, 20))
    words, untouched = docker.words.text(), pixels(background) == before
    yield from closed(document)
    return [names, words, len(set(painting)) > 2 and painting[3] == 255, untouched]
""",
        piece=PROJECTED[kind],
        **pictures,
    )
    assert names == ["Background", "Seen", "Dusk 50%"] and words.startswith("Done")
    assert seen and untouched


REFUSED = {
    "mask": ("""
mask = document.createNode("A mask", "transparencymask")
document.topLevelNodes()[0].addChildNode(mask, None)
node = mask
""", "“A mask” is a mask"),
    "filter layer": ("""
node = document.createFilterLayer("A filter", krita.filter("invert"), Selection())
document.rootNode().addChildNode(node, None)
""", "has no pixels of its own"),
    "empty layer": ("""
node = document.createNode("Empty", "paintlayer")
document.rootNode().addChildNode(node, None)
""", "nothing on “Empty”"),
    "selection elsewhere": ("""
node = document.createNode("Small", "paintlayer")
node.setPixelData(QtCore.QByteArray(bytes([1, 2, 3, 255]) * 100), 0, 0, 10, 10)
document.rootNode().addChildNode(node, None)
far = Selection()
far.select(100, 80, 20, 20, 255)
document.setSelection(far)
""", "do not meet"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_painted_is_said(krita, pictures, what):
    piece, words = REFUSED[what]
    found = krita.run(
        BEFORE
        + """
from krita import Selection
def main():
    document = yield from opened(photo)
    scope = {**globals(), "document": document}
    exec(piece, scope)
    yield 400
    document.setActiveNode(scope["node"])
    yield 400
    before = tree(document.rootNode())
    begin()
    words = docker.words.text()
    assert docker.painting is None
    assert tree(document.rootNode()) == before
    yield from closed(document)
    return words
""",
        piece=piece,
        **pictures,
    )
    assert words in found


def test_no_document(krita):
    words = krita.run(BEFORE + "begin()\nanswer = docker.words.text()")
    assert "no layer to paint" in words


def test_again_and_preset_and_going_back(krita, pictures):
    told = krita.run(
        BEFORE
        + """
def names():
    return [node.name() for node in document.topLevelNodes()]
def main():
    global document
    document = yield from opened(photo)
    yield from painted(document, strength=0.8)
    assert docker.words.text().startswith("Done"), docker.words.text()
    krita.action("impasto_again").trigger()
    assert docker.painting, docker.words.text()
    yield from until(lambda: docker.painting is None)
    assert docker.words.text().startswith("Done"), docker.words.text()
    yield 600
    _, first, second = tree(document.rootNode())
    docker.styles.fetch()
    yield from until(lambda: docker.styles.count() > 0)
    docker.apply("Dusk")
    yield from until(lambda: docker.words.text().startswith("Painting"))
    docker.conclude()
    yield from until(lambda: docker.painting is None)
    yield 600
    words, told = docker.words.text(), names()
    docker.results.itemClicked.emit(docker.results.item(2))
    yield 400
    back = [document.activeNode().uniqueId() == document.topLevelNodes()[1].uniqueId(),
            docker.settings().strength]
    document.topLevelNodes()[1].remove()
    yield 400
    docker.results.itemClicked.emit(docker.results.item(2))
    gone = docker.words.text()
    yield from closed(document)
    return [first, second, words, told, back, gone]
""",
        **pictures,
    )
    first, second, words, names, back, gone = told
    assert first == second and words.startswith("Done")
    # Each from the layer itself, the newest on top.
    assert names == ["Background", "Dusk 80%", "Dusk 80%", "Dusk 50%"]
    assert back == [True, 0.8] and "gone" in gone
