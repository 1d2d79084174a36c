"""So much of Krita 6 as the plug-in needs: one window, and one document of one layer at first."""

from PyQt6 import QtCore, QtGui, QtWidgets


class Keeper:
    """What has a colour space."""

    def colorModel(self):
        return "RGBA"

    def colorDepth(self):
        return "U8"

    def colorProfile(self):
        return "sRGB-elle-V2-srgbtrc.icc"


class Node(Keeper):
    def __init__(self, document, name, size, kind="paintlayer"):
        self._kind = kind
        self._document, self._name, self._size, self._parent = document, name, size, None
        self._id = QtCore.QUuid.createUuid()
        self._data, self.children = bytearray(size[0] * size[1] * 4), []
        self._visible = True

    def name(self):
        return self._name

    def setName(self, name):
        self._name = name

    def uniqueId(self):
        return self._id

    def childNodes(self):
        return self.children

    def setLocked(self, locked):
        pass

    def visible(self):
        return self._visible

    def setVisible(self, visible):
        self._visible = visible

    def type(self):
        return self._kind

    def animated(self):
        return False

    def layerStyleToAsl(self):
        return ""

    def blendingMode(self):
        return "normal"

    def opacity(self):
        return 255

    def setOpacity(self, opacity):
        assert opacity == 255

    def colorLabel(self):
        return 0

    def setColorLabel(self, label):
        assert label == 0

    def inheritAlpha(self):
        return False

    def setInheritAlpha(self, inherits):
        assert not inherits

    def bounds(self):
        return QtCore.QRect(0, 0, *self._size)

    def position(self):
        return QtCore.QPoint(0, 0)

    def pixelData(self, *box):
        x, y, width, height = box
        rows = range(y, y + height)
        starts = (4 * (row * self._size[0] + x) for row in rows)
        return QtCore.QByteArray(b"".join(self._data[at : at + 4 * width] for at in starts))

    def projectionPixelData(self, *box):
        return self.pixelData(*box)

    def setPixelData(self, data, *box):
        assert box == (0, 0, *self._size) and len(data) == len(self._data)
        self._data = bytearray(data.data())

    def thumbnail(self, width, height):
        form = QtGui.QImage.Format.Format_ARGB32
        return QtGui.QImage(bytes(self._data), *self._size, form).scaled(width, height)

    def parentNode(self):
        return self._parent

    def addChildNode(self, child, above):
        self.children.insert(self.children.index(above) + 1 if above else 0, child)
        child._parent = self
        self._document.added.append(child)
        self._document.setModified(True)

    def remove(self):
        self._parent.children.remove(self)
        self._parent = None


class Document(Keeper):
    """added: its undo steps, each of which has added a layer."""

    def __init__(self, path):
        image = QtGui.QImage(path).convertToFormat(QtGui.QImage.Format.Format_ARGB32)
        self._size, self.added = (image.width(), image.height()), []
        self.root = Node(self, "root", (0, 0))
        self._active = self.createNode("Background", "paintlayer")
        bits = image.constBits()
        bits.setsize(image.sizeInBytes())
        self._active.setPixelData(QtCore.QByteArray(bytes(bits)), 0, 0, *self._size)
        self.root.addChildNode(self._active, None)
        self.added, self._modified, self._annotations = [], False, {}
        self.is_at_rest = True

    def createNode(self, name, kind):
        return Node(self, name, self._size, kind)

    def bounds(self):
        return QtCore.QRect(0, 0, *self._size)

    def rootNode(self):
        return self.root

    def resolution(self):
        return 72.0

    def tryBarrierLock(self):
        return self.is_at_rest

    def unlock(self):
        pass

    def waitForDone(self):
        pass

    def undo(self):
        self.added.pop().remove()

    def document(self):
        """A document is its own view."""
        return self

    def selectedNodes(self):
        return [self._active]

    def activeNode(self):
        return self._active

    def setActiveNode(self, node):
        self._active = node

    def selection(self):
        return None

    def modified(self):
        return self._modified

    def setModified(self, modified):
        self._modified = modified

    def annotationTypes(self):
        return list(self._annotations)

    def annotation(self, key):
        return self._annotations[key]

    def setAnnotation(self, key, description, data):
        self._annotations[key] = data

    def refreshProjection(self):
        pass


class Window:
    def __init__(self):
        self._window = QtWidgets.QMainWindow()

    def qwindow(self):
        return self._window

    def activeView(self):
        return Krita.document

    def createAction(self, name, text, menu):
        Krita.actions[name] = QtGui.QAction(text, self._window)
        return Krita.actions[name]


class Krita:
    document = window = docker = None
    settings, actions, extensions = {}, {}, []

    @classmethod
    def open(cls):
        """Open the window, as Krita does at its start: the plug-in's docker."""
        cls.window = Window()
        for extension in cls.extensions:
            extension.createActions(cls.window)
        docker = cls.docker()
        cls.window.qwindow().addDockWidget(QtCore.Qt.DockWidgetArea.RightDockWidgetArea, docker)
        cls.window.qwindow().setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        cls.window.qwindow().resize(300, 700)
        cls.window.qwindow().show()
        return docker

    @classmethod
    def close(cls):
        """Close the window if it is open."""
        if cls.window:
            cls.window.qwindow().close()
        cls.window = None

    @classmethod
    def instance(cls):
        return cls

    @classmethod
    def activeDocument(cls):
        return cls.document

    @classmethod
    def activeWindow(cls):
        return cls.window

    @classmethod
    def action(cls, name):
        if name in cls.actions:
            return cls.actions[name]
        action = QtGui.QAction("Undo")
        if name == "edit_undo" and cls.document.added:
            action.setText("Undo Add Layer")
            action.triggered.connect(cls.document.undo)
        return action

    @classmethod
    def documents(cls):
        return [cls.document]

    @staticmethod
    def version():
        return "6.0.0"

    @classmethod
    def readSetting(cls, group, name, default):
        return cls.settings.get((group, name), default)

    @classmethod
    def writeSetting(cls, group, name, value):
        cls.settings[group, name] = value

    @classmethod
    def addExtension(cls, extension):
        cls.extensions.append(extension)

    @classmethod
    def addDockWidgetFactory(cls, factory):
        cls.docker = factory.made


class DockWidget(QtWidgets.QDockWidget):
    pass


class Extension(QtCore.QObject):
    def __init__(self, parent):
        super().__init__()


class DockWidgetFactoryBase:
    class DockPosition:
        DockRight = 1


class DockWidgetFactory(DockWidgetFactoryBase):
    def __init__(self, name, position, made):
        self.made = made
