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


def imported(path):
    """The modules that a file imports, at its top or inside; those of its own package with dots."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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
    allowed = {"torch", "torchvision", "impasto_protocol.settings", "impasto_protocol.errors"}
    for path, name in outside(DAEMON / "engine"):
        ours = name.startswith(("impasto_daemon.engine.", "torch."))
        assert ours or name in allowed, (path, name)


def test_only_the_painting_part_imports_torch():
    importing = {path for path, name in outside(DAEMON) if name.split(".")[0] == "torch"}
    rest = {path for path in importing if not path.startswith("engine/")}
    assert rest == {"studio.py", "tensors.py", "trial.py", "weights.py", "worker.py"}


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
    assert {name for path, name in outside(KRITA) if path == "broken.py"} == {"krita", ".qt"}
    assert {name for path, name in outside(KRITA) if path == "qt.py"} == {
        "pykrita", "PyQt5", "PyQt6",
    }  # fmt: skip


def test_gimp_needs_gimp_and_the_protocol_alone():
    allowed = {"gi", "impasto_protocol", *own_modules(GIMP)}
    for path, name in outside(GIMP):
        assert name.split(".")[0] in allowed, (path, name)


def test_only_broker_and_address_hold_sockets():
    assert {path for path, name in outside(DAEMON) if name.startswith("zmq")} == {
        "address.py", "broker.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    "module", ["broker", "cli.main", "service", "weights", "presets", "workshop"]
)
def test_without_a_worker_nothing_loads_torch(module):
    code = (
        f"import sys, impasto_daemon.{module}\n"
        "assert not {'torch', 'torchvision'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
