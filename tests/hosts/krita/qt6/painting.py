"""Scenes in which a layer is painted, or not."""

import json
import re
import threading
from dataclasses import replace
from unittest.mock import Mock, patch

from browser import info
from impasto import draft, layer_recipes, masks, recipe, style_files
from impasto.advanced import AdvancedDialog
from impasto.document_settings import Choice
from impasto.layers import ConversionDocument
from impasto.places import PlacesDialog
from impasto.recipe import Recipe
from krita import Document, Krita
from painter import LEFT, choosing
from PyQt6 import QtCore, QtGui, QtTest, QtWidgets

from impasto_protocol import settings
from impasto_protocol.client import new_job_id
from impasto_protocol.errors import HostUnsupported, StyleUnreadable
from impasto_protocol.fields import to_dict
from impasto_protocol.messages import JobInfo, Report
from impasto_protocol.more_styles import MoreStyle, Places
from impasto_protocol.settings import Settings

BUTTONS = ("Stylise", "Finish Now", "Cancel")
LONG = Settings(iterations=9000, working_px=64, tolerance=0.0)
PROGRESS = re.compile(r"Painting, \d+%, at most (about \d+ (s|min)|\d+\.\d h) to go")


def begin(painter, photo, settings):
    """Have a photograph painted in the style “Dusk”."""
    Krita.document = Document(photo)
    painter.docker._paint(lambda: Recipe("Dusk", settings))


def end(painter, button):
    """End the painting by a button."""
    painter.press(button)
    painter.until("the end", lambda: painter.docker.painting is None)


def words_of(painter):
    return painter.docker.words.text()


def keep(painter, photo, shown):
    Krita.document = Document(photo)
    painter.click(painter.style("Dusk"))
    painter.docker.controls.quality.setCurrentText("Draft")
    painter.docker.controls.strength.setValue(30)
    before = painter.buttons(*BUTTONS)
    painter.press("Stylise")
    painter.until("a painting", lambda: words_of(painter).startswith("Painting"))
    during = painter.buttons(*BUTTONS)
    end(painter, "Finish Now")
    background, painted = Krita.document.root.children
    painter.docker.grab().save(shown)
    return {
        "words": words_of(painter), "name": painted.name(),
        "changed": painted._data != background._data,
        "buttons": [before, during, painter.buttons(*BUTTONS)],
    }  # fmt: skip


def cancel(painter, photo):
    begin(painter, photo, LONG)
    words, values = [], set()

    def moving():
        words.append(words_of(painter))
        values.add(painter.docker._bar.value())
        return PROGRESS.fullmatch(words[-1]) and len(values) > 2

    painter.until("progress in words and in the bar", moving)
    document = Krita.document
    painter.until("a canvas", lambda: len(document.root.children) == 2)
    modified = document.modified()
    end(painter, "Cancel")
    painter.until("the canvas taken out", lambda: len(document.root.children) == 1)
    return {
        "modified": [modified, document.modified()], "words": words_of(painter),
        "steps": len(document.added), "buttons": painter.buttons(*BUTTONS),
    }  # fmt: skip


def lacking(painter, photo):
    """What is said where something is lacking that a painting needs."""
    told = {}
    Krita.document = Document(photo)
    Krita.action("impasto_again").trigger()
    told["recipe"] = words_of(painter)
    painter.style("Dusk")
    painter.press("Stylise")
    told["style"] = words_of(painter)
    Krita.document = None
    painter.click(painter.style("Dusk"))
    painter.press("Stylise")
    told["document"] = words_of(painter)
    painter.press("Copy Diagnostics")
    return {
        **told, "copied": [words_of(painter), painter.docker._copy.text()],
        "diagnostics": QtWidgets.QApplication.clipboard().text(),
        "buttons": painter.buttons(*BUTTONS),
    }  # fmt: skip


def dice(painter):
    thrown = [painter.docker.settings()]
    for _ in range(2):
        painter.press("⚄")
        thrown.append(painter.docker.settings())
    return [[settings.seed, settings.start_noise] for settings in thrown]


def go_back(painter, photo):
    """To a result, from the settings that were saved with a style."""
    docker = painter.docker
    docker.controls.show_settings(Settings(uncovered="photograph"))
    painter.click(painter.style("Bark"))
    saved = docker.settings()
    begin(painter, photo, Settings(strength=0.3, iterations=2, working_px=64))
    painter.until("the end", lambda: docker.painting is None)
    painter.click(painter.style("Bark"))
    again = docker.settings() == saved
    result = docker.results.item(0)
    painted = Krita.document.root.children[1]
    visible = []
    for _ in range(2):
        painter.click(result)
        visible.append(painted.visible())
    before = docker.settings() == saved
    docker.results.itemDoubleClicked.emit(result)
    shown = docker.settings()
    painted.remove()
    painter.click(result)
    return {
        "saved": told_by(saved), "uncovered": saved.uncovered,
        "again": again, "result": told_by(shown),
        "chosen": docker.styles.chosen.name, "visible": visible, "before": before,
        "gone": words_of(painter),
        "icon": not result.icon().isNull(), "remembered": repeated(painter)
    }  # fmt: skip


def told_by(settings):
    return [settings.strength, settings.style_scale, settings.keep_colours, settings.seed]


def repeated(painter):
    """The style of the painting that “Again” begins, its strength, and whether memory is told."""
    Krita.action("impasto_again").trigger()
    begun = painter.docker.painting.recipe
    end(painter, "Cancel")
    return [begun.style, begun.settings.strength, begun.settings.memory_mib > 0]


def map_of_style(painter, photo):
    """Whether its file is read in Krita's own thread; and what becomes of one that is none."""
    in_own = []

    def read(path):
        in_own.append(threading.current_thread() is threading.main_thread())
        raise StyleUnreadable(f"{path} cannot be read.")

    Krita.document = Document(photo)
    places = Places(picture_map="layer:Background", style_map="file:map.png")
    with patch.object(style_files, "read_style", read):
        painter.docker._paint(lambda: Recipe("Dusk", Settings(), places=places))
        painter.until("the end", lambda: painter.docker.painting is None)
    return [in_own, words_of(painter)]


def nothing_on_the_map(painter, photo):
    """What is said where the layer that is to be the style's map is empty."""
    Krita.document = Document(photo)
    empty = Krita.document.createNode("Empty", "paintlayer")
    empty._size = (0, 0)
    Krita.document.root.addChildNode(empty, None)
    try:
        masks.read_map(ConversionDocument(Krita.document), Krita.document, "layer:Empty")
    except HostUnsupported as error:
        return str(error)


def map_followed(painter, photo):
    """Whether the preview sees a change of the layer that is the style's map."""
    docker, Krita.document = painter.docker, Document(photo)
    window, document = docker.preview, Krita.document
    colours = document.createNode("Colours", "paintlayer")
    document.root.addChildNode(colours, None)
    docker._take_places(Places(picture_map="layer:Background", style_map="layer:Colours"))
    window._chosen = lambda: (info("Dusk"), QtGui.QIcon(), Settings())
    window._lacking = lambda *_: ""
    told = []
    for colour in 0, 0, 255:
        colours._data[:] = bytes([colour]) * len(colours._data)
        seen = window._seen
        window._follow()
        told.append(window._seen == seen)
    return told


def alike(painter, photo):
    """Masks and layers of one name: how they are offered, which is which, and when one is gone."""
    Krita.document = document = Document(photo)
    sky, hill, sky_too = (document.createNode(n, "paintlayer") for n in ("Sky", "Hill", "Sky"))
    for layer in sky, hill, sky_too:
        document.root.addChildNode(layer, document.root.children[-1])
    cuts = []
    for layer in sky, hill, hill, sky_too:
        cuts.append(document.createNode("Cut", "transparencymask"))
        layer.addChildNode(cuts[-1], layer.children[-1] if layer.children else None)
    offered = masks.offered(document)
    found = [masks._node(document, key) for key in offered]
    which = [*Krita.document.root.children, *cuts]
    told = [
        offered,
        sorted(map(which.index, found)),
        which.index(masks._node(document, "mask:Cut")),
    ]
    for gone in cuts[0], cuts[2], cuts[3]:
        gone.remove()
    left = masks._node(document, "mask:Hill/Cut")
    return [*told, masks._node(document, "mask:Sky/Cut") is None, left is cuts[1]]


def map_chosen(painter):
    """The map of the style that is chosen after its file was to be chosen, and was."""
    sky = "layer:Sky"
    dialog = PlacesDialog(painter.docker, Places(picture_map=sky, style_map=sky), "style", "Dusk",
                          [], {sky: "Layer Sky"}, print)  # fmt: skip
    box, told = dialog._style_map, []
    for path in ("", "map.png", ""):
        with patch.object(QtWidgets.QFileDialog, "getOpenFileName", lambda *_: (path, "")):  # noqa: B023
            box.setCurrentIndex(box.findData("file:"))
            box.activated.emit(box.currentIndex())
        told.append(dialog.places.style_map)
    return told


def report(jobs):
    return Report(version="", pid=1, uptime_s=1.0, worker="busy", clients=1, dropped=0, jobs=jobs)


def while_baked(painter):
    """What stands there when a baking goes on, after an error and after something else."""
    docker, told = painter.docker, []
    baking = JobInfo(job=new_job_id(), client="", state="running", bakes="Bark", share=0.5)
    for tell in (lambda: docker.fail(StyleUnreadable("No.")), lambda: docker._tell("Done", None)):
        tell()
        docker._show_report(report((baking,)))
        told += [words_of(painter), docker._bar.value()]
    return told


def no_longer_baked(painter):
    """What stands there once a baking for another program has ended, one way or another."""
    docker, told = painter.docker, []
    docker.styles._saver._saved = lambda _: told.append(words_of(painter))

    def hear(state, name="Bark"):
        job = JobInfo(job="a" * 32, client="", state=state, bakes=name)
        docker._show_report(report((job,) if state else ()))

    for state in ("cancelled", "failed", "", "done"):
        docker._tell("", None)
        hear("running")
        hear("running", "Oak")
        assert docker.styles._saver.names == ["Oak"]
        if state == "done":
            docker.fail(StyleUnreadable("No."))
            hear(state, "Oak")
            hear("running")
            docker._tell("", None)
        hear(state)
    return told


def counted(painter):
    """What is told of one and of two steps, variations to come, and jobs that wait."""
    docker, told = painter.docker, []
    docker.results = Mock()
    docker._paint = lambda make, note, series: told.append(note)
    ended = Mock(recipe=Recipe("Dusk", Settings()), notes=[])
    for number in (1, 2):
        docker._further = [ended.recipe] * (number + 1)
        docker._done(ended, Mock(steps=number, seconds=3.0, notes=[]))
        told.append(words_of(painter))
        waiting = (JobInfo(job=new_job_id(), client="", state="queued"),) * number
        docker._show_report(report(waiting))
        told.append(docker.state_words.text().split(" · ")[-1])
    return told


def rounded(painter):
    """Settings that are finer than their boxes show, after OK; and a weight that is entered."""
    fine = Settings(content_weight=1 / 3e7, style_weight=4e-4, tolerance=1 / 3e5,
                    style_layer_weights=(1 / 3,) * 5, strength=0.3)  # fmt: skip
    dialog = AdvancedDialog(painter.docker, fine, by_quality=True)
    dialog.accept()
    kept = dialog.settings == fine
    dialog._editors["style_weight"].show(5e-4)
    dialog.accept()
    return [kept, dialog.settings == replace(fine, style_weight=5e-4)]


def advanced(painter):
    """The settings that are not in the dialog, and what is made of some that are."""
    dialog = AdvancedDialog(painter.docker, Settings(), by_quality=True)
    turned = {"style_rotation": 30.0, "style_rotations": 4, "style_sizes": 2}
    for name, value in turned.items():
        dialog._editors[name].show(value)
    dialog.accept()
    lacking = to_dict(Settings()).keys() - dialog._editors.keys()
    return [sorted(lacking), dialog.settings == Settings(**turned)]


def edit_without_style(painter, photo):
    """A layer's recipe whose style is gone: what the controls say, and the docker."""
    docker, Krita.document = painter.docker, Document(photo)
    docker.styles._fill([])
    made = Recipe("Night", Settings(strength=0.9), style_hash="0")
    layer_recipes.keep(Krita.document, Krita.document.activeNode(), made)
    Krita.action("impasto_edit").trigger()
    return [docker.controls.strength.value(), words_of(painter)]


def refinement_taken_away(painter):
    """What is shown and painted with once it is set in Advanced, and a style was clicked then."""
    docker, told = painter.docker, []

    def set_to_none(dialog):
        dialog._by_quality.setChecked(False)
        dialog._editors["refinement"].show(0)
        dialog.accept()

    def tell():
        told.append([docker.controls.quality.currentText(), docker.settings().refinement])

    with painter.answering("Advanced", set_to_none):
        docker.controls.ask_advanced()
    tell()
    docker.controls.show_style(Settings())
    tell()
    return told


def quality_remembered(painter, settings, is_older):
    """The quality that is chosen at a start after a painting, and how “Again” would refine."""
    told = {"style": "Dusk", "settings": to_dict(Settings(**settings)), "margin": 64}
    if is_older:
        del told["settings"]["refinement"]
    Krita.settings["impasto", "last-recipe"] = json.dumps(told)
    painter.leave()
    docker = Krita.open()
    return [docker.controls.quality.currentText(), recipe.last().settings.refinement]


def renamed_since(painter, photo):
    """What a layer's recipe of several styles has become when they were renamed or replaced."""
    docker, Krita.document = painter.docker, Document(photo)
    told, layer = [], Krita.document.activeNode()
    places = Places(more=(MoreStyle("preset", "Dawn"), MoreStyle("preset", "Night")))
    made = Recipe("Dusk", Settings(), places=places)
    result = Mock(style="Dusk", styles=("Dawn", "Night"), memory_mib=0)
    docker._paint = lambda make, note: told.append(make())

    def styles_of(recipe):
        return [recipe.style, *(style.name for style in recipe.places.more)]

    for kept, now in (
        (made.as_made(result), {"Evening": "Dusk", "Dawn": "?", "Day": "Dawn", "Moon": "Night"}),
        (made, {"Dusk": "Dusk", "Dawn": "?", "Night": "?"}),
        (made.as_made(result), {"Dusk": "Dusk", "Dawn": "Dawn", "Night": "?"}),
    ):
        layer_recipes.keep(Krita.document, layer, kept)
        docker.styles._fill([replace(info(name), style=style) for name, style in now.items()])
        docker.again()
    return [*map(styles_of, told), words_of(painter)]


def busy_at_first(painter, photo):
    """What is said where Krita is busy as a painting is begun, at once where it is cancelled."""
    docker, Krita.document = painter.docker, Document(photo)
    Krita.document.is_at_rest = False
    docker._paint(lambda: Recipe("Dusk", LONG))
    painter.until("a word on that", lambda: words_of(painter).startswith("Krita is busy"))
    docker.cancel()
    return [words_of(painter), docker.painting is None]


def busy_for_a_while(painter, photo):
    """What is said next where Krita was busy as a painting is begun."""
    docker, told, tell = painter.docker, [], painter.docker._tell
    Krita.document = Document(photo)
    Krita.document.is_at_rest = False
    with patch.object(
        docker, "_tell", lambda words, share: told.append(words) or tell(words, share)
    ):
        docker._paint(lambda: Recipe("Dusk", Settings(iterations=2, working_px=64)))
        painter.until("a word on that", lambda: words_of(painter).startswith("Krita is busy"))
        Krita.document.is_at_rest = True
        painter.until("the end", lambda: docker.painting is None)
    return [words for words in told if not words.startswith("Krita is busy")][1]


def busy_at_last(painter, photo):
    """What is said where Krita is busy as it is done, and afterwards."""
    docker, told = painter.docker, []
    begin(painter, photo, Settings(iterations=2, working_px=64))
    Krita.document.is_at_rest = False
    painter.until("a word on that", lambda: words_of(painter).startswith("Krita is busy"))
    told.append(len(Krita.document.root.children))
    Krita.document.is_at_rest = True
    painter.until("the end", lambda: docker.painting is None)
    return [*told, words_of(painter)]


def error_while_busy(painter, photo):
    """What the daemon says of a style that is not there."""
    Krita.document = Document(photo)
    painter.docker._paint(lambda: Recipe("Nowhere", LONG))
    Krita.document.is_at_rest = False
    painter.until("the end", lambda: painter.docker.painting is None)
    return words_of(painter)


def busy_in_preview(painter, photo):
    """What stands there each time that the preview looks and Krita is busy."""
    window, Krita.document = painter.docker.preview, Document(photo)
    Krita.document.is_at_rest = False
    window._chosen = lambda: (info("Dusk"), QtGui.QIcon(), Settings())
    window._lacking = lambda *_: ""
    told = []
    for Krita.document.is_at_rest in (False, False, False, True):
        window._follow()
        told.append(window._words.text())
    return told


def memory_of_documents(painter, photo):
    """The most memory that a painting may take, for one document, another, and the first again."""
    docker, one, two = painter.docker, Document(photo), Document(photo)
    bring_to_front(painter, one)
    docker.controls.show_settings(Settings(memory_mib=2048))
    for document in two, one:
        bring_to_front(painter, document)
    kept = docker.settings().memory_mib
    docker._choose(Choice.of(Recipe("Dusk", docker.settings())))
    return [kept, docker.settings().memory_mib]


def bring_to_front(painter, document):
    Krita.document = document
    painter.docker.canvasChanged(None)
    painter.until("it followed", lambda: not painter.docker._follower.isActive())


def masks_of_documents(painter, photo):
    """The mask that is chosen at a start after a painting, and for one document and another."""
    told = {"style": "Dusk", "settings": to_dict(Settings()), "margin": 64, "mask": "layer:Sky"}
    Krita.settings["impasto", "last-recipe"] = json.dumps(told)
    painter.leave()
    docker = Krita.open()
    painter.docker, masks = docker, [docker._places.mask]
    one, two = Document(photo), Document(photo)
    bring_to_front(painter, one)
    docker._take_places(Places("layer:Sky"))
    for document in two, one:
        bring_to_front(painter, document)
        masks.append(docker._places.mask)
    return masks


def another_layer(painter, photo):
    """What is said, and whether it is painted, where another layer is active by then."""
    docker, Krita.document = painter.docker, Document(photo)
    other = Krita.document.createNode("Other", "paintlayer")
    Krita.document.root.addChildNode(other, None)
    painter.click(painter.style("Dusk"))
    docker.styles._there = False
    painter.press("Stylise")
    Krita.document.setActiveNode(other)
    painter.until("the styles", lambda: docker.styles._there)
    return [words_of(painter), docker.painting is not None]


def paintings(painter):
    """How many paintings the estimate is for."""
    docker = painter.docker
    docker.controls.variations.setValue(4)
    told = []
    for quality in "Instant", "Draft":
        docker.controls.quality.setCurrentText(quality)
        told.append(docker.estimate._paintings())
    return told


def actions(painter, photo):
    """The entries of Krita's own menu."""
    docker, begun = painter.docker, []
    Krita.document = Document(photo)

    with painter.answering("the styles in a menu", choosing("Dusk")):
        Krita.action("impasto_apply_preset").trigger()
    for action in "impasto_stylise", "impasto_again":
        begun.append(docker.painting is not None and docker.painting.recipe.style)
        Krita.action("impasto_cancel").trigger()
        painter.until("the end", lambda: docker.painting is None)
        Krita.action(action).trigger()
    return [*begun, words_of(painter)]


def leave_while_painting(painter, photo):
    begin(painter, photo, LONG)
    document = Krita.document
    painter.until("a canvas", lambda: len(document.root.children) == 2)
    painter.leave()
    painter.until("the canvas taken out", lambda: len(document.root.children) == 1)
    return document.modified()


def preview(painter, photo, shown):
    """Style, layer and a draft, before anything is painted; it gives way to a painting."""
    docker, told = painter.docker, {}
    window, began = docker.preview, []
    Krita.document = Document(photo)
    painter.click(painter.style("Dusk"))
    begin_draft = window._draft.begin

    def begun(content, styles, strength, settings, part):
        scale = draft.of_draft(settings, part).style_scale
        began.append([styles[0].style, settings.strength, scale, [*part]])
        begin_draft(content, styles, strength, settings, part)

    window._draft.begin = begun
    settings.DRAFT_ITERATIONS = 4
    painter.press("Preview")
    drawn = lambda: window._words.text().startswith("About")  # noqa: E731
    painter.until("a draft", drawn)
    told["steps"] = len(Krita.document.added)
    window.grab().save(shown)
    before, after = (_mean(image) for image in (window._before, window._after))
    told["differs"] = before != after
    docker.controls.strength.setValue(80)
    painter.until("another draft", lambda: len(began) == 2 and drawn())
    where = QtCore.QPoint(30, 30)
    QtTest.QTest.mousePress(window._part, LEFT, pos=where)
    QtTest.QTest.mouseMove(window._part, where + QtCore.QPoint(60, 45))
    move = QtGui.QMouseEvent(
        QtCore.QEvent.Type.MouseMove, QtCore.QPointF(90, 75), QtCore.QPointF(90, 75),
        QtCore.Qt.MouseButton.NoButton, LEFT, QtCore.Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QtWidgets.QApplication.sendEvent(window._part, move)
    painter.until("a draft of a part", lambda: len(began) == 3)
    document, Krita.document = Krita.document, None
    painter.until("a word on what is lacking", lambda: window._words.text().startswith("Open a"))
    Krita.document = document
    painter.until("the draft anew", lambda: len(began) == 4)
    item, role = painter.style("Dusk"), QtCore.Qt.ItemDataRole.UserRole
    for number, change in enumerate(({"style": "0"}, {"baked_minutes": 1.0}), 5):
        item.setData(role, replace(item.data(role), **change))
        painter.until(f"a draft of it with {change}", lambda: len(began) == number)  # noqa: B023
    painter.press("Stylise")
    told["gave_way"] = not window._draft.is_painted and docker.painting is not None
    end(painter, "Cancel")
    painter.press("Preview")
    told["closed"] = [window.isVisible(), Krita.settings["impasto", "preview"]]
    return {**told, "began": began}


def _mean(image):
    return image.scaled(1, 1, transformMode=QtCore.Qt.TransformationMode.SmoothTransformation
                        ).pixelColor(0, 0).getRgb()  # fmt: skip
