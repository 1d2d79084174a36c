"""Several styles in one painting, each where a mask is, in the real Krita with the real daemon."""

import numpy as np
import pytest
from PIL import Image
from tests.hosts.krita.conftest import DUSK
from tests.hosts.krita.pieces import BEFORE

from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.messages import PresetDelete, PresetSave
from impasto_protocol.settings import Settings

SCENE = """
from impasto.places import Places
from impasto_protocol.more_styles import MoreStyle

def scene():
    document = yield from opened(photo)
    width, height = document.width(), document.height()
    for name, left, right, alpha in (("Right", width // 2, width, 255), ("Top", 0, width, 255)):
        layer = document.createNode(name, "paintlayer")
        document.rootNode().addChildNode(layer, None)
        box = left, 0, right - left, height if name == "Right" else height // 2
        layer.setPixelData(QtCore.QByteArray(b"\\xff" * (4 * box[2] * box[3])), *box)
        layer.setVisible(False)
    document.refreshProjection()
    document.waitForDone()
    yield from active(document, "Background")
    return document

def active(document, name):
    def made():
        document.setActiveNode(document.nodeByName(name))
        return document.activeNode().name() == name
    yield 300  # by then Krita has made the new layer the active one
    yield from until(made)
"""


@pytest.fixture(scope="module", autouse=True)
def two_styles(saved_style, krita_daemon, pictures):
    """There are Dusk and Dawn."""
    image = Image.open(pictures["style"]).rotate(90, expand=True)
    picture = Picture(image.height, image.width, 3, "uint8", image.tobytes())
    with krita_daemon.connect() as client:
        message = PresetSave(job=new_job_id(), name="Dawn", settings=DUSK)
        client.submit(message, {"style": picture}).result()
        yield
        client.ask(PresetDelete(name="Dawn"))


def test_each_style_goes_where_its_layer_is_white_and_the_rest_stays(krita, pictures, tmp_path):
    name, words, sizes, again = krita.run(
        BEFORE
        + SCENE
        + """
def main():
    document = yield from scene()
    box = (0, 0, document.width(), document.height())
    background = document.nodeByName("Background")
    (folder / "before").write_bytes(bytes(background.pixelData(*box)))
    places = Places(strength_mask="layer:Top", more=(MoreStyle("preset", "Dawn", "layer:Right"),),
                    mask="layer:Right")
    quick = Settings(iterations=4, tolerance=0.0, uncovered="photograph", strength=0.8, **GRAM)
    docker._paint(lambda: Recipe("Dusk", quick, places=places))
    yield from done(document, docker.painting)
    canvas = document.nodeByName("Dusk + Dawn 80%")
    words = docker.words.text()
    (folder / "after").write_bytes(bytes(canvas.pixelData(*box)))
    first, name = pixels(canvas), canvas.name()
    canvas.setName("first")
    background.setVisible(True)
    yield from active(document, "Background")
    docker.again()
    yield from until(lambda: docker.painting)
    yield from done(document, docker.painting)
    again = [first, pixels(document.nodeByName("Dusk + Dawn 80%"))]
    yield from closed(document)
    return [name, words, box[2:], again[0] == again[1]]
""",
        folder=tmp_path,
        **pictures,
    )
    assert words.startswith("Done"), words
    assert name == "Dusk + Dawn 80%" and again
    width, height = sizes
    before, after = (
        np.fromfile(tmp_path / file, np.uint8).reshape(height, width, 4).astype(int)
        for file in ("before", "after")
    )
    changed = np.abs(after - before)[..., :3].max(axis=2)
    assert changed[:, : width // 2 - 1].max() == 0 and changed[height // 2 + 1 :].max() == 0
    assert changed[: height // 2 - 2, width // 2 + 2 :].mean() > 1


@pytest.fixture
def two_halves(krita_daemon, pictures):
    """For one test there is Halves, whose left is orange and whose right is green."""
    with Image.open(pictures["style"]) as style:
        width, height = style.size
    halves = np.full((height, width, 3), (255, 165, 0))
    halves[:, width // 2 :] = 20, 120, 60
    halves += np.random.default_rng(0).integers(-20, 20, halves.shape)
    data = halves.clip(0, 255).astype(np.uint8).tobytes()
    with krita_daemon.connect() as client:
        message = PresetSave(job=new_job_id(), name="Halves", settings=Settings())
        client.submit(message, {"style": Picture(height, width, 3, "uint8", data)}).result()
        yield width, height
        client.ask(PresetDelete(name="Halves"))


def test_what_has_a_colour_is_painted_like_what_has_it_in_the_styles_map(
    krita, two_halves, pictures, tmp_path
):
    """So the painting's left becomes orange and its right green, or the other way."""
    with Image.open(pictures["photo"]) as photo:
        photo.resize((80, 60)).save(tmp_path / "small.png")
    for name, left, right in (("same", "black", "white"), ("other", "white", "black")):
        colours = Image.new("RGB", two_halves, left)
        colours.paste(right, (two_halves[0] // 2, 0, *two_halves))
        colours.save(tmp_path / f"{name}.png")
    painted, kept, errors, draft = krita.run(
        BEFORE
        + SCENE
        + """
from impasto import layer_recipes

def main():
    document = yield from scene()
    painted, kept, errors = [], [], []
    quick = Settings(iterations=35, tolerance=0.0, content_weight=0.0, **GRAM)
    for name in ("same", "other", "nowhere"):
        places = Places(picture_map="layer:Right", style_map=f"file:{folder}/{name}.png")
        docker._paint(lambda: Recipe("Halves", quick, places=places))
        painting = docker.painting
        yield from done(document, painting)
        errors.append(docker.words.text())
        if painting and painting.canvas:
            kept.append(layer_recipes.find(document, painting.canvas).places == places)
            painted.append(pixels(painting.canvas, (0, 0, 80, 60)))
        document.nodeByName("Background").setVisible(True)
        yield from active(document, "Background")
    try:
        Places(picture_map="layer:Right")
    except Exception as error:
        errors.append(str(error))
    sys.modules["impasto_protocol.settings"].DRAFT_ITERATIONS = 4
    docker.styles.choose("Dusk")
    docker._take_places(Places("", "", (), "layer:Right", f"file:{folder}/same.png"))
    window = docker.preview
    window.set_shown(True)
    yield from until(lambda: window._words.text().startswith("About"))
    draft = window._before != window._after
    window.set_shown(False)
    docker._take_places(Places())
    yield from closed(document)
    return [painted, kept, errors, draft]
""",
        folder=tmp_path,
        photo=tmp_path / "small.png",
    )
    assert len(painted) == 2 and kept == [True, True]
    red = []
    for each in painted:
        shown = np.frombuffer(bytes.fromhex(each), np.uint8).reshape(60, 80, 4)[..., 2]
        red += [shown[:, :30].mean() - shown[:, 50:].mean()]
    assert red[0] > red[1] + 51, red
    assert errors[0].startswith("Done") and "nowhere.png" in errors[2]
    assert "go together" in errors[3] and draft


def test_mask_that_is_not_there_is_named(krita, pictures):
    words, names = krita.run(
        BEFORE
        + SCENE
        + """
def main():
    document = yield from scene()
    docker._paint(lambda: Recipe("Dusk", Settings(iterations=4), places=Places("layer:Nowhere")))
    yield from until(lambda: docker.painting is None)
    words, names = docker.words.text(), layers(document)
    yield from closed(document)
    return [words, names]
""",
        **pictures,
    )
    assert "layer:Nowhere" in words and len(names) == 3


def test_styles_and_masks_are_chosen_in_a_dialog(krita, pictures):
    places, button, uncovered, offered = krita.run(
        BEFORE
        + SCENE
        + """
from dataclasses import astuple

def fill(dialog):
    dialog._add.click()
    boxes = {box.accessibleName(): box for box in dialog.findChildren(QtWidgets.QComboBox)}
    fields = {box.accessibleName(): box for box in dialog.findChildren(QtWidgets.QSpinBox)}
    fields["Weight of style 2"].setValue(50)
    fields["Stroke size of style 2"].setValue(150)
    for name, data in (("Style 2", "Dawn"), ("Where style 2 goes", "layer:Right"),
                       ("What is taken of style 2", "fine"), ("Strength mask", "layer:Top"),
                       ("What no mask covers", "photograph")):
        box = boxes[name]
        box.setCurrentIndex(box.findData(data))
    global offered
    first = boxes["Where the first style goes"]
    offered = [first.itemText(index) for index in range(first.count())]
    dialog.findChild(QtWidgets.QDialogButtonBox).button(QtWidgets.QDialogButtonBox.Ok).click()

def main():
    document = yield from scene()
    docker.styles.fetch()
    yield from until(lambda: docker.styles.findItems("Dawn", QtCore.Qt.MatchExactly))
    yield from answered(docker.ask_places, fill)
    yield from until(lambda: docker._places.more)
    found = astuple(docker._places)
    button, uncovered = docker._ask_places_button.text(), docker.settings().uncovered
    docker._take_places(Places())
    docker.controls.show_settings(Settings())
    yield from closed(document)
    return [found, button, uncovered, offered]
""",
        **pictures,
    )
    more = ["preset", "Dawn", "layer:Right", 0.5, 1.5, "fine"]
    assert places == ["", "layer:Top", [more], "", ""]
    assert button == "Styles and Masks… (3)" and uncovered == "photograph"
    assert offered == ["Everywhere else", "Layer Background", "Layer Right", "Layer Top"]


def test_preview_has_the_other_styles_and_the_masks(krita, pictures):
    """What is black in the strength's mask, or not selected in one, stays."""
    told = krita.run(
        BEFORE
        + SCENE
        + """
from krita import Selection

sys.modules["impasto_protocol.settings"].DRAFT_ITERATIONS = 4

def halves(image):
    width, height = image.width() // 2 - 8, image.height()
    parts = [image.copy(x, 0, width, height) for x in (0, image.width() - width)]
    return [bytes(part.constBits().asarray(part.byteCount())).hex()
            for part in (part.convertToFormat(QtGui.QImage.Format_RGBA8888) for part in parts)]

def main():
    document = yield from scene()
    docker.styles.fetch()
    yield from until(lambda: docker.styles.findItems("Dawn", QtCore.Qt.MatchExactly))
    docker.styles.choose("Dusk")
    window, told = docker.preview, []
    window.set_shown(True)
    for places in (Places(strength_mask="layer:Right"), Places("", "selection"), Places(
            "", "layer:Right", (MoreStyle("preset", "Dawn", "layer:Top"),))):
        selection = Selection()
        selection.select(document.width() // 2, 0, document.width(), document.height(), 255)
        document.setSelection(selection if places.strength_mask == "selection" else None)
        yield 500
        docker._take_places(places)
        window.forget()
        window._words.setText("")
        yield from until(lambda: window._words.text().startswith("About"))
        told.append([halves(window._before), halves(window._after)])
    window.set_shown(False)
    docker._take_places(Places())
    document.setSelection(None)
    yield from closed(document)
    return told
""",
        **pictures,
    )
    for before, after in told:
        assert before[1] != after[1]
    (layer, one), _selected, (_, two) = told
    assert layer[0] == one[0] == two[0] and one[1] != two[1]
