"""Impasto for Krita: a docker, and actions with shortcuts.

Krita imports this at its start. Whatever is missing then, the docker still comes, and says what.
"""

import sys
from pathlib import Path

from krita import DockWidgetFactory, DockWidgetFactoryBase, Krita

sys.path.insert(0, str(Path(__file__).parent / "vendor"))

try:
    from impasto_protocol.translations import follow_host

    from .qt import QtCore

    follow_host(QtCore.QLocale().name())  # before anything is imported that has words

    from .docker import Docker
    from .extension import Impasto
except Exception as error:
    from .fallback_docker import make_docker

    Docker = make_docker(error)
else:
    Krita.instance().addExtension(Impasto(Krita.instance()))

_RIGHT = getattr(DockWidgetFactoryBase, "DockPosition", DockWidgetFactoryBase).DockRight
Krita.instance().addDockWidgetFactory(DockWidgetFactory("impasto", _RIGHT, Docker))
