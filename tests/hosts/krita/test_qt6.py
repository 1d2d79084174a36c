"""Krita 6, which no distribution has yet: the same docker under PyQt6, with a stub of Krita."""

import os
import subprocess
import sys
from pathlib import Path

from tests.hosts.conftest import ROOT

from impasto_protocol.messages import PresetDelete

HERE = Path(__file__).parent


def test_docker_paints_under_pyqt6(krita_daemon, saved_style, pictures, tmp_path):
    folder = Path(os.environ.get("IMPASTO_ARTEFACTS", tmp_path))
    environment = {"QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "error"}
    ended = subprocess.run(
        [sys.executable, HERE / "qt6.py", ROOT / "plugins/krita/pykrita",
         pictures["photo"], pictures["style"], folder / "krita-6-docker.png"],
        env={**krita_daemon.environment, **environment}, capture_output=True, text=True,
        timeout=400, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    words, name = ended.stdout.splitlines()
    assert words.startswith("Done") and name == "style 50%"
    with krita_daemon.connect() as client:
        client.ask(PresetDelete(name="style"))
