"""Impasto installed into a home by its installer, which finds the real GIMP and asks it."""

import json
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image
from tests.hosts.conftest import ROOT
from tests.hosts.installer.conftest import PYTHON, Painter

from impasto_installer.editor_query import ask, start_once
from impasto_installer.hosts import Host

SCRIPT = """
from gi.repository import Gimp, Gio
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({photo!r}))
procedure = Gimp.get_pdb().lookup_procedure("plug-in-impasto-stylize")
config = procedure.create_config()
config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
config.set_property("image", image)
config.set_core_object_array("drawables", image.get_layers())
config.set_property("style-file", Gio.File.new_for_path({style!r}))
config.set_property("quality", "custom")
config.set_property("iterations", 4)
values = procedure.run(config)
print(values.index(0).value_nick, Gimp.get_pdb().get_last_error(), len(image.get_layers()))
"""


def stylise(painter, folder):
    """What came of a painting by the installed plug-in, in a GIMP without a window."""
    folder.mkdir()
    for name in ("photo", "style"):
        Image.effect_noise((96, 64), 60).convert("RGB").save(folder / f"{name}.png")
    script = folder / "script.py"
    script.write_text(SCRIPT.format(photo=str(folder / "photo.png"),
                                    style=str(folder / "style.png")))  # fmt: skip
    run = f"exec(compile(open('{script}').read(), 'script', 'exec'), globals())"
    return painter.run("gimp-console", "-idf", "--batch-interpreter=python-fu-eval", "-b", run,
                       "--quit").stdout  # fmt: skip


def test_installed_plug_in_starts_the_daemon_and_paints(painter):
    said = stylise(painter, painter.home.parent / "pictures")
    assert "success success 2" in said, said
    status = json.loads(painter.impasto("daemon", "status", "--json").stdout)
    assert status["worker"] in ("idle", "busy")


def test_other_python_first_on_the_path_does_not_hide_the_plug_in(painter):
    """As with pyenv, conda and virtual environments, in which GIMP's modules are missing."""
    wrong = {"PATH": f"{PYTHON.parent}:/usr/bin:/bin"}
    (painter.profile / "pluginrc").unlink()
    host = Host("GIMP", "package", "3", "3.13", painter.plugin.parent, ("gimp-console",))
    answer = ask(host, lambda command: painter.run(*command, **wrong).stdout)
    assert answer.seen, answer.log


def test_gimp_that_is_started_once_takes_over_the_settings_of_an_older_one(tree, uv, tmp_path):
    painter = Painter(tree, tmp_path / "home", uv)
    older = painter.profile.parent / "2.10/gimprc"
    older.parent.mkdir(parents=True)
    older.write_text("(undo-levels 77)\n")
    host = Host("GIMP", "package", "3", "3.13", painter.plugin.parent, ("gimp-console",))
    assert host.takes_over
    start_once(host, lambda command: painter.run(*command).stdout)
    assert "(undo-levels 77)" in (painter.profile / "gimprc").read_text() and not host.takes_over


def test_upgrade_keeps_settings_weights_and_presets_and_mends(painter):
    config = painter.home / ".config/impasto/config.toml"
    config.write_text("threads = 1\n")
    preset = painter.data / "presets/Dusk.safetensors"
    preset.parent.mkdir(exist_ok=True)
    preset.write_bytes(b"kept")
    (painter.plugin / "procedures.py").unlink()
    (painter.plugin / "old.py").touch()
    done = painter.installer("upgrade")
    assert done.returncode == 0 and "brought up to date" in done.stdout, done.stdout
    assert (painter.plugin / "procedures.py").exists() and not (painter.plugin / "old.py").exists()
    assert config.read_text() == "threads = 1\n" and preset.read_bytes() == b"kept"
    assert not (painter.data / "unfinished").exists()
    preset.unlink()
    config.unlink()


def test_full_disk_in_the_middle_puts_everything_back(painter):
    """The disk of the plug-in's folder is too small for the new plug-in."""
    before = painter.files()
    done = painter.run("bash", "-c", f"""
        set -e
        mount -t tmpfs -o size=900k none {painter.plugin.parent}
        {PYTHON} {ROOT}/installer/install.py --yes --as-root --torch-backend pypi
        """)  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert "Everything is as it was before." in done.stdout
    assert "The disk is full." in done.stdout
    assert painter.files() == before


@pytest.fixture(scope="module")
def interrupted(new_painter):
    """A painter whose installation was stopped in the middle, with its exit code and words."""
    painter = new_painter()
    painter.before = painter.files()
    process = painter.tree.start(
        [PYTHON, ROOT / "installer/install.py", "--yes", "--as-root", "--torch-backend", "pypi"],
        painter.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 200
    while not (painter.data / "environment/lib").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.terminate()
    said, _ = process.communicate(timeout=120)
    painter.interrupted = process.returncode, said
    return painter


def test_interrupted_install_leaves_nothing(interrupted):
    code, said = interrupted.interrupted
    assert code == 130 and "Stopped." in said
    assert "Everything is as it was before." in said
    assert interrupted.files() == interrupted.before
    assert not interrupted.data.exists()


def test_install_after_an_interrupted_one_works_and_uninstall_leaves_no_trace(interrupted):
    painter, before = interrupted, interrupted.before
    assert painter.installer("--start-at-login").returncode == 0
    unit = painter.home / ".config/systemd/user/impasto.service"
    assert unit.exists()
    said = stylise(painter, painter.home.parent / "pictures")
    assert "success success 2" in said, said
    (painter.data / "presets").mkdir(exist_ok=True)
    (painter.data / "presets/Dusk.safetensors").touch()
    done = painter.installer("uninstall")
    assert done.returncode == 0, done.stdout
    kept = painter.files() - before
    files = {Path(name) for name in kept if not (painter.home / name).is_dir()}
    presets = Path(".local/share/impasto/presets")
    assert presets / "Dusk.safetensors" in files and {file.parent for file in files} == {presets}
    done = painter.installer("uninstall", "--presets")
    assert done.returncode == 0, done.stdout
    assert painter.files() == before
    assert not list(painter.runtime.iterdir())
