"""What comes out of Krita and what goes back in, in the real editor."""

import numpy as np
import pytest
from PIL import Image
from tests.hosts.krita.pieces import BEFORE
from tests.hosts.profiles import WIDE_PROFILES, wide_profile


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
    assert (
        after[0] == {**before[0], "visible": False}
        and after[1]["name"] == "Dusk 50%"
        and active == "Background"
    )
    assert after[1]["pixels"] != before[0]["pixels"]


def test_feathered_selection_is_cut_softly(krita, version, pictures, tmp_path):
    """Checked outside Krita: what the layer shows is the blend by the soft selection."""
    kinds, names, left, again, selected = krita.run(
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
    names = layers(document)
    yield from trigger("edit_undo")
    left = layers(document)
    yield from export(document, folder / "undone.png")
    yield from trigger("edit_redo")
    yield from export(document, folder / "redone.png")
    again, selected = layers(document), bool(document.selection())
    yield from closed(document)
    return [kinds, names, left, again, selected]
""",
        folder=tmp_path,
        **pictures,
    )
    assert kinds == ([] if version == "5.1" else ["transparencymask"])
    assert selected and names == again == ["Background", "Dusk 50%"] and left == ["Background"]

    def shown(name):
        return np.asarray(Image.open(tmp_path / name).convert("RGB"), float)

    before, after = shown("before.png"), shown("after.png")
    selection = np.fromfile(tmp_path / "selection", np.uint8).reshape(120, 160) / 255.0
    assert 0.2 < selection[39, 80] < 0.8  # it is soft
    painting = np.fromfile(tmp_path / "painting", np.uint8).reshape(120, 160, 4).astype(float)
    colours, alpha = painting[..., 2::-1], painting[..., 3] / 255
    if kinds:
        alpha = alpha * selection
    else:
        assert np.abs(alpha - selection).max() < 1 / 255  # Krita 5.1: it is the transparency
    blend = before + (colours - before) * alpha[..., None]
    assert np.abs(after - blend).max() <= 1
    assert np.array_equal(after[selection == 0], before[selection == 0])
    assert np.abs(after - before)[selection == 1].mean() > 1
    assert np.array_equal(before, shown("undone.png"))
    assert np.array_equal(after, shown("redone.png"))


def test_layer_beyond_the_canvas_and_the_margin_around_a_selection(krita, pictures, tmp_path):
    """What is sent is what lies on the canvas, and of a selection so much more on each side."""
    whole, part, sent, same = krita.run(
        BEFORE
        + """
from krita import Selection
def main():
    document = yield from opened(large)
    background, = document.topLevelNodes()
    node = document.createNode("Small", "paintlayer")
    data = background.pixelData(0, 0, 300, 200)
    node.setPixelData(data, -50, 450, 300, 200)
    document.rootNode().addChildNode(node, background)
    document.waitForDone()
    yield 300
    document.setActiveNode(node)
    yield 300
    submit, sent = docker._daemon.submit, []
    def watched(message, pictures, *ends):
        sent.append({name: [p.width, p.height] for name, p in pictures.items()})
        (folder / "sent").write_bytes(bytes(pictures["content"].data))
        submit(message, pictures, *ends)
    docker._daemon.submit = watched
    yield from painted(document)
    whole = document.topLevelNodes()[-1].bounds()
    (folder / "layer").write_bytes(bytes(node.pixelData(0, 450, 250, 150)))
    same = (folder / "layer").read_bytes() == (folder / "sent").read_bytes()
    document.setActiveNode(background)
    small = Selection()
    small.select(400, 100, 60, 50, 255)
    document.setSelection(small)
    yield 300
    yield from painted(document)
    docker._daemon.submit = submit
    box = (400 - 64, 100 - 64, 60 + 128, 50 + 128)
    same = same and bytes(background.pixelData(*box)) == (folder / "sent").read_bytes()
    part = next(n for n in document.topLevelNodes()[1:] if n.bounds().x() >= 300).bounds()
    told = [[b.x(), b.y(), b.width(), b.height()] for b in (whole, part)]
    yield from closed(document)
    return [*told, sent, same]
""",
        folder=tmp_path,
        **pictures,
    )
    assert whole == [0, 450, 250, 150] and part == [400, 100, 60, 50]
    assert sent == [
        {"content": [250, 150]}, {"selection": [188, 178], "content": [188, 178]},
    ]  # fmt: skip
    assert same


SRGB = ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
SPACES = [
    ("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc"),
    ("RGBA", "F16", "sRGB-elle-V2-g10.icc"),
    ("RGBA", "F32", "sRGB-elle-V2-g10.icc"),
    ("RGBA", "F32", "sRGB-elle-V2-srgbtrc.icc"),
    ("RGBA", "U8", "ClayRGB-elle-V2-g22.icc"),
    ("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc"),
    ("GRAYA", "U16", "Gray-D50-elle-V2-g10.icc"),
    ("CMYKA", "U8", ""),
    ("GRAYA", "F32", "Gray-D50-elle-V2-srgbtrc.icc"),
    ("LABA", "U16", ""),
    ("XYZA", "U16", ""),
    ("YCbCrA", "U8", ""),
]


PAINT_IN = (
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
    if document.colorModel() != model or document.colorDepth() != depth or "elle" in profile:
        document.setColorSpace(model, depth, profile)
        document.waitForDone()
        yield 100
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
"""
)


def seen_in(folder):
    """The layer and its painting as they look, from 0 to 1: (H, W, RGBA)."""
    return [
        np.fromfile(folder / name, np.uint16).reshape(120, 160, 4)[..., [2, 1, 0, 3]] / 65535
        for name in ("before", "after")
    ]


@pytest.fixture(scope="session")
def painted_in_srgb(krita, saved_style, pictures, tmp_path_factory):
    """What every other colour space is compared with."""
    folder = tmp_path_factory.mktemp("srgb")
    krita.run(PAINT_IN, folder=folder, space=SRGB, **pictures)
    return seen_in(folder)


@pytest.mark.parametrize("space", SPACES, ids=["-".join(filter(None, s)) for s in SPACES])
def test_every_colour_space_paints_the_same_picture(
    krita, painted_in_srgb, pictures, space, tmp_path
):
    """A document converted to another space is painted as the sRGB one is, as it looks."""
    told = krita.run(PAINT_IN, folder=tmp_path, space=space, **pictures)
    name, model, depth, wanted, profile, *steps = told
    assert steps == [True, True]  # converted without a step of its own
    assert (name, model, depth, profile) == ("Dusk 50%", *space[:2], wanted)

    before, after = seen_in(tmp_path)
    photograph, painting = painted_in_srgb
    assert np.abs(painting - photograph)[..., :3].mean() > 0.004
    if space[0] == "GRAYA":
        # Grey is painted from the grey, which is another picture.
        assert np.ptp(after[..., :3], axis=2).max() < 0.01
        assert 0.004 < np.abs(after - before)[..., :3].mean() < 0.08
    else:
        # What the space itself does to the photograph is allowed for.
        lost = np.abs(before - photograph)[..., :3].mean()
        apart = np.abs(after - painting)[..., :3].mean()
        print(f"{space}: {apart:.4f} from the sRGB painting; {lost:.4f} is the space's own")
        assert apart < 0.005 + 2.2 * lost
    assert (after[..., 3] == 1).all()
    if space[1] != "U8":
        assert len(np.unique(after[..., 0])) > 1000  # nothing was squeezed through 8 bits


WIDE_SPACES = [
    ("Adobe RGB", "RGBA", "U8"),
    ("Display P3", "RGBA", "U16"),
    ("ProPhoto RGB", "RGBA", "U16"),
    ("ProPhoto RGB", "RGBA", "F32"),
    ("Rec. 2020", "RGBA", "F16"),
    ("sRGB-elle-V2-srgbtrc.icc", "RGBA", "F16"),
    ("Gray-D50-elle-V2-g22.icc", "GRAYA", "F16"),
    ("linear Rec. 2020", "RGBA", "F32"),
    ("sRGB-elle-V2-g10.icc", "RGBA", "F32"),
    ("sRGB-elle-V2-srgbtrc.icc", "RGBA", "F32"),
    ("Gray-D50-elle-V2-g10.icc", "GRAYA", "F32"),
    ("Gray-D50-elle-V2-g22.icc", "GRAYA", "U16"),
]
NUMBERS = {"U8": "u1", "U16": "u2", "F16": "f2", "F32": "f4"}


def stored_numbers(model, depth):
    """Pixels of every kind: pure colours, all of the range, and in floats what lies beyond it."""
    channels = 2 if model == "GRAYA" else 4
    colours = np.random.default_rng(7).random((30, 40, channels))
    colours[..., -1] = colours[..., -1].round(1)
    if channels == 4:
        colours[0, :8, :3] = [[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)]
    if depth[0] == "U":
        largest = np.iinfo(NUMBERS[depth]).max
        return np.rint(colours * largest).astype(NUMBERS[depth])
    colours[1, 0, 0], colours[2, 0, 0] = 8, -0.25
    return colours.astype(NUMBERS[depth])


@pytest.mark.parametrize("space", WIDE_SPACES, ids=["-".join(space) for space in WIDE_SPACES])
def test_strength_0_gives_the_stored_numbers_back(krita, pictures, tmp_path, space):
    profile, model, depth = space
    before = stored_numbers(model, depth)
    before.tofile(tmp_path / "before")
    if profile in WIDE_PROFILES:
        picture = Image.new("RGB", (40, 30), "red")
        picture.save(tmp_path / "wide.png", icc_profile=wide_profile(profile))
        pictures = {**pictures, "photo": tmp_path / "wide.png"}
    words, kept, sent = krita.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    if "elle" not in profile:
        space[0] = document.colorProfile()
    document.setColorSpace(*space[1:], space[0])
    document.waitForDone()
    yield 100
    source, = document.topLevelNodes()
    numbers = QtCore.QByteArray((folder / "before").read_bytes())
    source.setPixelData(numbers, 0, 0, 40, 30)
    document.crop(0, 0, 40, 30)
    document.refreshProjection()
    document.waitForDone()
    daemon, sent = docker._daemon, []
    submit = daemon.submit
    def watched(message, pictures, *ends):
        sent.append(pictures["content"])
        submit(message, pictures, *ends)
    daemon.submit = watched
    try:
        yield from painted(document, strength=0.0)
    finally:
        daemon.submit = submit
    canvas = document.topLevelNodes()[-1]
    (folder / "after").write_bytes(bytes(canvas.pixelData(0, 0, 40, 30)))
    told = [docker.words.text(), [source.colorModel(), source.colorDepth(), source.colorProfile()],
            [sent[0].dtype, sent[0].space.primaries, sent[0].space.transfer]]
    yield from closed(document)
    return told
""",
        folder=tmp_path, space=list(space), profile=profile, **pictures,
    )  # fmt: skip
    assert words.startswith("Done"), words
    dtype, primaries, transfer = sent
    assert kept[:2] == [model, depth]
    assert dtype == {"U8": "uint8", "U16": "uint16"}.get(depth, "float32")
    if profile in WIDE_PROFILES and "ProPhoto" not in profile:
        assert primaries == pytest.approx(WIDE_PROFILES[profile][0], abs=0.002)
    if "linear" in profile or "g10" in profile:
        assert transfer == [0, 1]
    after = np.fromfile(tmp_path / "after", NUMBERS[depth]).reshape(before.shape)
    assert np.array_equal(after, before)


PROJECTED = {
    "group": """
node = document.createGroupLayer("Seen")
below = background.duplicate()
below.setOpacity(128)
node.addChildNode(below, None)
patch = document.createNode("Patch", "paintlayer")
patch.setPixelData(QtCore.QByteArray(bytes([20, 160, 230, 255]) * 2400), 70, 50, 60, 40)
node.addChildNode(patch, below)
later = document.refreshProjection
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
def test_other_layers_are_painted_as_they_look(krita, pictures, kind, tmp_path):
    names, words, untouched = krita.run(
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
    yield from until(lambda: any(bytes(node.projectionPixelData(80, 60, 1, 1))[3:]))
    document.waitForDone()
    document.setActiveNode(node)
    yield 300
    before, box = pixels(background), (0, 0, 160, 120)
    for name, data in ("seen", node.projectionPixelData), ("under", background.pixelData):
        (folder / name).write_bytes(bytes(data(*box)))
    yield from painted(document, strength=0.05)
    (folder / "painting").write_bytes(bytes(document.topLevelNodes()[-1].pixelData(*box)))
    told = [layers(document), docker.words.text(), pixels(background) == before]
    yield from closed(document)
    return told
""",
        piece=PROJECTED[kind],
        folder=tmp_path,
        **pictures,
    )
    assert names == ["Background", "Seen", "Dusk 5%"] and words.startswith("Done") and untouched

    def shown(name):
        return np.fromfile(tmp_path / name, np.uint8).reshape(120, 160, 4).astype(float)

    seen, painting, under = shown("seen"), shown("painting"), shown("under")
    assert np.array_equal(painting[..., 3], seen[..., 3])
    visible = seen[..., 3] > 0
    near = np.abs(painting - seen)[visible][:, :3].mean()
    print(f"{kind}: {near:.1f} of 255 from what is seen")
    assert near < 20
    if kind != "clone":
        assert np.abs(painting - under)[visible].mean() > 2 * near


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
    "group that is passed through, with a mode below": ("""
node = document.createGroupLayer("Through")
multiplied = document.topLevelNodes()[0].duplicate()
multiplied.setName("Shade")
node.addChildNode(multiplied, None)
node.setPassThroughMode(True)
document.rootNode().addChildNode(node, None)
node.childNodes()[0].setBlendingMode("multiply")
""", "“Shade” is blended with what lies below"),
    "empty group": ("""
node = document.createGroupLayer("Empty")
document.rootNode().addChildNode(node, None)
""", "nothing on “Empty”"),
    "empty group that is passed through": ("""
node = document.createGroupLayer("Empty")
node.setPassThroughMode(True)
document.rootNode().addChildNode(node, None)
""", "nothing on “Empty”"),
    "transparent layer": ("""
node = document.createNode("Clear", "paintlayer")
node.setPixelData(QtCore.QByteArray(bytes([9, 9, 9, 0]) * 100), 0, 0, 10, 10)
document.rootNode().addChildNode(node, None)
""", "nothing on “Clear”"),
    "group of a transparent layer under a mask": ("""
node = document.createGroupLayer("Clear")
clear = document.createNode("Within", "paintlayer")
node.addChildNode(clear, None)
document.rootNode().addChildNode(node, None)
everywhere = Selection()
everywhere.select(0, 0, 160, 120, 255)
node.addChildNode(document.createFilterMask("M", krita.filter("invert"), everywhere), None)
""", "nothing on “Clear”"),
    "selection of a hole": ("""
node = document.createNode("Holed", "paintlayer")
node.setPixelData(QtCore.QByteArray(bytes([1, 2, 3, 255]) * 100), 0, 0, 10, 10)
node.setPixelData(QtCore.QByteArray(bytes([1, 2, 3, 255]) * 100), 50, 50, 10, 10)
document.rootNode().addChildNode(node, None)
hole = Selection()
hole.select(20, 20, 20, 20, 255)
document.setSelection(hole)
""", "do not meet"),
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
    undo = krita.action("edit_undo").text()
    begin()
    yield from until(lambda: docker.painting is None)
    words = docker.words.text()
    assert tree(document.rootNode()) == before and krita.action("edit_undo").text() == undo
    yield from closed(document)
    return words
""",
        piece=piece,
        **pictures,
    )
    assert words in found


def test_several_layers_are_refused(krita, pictures):
    words = krita.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    document.rootNode().addChildNode(document.topLevelNodes()[0].duplicate(), None)
    yield 500
    window = krita.activeWindow()
    window.qwindow().findChild(QtWidgets.QTreeView, "listLayers").selectAll()
    yield from until(lambda: len(window.activeView().selectedNodes()) == 2)
    begin()
    assert docker.painting is None and len(document.topLevelNodes()) == 2
    words = docker.words.text()
    yield from closed(document)
    return words
""",
        **pictures,
    )
    assert words.startswith("Several layers are selected") and "group" in words


def test_layer_with_as_many_bytes_as_krita_cannot_count_is_refused(krita, pictures):
    """Krita itself would crash when it is asked for them."""
    words = krita.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    from impasto_protocol import layer_size
    limit, layer_size.FRAME_BYTES = layer_size.FRAME_BYTES, 160 * 120 * 4
    begin()
    yield from until(lambda: docker.painting is None)
    layer_size.FRAME_BYTES = limit
    words = docker.words.text()
    assert layers(document) == ["Background"]
    yield from closed(document)
    return words
""",
        **pictures,
    )
    assert words.startswith("160 x 120 pixels are too many") and "Select a part" in words


def test_no_document(krita):
    words = krita.run(BEFORE + "begin()\nanswer = docker.words.text()")
    assert "no layer to paint" in words


def test_again_and_preset_and_the_strip_of_results(krita, version, pictures, tmp_path):
    told = krita.run(
        BEFORE
        + """
def names():
    return [node.name() for node in document.topLevelNodes()]
def main():
    global document
    document = yield from opened(photo)
    done_with, memory_mib = docker._done, []
    def watched(painting, result):
        memory_mib.append(result.memory_mib)
        done_with(painting, result)
    docker._done = watched
    yield from painted(document, strength=0.8)
    docker._done = done_with
    assert docker.words.text().startswith("Done"), docker.words.text()
    krita.action("impasto_again").trigger()
    assert docker.painting, docker.words.text()
    memory_mib.append(docker.painting.recipe.settings.memory_mib)
    yield from until(lambda: docker.painting is None)
    assert docker.words.text().startswith("Done"), docker.words.text()
    yield 200
    _, first, second = tree(document.rootNode())
    docker.styles.fetch()
    yield from until(lambda: docker.styles.count() > 0)
    docker.apply("Dusk")
    yield from until(lambda: docker.words.text().startswith("Painting"))
    painting = docker.painting
    docker.conclude()
    yield from done(document, painting)
    words, told = docker.words.text(), names()
    strip, oldest = docker.results, docker.results.item(2)
    first_painted = document.topLevelNodes()[1]
    shown, active = [], document.activeNode().uniqueId()
    for _ in range(2):
        strip.itemClicked.emit(oldest)
        yield 300
        shown.append(first_painted.visible())
    before = docker.settings().strength
    strip.itemDoubleClicked.emit(oldest)
    yield 300
    back = [before, docker.settings().strength, document.activeNode().uniqueId() == active]
    compared = strip.compare(oldest, strip.item(0))
    yield 300
    pictures = [label.pixmap().size() for label in compared.findChildren(QtWidgets.QLabel)
                if label.pixmap()]
    sizes = [[size.width(), size.height()] for size in pictures]
    compared.grab().save(str(folder / "compared.png"))
    compared.close()
    document.topLevelNodes()[1].remove()
    yield 400
    docker.results.itemClicked.emit(docker.results.item(2))
    gone = docker.words.text()
    yield from closed(document)
    icons = [not docker.results.item(row).icon().isNull() for row in range(3)]
    tips = [oldest.text(), oldest.toolTip()]
    docker.grab().save(str(folder / "strip.png"))
    return [first, second, words, told, back, gone, icons, memory_mib, shown, sizes, tips]
""",
        folder=tmp_path,
        **pictures,
    )
    first, second, words, names, back, gone, icons, memory, shown, sizes, tips = told
    planned_mib, repeated_mib = memory
    assert first == {**second, "visible": False} and words.startswith("Done")
    # Also when more is free by then, or it would be cut into other tiles.
    assert planned_mib == repeated_mib > 0
    # Each from the layer itself, the newest on top.
    assert names == ["Background", "Dusk 80%", "Dusk 80%", "Dusk 60%"]
    # The layer that Stylise would paint next stays the active one.
    assert back == [0.6, 0.8, True] and "gone" in gone and all(icons)
    # The newer ones had hidden it.
    # Krita 5.1 makes a layer's thumbnail of whole tiles of 64 px, which are 192 x 128 here.
    size = [134, 113] if version == "5.1" else [160, 120]
    assert shown == [True, False] and sizes == [size] * 2
    assert tips == ["Dusk 80%", "Dusk 80%\nStrength 80%\nStroke size 100%"]
