"""The archives of a release: the same bytes each time, in the shapes that the editors take."""

import configparser
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from impasto_installer import release
from impasto_installer.plugins import ROOT
from impasto_protocol import __version__


def vendor(folder, python, requirements):
    """As uv would, but at once."""
    for name in ("msgpack/__init__.py", "msgpack/_cmsgpack.so", "bin/tool", ".lock",
                 "msgpack-1.dist-info/METADATA", "msgpack-1.dist-info/RECORD"):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(str(requirements))


def test_the_same_files_give_the_same_bytes(tmp_path):
    digests = []
    for name in ("one", "two"):
        made = release.build_release(tmp_path / name, vendor, "9")
        digests.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in made})
        for file in (ROOT / "plugins/gimp/impasto").iterdir():
            os.utime(file)
    assert digests[0] == digests[1]
    assert digests[0].keys() == {
        "impasto-gimp-9.zip", "impasto-krita-9.zip", "impasto-9.zip",
    }  # fmt: skip


def test_gimps_archive_can_be_unpacked_into_its_folder(tmp_path):
    release.build_release(tmp_path, vendor, "9")
    with zipfile.ZipFile(tmp_path / "impasto-gimp-9.zip") as archive:
        entries = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert (
        entries["impasto/impasto.py"] == 0o100755 and entries["impasto/procedures.py"] == 0o100644
    )
    assert "impasto/vendor/impasto_protocol/client.py" in entries
    assert "impasto/vendor/msgpack/__init__.py" in entries
    assert "impasto/vendor/msgpack-1.dist-info/METADATA" in entries
    for litter in (".so", ".lock", "RECORD", "tool", "zmq/"):
        assert not [name for name in entries if name.endswith(litter)]


def test_krita_finds_the_plug_in_in_its_archive(tmp_path):
    """By the steps of Krita's importer: description, module's folder, actions of that name."""
    release.build_release(tmp_path, vendor, "9")
    with zipfile.ZipFile(tmp_path / "impasto-krita-9.zip") as archive:
        names = archive.namelist()
        (described,) = (name for name in names if name.endswith(".desktop"))
        description = configparser.ConfigParser()
        description.read_string(archive.read(described).decode())
    module = description["Desktop Entry"]["X-KDE-Library"]
    assert description["Desktop Entry"]["Name"]
    (folder,) = (name for name in names if name.endswith(f"/{module}/"))
    assert f"{folder}__init__.py" in names and f"{folder}vendor/msgpack/__init__.py" in names
    assert any(Path(name).name == f"{module}.action" for name in names)
    assert not [name for name in names if "__pycache__" in name]


def test_whole_archive_can_install(tmp_path):
    release.build_release(tmp_path, vendor, __version__)
    with zipfile.ZipFile(tmp_path / f"impasto-{__version__}.zip") as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, tmp_path / f"impasto-{__version__}/installer/install.py"]
    said = subprocess.run(
        [*command, "--dry-run", "--as-root"], env={**os.environ, "HOME": str(tmp_path / "home")},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "Impasto will be installed" in said
