"""The docker as a painter meets it: live previews, cancel, what breaks, and how it looks."""

import shutil
import sys
import time
from pathlib import Path

import pytest
from tests.hosts.conftest import xvfb
from tests.hosts.krita.conftest import PYTHONS, install, save_style
from tests.hosts.krita.pieces import BEFORE, BEGUN, LONG

from impasto_protocol.messages import PresetDelete

IMPASTO = str(Path(sys.executable).with_name("impasto"))


@pytest.fixture(scope="module", autouse=True)
def style(saved_style):
    """There is a style to paint in."""


def test_picture_dropped_on_the_list_becomes_a_style(krita, pictures, krita_daemon):
    names = krita.run(
        BEFORE
        + """
def main():
    mime = QtCore.QMimeData()
    mime.setUrls([QtCore.QUrl.fromLocalFile(str(style))])
    drop = QtGui.QDropEvent(
        QtCore.QPointF(5, 5), QtCore.Qt.CopyAction, mime, QtCore.Qt.LeftButton, QtCore.Qt.NoModifier
    )
    docker.styles.dropEvent(drop)
    yield from until(lambda: docker.styles.findItems("style", QtCore.Qt.MatchExactly))
    item, = docker.styles.findItems("style", QtCore.Qt.MatchExactly)
    yield from until(lambda: not item.icon().isNull())
    yield from until(lambda: docker.styles.chosen and docker.styles.chosen.name == "style")
    return [docker.styles.item(row).text() for row in range(docker.styles.count())]
""",
        **pictures,
    )
    assert names == ["Dusk", "style"]
    with krita_daemon.connect() as client:
        client.ask(PresetDelete(name="style"))


@pytest.mark.parametrize("ending", ["safetensors", "zip"])
def test_style_exported_and_imported(krita, krita_daemon, tmp_path, ending):
    words, chosen, wrong = krita.run(
        BEFORE
        + """
from impasto_protocol.messages import PresetRename

def main():
    docker.styles.fetch()
    yield from until(lambda: docker.styles.findItems("Dusk", QtCore.Qt.MatchExactly))
    docker.styles.export("Dusk", str(file))
    yield from until(file.exists)
    yield 500
    docker._link.ask(PresetRename(name="Dusk", new_name="Dawn"), lambda *_: None, print)
    docker.styles.fetch()
    yield from until(lambda: docker.styles.findItems("Dawn", QtCore.Qt.MatchExactly))
    docker.styles.add_saved(str(file))
    yield from until(lambda: docker.words.text().startswith("Imported"))
    words = docker.words.text()
    yield from until(lambda: docker.styles.findItems("Dusk", QtCore.Qt.MatchExactly))
    yield 500
    chosen = docker.styles.chosen
    file.write_bytes(b"PK nothing of the kind")
    docker.styles.add_saved(str(file))
    yield from until(lambda: docker.words.text() != words)
    return [words, chosen and chosen.name, docker.words.text()]
""",
        file=tmp_path / f"Dusk.{ending}",
    )
    assert words == "Imported: Dusk." and chosen == "Dusk"
    assert not wrong.startswith("Something went wrong"), wrong
    with krita_daemon.connect() as client:
        client.ask(PresetDelete(name="Dawn"))


def test_styles_are_found_by_folder_name_and_tag(krita, krita_daemon):
    told, chosen, taken = krita.run(
        BEFORE
        + """
from PyQt5 import QtWidgets
from impasto_protocol.messages import PresetSort

def shown():
    items = map(docker.styles.item, range(docker.styles.count()))
    return [item.text() for item in items if not item.isHidden()]

def main():
    styles = docker.styles
    styles.fetch()
    yield from until(lambda: "Dusk" in shown())
    sorted = PresetSort(name="Dusk", folder="Evenings", tags=("calm", "blue"))
    styles._change(lambda: sorted, "Dusk")
    yield from until(lambda: styles.folders.findData("Evenings") == 1)
    told = [shown()]
    for words in "CALM", "usk", "evening blue", "loud":
        styles.sought.setText(words)
        told.append(shown())
    told.append(styles.chosen is None)
    styles.choose("Dusk")
    told += [shown(), styles.sought.text()]
    styles.folders.setCurrentIndex(1)
    told.append(shown())
    menu, taken = QtWidgets.QMenu(), []
    styles.fill_menu(menu, taken.append)
    folder, = menu.actions()
    folder.menu().actions()[0].trigger()
    styles._change(lambda: PresetSort(name="Dusk", folder="../x"), "Dusk")
    yield from until(lambda: "may not hold" in docker.words.text())
    styles._change(lambda: PresetSort(name="Dusk", folder="", tags=()), "Dusk")
    yield from until(lambda: styles.folders.count() == 1)
    return [told, [folder.text(), styles.chosen.name], taken]
""",
    )
    one = ["Dusk"]
    assert told == [one, one, one, one, [], True, one, "", one]
    assert chosen == ["Evenings", "Dusk"] and taken == one


def test_style_renamed_and_deleted_by_its_dialogs(krita, krita_daemon, pictures):
    seen = krita.run(
        BEFORE
        + """
def answered(call, answer):
    QtCore.QTimer.singleShot(0, call)
    yield from until(QtWidgets.QApplication.activeModalWidget)
    dialog = QtWidgets.QApplication.activeModalWidget()
    yield 200
    answer(dialog)
    yield from until(lambda: not QtWidgets.QApplication.activeModalWidget())

def call_it(name):
    def answer(dialog):
        dialog.setTextValue(name)
        dialog.accept()
    return answer

def agree(dialog):
    dialog.button(QtWidgets.QMessageBox.Yes).click()

def main():
    styles = docker.styles
    found = lambda name: styles.findItems(name, QtCore.Qt.MatchExactly)
    styles.add_picture(str(style))
    yield from until(lambda: found("style"))
    yield from answered(lambda: styles._rename("style"), call_it("Dawn"))
    yield from until(lambda: found("Dawn"))
    yield from answered(lambda: styles._rename("Dawn"), call_it("x" * 65))
    yield from until(lambda: "added" not in docker.words.text())
    wrong = docker.words.text()
    yield from answered(lambda: styles._delete("Dawn"), agree)
    yield from until(lambda: not found("Dawn"))
    return [wrong, [styles.item(row).text() for row in range(styles.count())]]
""",
        **pictures,
    )
    wrong, names = seen
    assert "64" in wrong and "Something went wrong" not in wrong
    assert names == ["Dusk"]


def test_actions_do_what_menu_and_controls_say(own_krita, krita_daemon, pictures):
    """In a Krita whose docker was hidden so far, so that no style has been fetched."""
    host = own_krita(IMPASTO_HOME=str(krita_daemon.home))
    names, visible, applied, made = host.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    docker.setVisible(False)
    krita.action("impasto_apply_preset").trigger()
    yield from until(QtWidgets.QApplication.activePopupWidget)
    menu = QtWidgets.QApplication.activePopupWidget()
    told = [[action.text() for action in menu.actions()], docker.isVisible()]
    docker._quality.setCurrentIndex(0)
    menu.actions()[0].trigger()
    menu.close()
    told.append([docker.painting.recipe.style, docker.painting.recipe.settings.strength])
    yield from until(lambda: docker.words.text().startswith("Painting"))
    krita.action("impasto_cancel").trigger()
    yield from until(lambda: docker.painting is None)
    yield 1500
    docker._strength.setValue(30)
    docker._scale.setValue(150)
    docker._keep_colours.setChecked(True)
    docker._seed.setValue(7)
    krita.action("impasto_stylise").trigger()
    settings = docker.painting.recipe.settings
    told.append([settings.strength, settings.style_scale, settings.keep_colours, settings.seed,
                 settings == docker.settings()])
    docker.cancel()
    yield from until(lambda: docker.painting is None)
    yield 1500
    yield from closed(document)
    return told
""",
        **pictures,
    )
    assert names == ["Dusk"] and visible
    assert applied == ["Dusk", 0.5] and made == [0.3, 1.5, True, 7, True]


def test_event_loop_is_not_held_up(krita, pictures):
    """Small pictures, so that Krita's own calls are short: what is left is the plug-in's."""
    gaps = krita.run(
        BEGUN
        + """
def main():
    document, before = yield from begun()
    clock = QtCore.QElapsedTimer()
    gaps = []
    clock.start()
    def tick():
        gaps.append(clock.restart())
    timer = QtCore.QTimer()
    timer.timeout.connect(tick)
    timer.start(1)
    yield 4000
    timer.stop()
    docker.cancel()
    yield from until(lambda: docker.painting is None)
    yield 1500
    yield from closed(document)
    return sorted(gaps)[-5:]
""",
        **pictures,
    )
    print(f"\nlongest gaps of Krita's event loop while it paints: {gaps} ms")
    assert gaps[-1] < 2000


def test_killed_daemon_is_noticed_and_the_next_painting_starts_another(
    own_krita, own_daemon, pictures
):
    daemon = own_daemon()
    save_style(daemon, pictures)
    host = own_krita(
        IMPASTO_HOME=str(daemon.home), IMPASTO_DOWNLOAD="false", IMPASTO_COMMAND=IMPASTO
    )
    number = host.begin(
        BEGUN
        + """
def main():
    document, before = yield from begun()
    (folder / "begun").touch()
    yield from until(lambda: docker.painting is None)
    yield 1500
    first = [docker.words.text(), docker.state_words.text(), tree(document.rootNode()) == before]
    begin()
    assert docker._link.state == "connecting"
    docker.cancel()
    yield from until(lambda: docker.painting is None)
    first.append(docker.words.text())
    yield from painted(document)
    return [*first, docker.words.text()]
""",
        folder=host.folder,
        **pictures,
    )
    deadline = time.monotonic() + 150
    while not (host.folder / "begun").exists():
        assert time.monotonic() < deadline, host.log()
        time.sleep(0.1)
    daemon.process.kill()
    words, state, unchanged, cancelled, again = host.end(number)
    assert words.startswith("The daemon has") and "not connected" in state and unchanged
    assert cancelled == "The job was cancelled."  # pressed while the other daemon was starting
    # It has no weights, which is said as well, with what to do.
    assert again.startswith("Done") and "impasto weights fetch" in again, again
    assert daemon.impasto("daemon", "stop").returncode == 0


def test_no_daemon_and_none_to_start(own_krita, tmp_path, pictures):
    host = own_krita(IMPASTO_HOME=str(tmp_path / "home"))
    words, copied = host.run(
        BEFORE
        + """
def main():
    words = yield from failed()
    docker._copy_diagnostics()
    return [words, QtWidgets.QApplication.clipboard().text()]
""",
        **pictures,
    )
    assert "`impasto` was not found" in words and "Install Impasto" in words
    assert "error: DAEMON_NOT_RUNNING" in copied and "host: Krita" in copied


def test_without_pyzmq_the_bridge_serves(own_krita, version, krita_daemon, pictures, tmp_path):
    data = install(tmp_path / "data", PYTHONS[version], pyzmq=False)
    hide = data / "krita" / "pykrita" / "impasto" / "vendor" / "zmq"
    hide.mkdir()
    (hide / "__init__.py").write_text("raise ImportError('no pyzmq here')")
    host = own_krita(
        data=data, IMPASTO_HOME=str(krita_daemon.home), IMPASTO_COMMAND=IMPASTO
    )  # fmt: skip
    words, names, link = host.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    yield from painted(document)
    names = [node.name() for node in document.topLevelNodes()]
    return [docker.words.text(), names, type(docker._link.client._link).__name__]
""",
        **pictures,
    )
    assert words.startswith("Done") and names == ["Background", "Dusk 50%"]
    assert link == "BridgeLink"


def test_other_version_of_the_protocol_says_which_side_to_update(
    own_krita, version, krita_daemon, pictures, tmp_path
):
    data = install(tmp_path / "data", PYTHONS[version])
    limits = data / "krita/pykrita/impasto/vendor/impasto_protocol/limits.py"
    limits.write_text(limits.read_text().replace("PROTOCOL_MAJOR = 1", "PROTOCOL_MAJOR = 0"))
    words = own_krita(data=data, IMPASTO_HOME=str(krita_daemon.home)).run(
        BEFORE + "main = failed",
        **pictures,
    )
    assert "Update the plug-in" in words


@pytest.mark.parametrize("missing", ["link.py", "vendor/impasto_protocol", "vendor/msgpack"])
def test_files_missing_are_said_in_the_docker(own_krita, version, tmp_path, missing):
    data = install(tmp_path / "data", PYTHONS[version])
    plugin = data / "krita" / "pykrita" / "impasto"
    gone = plugin / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    if missing.endswith("msgpack"):
        gone.mkdir()
        (gone / "__init__.py").write_text("raise ImportError('broken', name='msgpack')")
    words = own_krita(data=data).run(
        """
window = Krita.instance().activeWindow().qwindow()
docks = [d for d in window.findChildren(QtWidgets.QDockWidget) if d.windowTitle() == "Impasto"]
answer = [label.text() for dock in docks for label in dock.findChildren(QtWidgets.QLabel)]
"""
    )
    assert any("not complete" in each and "Install Impasto again" in each for each in words)


THEMES = {"dark": "Krita dark", "light": "Krita bright"}
SCALES = {"5.1": [1], "5.2": [1, 2]}


def test_looks(own_krita, krita_daemon, pictures, version):
    """In both themes, at the usual and at double scale, narrow. The pictures are for people."""
    for scale in SCALES[version]:
        with xvfb(f"{1400 * scale}x{900 * scale}") as screen:
            host = own_krita(
                screen=screen, IMPASTO_HOME=str(krita_daemon.home), QT_SCALE_FACTOR=str(scale)
            )
            for state, piece in STATES.items():
                told = host.run(piece, **{**pictures, "photo": pictures["large"]})
                for theme, name in THEMES.items():
                    host.run(WEAR, theme=name)
                    host.picture(f"krita-{version}-{state}-{theme}-{scale}x")
            host.close()
        words, narrowest, results = told
        assert words.startswith("Done") and results == 1
        assert narrowest <= 300


WEAR = """
def main():
    window = Krita.instance().activeWindow().qwindow()
    for action in window.findChildren(QtWidgets.QAction):
        if action.text().replace("&", "") == theme:
            action.trigger()
    yield 1000
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
    yield 300
    if zoom := krita.action("zoom_to_fit"):
        zoom.trigger()
    yield 700
""",
    "running": BEFORE
    + f"""
def main():
    begin({LONG})
    yield from until(lambda: docker.painting.canvas)
    yield 2000
""",
    "finished": BEFORE
    + """
def main():
    docker.conclude()
    yield from until(lambda: docker.painting is None)
    yield 500
    narrowest = docker.widget().minimumSizeHint().width()
    return [docker.words.text(), narrowest, docker.results.count()]
""",
}
