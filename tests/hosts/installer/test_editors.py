"""The editors that the installer found, and the plug-ins that it placed and turned on."""

import shutil

from PIL import Image
from tests.hosts.conftest import ROOT
from tests.hosts.host import Host
from tests.hosts.installer.test_doctor import doctor
from tests.hosts.krita.pieces import BEFORE

PAINT = """
def main():
    global answer
    document = yield from opened(photo)
    yield from painted(document)
    answer = [child.name() for child in document.rootNode().childNodes()]
    yield from closed(document)
"""


def test_installer_finds_the_editors_and_gimp_sees_the_plug_in(painter):
    said = painter.installed.stdout
    assert f"The plug-in for {painter.gimp}" in said and f"The plug-in for {painter.krita}" in said
    assert f"✓ Asking {painter.gimp} whether it sees the plug-in" in said, said
    assert "Impasto is installed." in said
    assert f"it is called {painter.home}/.local/bin/impasto" in said  # which is on no PATH here
    assert (painter.plugin / "impasto.py").read_text().startswith("#!/usr/bin/python3\n")


def test_installed_plug_in_paints_in_krita(painter, screen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("krita")
    for name in ("photo", "style"):
        Image.effect_noise((96, 64), 60).convert("RGB").save(folder / f"{name}.png")
    added = painter.impasto("style", "add", "Dusk", folder / "style.png")
    assert added.returncode == 0, added.stdout
    shutil.copytree(ROOT / "tests/hosts/krita/driver", folder / "data/krita")
    settings = painter.home / ".config/kritarc"
    settings.write_text(settings.read_text() + "enable_impasto_driver=true\n")
    running = Host(
        painter.tree, folder, ["krita", "--nosplash"],
        {**painter.environment, "LIBGL_ALWAYS_SOFTWARE": "1",
         "XDG_DATA_DIRS": f"{folder}/data:/usr/local/share:/usr/share"}, screen,
    )  # fmt: skip
    try:
        names = running.run(BEFORE + PAINT, photo=folder / "photo.png")
    finally:
        running.close()
    assert len(names) == 2, names


def test_plug_in_that_is_turned_off_or_does_not_load_is_mended(painter, screen):
    settings, folder = painter.home / ".config/kritarc", painter.home / ".local/share/krita"
    krita, turned_on = painter.krita, settings.read_text()
    (folder / "actions/impasto.action").unlink()
    broken = folder / "pykrita/impasto/vendor/msgpack/__init__.py"
    broken.write_text("raise ImportError('out of paint')")
    amiss, _, _ = doctor(painter, DISPLAY=screen)
    assert "impasto.action is missing." in amiss[krita]
    (asked,) = (words for words in amiss[krita] if "does not see the plug-in" in words)
    assert "out of paint" in asked
    settings.write_text(turned_on.replace("enable_impasto=true", "enable_impasto=false"))
    amiss, mended, good = doctor(painter, "--fix", DISPLAY=screen)
    assert mended.keys() == {krita} and krita not in amiss
    assert f"The plug-in is turned off in {krita}." in mended[krita]
    assert f"{krita} sees the plug-in." in good[krita]
