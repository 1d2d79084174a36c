"""Which editors are found in the folder layouts that each way of installing them leaves."""

from pathlib import Path

import pytest

from impasto_installer.hosts import find_hosts
from impasto_installer.install import Options, Plan
from impasto_installer.machine import Machine

METAINFO = '<component><release version="{}" date="2025"><release version="1.0" date="1995">'
PLIST = """<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>
<key>CFBundleShortVersionString</key><string>{}</string></dict></plist>"""
FLATPAK = "var/lib/flatpak"


@pytest.fixture
def lay(tmp_path):
    """lay(system, {path: None for an empty file, "→ target" for a link, else its text}, …)."""

    def make(system, files, **environment):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content and content.startswith("→ "):
                path.symlink_to(content[2:])
            else:
                path.write_text(content or "")
        home = tmp_path / "home/ada"
        home.mkdir(parents=True, exist_ok=True)
        variables = {name: str(tmp_path / value) for name, value in environment.items()}
        return Machine(system, home, variables, tmp_path)

    return make


def found(machine):
    """What a painter would be told of each host, and where its plug-in goes."""
    return {
        (str(host), host.python, host.plugin.relative_to(machine.root).as_posix())
        for host in find_hosts(machine)
    }


def test_debian_packages(lay):
    machine = lay("linux", {
        "usr/bin/gimp": "→ gimp-3.0", "usr/bin/gimp-3.0": None, "usr/bin/gimp-console-3.0": None,
        "usr/bin/gimp-script-fu-interpreter-3.0": None, "usr/bin/krita": None,
        "usr/bin/python3": "→ python3.13", "usr/bin/python3.13": None,
        "usr/share/metainfo/org.gimp.GIMP.appdata.xml": METAINFO.format("3.0.4"),
        "usr/share/metainfo/org.kde.krita.appdata.xml": METAINFO.format("5.2.9"),
    })  # fmt: skip
    assert found(machine) == {
        ("GIMP 3.0.4 (package)", "3.13", "home/ada/.config/GIMP/3.0/plug-ins/impasto"),
        ("Krita 5.2.9 (package)", "3.13", "home/ada/.local/share/krita/pykrita/impasto"),
    }
    gimp, krita = find_hosts(machine)
    assert gimp.command == (str(machine.root / "usr/bin/gimp-console-3.0"),)
    assert gimp.interpreter == str(machine.root / "usr/bin/python3")
    assert krita.settings == machine.home / ".config/kritarc"


def test_gimp_2_and_krita_6_are_passed_over(lay):
    assert not found(lay("linux", {
        "usr/bin/gimp-2.10": None, "usr/bin/gimp-console-2.10": None, "usr/bin/krita": None,
        "usr/share/metainfo/org.kde.krita.appdata.xml": METAINFO.format("6.0.1"),
    }))  # fmt: skip


def test_two_series_of_gimp_side_by_side(lay):
    machine = lay("linux", {
        "usr/bin/gimp-3.0": None, "usr/local/bin/gimp-3.2": None,
        "usr/bin/python3": "→ python3.14",
    }, XDG_CONFIG_HOME="elsewhere")  # fmt: skip
    assert found(machine) == {
        ("GIMP 3.0 (package)", "3.14", "elsewhere/GIMP/3.0/plug-ins/impasto"),
        ("GIMP 3.2 (package)", "3.14", "elsewhere/GIMP/3.2/plug-ins/impasto"),
    }


def flatpaks(store, filesystems=""):
    """GIMP's and Krita's flatpaks in a store."""
    gimp, krita = f"{store}/app/org.gimp.GIMP/current/active", f"{store}/app/org.kde.krita/current"
    gnome = "org.gnome.Platform/x86_64/48"
    return {
        f"{gimp}/metadata": f"[Application]\nname=org.gimp.GIMP\nruntime={gnome}\n"
        f"[Context]\nfilesystems={filesystems};host;\n",
        f"{gimp}/files/bin/gimp-console-3.0": None,
        f"{gimp}/files/share/metainfo/org.gimp.GIMP.appdata.xml": METAINFO.format("3.0.6"),
        f"{store}/runtime/{gnome}/active/files/bin/python3": "→ python3.12",
        f"{krita}/active/metadata": "[Application]\nruntime=org.kde.Platform/x86_64/5.15-23.08\n",
        f"{krita}/active/files/share/metainfo/org.kde.krita.appdata.xml": METAINFO.format("5.2.6"),
    }


@pytest.mark.parametrize("store", [FLATPAK, "home/ada/.local/share/flatpak"])
def test_flatpaks_of_the_system_and_of_the_user(lay, store):
    machine = lay("linux", flatpaks(store))
    own = "home/ada/.var/app"
    assert found(machine) == {
        ("GIMP 3.0.6 (flatpak)", "3.12",
         f"{own}/org.gimp.GIMP/config/GIMP/3.0/plug-ins/impasto"),
        ("Krita 5.2.6 (flatpak)", "3.10", f"{own}/org.kde.krita/data/krita/pykrita/impasto"),
    }  # fmt: skip
    gimp, krita = find_hosts(machine)
    assert gimp.command == ("flatpak", "run", "--command=gimp-console-3.0", "org.gimp.GIMP")
    assert krita.settings == machine.home / ".var/app/org.kde.krita/config/kritarc"


def test_flatpak_that_may_see_the_users_profile_uses_that(lay):
    machine = lay("linux", flatpaks(FLATPAK, "xdg-config/GIMP"))
    assert {where for _, _, where in found(machine) if "GIMP" in where} == {
        "home/ada/.config/GIMP/3.0/plug-ins/impasto"
    }


def test_snaps(lay):
    machine = lay("linux", {
        "snap/gimp/550/meta/snap.yaml": "name: gimp\nversion: '3.0.4'\n",
        "snap/gimp/550/usr/bin/python3": "→ python3.12", "snap/gimp/current": "→ 550",
        "snap/krita/101/meta/snap.yaml": "name: krita\nversion: 5.2.9\n",
        "snap/krita/current": "→ 101",
    })  # fmt: skip
    assert found(machine) == {
        ("GIMP 3.0.4 (snap)", "3.12",
         "home/ada/snap/gimp/current/.config/GIMP/3.0/plug-ins/impasto"),
        ("Krita 5.2.9 (snap)", "3.10",
         "home/ada/snap/krita/current/.local/share/krita/pykrita/impasto"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("folders", "console", "words"),
    [
        (["2.10"], False, "start it once"),
        (["2.10"], True, ""),
        (["2.10", "3.0"], False, ""),
        (["3.2"], False, ""),
        ([], False, ""),
    ],
)
def test_gimp_that_cannot_be_started_takes_over_older_settings_before_it_has_the_plug_in(
    lay, folders, console, words
):
    """It does so at its first start, unless it finds a folder of its series."""
    consoles = {"usr/bin/gimp-console-3.0": None} if console else {}
    settings = {f"home/ada/.config/GIMP/{series}/gimprc": None for series in folders}
    (gimp,) = find_hosts(lay("linux", {"usr/bin/gimp-3.0": None, **consoles, **settings}))
    assert gimp.hindrance.startswith(words) and bool(gimp.hindrance) == bool(words)


def test_snap_that_was_never_started_is_left_alone(lay):
    """Its folder `current` is a link that snapd makes, and is not to be made by others."""
    machine = lay("linux", {
        "snap/krita/101/meta/snap.yaml": "name: krita\nversion: 5.2.9\n",
        "snap/krita/current": "→ 101",
    })  # fmt: skip
    plan = Plan.of(machine, Options())
    assert not plan.hosts
    assert "Not for Krita 5.2.9 (snap): start it once, then run" in plan.lines()[-1]
    (machine.home / "snap/krita").mkdir(parents=True)
    (machine.home / "snap/krita/current").symlink_to("101")
    plan = Plan.of(machine, Options())
    assert [str(host) for host in plan.hosts] == ["Krita 5.2.9 (snap)"]
    assert any("keeps it from the daemon" in line for line in plan.lines())


def test_appimages(lay):
    machine = lay("linux", {
        "home/ada/Downloads/GIMP-3.0.4-x86_64.AppImage": None,
        "home/ada/Applications/krita-5.2.14-x86_64.appimage": None,
        "home/ada/krita-5.1.5.AppImage": None, "home/ada/Downloads/krita-notes.txt": None,
    })  # fmt: skip
    krita = "home/ada/.local/share/krita/pykrita/impasto"
    assert found(machine) == {
        ("GIMP 3.0.4 (AppImage)", "", "home/ada/.config/GIMP/3.0/plug-ins/impasto"),
        ("Krita 5.2.14 (AppImage)", "3.13", krita), ("Krita 5.1.5 (AppImage)", "3.8", krita),
    }  # fmt: skip


def test_macos_bundles(lay):
    gimp, krita = "Applications/GIMP.app/Contents", "home/ada/Applications/krita.app/Contents"
    machine = lay("darwin", {
        f"{gimp}/Info.plist": PLIST.format("3.0.6"), f"{gimp}/MacOS/gimp": None,
        f"{gimp}/MacOS/gimp-console-3.0": None,
        f"{gimp}/Resources/lib/Python.framework/Versions/3.11/Python": None,
        f"{gimp}/Resources/lib/Python.framework/Versions/Current": "→ 3.11",
        f"{krita}/Info.plist": PLIST.format("5.2.11"), f"{krita}/MacOS/krita": None,
        f"{krita}/Frameworks/Python.framework/Versions/3.10/Python": None,
    })  # fmt: skip
    support = "home/ada/Library/Application Support"
    assert found(machine) == {
        ("GIMP 3.0.6 (bundle)", "3.11", f"{support}/GIMP/3.0/plug-ins/impasto"),
        ("Krita 5.2.11 (bundle)", "3.10", f"{support}/krita/pykrita/impasto"),
    }
    (krita,) = (host for host in find_hosts(machine) if host.editor == "Krita")
    assert krita.settings == machine.home / "Library/Preferences/kritarc"


def test_version_that_is_no_number_is_none(lay):
    (krita,) = find_hosts(
        lay("darwin", {"Applications/krita.app/Contents/Info.plist": PLIST.format("git 1a2b")})
    )
    assert str(krita) == "Krita (bundle)" and not krita.hindrance


WINDOWS = {"PROGRAMFILES": "Program Files", "APPDATA": "Users/ada/AppData/Roaming",
           "LOCALAPPDATA": "Users/ada/AppData/Local"}  # fmt: skip


def test_windows_installers(lay):
    machine = lay("win32", {
        "Program Files/GIMP 3/bin/gimp-3.0.exe": None,
        "Program Files/GIMP 3/bin/gimp-console-3.0.exe": None,
        "Program Files/GIMP 3/lib/python3.12/os.py": None,
        "Program Files/GIMP 2/bin/gimp-2.10.exe": None,
        "Program Files/Krita (x64)/bin/krita.exe": None,
        "Program Files/Krita (x64)/python/python313.dll": None,
        "Program Files/Krita (x64)/python/python3.dll": None,
        "Users/ada/AppData/Local/Programs/GIMP 3.2/bin/gimp-3.2.exe": None,
    }, **WINDOWS)  # fmt: skip
    roaming = WINDOWS["APPDATA"]
    assert found(machine) == {
        ("GIMP 3.0 (installer)", "3.12", f"{roaming}/GIMP/3.0/plug-ins/impasto"),
        ("GIMP 3.2 (installer)", "", f"{roaming}/GIMP/3.2/plug-ins/impasto"),
        ("Krita (installer)", "3.13", f"{roaming}/krita/pykrita/impasto"),
    }
    assert {host.takes_compiled for host in find_hosts(machine) if host.editor == "GIMP"} == {False}


def test_windows_store(lay):
    local = WINDOWS["LOCALAPPDATA"]
    own = f"{local}/Packages/49800Krita_1v4g2bz7x3d5r/LocalCache"
    machine = lay("win32", {
        f"{local}/Packages/GIMP.43237F745459_8wekyb3d8bbwe/Settings/settings.dat": None,
        f"{local}/Microsoft/WindowsApps/gimp-3.0.exe": None,
        f"{local}/Microsoft/WindowsApps/gimp-console-3.0.exe": None,
        f"{own}/Local/kritarc": None,
    }, **WINDOWS)  # fmt: skip
    assert found(machine) == {
        ("GIMP 3.0 (store)", "", f"{WINDOWS['APPDATA']}/GIMP/3.0/plug-ins/impasto"),
        ("Krita (store)", "", f"{own}/Roaming/krita/pykrita/impasto"),
    }
    (krita,) = (host for host in find_hosts(machine) if host.editor == "Krita")
    assert krita.settings == Path(machine.root / own / "Local/kritarc")


def test_several_at_once_and_a_machine_without_any(lay):
    assert not find_hosts(lay("linux", {}))
    machine = lay("linux", {
        **flatpaks(FLATPAK), "usr/bin/gimp-3.2": None, "usr/bin/python3": "→ python3.14",
        "home/ada/krita-5.2.9-x86_64.AppImage": None,
    })  # fmt: skip
    assert [str(host) for host in find_hosts(machine)] == [
        "GIMP 3.2 (package)", "GIMP 3.0.6 (flatpak)", "Krita 5.2.6 (flatpak)",
        "Krita 5.2.9 (AppImage)",
    ]  # fmt: skip
