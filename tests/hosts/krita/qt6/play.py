"""Plays a scene before the docker under PyQt6, without a screen, and prints what was seen in it.

usage: play.py MODULE SCENE ARGUMENTS-AS-JSON

A scene is a function of a module beside this one; the plug-in and the stub of Krita's module are
on PYTHONPATH. Whatever goes wrong, in what Qt calls too, is told and ends the process.
"""

import faulthandler
import importlib
import json
import os
import sys
import traceback

from krita import Krita
from painter import Painter
from PyQt6 import QtCore, QtWidgets

LONGEST_S = 240


def end_with(*error):
    traceback.print_exception(*error)
    sys.stderr.flush()
    os._exit(1)


def main(module, name, arguments):
    sys.excepthook = end_with
    # A dialog that no scene has expected would hold up everything.
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    QtWidgets.QApplication.setAttribute(QtCore.Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    application = QtWidgets.QApplication([])
    importlib.import_module("impasto")
    scene = getattr(importlib.import_module(module), name)
    painter = Painter(Krita.open())

    def play():
        seen = scene(painter, **json.loads(arguments))
        print(json.dumps(seen))
        Krita.close()
        application.quit()

    QtCore.QTimer.singleShot(0, play)
    application.exec()


main(*sys.argv[1:])
