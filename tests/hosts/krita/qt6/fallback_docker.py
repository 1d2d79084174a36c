"""Scenes with a plug-in that is not complete, or in a Krita that is too old."""

import sys
from unittest.mock import patch

from PyQt6 import QtWidgets


def said(painter):
    """What the docker says, and what it copies."""
    (label,) = painter.docker.findChildren(QtWidgets.QLabel)
    painter.press("Copy diagnostics")
    return [label.text(), QtWidgets.QApplication.clipboard().text()]


def too_old(painter):
    from impasto.fallback_docker import make_docker

    with patch.object(sys, "version_info", (3, 9, 19)):
        painter.docker = make_docker(SyntaxError("invalid syntax"))()
    painter.docker.show()
    return said(painter)
