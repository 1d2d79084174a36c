"""How the docker is seen and reached: in a low window, by keyboard, by a screen reader."""

import os
import time

import pytest
from tests.hosts.conftest import xvfb
from tests.hosts.krita.pieces import BEFORE, LONG

from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.messages import PresetDelete, Stylise
from impasto_protocol.settings import Settings

HEIGHT_PX = 350
WIDTH_PX = 290


@pytest.fixture(scope="module", autouse=True)
def style(saved_style):
    """There is a style to paint in."""


SHOWN = (
    BEFORE
    + """
def placed(height, width):
    window = krita.activeWindow().qwindow()
    window.showNormal()
    window.setGeometry(0, 0, 1366, 740)
    for other in krita.dockers():
        other.setVisible(other is docker or other.objectName() in ("ToolBox", "KisLayerBox"))
    docker.setVisible(True)
    docker.setFloating(True)
    docker.resize(width, height)
    docker.move(800, 60)
    yield 500

def shown(widget):
    part = widget.visibleRegion().boundingRect()
    return widget.isVisible() and part.size() == widget.size()
"""
)


def test_every_control_has_a_name_for_a_screen_reader(krita, pictures):
    unnamed, names = krita.run(
        BEFORE
        + """
def named(widget, labels):
    buddies = [label.text() for label in labels if label.buddy() is widget]
    for call in "accessibleName", "text", "title":
        if own := getattr(widget, call, str)():
            return own
    return buddies and buddies[0]

def inside(widget, kind):
    parent = widget.parentWidget()
    while parent and not isinstance(parent, kind):
        parent = parent.parentWidget()
    return parent is not None

def looked_at(root):
    labels = root.findChildren(QtWidgets.QLabel)
    parts = QtWidgets.QAbstractSpinBox, QtWidgets.QComboBox, QtWidgets.QAbstractItemView
    for widget in root.findChildren(QtWidgets.QWidget):
        bare = isinstance(widget, (QtWidgets.QScrollBar, QtWidgets.QLabel))
        if widget.focusPolicy() and not bare and not inside(widget, parts):
            what = f"{type(widget).__name__} {widget.objectName()} in {root.windowTitle()}"
            yield what, named(widget, labels)

def main():
    yield from opened(photo)
    found = list(looked_at(docker))
    begin(iterations=90_000, working_px=256)
    painting = docker.painting
    yield from until(lambda: painting.canvas)
    found += looked_at(krita.activeWindow().qwindow().statusBar().findChild(
        sys.modules["impasto.status_bar"].StatusBarProgress))
    docker.cancel()
    yield from ended(painting)
    def look(dialog):
        found.extend(looked_at(dialog))
        dialog.reject()
    yield from answered(docker.controls.ask_advanced, look)
    yield from closed(krita.activeDocument())
    return [[what for what, name in found if not name], [name for _, name in found if name]]
""",
        **pictures,
    )
    assert unnamed == []
    for name in (
        "Styles", "Find styles by name or tag", "Add a picture's style", "Strength",
        "Stroke size in percent", "Quality", "Roll the dice", "Finish Now", "Seed",
        "Network: Style layers",
    ):  # fmt: skip
        assert name in names, names


def test_keyboard_alone_leads_from_the_menu_to_the_layer(krita, pictures):
    told = krita.run(
        BEFORE
        + """
from PyQt5 import QtTest

def press(key, times=1):
    for _ in range(times):
        QtTest.QTest.keyClick(QtWidgets.QApplication.focusWidget(), key)
        yield 50

def main():
    document = yield from opened(photo)
    docker.styles.fetch()
    yield from until(lambda: docker.styles.findItems("Dusk", QtCore.Qt.MatchExactly))
    docker.controls.quality.setCurrentIndex(docker.controls.quality.findData("draft"))
    docker.styles.clearSelection()
    docker.setVisible(False)
    krita.activeWindow().qwindow().activateWindow()
    krita.action("impasto_choose").trigger()
    yield 300
    told = [docker.isVisible(), docker.styles.hasFocus(), docker.styles.chosen.name]
    yield from press(QtCore.Qt.Key_Tab, 4)
    told.append(docker.controls.strength.bar.hasFocus())
    docker.controls.strength.setValue(50)
    yield from press(QtCore.Qt.Key_Right, 3)
    told.append(docker.controls.strength.value())
    while not docker._stylise.hasFocus():
        yield from press(QtCore.Qt.Key_Tab)
    yield from press(QtCore.Qt.Key_Space)
    yield from until(lambda: docker.painting)
    painting = docker.painting
    yield from until(lambda: painting.canvas)
    focused = [docker._conclude.hasFocus()]
    yield from press(QtCore.Qt.Key_Space)
    yield from done(document, painting)
    told += [layers(document), [*focused, docker._stylise.hasFocus()]]
    yield from closed(document)
    return told
""",
        **pictures,
    )
    visible, focus, style, slider, strength, names, focused = told
    assert visible and focus and style == "Dusk" and slider
    assert strength == 53
    assert names == ["Background", "Dusk 53%"]
    # And not the seed, which would take Ctrl+Z for itself.
    assert focused == [True, True]


@pytest.fixture
def starter_styles(krita, krita_daemon):
    """For one test there are those that come with Impasto, too."""
    krita_daemon.impasto("style", "starter")
    yield
    with krita_daemon.connect() as client:
        for info in client.presets():
            if info.folder == "Starter":
                client.ask(PresetDelete(name=info.name))
    krita.run(BEFORE + "docker.styles.fetch()")


def test_style_is_chosen_wherever_it_is_clicked(krita, starter_styles, pictures):
    """Their pictures come one by one, after the list is laid out."""
    missed = krita.run(
        SHOWN
        + """
from PyQt5 import QtTest

def main():
    document, styles = (yield from opened(photo)), docker.styles
    yield from placed(700, 290)
    styles.fetch()
    yield from until(lambda: styles.count() > 10 and not styles._without_icon)
    yield from until(lambda: not any(styles.item(row).icon().isNull()
                                     for row in range(styles.count())))
    missed = []
    for item in map(styles.item, range(styles.count())):
        styles.scrollToItem(item)
        place = styles.visualItemRect(item)
        for corner in place.center(), place.topLeft(), place.bottomRight():
            at = (corner + place.center()) / 2
            styles.clearSelection()
            QtTest.QTest.mouseClick(styles.viewport(), QtCore.Qt.LeftButton, pos=at)
            if not styles.chosen or styles.chosen.name != item.text():
                missed.append([item.text(), at.x() - place.x(), at.y() - place.y()])
    yield from closed(document)
    return missed
""",
        **pictures,
    )
    assert missed == []


FIRST_PAINTING = (
    SHOWN
    + """
def main():
    yield from opened(photo)
    # As before any painting.
    docker.results.hide()
    docker._tell("", None)
    docker.styles.fetch()
    docker.styles.choose("Dusk")
    yield from placed(height, width)
    yield from until(lambda: docker.styles.chosen)
    yield from until(docker.estimate.text)
    yield 700
    needed = {"strength": docker.controls.strength, "stroke": docker.controls.scale,
              "quality": docker.controls.quality, "search": docker.styles.sought,
              "add": docker.styles.add, "button": docker._stylise, "styles": docker.styles,
              "more": docker.more.heading}
    item, = docker.styles.findItems("Dusk", QtCore.Qt.MatchExactly)
    rect = docker.styles.visualItemRect(item)
    return [[docker.width(), docker.height()],
            [name for name, widget in needed.items() if not shown(widget)],
            docker.styles.viewport().rect().contains(rect), docker._stylise.text()]
"""
)


def see_first_painting(host, pictures, name, label):
    """All that it needs is in sight in a low docker."""
    size, hidden, thumbnail, said = host.run(
        FIRST_PAINTING, photo=pictures["large"], height=HEIGHT_PX, width=WIDTH_PX
    )
    host.picture(name)
    assert said == label
    assert size == [WIDTH_PX, HEIGHT_PX]
    assert hidden == [] and thumbnail


def test_first_painting_needs_no_scrolling_in_350_px(krita, pictures, version):
    see_first_painting(krita, pictures, f"krita-{version}-350px-en", "Stylise")
    krita.run(BEFORE + "def main():\n    yield from closed(krita.activeDocument())")


@pytest.mark.parametrize(("language", "label"), [("de", "Stilisieren"), ("fr", "Styliser")])
def test_first_painting_needs_no_scrolling_in_longer_words(
    own_krita, krita_daemon, pictures, version, language, label
):
    """Of other languages, which Krita puts into LANGUAGE."""
    with xvfb("1366x768") as screen:
        host = own_krita(screen=screen, IMPASTO_HOME=str(krita_daemon.home), LANGUAGE=language)
        see_first_painting(host, pictures, f"krita-{version}-350px-{language}", label)


def test_progress_stays_in_the_status_bar_when_the_docker_is_closed(krita, pictures):
    told = krita.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    begin(iterations=90_000, working_px=256)
    painting = docker.painting
    bar, = krita.activeWindow().qwindow().statusBar().findChildren(
        sys.modules["impasto.status_bar"].StatusBarProgress)
    docker.setVisible(False)
    other = yield from opened(large)
    yield from until(lambda: painting.canvas and "Painting" in bar._words.text())
    told = [bar.isVisible(), krita.activeDocument() == other]
    button, = (each for each in bar.findChildren(QtWidgets.QPushButton) if each.text() == "Cancel")
    button.click()
    yield from ended(painting)
    told += [bar.isVisible(), len(document.topLevelNodes())]
    docker.setVisible(True)
    yield from closed(other)
    yield from closed(document)
    return told
""",
        **pictures,
    )
    assert told == [True, True, False, 1]


PREVIEW = (
    BEFORE
    + """
def main():
    sys.modules["impasto_protocol.settings"].DRAFT_ITERATIONS = 4
    document = yield from opened(photo)
    docker.styles.fetch()
    docker.styles.choose("Dusk")
    icon = lambda: docker.styles.chosen and docker.styles.currentItem().icon()
    yield from until(lambda: icon() and not icon().isNull())
    docker._see_before.click()
    window = docker.preview
    yield from until(lambda: window._draft.is_painted)
    begun.touch()
    yield from until(lambda: window._words.text().startswith("About"))
    yield 300
    window.grab().save(str(shown))
    told = [document.modified(), window._before != window._after]
    begin(iterations=90_000, working_px=256)
    told.append(not window._draft.is_painted)
    painting = docker.painting
    yield from until(lambda: painting.canvas)
    yield 1000
    told[-1] &= not window._draft.is_painted
    docker.cancel()
    yield from ended(painting)
    yield from until(lambda: window._draft.is_painted)
    yield from until(lambda: window._words.text().startswith("About"))
    before, read = window._before, []
    begin_reading = window._read.begin
    window._read.begin = lambda *arguments: (read.append(1), begin_reading(*arguments))
    docker.controls.strength.setValue(90)
    yield from until(lambda: window._draft.is_painted)
    read_once = not read
    layer = document.topLevelNodes()[0]
    layer.setPixelData(bytes(4 * 300 * 200), 200, 100, 300, 200)
    document.refreshProjection()
    yield from until(lambda: window._before != before)
    yield from until(lambda: window._words.text().startswith("About"))
    told += [read_once, layers(document)]
    remembered = [krita.readSetting("impasto", "preview", "")]
    window.reject()
    remembered.append(krita.readSetting("impasto", "preview", ""))
    remembered.append(docker._see_before.isChecked())
    yield from closed(document)
    return [*told, remembered]
"""
)


def test_preview_is_painted_beside_the_document_and_gives_way(
    krita, krita_daemon, pictures, tmp_path
):
    """To a painting, but not to a draft of another editor."""
    grey = {"content": Picture(64, 64, 3, "uint8", bytes(64 * 64 * 3))}
    settings = Settings(iterations=90_000, tolerance=0.0)
    draft = Stylise(job=new_job_id(), settings=settings, preset="Dusk", draft=True)
    with krita_daemon.connect("GIMP preview") as gimp:
        others = gimp.submit(draft, grey)
        next(others.events())
        number = krita.begin(
            PREVIEW,
            **{**pictures, "photo": pictures["large"]},
            begun=tmp_path / "begun",
            shown=krita.folder / "preview.png",
        )
        deadline = time.monotonic() + 120
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < deadline, krita.log()
            gimp.pump()
            time.sleep(0.1)
        others.cancel()
    told = krita.end(number)
    modified, differ, gave_way, read_once, layers, remembered = told
    assert not modified and differ and gave_way and layers == ["Background"]
    assert read_once
    assert remembered == ["yes", "no", False]


THEMES = {"dark": "Krita dark", "light": "Krita bright"}
SCALES = {"5.1": [1.5], "5.2": [1, 2], "5.3": [1]}


def test_looks(own_krita, krita_daemon, pictures, version):
    """In both themes, at 100, 150 and 200 % where the pictures are kept for people, narrow."""
    for scale in SCALES[version] if os.environ.get("IMPASTO_ARTEFACTS") else SCALES[version][-1:]:
        with xvfb(f"{round(1400 * scale)}x{round(900 * scale)}") as screen:
            host = own_krita(
                screen=screen, IMPASTO_HOME=str(krita_daemon.home), QT_SCALE_FACTOR=str(scale)
            )
            for state, piece in STATES.items():
                told = host.run(piece, **{**pictures, "photo": pictures["large"]})
                for theme, name in THEMES.items():
                    lightness = host.run(WEAR, theme=name)
                    assert (lightness < 128) == (theme == "dark")
                    host.picture(f"krita-{version}-{state}-{theme}-{scale}x")
            host.close()
        words, narrowest, line, results = told
        assert words.startswith("Done") and results == 1
        assert narrowest <= 300
        # Of the button beside it: hardly any height is taken from the settings, also by the longer
        # words where a painting takes more than ten minutes.
        assert line < 2


WEAR = """
def main():
    window = Krita.instance().activeWindow().qwindow()
    for action in window.findChildren(QtWidgets.QAction):
        if action.text().replace("&", "") == theme:
            action.trigger()
    yield 700
    return window.palette().window().color().lightness()
"""
STATES = {
    "idle": BEFORE
    + """
def main():
    yield from opened(photo)
    window = krita.activeWindow().qwindow()
    window.showNormal()
    window.setGeometry(0, 0, 1400, 900)
    docker.styles.fetch()
    docker.styles.choose("Dusk")
    for other in krita.dockers():
        other.setVisible(other is docker or other.objectName() in ("ToolBox", "KisLayerBox"))
    docker.setVisible(True)
    yield 300
    window.resizeDocks([docker], [290], QtCore.Qt.Horizontal)
    yield from until(docker.estimate.text)
    if zoom := krita.action("zoom_to_fit"):
        zoom.trigger()
    yield 700
""",
    "running": BEFORE
    + f"""
def main():
    begin({LONG})
    yield from until(lambda: docker.painting.canvas and ", step" in docker.words.text())
    yield 1200
""",
    "finished": BEFORE
    + """
def main():
    docker.conclude()
    yield from until(lambda: docker.painting is None)
    yield 300
    yield from until(docker.estimate.text)
    yield 100
    narrowest = docker.widget().minimumSizeHint().width()
    line = docker.estimate.height() / docker._stylise.height()
    return [docker.words.text(), narrowest, line, docker.results.count()]
""",
}
