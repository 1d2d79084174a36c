"""Several paintings of one press of Stylise, in a group and one undo step."""

import os
import shutil
from pathlib import Path

import pytest
from tests.hosts.krita.pieces import BEFORE


@pytest.fixture(scope="module", autouse=True)
def style(saved_style):
    """There is a style to paint in."""


SERIES = (
    BEFORE
    + """
from impasto import layer_recipes
from impasto.contact_sheet import ContactSheet

background = document = None

def prepared():
    global document, background
    document = yield from opened(photo)
    docker.styles.fetch()
    yield from until(lambda: docker.styles.count())
    docker.styles.choose("Dusk")
    background, = document.topLevelNodes()
    yield from active(background)

def vary(count, iterations=4):
    docker.controls.show_settings(Settings(iterations=iterations, tolerance=0.0, seed=5, **GRAM))
    docker.controls.variations.setValue(count)
    docker.stylise()

def varying(number, iterations=40):
    yield from prepared()
    vary(3, iterations)
    yield from until(lambda: docker.painting and docker.painting.slot.number == number
                     and docker.painting.canvas)
    return docker.painting

def active(node):
    document.setActiveNode(node)
    yield from until(lambda: document.activeNode().name() == node.name())

def group():
    made, = [node for node in document.topLevelNodes() if node.type() == "grouplayer"]
    return made.childNodes()

def seen():
    return [[node.name(), node.visible()] for node in group()]

def sheet():
    found = docker.window().findChildren(ContactSheet)
    return next((window for window in found if window.isVisible()), None)

def image():
    document.refreshProjection()
    document.waitForDone()
    return bytes(document.rootNode().projectionPixelData(0, 0, 160, 120)).hex()

def settled():
    docker.controls.variations.setValue(1)
    yield from closed(document)
"""
)
NAMES = [f"Dusk 50% ({seed})" for seed in (5, 6, 7)]


def test_variations_are_in_one_group_and_one_undo_step(krita, pictures, tmp_path):
    """One of them is seen: the last, until another is chosen in the window that shows them all."""
    painted, chosen, undone, redone = krita.run(
        SERIES
        + """
def main():
    yield from prepared()
    vary(3)
    yield from until(sheet, 240)
    painted = [seen(), document.activeNode().name(), background.visible(),
               [layer_recipes.find(document, node).settings.seed for node in group()],
               len({pixels(node) for node in group()})]
    window = sheet()
    items = [window.paintings.item(number) for number in range(window.paintings.count())]
    chosen = [[item.text() for item in items], [item.isSelected() for item in items]]
    window.grab().save(str(picture))
    items[0].setSelected(True)
    chosen += [seen(), image() == pixels(group()[0], (0, 0, 160, 120))]
    window.close()
    yield from trigger("edit_undo")
    undone = [layers(document), background.visible(), image() == pixels(background)]
    yield from trigger("edit_redo")
    redone = [seen(), background.visible()]
    yield from settled()
    return [painted, chosen, undone, redone]
""",
        picture=tmp_path / "sheet.png",
        **pictures,
    )
    if folder := os.environ.get("IMPASTO_ARTEFACTS"):
        shutil.copy(tmp_path / "sheet.png", Path(folder) / "krita-contact-sheet.png")
    shown = [[name, name == NAMES[-1]] for name in NAMES]
    assert painted == [shown, "Background", False, [5, 6, 7], 3]
    shown = [[name, name == NAMES[0]] for name in NAMES]
    assert chosen == [NAMES, [False, False, True], shown, True]
    assert undone == [["Background"], True, True]
    assert redone == [shown, False]


@pytest.mark.parametrize(
    "way",
    ["another layer", "cancelled", "cancelled at once", "finished", "undone", "undone at once"],
)
def test_variations_that_end_before_leave_no_empty_layers(krita, pictures, way):
    names, words, waiting = krita.run(
        SERIES
        + """
def main():
    yield from prepared()
    # Its first preview comes after a second.
    vary(3, iterations=20 if way.endswith("at once") else 40)
    second = lambda: docker.painting and docker.painting.slot.number == 1
    if way != "cancelled at once":
        yield from until(lambda: second() and (way == "undone at once" or docker.painting.canvas))
    if way.startswith("cancelled"):
        docker.cancel()
    elif way == "finished":
        docker.conclude()
    elif way.startswith("undone"):
        assert not (way == "undone at once" and docker.painting.canvas)
        yield from trigger("edit_undo")
    while way == "another layer" and docker._further:  # Krita turns to what is inserted, too
        document.setActiveNode(group()[0])
        yield 50
    yield from until(lambda: docker.painting is None)
    yield 800
    names = seen() if len(layers(document)) > 1 else layers(document)
    told = [names, docker.words.text(), docker._further]
    if sheet():
        sheet().close()
    yield from settled()
    return told
""",
        way=way,
        **pictures,
    )
    wanted = {
        "another layer": [[NAMES[0], False], [NAMES[1], True]],
        "cancelled": [[NAMES[0], True]],
        "cancelled at once": ["Background"],
        "finished": [[NAMES[0], False], [NAMES[1], True]],
        "undone": ["Background"],
        "undone at once": ["Background"],
    }
    assert names == wanted[way] and not waiting
    if way == "another layer":
        assert "another layer is the active one" in words
    if way.startswith("undone"):
        assert "was removed" in words


@pytest.mark.parametrize(
    ("as_source", "when"),
    [(True, "while the second is painted"), (False, "between two")],
    ids=["as the layer, while the second is painted", "over it, between two"],
)
def test_variations_that_a_redo_brings_back_have_recipes_and_no_empty_layers(
    krita, pictures, as_source, when
):
    names, kept = krita.run(
        SERIES
        + """
def main():
    yield from prepared()
    docker._as_source.setChecked(as_source)
    vary(3, iterations=20 if when == "between two" else 40)
    second = lambda: docker.painting and docker.painting.slot.number == 1
    yield from until(lambda: second() and (when == "between two" or docker.painting.canvas))
    assert not (when == "between two" and docker.painting.canvas)
    later = docker.painting
    yield from trigger("edit_undo")
    yield from until(lambda: docker.painting is None and later._source is None)
    yield 500
    yield from trigger("edit_redo")
    yield from until(lambda: len(group()) < 3)
    names = seen()
    kept = [layer_recipes.find(document, node).settings.seed for node in group()]
    docker._as_source.setChecked(True)
    yield from settled()
    return [names, kept]
""",
        as_source=as_source,
        when=when,
        **pictures,
    )
    if when == "between two":
        assert names == [[NAMES[0], True]] and kept == [5]
    else:
        assert names == [[NAMES[0], False], [NAMES[1], True]] and kept == [5, 6]


def test_what_was_undone_before_the_variations_can_still_be_redone(krita, pictures):
    """Their empty layers are removed once nothing is left to redo."""
    bare, redone, names = krita.run(
        SERIES
        + """
def main():
    painting = yield from varying(0, iterations=9000)
    yield from until(lambda: painting._step is not None)
    document.rootNode().addChildNode(document.createNode("Other", "paintlayer"), None)
    document.waitForDone()
    yield 300  # Krita tells its steps a little later
    yield from trigger("edit_undo")
    yield from trigger("edit_undo")
    yield from until(lambda: docker.painting is None and painting._source is None)
    yield from trigger("edit_redo")
    yield 500
    bare = len(group())
    yield from trigger("edit_redo")
    redone = "Other" in layers(document)
    yield from until(lambda: len(group()) == 1)
    names = seen()
    yield from settled()
    return [bare, redone, names]
""",
        **pictures,
    )
    assert bare == 3 and redone and names == [[NAMES[0], True]]


def test_variations_that_are_cancelled_at_first_and_redone_have_no_empty_layers(krita, pictures):
    """They cover their layer then, as any painting that a redo brings back."""
    cancelled, redone, undone = krita.run(
        SERIES
        + """
def main():
    painting = yield from varying(0, iterations=9000)
    docker.cancel()
    yield from ended(painting)
    cancelled = [layers(document), background.visible()]
    yield from trigger("edit_redo")
    yield from until(lambda: len(group()) == 1)
    redone = [seen(), group()[0].locked(), background.visible()]
    yield from trigger("edit_undo")  # what was left out
    yield from trigger("edit_undo")
    yield from trigger("edit_undo")
    undone = [layers(document), background.visible()]
    yield from settled()
    return [cancelled, redone, undone]
""",
        **pictures,
    )
    assert cancelled == undone == [["Background"], True]
    assert redone == [[[NAMES[0], True]], False, False]


@pytest.mark.parametrize("number", [0, 1])
def test_variation_that_is_deleted_while_it_is_painted_leaves_no_gap(krita, pictures, number):
    """What it hid is seen: its layer, or the variation before. An undo hides the layer again."""
    deleted, is_seen, undone = krita.run(
        SERIES
        + """
def main():
    painting = yield from varying(number)
    painting.canvas.remove()
    yield from until(lambda: docker.painting is None and painting._source is None)
    yield 500
    deleted = [background.visible(), seen()]
    is_seen = image() == pixels(group()[0] if number else background, (0, 0, 160, 120))
    for _ in range(3 - number):
        yield from trigger("edit_undo")  # what was left out, and the deletion
    undone = background.visible()
    yield from settled()
    return [deleted, is_seen, undone]
""",
        number=number,
        **pictures,
    )
    assert deleted == ([False, [[NAMES[0], True]]] if number else [True, []])
    assert is_seen and not undone


@pytest.mark.parametrize("then", ["cancelled", "moved"])
@pytest.mark.parametrize("of", ["variations", "a part"])
def test_group_that_is_dissolved_while_it_is_painted(krita, version, pictures, of, then):
    if version == "5.1" and of == "a part":
        pytest.skip("has no mask, and so no group")
    words, names, bounds, wrong = krita.run(
        SERIES
        + """
from krita import Selection

def main():
    wrong, shown = [], sys.excepthook
    sys.excepthook = lambda *error: wrong.append(str(error))
    if of == "variations":
        painting = yield from varying(0, iterations=9000)
    else:
        yield from prepared()
        background.setOpacity(200)
        part = Selection()
        part.select(50, 40, 60, 50, 255)
        document.setSelection(part)
        begin(iterations=9000, working_px=256)
        painting = docker.painting
        yield from until(lambda: painting.canvas)
    yield from until(lambda: painting._step is not None)
    yield from active(document.topLevelNodes()[1])
    yield from trigger("quick_ungroup")
    assert not [node for node in document.topLevelNodes() if node.type() == "grouplayer"]
    if then == "moved":
        background.move(7, 8)
        document.waitForDone()
        docker.conclude()
        yield from until(lambda: docker.painting is None)
    else:
        docker.cancel()
        yield from ended(painting)
    yield 800
    words, names = docker.words.text(), sorted(layers(document))
    box = painting.canvas and painting.canvas.bounds()
    if sheet():
        sheet().close()
    document.setSelection(None)
    yield from settled()
    sys.excepthook = shown
    return [words, names, box and [box.x(), box.y(), box.width(), box.height()], wrong]
""",
        of=of,
        then=then,
        **pictures,
    )
    assert not wrong
    if then == "cancelled":
        assert words == "The job was cancelled." and names == ["Background"]
    else:
        assert words.startswith("Done") and bounds[:2] == (
            [7, 8] if of == "variations" else [57, 48]
        )


def test_document_closed_during_a_later_variation_ends_them_quietly(krita, pictures):
    words, wrong = krita.run(
        SERIES
        + """
def main():
    wrong, shown = [], sys.excepthook
    sys.excepthook = lambda *error: wrong.append(str(error))
    yield from varying(1)
    yield from settled()
    yield from until(lambda: docker.painting is None)
    yield 800
    sys.excepthook = shown
    return [docker.words.text(), wrong]
""",
        **pictures,
    )
    assert words == "The document was closed." and not wrong


def test_snapshots_are_hidden_layers_below_the_painting(krita, pictures):
    """Of steps that were reached; the group takes the mode of the layer, and is one undo step."""
    painted, sheets, undone = krita.run(
        SERIES
        + """
def main():
    yield from prepared()
    background.setBlendingMode("multiply")
    background.setOpacity(200)
    settings = Settings(iterations=6, tolerance=0.0, snapshots=(2, 4, 5000), **GRAM)
    docker.controls.show_settings(settings)
    docker.stylise()
    yield from until(sheet, 240)
    made = document.topLevelNodes()[-1]
    painted = [made.name(), made.blendingMode(), made.opacity(), seen(),
               [node.blendingMode() for node in group()], len({pixels(node) for node in group()})]
    sheets = sheet().paintings.count()
    sheet().close()
    yield from trigger("edit_undo")  # what was left out
    yield from trigger("edit_undo")
    yield 300
    undone = layers(document)
    yield from settled()
    return [painted, sheets, undone]
""",
        **pictures,
    )
    names = ["Dusk 50%, after 2 steps", "Dusk 50%, after 4 steps", "Dusk 50%, finished"]
    shown = [[name, name == names[-1]] for name in names]
    assert painted == ["Dusk 50%", "multiply", 200, shown, ["normal"] * 3, 3]
    assert sheets == 3 and undone == ["Background"]


@pytest.mark.parametrize("meanwhile", ["as it was", "elsewhere"])
def test_variations_of_a_selection_are_cut_by_it(krita, pictures, meanwhile):
    """By that of the press, whatever is selected when a later one begins."""
    told = krita.run(
        SERIES
        + """
from krita import Selection
def main():
    yield from prepared()
    chosen = Selection()
    chosen.select(40, 30, 60, 50, 255)
    document.setSelection(chosen)
    before = image()
    vary(2)
    if meanwhile == "elsewhere":
        chosen = Selection()
        chosen.select(0, 0, 160, 15, 255)
        document.setSelection(chosen)
    yield from until(sheet, 240)
    after = image()
    row = 160 * 8
    outside = [before[:20 * row] == after[:20 * row], before[90 * row:] == after[90 * row:]]
    inside = before[30 * row:80 * row] != after[30 * row:80 * row]
    told = [seen(), *outside, inside]
    sheet().close()
    document.setSelection(None)
    yield from settled()
    return told
""",
        meanwhile=meanwhile,
        **pictures,
    )
    assert told == [[[NAMES[0], False], [NAMES[1], True]], True, True, True]


def test_variations_go_by_the_masks_of_the_press(krita, pictures):
    """Whatever is selected when a later one begins, or becomes of the mask."""
    told = krita.run(
        SERIES
        + """
from krita import Selection
from impasto_protocol.more_styles import Places
def main():
    yield from prepared()
    chosen = Selection()
    chosen.select(40, 30, 60, 50, 255)
    mask = document.createNode("Where", "paintlayer")
    mask.setPixelData(QtCore.QByteArray(bytes([255] * 4) * (80 * 120)), 0, 0, 80, 120)
    document.rootNode().addChildNode(mask, None)
    yield from active(background)
    document.setSelection(chosen)
    docker._take_places(Places("layer:Where", "selection"))
    vary(2)
    yield from until(lambda: docker.painting and docker.painting._sent)
    document.setSelection(None)
    mask.remove()
    yield from until(lambda: sheet() or not docker.painting and not docker._further, 240)
    told = [docker.words.text(), seen()]
    if sheet():
        sheet().close()
    docker._take_places(Places())
    yield from settled()
    return told
""",
        **pictures,
    )
    assert told[0].startswith("Done") and told[1] == [[NAMES[0], False], [NAMES[1], True]]
