"""So much of Krita 6 as the plug-in needs, with one document of one layer."""

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
    def __init__(self, name, size):
        self._name, self._size, self._parent = name, size, None
        self._id = QtCore.QUuid.createUuid()
        self._data, self.children = bytearray(size[0] * size[1] * 4), []

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

    def type(self):
        return "paintlayer"

    def bounds(self):
        return QtCore.QRect(0, 0, *self._size)

    def pixelData(self, *box):
        assert box == (0, 0, *self._size)
        return QtCore.QByteArray(bytes(self._data))

    def setPixelData(self, data, *box):
        assert box == (0, 0, *self._size) and len(data) == len(self._data)
        self._data = bytearray(data.data())

    def parentNode(self):
        return self._parent

    def addChildNode(self, child, above):
        self.children.insert(self.children.index(above) + 1 if above else 0, child)
        child._parent = self

    def remove(self):
        self._parent.children.remove(self)
        self._parent = None


class Document(Keeper):
    def __init__(self, path):
        image = QtGui.QImage(path).convertToFormat(QtGui.QImage.Format.Format_ARGB32)
        self._size = (image.width(), image.height())
        self.root, self._active = Node("root", (0, 0)), self.createNode("Background", "paintlayer")
        bits = image.constBits()
        bits.setsize(image.sizeInBytes())
        self._active.setPixelData(QtCore.QByteArray(bytes(bits)), 0, 0, *self._size)
        self.root.addChildNode(self._active, None)

    def createNode(self, name, kind):
        return Node(name, self._size)

    def bounds(self):
        return QtCore.QRect(0, 0, *self._size)

    def rootNode(self):
        return self.root

    def resolution(self):
        return 72.0

    def tryBarrierLock(self):
        return True

    def unlock(self):
        pass

    def activeView(self):
        return self

    def document(self):
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
        return False

    def refreshProjection(self):
        pass


class Krita:
    document = None
    settings = {}  # noqa: RUF012

    @classmethod
    def instance(cls):
        return cls

    @classmethod
    def activeDocument(cls):
        return cls.document

    @classmethod
    def activeWindow(cls):
        """A window that is its view, and shows the document."""
        return cls.document

    @staticmethod
    def action(name):
        return QtGui.QAction("Undo Add Layer")

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

    @staticmethod
    def addExtension(extension):
        pass

    @staticmethod
    def addDockWidgetFactory(factory):
        pass


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
        pass
