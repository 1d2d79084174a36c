"""Which part may import which: plug-ins, protocol, daemon; and torch only where it paints."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import impasto_daemon
import impasto_installer
import impasto_protocol

ROOT = Path(__file__).resolve().parents[2]
KRITA = ROOT / "plugins/krita/pykrita/impasto"
GIMP = ROOT / "plugins/gimp/impasto"
PROTOCOL = Path(impasto_protocol.__file__).parent
INSTALLER = Path(impasto_installer.__file__).parent
DAEMON = Path(impasto_daemon.__file__).parent


def imported(path, *, at_import=False):
    """The modules that a file imports; those of its own package with dots.

    at_import: not what its functions import, or what is for the type checker alone.
    """
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in module.body if at_import else ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            yield from [dots + node.module] if node.module else (dots + a.name for a in node.names)


def outside(folder):
    """What the files of a folder import that is not of the standard library, by file."""
    for path in sorted(folder.rglob("*.py")):
        if "vendor" in path.relative_to(folder).parts:
            continue
        for name in imported(path):
            if name.split(".")[0] not in sys.stdlib_module_names:
                yield path.relative_to(folder).as_posix(), name


def test_protocol_needs_pyzmq_and_msgpack_alone():
    tops = {name.split(".")[0] for _, name in outside(PROTOCOL)}
    assert tops == {"impasto_protocol", "msgpack", "zmq"}


def test_engine_needs_torch_and_the_vocabulary_alone():
    allowed = {"torch", "torchvision", "impasto_protocol.settings", "impasto_protocol.errors",
               "impasto_protocol.networks"}  # fmt: skip
    for path, name in outside(DAEMON / "engine"):
        ours = name.startswith(("impasto_daemon.engine.", "torch."))
        assert ours or name in allowed, (path, name)


# From the top: what stands on a line may import only what stands below it, and what is its own.
ROOMS = (
    # room                         may its modules load torch as they are imported?
    ({"cli"}, False),
    ({"doctor"}, False),
    ({"service"}, False),
    ({"broker"}, False),
    ({"worker"}, True),
    ({"presets"}, False),
    ({"weights", "images"}, False),
    ({"engine"}, True),
    ({"config", "paths", "logs", "files"}, False),
)  # fmt: skip


def room_of(name):
    """The room of a module's dotted name or of a file's path below impasto_daemon."""
    return name.removeprefix("impasto_daemon.").split("/")[0].split(".")[0]


def floor_of(room):
    return next(floor for floor, (rooms, _) in enumerate(ROOMS) if room in rooms)


def test_the_daemon_has_these_rooms_and_no_others():
    there = {path.stem for path in DAEMON.iterdir() if path.is_dir() or path.suffix == ".py"}
    data = {"demo", "__init__", "__pycache__"}
    assert there - data == set.union(*(rooms for rooms, _ in ROOMS))


def test_arrows_between_the_daemon_s_rooms_run_down():
    for path, name in outside(DAEMON):
        if path != "__init__.py" and name.startswith("impasto_daemon."):
            room, used = room_of(path), room_of(name)
            assert room == used or floor_of(room) < floor_of(used), f"{path} imports {name}"


def test_only_worker_and_engine_load_torch_as_they_are_imported():
    for path in sorted(DAEMON.rglob("*.py")):
        at_import = {name.split(".")[0] for name in imported(path, at_import=True)}
        room = room_of(path.relative_to(DAEMON).as_posix())
        if {"torch", "torchvision"} & at_import:
            assert ROOMS[floor_of(room)][1], path


def test_installer_needs_the_standard_library_and_what_runs_on_it_alone():
    allowed = ("impasto_installer", "impasto_protocol.connection", "impasto_protocol.errors")
    for path, name in outside(INSTALLER):
        assert name.startswith(allowed) or name == "impasto_protocol", (path, name)


def own_modules(folder):
    return {path.stem for path in folder.glob("*.py")}


def test_krita_needs_krita_qt_and_the_protocol_alone():
    ours = {f".{name}" for name in own_modules(KRITA)}
    allowed = {"krita", "pykrita", "PyQt5", "PyQt6", "impasto_protocol"}
    for path, name in outside(KRITA):
        assert name in ours or name.split(".")[0] in allowed, (path, name)


def test_krita_names_qt_in_one_place_and_knows_what_is_broken_without_the_rest():
    importing = {path for path, name in outside(KRITA) if name.startswith("PyQt")}
    assert importing == {"qt.py"}
    assert {name for path, name in outside(KRITA) if path == "fallback_docker.py"} == {
        "krita",
        ".qt",
    }
    assert {name for path, name in outside(KRITA) if path == "qt.py"} == {
        "pykrita", "PyQt5", "PyQt6",
    }  # fmt: skip


def test_gimp_needs_gimp_and_the_protocol_alone():
    allowed = {"gi", "impasto_protocol", *own_modules(GIMP)}
    for path, name in outside(GIMP):
        assert name.split(".")[0] in allowed, (path, name)


def test_only_broker_and_address_hold_sockets():
    assert {path for path, name in outside(DAEMON) if name.startswith("zmq")} == {
        "broker/address.py", "broker/broker.py",
        "broker/server_key.py",  # which only makes keys
    }  # fmt: skip


@pytest.mark.parametrize(
    "module", ["broker.broker", "broker.scheduler", "cli.main", "doctor.checkup", "presets.store"]
)
def test_without_a_worker_nothing_loads_torch(module):
    code = (
        f"import sys, impasto_daemon.{module}\n"
        "assert not {'torch', 'torchvision'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
