"""The recipes of painted layers: kept in the document, found again, repeated by Again."""

import pytest
from tests.hosts.krita.pieces import BEFORE


@pytest.fixture(scope="module", autouse=True)
def style(saved_style):
    """There is a style to paint in."""


@pytest.mark.in_oldest
def test_again_repeats_the_layer_s_own_recipe_also_of_a_file_that_was_closed(
    krita, pictures, tmp_path
):
    told = krita.run(
        BEFORE
        + """
from dataclasses import replace
from impasto import layer_recipes
from impasto_protocol.messages import PresetRename

def named(name):
    node, = [node for node in document.topLevelNodes() if node.name() == name]
    return node

def repeated(node):
    document.setActiveNode(node)
    yield 300
    docker.again()
    begun = docker.painting and docker.painting.recipe
    words, painting = docker.words.text(), docker.painting
    docker.cancel()
    yield from until(lambda: docker.painting is None)
    yield 300
    return [words, begun and [begun.style, begun.settings.strength]]

def renamed(old, new):
    docker._daemon.ask(PresetRename(name=old, new_name=new), lambda *_: None, print)
    docker.styles.fetch()
    yield from until(lambda: new in [info.name for info in docker.styles.infos])

def main():
    global document
    document = yield from opened(photo)
    docker.styles.fetch()
    yield from until(lambda: docker.styles.count())
    for strength in (0.9, 0.2):
        yield from painted(document, strength=strength)
    assert document.saveAs(str(folder / "painted.kra"))
    document.waitForDone()
    yield from closed(document)
    docker.controls.strength.setValue(55)
    document = yield from opened(folder / "painted.kra")
    yield from until(lambda: docker.controls.strength.value() == 20)
    own = named("Dusk 90%")
    told = {"own": (yield from repeated(own))}
    told["other"] = yield from repeated(named("Background"))
    copy = own.duplicate()
    copy.setName("Copy")
    document.rootNode().addChildNode(copy, own)
    document.waitForDone()
    told["copy"] = yield from repeated(copy)
    yield from renamed("Dusk", "Dawn")
    told["renamed"] = yield from repeated(own)
    yield from renamed("Dawn", "Dusk")
    kept = layer_recipes.find(document, own)
    layer_recipes.keep(document, copy, replace(kept, style="Night", style_hash="0"))
    told["gone"] = yield from repeated(copy)
    layer_recipes.keep(document, copy, replace(kept, style_hash="0"))
    told["another"] = yield from repeated(copy)
    copy.remove()
    for node in document.topLevelNodes()[:2]:
        node.setVisible(True)  # what is not seen Krita does not merge
    own.mergeDown()
    document.waitForDone()
    yield 300
    told["merged"] = yield from repeated(document.topLevelNodes()[0])
    told["layers"] = layers(document)
    yield from closed(document)
    return told
""",
        folder=tmp_path,
        **pictures,
    )
    words, begun = told["own"]
    assert "the recipe of “Dusk 90%”" in words and begun == ["Dusk", 0.9]
    words, begun = told["other"]
    assert "“Background” has no recipe of its own" in words and "Dusk 20%" in words
    assert begun == ["Dusk", 0.2]
    assert told["copy"][1] == ["Dusk", 0.9]
    assert told["renamed"][1] == ["Dawn", 0.9]
    words, begun = told["gone"]
    assert words.startswith("The style “Night” is gone. Import it") and begun is None
    words, begun = told["another"]
    assert words.startswith("“Dusk” is another style now") and begun is None
    assert len(told["layers"]) == 2 and told["merged"][1] == ["Dusk", 0.9]


@pytest.mark.in_oldest
def test_recipe_of_a_layer_is_edited_also_of_a_file_that_was_closed(krita, pictures, tmp_path):
    shown, painted, refused, after = krita.run(
        BEFORE
        + """
def named(name):
    node, = [node for node in document.topLevelNodes() if node.name().startswith(name)]
    return node

def edited(node):
    document.setActiveNode(node)
    yield from until(lambda: document.activeNode().name() == node.name())
    krita.action("impasto_edit").trigger()
    yield from until(lambda: "ecipe" in docker.words.text())
    return [docker.words.text(), docker.controls.strength.value(), docker.styles.chosen.name]

def main():
    global document
    document = yield from opened(photo)
    docker.styles.fetch()
    yield from until(lambda: docker.styles.count())
    yield from painted(document, strength=0.85)
    assert document.saveAs(str(folder / "edited.kra"))
    document.waitForDone()
    yield from closed(document)
    document = yield from opened(folder / "edited.kra")
    docker.controls.strength.setValue(30)
    docker._tell("", None)
    shown = yield from edited(named("Dusk"))
    strength = docker._chosen().recipe().settings.strength
    docker.controls.strength.setValue(40)
    docker._tell("", None)
    refused = yield from edited(named("Background"))
    after = docker.controls.strength.value()
    yield from closed(document)
    return [shown, strength, refused, after]
""",
        folder=tmp_path,
        **pictures,
    )
    assert shown == ["This is the recipe of “Dusk 85%”.", 85, "Dusk"] and painted == 0.85
    assert "has no recipe" in refused[0] and "Choose a layer" in refused[0] and after == 40


def test_controls_are_remembered_for_each_document(krita, pictures):
    told = krita.run(
        BEFORE
        + """
def chosen(document):
    view, = [view for view in krita.activeWindow().views() if view.document() == document]
    view.setVisible()
    yield from until(lambda: krita.activeDocument() == document)
    yield 300
    return [docker.controls.strength.value(), docker.controls.quality.currentIndex()]

def main():
    one = yield from opened(photo)
    docker.controls.strength.setValue(30)
    docker.controls.quality.setCurrentIndex(0)
    two = yield from opened(large)
    yield 300
    told = [docker.controls.strength.value()]
    docker.controls.strength.setValue(70)
    docker.controls.quality.setCurrentIndex(1)
    told.append((yield from chosen(one)))
    told.append((yield from chosen(two)))
    for document in (one, two):
        yield from closed(document)
    return told
""",
        **pictures,
    )
    assert told == [30, [30, 0], [70, 1]]


def test_settings_of_a_result_of_another_document_are_edited_there(krita, pictures):
    told = krita.run(
        BEFORE
        + """
def main():
    docker.styles.fetch()
    yield from until(lambda: docker.styles.count())
    one = yield from opened(photo)
    yield from painted(one, strength=0.9)
    docker.controls.strength.setValue(20)
    two = yield from opened(large)
    yield 300
    docker.controls.strength.setValue(70)
    docker.results.take_again(docker.results.item(0))
    yield from until(lambda: krita.activeDocument() == one)
    yield 300
    told = [docker.controls.strength.value()]
    view, = [view for view in krita.activeWindow().views() if view.document() == two]
    view.setVisible()
    yield from until(lambda: krita.activeDocument() == two)
    yield 300
    told.append(docker.controls.strength.value())
    for document in (one, two):
        yield from closed(document)
    return told
""",
        **pictures,
    )
    assert told == [90, 70]
