"""Scenes with the browser of styles."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from impasto.document_settings import Choice
from impasto.recent_styles import recent_styles, remember_style
from painter import agreeing, declining, naming, typing
from PyQt6 import QtCore, QtGui, QtTest, QtWidgets

from impasto_protocol.messages import PresetInfo
from impasto_protocol.settings import Settings


def names_in(styles):
    return [styles.item(row).text() for row in range(styles.count())]


def read(words, form=None):
    """What a painter reads where Qt is given words, and may take them for HTML."""
    form = form or QtWidgets.QLabel().textFormat()
    if not QtCore.Qt.mightBeRichText(words) or form == form.PlainText:
        return words
    document = QtGui.QTextDocument()
    document.setHtml(words)
    return document.toPlainText()


def info(name, folder="", tags=()):
    return PresetInfo(
        name=name, folder=folder, tags=tags, settings=Settings(), width=1, height=1, sizes=(),
        network="", style=name, size_bytes=0,
    )  # fmt: skip


def pressed(painter):
    """The style that is chosen after each button of the mouse was pressed on another."""
    styles, chosen = painter.docker.styles, []
    for button in (QtCore.Qt.MouseButton.RightButton, QtCore.Qt.MouseButton.LeftButton):
        styles._fill([info("Dawn"), info("Dusk")])
        styles.choose("Dawn")
        styles.doItemsLayout()
        at = QtCore.QPointF(styles.visualItemRect(styles.item(1)).center())
        none = QtCore.Qt.KeyboardModifier.NoModifier
        kind = QtCore.QEvent.Type.MouseButtonPress
        event = QtGui.QMouseEvent(kind, at, at, button, button, none)
        QtWidgets.QApplication.sendEvent(styles.viewport(), event)
        chosen.append(styles.chosen.name)
    return chosen


def space(painter):
    """The strength that is set when the style at hand is chosen by the keyboard."""
    styles = painter.docker.styles
    dawn = info("Dawn")
    styles._fill([replace(dawn, settings=Settings(strength=0.9))])
    styles.setCurrentItem(styles.item(0))
    styles.choose("")
    QtTest.QTest.keyClick(styles, QtCore.Qt.Key.Key_Space)
    return [styles.chosen.name, painter.docker.controls.strength.value()]


def names(painter, name, folder):
    """A style whose name, folder and tag are like HTML, wherever they are shown."""
    styles, words = painter.docker.styles, painter.docker.words
    styles._fill([info(name, folder, (name,))])
    menu = QtWidgets.QMenu()
    styles.fill_menu(menu, print)
    (of_folder,) = menu.actions()
    (of_style,) = of_folder.menu().actions()
    painter.docker._tell(name, None)
    beside = painter.docker._in_status_bar.findChildren(QtWidgets.QLabel)
    with patch.object(QtWidgets.QMessageBox, "question") as question:
        styles.editor.delete(name)
    return {
        "tooltip": read(styles.item(0).toolTip()),
        "menu": [of_folder.text(), of_style.text()],
        "words": read(words.text(), words.textFormat()),
        "status": [[label.textFormat().name, read(label.toolTip())] for label in beside],
        "question": read(question.call_args.args[2]),
    }


def drop(painter, style, twins, saved, unreadable):
    styles, words = painter.docker.styles, painter.docker.words
    painter.style("Dusk")
    painter.drop(style)
    painter.press("Cancel")
    cancelled = words.text()
    painter.drop(style)
    painter.until("its icon", lambda: not painter.style("style").icon().isNull())
    painter.until("it chosen", lambda: styles.chosen and styles.chosen.name == "style")
    painter.drop(*twins)
    painter.style("bark 2")
    painter.until("both", lambda: "bark" in names_in(styles))
    painter.drop(saved)
    painter.style("Evening")
    painter.drop(unreadable)
    painter.until("what is wrong", lambda: Path(unreadable).name in words.text()
                  and "Reading" not in words.text())  # fmt: skip
    return {"cancelled": cancelled, "names": names_in(styles), "words": words.text()}


def menu(painter, saved, exported, style):
    styles, words, told = painter.docker.styles, painter.docker.words, {}
    painter.choose("Rename…", typing("Oak"), of="Bark")
    painter.style("Oak")
    painter.choose("Folder…", typing("Trees"), of="Oak")
    painter.until("the folder", lambda: styles.folders.findText("Trees") > 0)
    painter.choose("Tags…", typing("brown, rough"), of="Oak")
    painter.until("the tags", lambda: info_of(styles, "Oak").tags)
    told["sorted"] = painter.style("Oak").toolTip().splitlines()
    painter.docker.controls.strength.setValue(20)
    painter.choose("Keep These Settings with It", of="Oak")
    painter.until("the settings", lambda: info_of(styles, "Oak").settings.strength == 0.2)
    painter.choose("Export…", naming(exported), of="Oak")
    painter.until("the file", lambda: "exported" in words.text())
    painter.choose("Delete…", declining, of="Oak")
    painter.choose("Refresh")
    painter.choose("Delete…", agreeing, of="Oak")
    painter.until("it gone", lambda: "Oak" not in names_in(styles))
    painter.choose("Import…", naming(saved))
    painter.style("Evening")
    painter.choose("Add a Picture's Style…", naming(style))
    painter.style("style")
    return {**told, "names": names_in(styles)}


def meanwhile(painter):
    """Which style is chosen when another was changed or baked, or one is clicked meanwhile."""
    docker, styles, told = painter.docker, painter.docker.styles, []
    painter.click(painter.style("Dusk"))
    docker.controls.strength.setValue(20)
    painter.choose("Keep These Settings with It", of="Bark")
    painter.until("the settings", lambda: info_of(styles, "Bark").settings.strength == 0.2)
    told.append(styles.chosen.name)
    styles._saver.bake("Bark")
    painter.until("baking", lambda: docker.words.text().startswith("Baking, "))
    painter.choose("Keep These Settings with It", of="Bark")
    painter.until("both saved", lambda: styles._saver.names == ["Bark"])
    painter.press("Cancel")
    painter.until("its end", lambda: info_of(styles, "Bark").is_baked)
    told.append(styles.chosen.name)
    styles._there = False
    styles.fetch()
    painter.click(painter.style("Bark"))
    painter.until("the styles", lambda: styles._there)
    return [*told, styles.chosen.name]


def gone(painter):
    """The style that is chosen for one that was renamed, for one that is gone, and for another."""
    docker, styles, told = painter.docker, painter.docker.styles, []
    painter.style("Dusk")
    known = info_of(styles, "Bark").style
    for name, style_hash in (("Oak", known), ("Oak", "0"), ("Bark", known), ("Bark", "0")):
        docker._choose(Choice(name, Settings(), as_source=True, style_hash=style_hash))
        told.append(styles.chosen and styles.chosen.name)
    return told


def info_of(styles, name):
    (info,) = (info for info in styles.infos if info.name == name)
    return info


def narrow(painter, shown):
    """To favourites and those used last; and what stands there where there is none."""
    styles, told = painter.docker.styles, []

    def seen(folder):
        styles.folders.setCurrentIndex(folder)
        items = map(styles.item, range(styles.count()))
        return [[i.text() for i in items if not i.isHidden()], styles.accessibleDescription()]

    painter.style("Dusk")
    told.append(seen(1))
    styles.folders.setCurrentIndex(0)
    painter.choose("Favourite", of="Dusk")
    painter.until("it a favourite", lambda: info_of(styles, "Dusk").tags)
    told.append(seen(1))
    told.append(seen(2))
    for name in "Bark", "Dusk":
        remember_style(name)
    styles.folders.setCurrentIndex(0)
    told.append(seen(2))
    styles.folders.setCurrentIndex(0)
    painter.choose("Favourite", of="Dusk")
    painter.until("it none", lambda: not info_of(styles, "Dusk").tags)
    told.append(recent_styles())
    styles._fill([])
    told.append(seen(0))
    painter.docker.grab().save(shown)
    return told
