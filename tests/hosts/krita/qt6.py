"""The docker under PyQt6, without a screen: paints a picture through the daemon and tells of it.

usage: qt6.py PLUGINS PHOTO STYLE PICTURE-OF-THE-DOCKER
"""

import sys
from pathlib import Path

plugins, photo, style, picture = sys.argv[1:]
sys.path[:0] = [str(Path(__file__).parent / "stub"), plugins]

import impasto  # noqa: E402
from krita import Document, Krita  # noqa: E402
from PyQt6 import QtCore, QtTest, QtWidgets  # noqa: E402

application = QtWidgets.QApplication([])
sys.excepthook = lambda *error: (sys.__excepthook__(*error), application.exit(1))


def until(is_so, seconds=120):
    clock = QtCore.QElapsedTimer()
    clock.start()
    while not is_so():
        assert clock.elapsed() < seconds * 1000, docker.words.text()
        QtTest.QTest.qWait(20)


Krita.document = Document(photo)
docker = impasto.Docker()
docker.resize(300, 700)
docker.show()
until(lambda: docker.styles.count() > 0)
docker.styles.add_picture(style)
until(lambda: docker.styles.chosen and docker.styles.chosen.name == "style")
docker._quality.setCurrentIndex(0)
docker.stylise()
until(lambda: docker.words.text().startswith("Painting"))
docker.conclude()
until(lambda: docker.painting is None)
painted = Krita.document.root.children[1]
assert painted._data != Krita.document.root.children[0]._data
docker.grab().save(picture)
print(docker.words.text(), painted.name(), sep="\n")
docker._link.close()
