"""Finding the editors of a machine, by their files alone: nothing is run, nothing is changed.

One function for each way an editor gets onto a machine. Versions of Python are those that the
editor's plug-ins run in, which is the editor's own but on a Linux distribution.
"""

from __future__ import annotations

import contextlib
import plistlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from impasto_installer.machine import Machine

START_ONCE = "start it once, then run the installer again"
_OLDEST_PYTHON = (3, 10)
_FLATPAKS = {"GIMP": "org.gimp.GIMP", "Krita": "org.kde.krita"}


@dataclass(frozen=True)
class Host:
    """An editor. folder: GIMP's plug-ins, Krita's resources. settings: Krita's kritarc.

    version and python are empty where they cannot be told. command: runs it without a window.
    interpreter: the program that runs its plug-ins, where that would be looked for on the path.
    """

    editor: str
    packaging: str
    version: str
    python: str
    folder: Path
    command: tuple[str, ...] = ()
    settings: Path | None = None
    interpreter: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.editor, self.version, f"({self.packaging})"]))

    @property
    def plugin(self) -> Path:
        """The folder of our plug-in in it."""
        return self.folder / ("impasto" if self.editor == "GIMP" else "pykrita/impasto")

    @property
    def hindrance(self) -> str:
        """Why the plug-in cannot be put into it, in words; empty where it can."""
        if self.python and _numbers(self.python) < _OLDEST_PYTHON:
            return f"its Python {self.python} is too old"
        # Were that link made a folder, the snap would not start any more.
        current = [folder for folder in self.folder.parents if folder.name == "current"]
        never_started = self.packaging == "snap" and not current[0].is_symlink()
        return START_ONCE if never_started or (self.takes_over and not self.command) else ""

    @property
    def takes_over(self) -> bool:
        """Whether GIMP's next start takes over the settings of an older series.

        It does so only where there is no folder of its own yet.
        """
        own = self.folder.parent
        if self.editor != "GIMP" or own.exists():
            return False
        series = (f.name for f in _listed(own.parent) if re.match(r"\d+\.\d+$", f.name))
        return any(_numbers(name) < _numbers(own.name) for name in series)

    @property
    def takes_compiled(self) -> bool:
        """Whether its Python loads modules that were compiled for Python's own builds."""
        return not (self.editor == "GIMP" and self.packaging in ("installer", "store"))


def find_hosts(machine: Machine) -> list[Host]:
    """Every GIMP 3 and Krita 5 on the machine."""
    ways = {
        "linux": (_packages, _flatpaks, _snaps, _appimages),
        "darwin": (_bundles,),
        "win32": (_windows_installers, _windows_store),
    }[machine.system]
    found = (host for way in ways for host in way(machine))
    return [host for host in found if _supported(host)]


def _supported(host: Host) -> bool:
    major = int(host.version.split(".")[0] or 0) if host.version else 0
    return major >= 3 if host.editor == "GIMP" else major in (0, 5)


def _packages(machine: Machine) -> Iterator[Host]:
    python = machine.root / "usr/bin/python3"
    for prefix in ("usr", "usr/local"):
        folder = machine.root / prefix
        for series in _series(folder / "bin"):
            console = folder / f"bin/gimp-console-{series}"
            yield Host(
                "GIMP", "package", _release(folder, "org.gimp.GIMP", series), _linked(python),
                _gimp_folder(machine, series), (str(console),) if console.exists() else (),
                interpreter=str(python) if python.exists() else "",
            )  # fmt: skip
        if (folder / "bin/krita").exists():
            yield _krita(
                machine, "package", _release(folder, "org.kde.krita"), _linked(python),
                (str(folder / "bin/krita"),),
            )  # fmt: skip


def _flatpaks(machine: Machine) -> Iterator[Host]:
    user = machine.folder("XDG_DATA_HOME", ".local/share") / "flatpak"
    for store in (machine.root / "var/lib/flatpak", user):
        for editor, name in _FLATPAKS.items():
            app = store / "app" / name / "current/active"
            metadata = _text(app / "metadata")
            if not metadata:
                continue
            run = ("flatpak", "run", f"--command={editor.lower()}", name)
            own = machine.home / ".var/app" / name
            runtime = re.search(r"^runtime=(.+)$", metadata, re.MULTILINE)
            files = store / "runtime" / runtime[1] / "active/files" if runtime else app
            python = _linked(app / "files/bin/python3") or _linked(files / "bin/python3")
            if editor == "Krita":
                version = _release(app / "files", name)
                yield Host(
                    "Krita", "flatpak", version, python or _krita_python(version),
                    own / "data/krita", run, own / "config/kritarc",
                )  # fmt: skip
                continue
            for series in _series(app / "files/bin"):
                # Those that may see the user's own profile have it, unless there is one inside.
                shared = "xdg-config/GIMP" in metadata
                inside = own / "config/GIMP" / series
                outside = machine.home / ".config/GIMP" / series
                profile = outside if shared and not inside.is_dir() else inside
                yield Host(
                    "GIMP", "flatpak", _release(app / "files", name, series), python,
                    profile / "plug-ins",
                    ("flatpak", "run", f"--command=gimp-console-{series}", name),
                )  # fmt: skip


def _snaps(machine: Machine) -> Iterator[Host]:
    for name in ("gimp", "krita"):
        files = machine.root / "snap" / name / "current"
        told = re.search(r"^version: *['\"]?([\d.]+)", _text(files / "meta/snap.yaml"), re.M)
        if not told:
            continue
        own, python = machine.home / "snap" / name / "current", _linked(files / "usr/bin/python3")
        if name == "gimp":
            series = _short(told[1])
            folder = own / ".config/GIMP" / series / "plug-ins"
            yield Host("GIMP", "snap", told[1], python, folder)
        else:
            yield Host(
                "Krita", "snap", told[1], python or _krita_python(told[1]),
                own / ".local/share/krita", (), own / ".config/kritarc",
            )  # fmt: skip


def _appimages(machine: Machine) -> Iterator[Host]:
    homes = ("", "Applications", "Downloads", "Desktop", "bin", ".local/bin")
    for folder in [*(machine.home / name for name in homes), machine.root / "opt"]:
        for file in _listed(folder):
            named = re.match(r"(gimp|krita)\b.*?(\d+\.\d+[\d.]*\d|\d+\.\d+).*\.appimage$",
                             file.name, re.IGNORECASE)  # fmt: skip
            if not named:
                continue
            if named[1].lower() == "gimp":
                yield Host(
                    "GIMP", "AppImage", named[2], "", _gimp_folder(machine, _short(named[2])),
                    (str(file),),
                )  # fmt: skip
            else:
                yield _krita(machine, "AppImage", named[2], _krita_python(named[2]), (str(file),))


def _bundles(machine: Machine) -> Iterator[Host]:
    library = machine.home / "Library"
    for applications in (machine.root / "Applications", machine.home / "Applications"):
        for app in _listed(applications):
            named = re.match(r"(gimp|krita)\b.*\.app$", app.name, re.IGNORECASE)
            if not named:
                continue
            version = _bundle_version(app / "Contents/Info.plist")
            programs = app / "Contents/MacOS"
            python = _first(r"^3\.\d+$", app.glob("Contents/*/Python.framework/Versions/*"),
                            app.glob("Contents/*/lib/Python.framework/Versions/*"))  # fmt: skip
            if named[1].lower() == "gimp":
                series = _short(version)
                consoles = [p for p in _listed(programs) if p.name.startswith("gimp-console")]
                command = str((consoles or [programs / "gimp"])[0])
                folder = library / "Application Support/GIMP" / series / "plug-ins"
                yield Host("GIMP", "bundle", version, python, folder, (command,))
            else:
                yield Host(
                    "Krita", "bundle", version, python or _krita_python(version),
                    library / "Application Support/krita", (str(programs / "krita"),),
                    library / "Preferences/kritarc",
                )  # fmt: skip


def _windows_installers(machine: Machine) -> Iterator[Host]:
    roaming, local = _app_data(machine)
    places = [machine.folder("PROGRAMFILES", "Program Files"), local / "Programs"]
    for program in (child for place in places for child in _listed(place)):
        if program.name.startswith("GIMP"):
            python = _first(r"^python(3\.\d+)$", _listed(program / "lib"))
            for series in _series(program / "bin"):
                console = program / f"bin/gimp-console-{series}.exe"
                yield Host(
                    "GIMP", "installer", series, python, roaming / "GIMP" / series / "plug-ins",
                    (str(console),) if console.exists() else (),
                )  # fmt: skip
        elif program.name.startswith("Krita") and (program / "bin/krita.exe").exists():
            libraries = [*_listed(program / "python"), *_listed(program / "bin")]
            python = _first(r"^python3(\d+)\.(?:dll|zip)$", libraries)
            yield Host(
                "Krita", "installer", "", python and f"3.{python}", roaming / "krita",
                (str(program / "bin/krita.exe"),), local / "kritarc",
            )  # fmt: skip


def _windows_store(machine: Machine) -> Iterator[Host]:
    roaming, local = _app_data(machine)
    for package in _listed(local / "Packages"):
        if re.match(r"\w*\.?GIMP", package.name):
            # What a packaged GIMP reads falls through to the usual folder.
            for series in _series(local / "Microsoft/WindowsApps"):
                console = local / f"Microsoft/WindowsApps/gimp-console-{series}.exe"
                yield Host(
                    "GIMP", "store", series, "", roaming / "GIMP" / series / "plug-ins",
                    (str(console),) if console.exists() else (),
                )  # fmt: skip
        elif re.match(r"\d*Krita_", package.name):
            own = package / "LocalCache"
            yield Host("Krita", "store", "", "", own / "Roaming/krita", (), own / "Local/kritarc")


def _krita(
    machine: Machine, packaging: str, version: str, python: str, command: tuple[str, ...]
) -> Host:
    data = machine.folder("XDG_DATA_HOME", ".local/share")
    config = machine.folder("XDG_CONFIG_HOME", ".config")
    return Host("Krita", packaging, version, python, data / "krita", command, config / "kritarc")


def _krita_python(version: str) -> str:
    """The Python in Krita's own builds."""
    parts = [int(part) for part in re.findall(r"\d+", version)]
    if not parts:
        return ""
    if parts >= [5, 2, 14]:
        return "3.13"
    return "3.10" if parts >= [5, 2] else "3.8"


def _gimp_folder(machine: Machine, series: str) -> Path:
    return machine.folder("XDG_CONFIG_HOME", ".config") / "GIMP" / series / "plug-ins"


def _app_data(machine: Machine) -> tuple[Path, Path]:
    return machine.folder("APPDATA", "AppData/Roaming"), machine.folder(
        "LOCALAPPDATA", "AppData/Local"
    )


def _series(programs: Path) -> list[str]:
    """The series, such as 3.0, of the GIMPs in a folder of programs."""
    names = (
        re.match(r"gimp(?:-console)?-(\d+\.\d+)(?:\.exe)?$", p.name) for p in _listed(programs)
    )
    return sorted({name[1] for name in names if name})


def _release(prefix: Path, name: str, series: str = "") -> str:
    """The newest version that an editor's metadata tells of, which is its own; else the series."""
    for file in _listed(prefix / "share/metainfo"):
        told = re.search(r'<release [^>]*version="([\d.]+)"', _text(file))
        if file.name.startswith(name) and told and told[1].startswith(series):
            return told[1]
    return series


def _bundle_version(file: Path) -> str:
    with contextlib.suppress(OSError, ValueError, plistlib.InvalidFileException):
        told = str(plistlib.loads(file.read_bytes()).get("CFBundleShortVersionString", ""))
        return told if re.match(r"\d", told) else ""
    return ""


def _linked(python: Path) -> str:
    """The version that a link such as python3 → python3.13 tells."""
    with contextlib.suppress(OSError):
        told = re.search(r"python(3\.\d+)$", str(python.readlink()))
        return told[1] if told else ""
    return ""


def _first(pattern: str, *files: Iterable[Path]) -> str:
    names = (re.match(pattern, file.name) for some in files for file in some)
    return next((name[name.re.groups] for name in names if name), "")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _text(file: Path) -> str:
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace")
    return ""


def _listed(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(folder.iterdir())
    return []
