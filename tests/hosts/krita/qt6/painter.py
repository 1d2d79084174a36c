"""A painter before the docker: waits for what is to be seen, presses, drags, answers."""

import contextlib

from krita import Krita
from PyQt6 import QtCore, QtGui, QtTest, QtWidgets

LEFT = QtCore.Qt.MouseButton.LeftButton
PATIENCE_S = 60


class Painter:
    """docker: Impasto's, in a window of Krita's."""

    def __init__(self, docker):
        self.docker = docker

    @contextlib.contextmanager
    def _waiting_for(self, what):
        """Ends the process when it takes too long, in a dialog's own event loop too."""

        def give_up():
            labels = self.docker.findChildren(QtWidgets.QLabel) if self.docker else ()
            words = [label.text() for label in labels]
            raise AssertionError(f"waited {PATIENCE_S} s for {what}; the docker says {words}")

        late = QtCore.QTimer()
        late.timeout.connect(give_up)
        late.start(PATIENCE_S * 1000)
        yield
        late.stop()

    def until(self, what, is_so):
        """Wait for something, which `what` names: what `is_so` found."""
        with self._waiting_for(what):
            while not (found := is_so()):
                QtTest.QTest.qWait(20)
        return found

    def style(self, name):
        """The item of a style, once it is in the list."""
        exactly = QtCore.Qt.MatchFlag.MatchExactly
        found = self.until(name, lambda: self.docker.styles.findItems(name, exactly))
        return found[0]

    def button(self, text):
        """The button of a text."""
        buttons = self.docker.findChildren(QtWidgets.QPushButton)
        (button,) = (button for button in buttons if button.text() == text)
        return button

    def buttons(self, *texts):
        """Those of these buttons that can be seen."""
        return [text for text in texts if self.button(text).isVisible()]

    def press(self, text):
        """Press a button that can be seen."""
        button = self.button(text)
        if not button.isVisible() and getattr(self.docker, "more", button).isAncestorOf(button):
            self.docker.more.heading.click()
        assert button.isVisible() and button.isEnabled(), text
        button.click()

    def click(self, item):
        """Click on an item of a list."""
        view = item.listWidget()
        view.scrollToItem(item)
        QtTest.QTest.mouseClick(view.viewport(), LEFT, pos=view.visualItemRect(item).center())

    def drop(self, *paths):
        """Drag files onto the styles and let go of them."""
        mime, viewport = QtCore.QMimeData(), self.docker.styles.viewport()
        mime.setUrls([QtCore.QUrl.fromLocalFile(path) for path in paths])
        at = viewport.rect().center()
        held = (QtCore.Qt.DropAction.CopyAction, mime, LEFT, QtCore.Qt.KeyboardModifier.NoModifier)
        for event in (
            QtGui.QDragEnterEvent(at, *held),
            QtGui.QDragMoveEvent(at, *held),
            QtGui.QDropEvent(QtCore.QPointF(at), *held),
        ):
            QtWidgets.QApplication.sendEvent(viewport, event)
            assert event.isAccepted(), f"{type(event).__name__} was refused"

    def leave(self):
        """Close the window."""
        self.docker = None
        Krita.close()

    @contextlib.contextmanager
    def answering(self, what, answer):
        """Have what comes up in here, a menu or a dialog, answered."""

        def look():
            application = QtWidgets.QApplication
            if asked := application.activePopupWidget() or application.activeModalWidget():
                looking.stop()
                answer(asked)

        looking = QtCore.QTimer()
        looking.timeout.connect(look)
        looking.start(20)
        with self._waiting_for(f"{what}, and its end"):
            yield
        self.until(what, lambda: not looking.isActive())

    def choose(self, entry, answer=None, *, of=""):
        """Choose an entry of the menu of a style, or beside all, and answer what it asks then."""

        def press(menu):
            asked = self.answering(f"what “{entry}” asks", answer) if answer else None
            with asked or contextlib.nullcontext():
                choosing(entry)(menu)

        styles = self.docker.styles
        at = QtCore.QPoint(styles.viewport().width() - 1, styles.viewport().height() - 1)
        if of:
            item = self.style(of)
            styles.scrollToItem(item)
            at = styles.visualItemRect(item).center()
        with self.answering("the menu", press):
            mouse = QtGui.QContextMenuEvent.Reason.Mouse
            event = QtGui.QContextMenuEvent(mouse, at, styles.viewport().mapToGlobal(at))
            QtWidgets.QApplication.sendEvent(styles.viewport(), event)


def choosing(entry):
    """An answer to a menu."""

    def answer(menu):
        (action,) = (action for action in menu.actions() if action.text() == entry)
        menu.setActiveAction(action)
        QtTest.QTest.keyClick(menu, QtCore.Qt.Key.Key_Return)

    return answer


def typing(text):
    """An answer to a dialog that asks for a text."""

    def answer(dialog):
        dialog.setTextValue(text)
        dialog.accept()

    return answer


def naming(path):
    """An answer to a dialog that asks for a file."""

    def answer(dialog):
        name = dialog.findChild(QtWidgets.QLineEdit, "fileNameEdit")
        name.setText(path)
        QtTest.QTest.keyClick(name, QtCore.Qt.Key.Key_Return)

    return answer


def agreeing(dialog):
    """The answer yes."""
    dialog.button(QtWidgets.QMessageBox.StandardButton.Yes).click()


def declining(dialog):
    """The answer no."""
    dialog.button(QtWidgets.QMessageBox.StandardButton.No).click()
