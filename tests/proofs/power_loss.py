"""The power goes while Impasto writes: every state that this may leave, read again.

    uv run --with mfusepy python tests/proofs/power_loss.py [--moments 60] [--seed 0] [ONLY…]

The real programs work in a home on a FUSE file system that keeps a record of what they change and
sync. After each command the states are made that a loss of power during it, or right after it, may
leave: what was not synced is lost, some of it, out of order, or by half. In each state every
style, picture and network is read by Impasto's own code, and must be the old one or the new one,
whole; after the command the new one. The installer's next run must find the old installation or
the new one. Twenty minutes on two cores; needs libfuse 3, `IMPASTO_WEIGHTS` and root, or
`fusermount3`. Ends with 1 at the first state that is not so. Linux only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.disk.crash_states import Record, put
from tests.disk.test_power_loss import found_after
from tests.proofs.disk import ALL_SYNCED, UNPACKED, Disk, Home, commands, kept, mounted
from tests.unit.installer.conftest import NoUv

from impasto_installer import install as installing
from impasto_installer.hosts import Host
from impasto_installer.machine import Machine
from impasto_installer.terminal import Terminal

LEFT_OUT = ("log",)
INSTALLED = "an installation"


def try_command(
    home: Home, files: Disk, aside: Path, command: list[object], limits: tuple[int, int]
) -> int:
    """How many states were looked at."""
    root = files.root / "near"
    before = kept(root)
    files.record = Record(root, LEFT_OUT)
    home.check(*command)
    states, after = list(files.record.states(*limits)), kept(root)
    files.record = None
    # Of what is only worth keeping, an old one that is gone is no loss.
    names = {name for name in {**before, **after} if "styles/" not in name and "rates" not in name}
    between = "bake" in command  # which stores what it has got so far, too
    for state, done in states:
        found = kept(put(state, aside))
        assert len(names & {*found}) >= min(len(names & {*before}), len(names & {*after}))
        for name in names:
            old, new = before.get(name), after.get(name)
            whole = found.get(name) in ([new] if done else [old, new])
            assert whole or (between and not done), (command, name)
    return len(states)


def try_installation(root: Path, mount: Path, limits: tuple[int, int]) -> int:
    """An upgrade of a plug-in that is on another file system than the rest; the states."""
    for name in ("near/.config/kritarc", "far/krita/kritarc"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("[General]\nlocale=de\n")
    files = Disk(root)
    with mounted(files, mount):
        install_into(mount)
        (mount / "far/krita/pykrita/impasto/__init__.py").write_text("# of an older version\n")
        old = found_after(mount, machine_at(mount).data)
        files.record = Record(root)
        # In a process of its own, as what it does is served by this one.
        process = multiprocessing.get_context("spawn").Process(target=install_into, args=(mount,))
        process.start()
        process.join()
        assert process.exitcode == 0
        states = list(files.record.states(*limits))
        files.record = None
        new = found_after(mount, machine_at(mount).data)
    assert new != old
    os.sync = os.fsync = lambda *file: None  # which takes long, and is of no use from here on
    for state, done in states:
        put(state, mount)
        assert found_after(mount, machine_at(mount).data) in ([new] if done else [old, new])
    return len(states)


def machine_at(home: Path) -> Machine:
    """A machine below a folder."""
    return Machine("linux", home / "near", {"XDG_RUNTIME_DIR": str(home / "near/run")})


def install_into(mount: Path) -> None:
    """Install the daemon, but for what uv puts together, and Krita's plug-in."""
    sync = os.sync

    def all_synced() -> None:
        sync()
        os.path.lexists(f"{mount}{ALL_SYNCED}")

    os.sync = all_synced
    NoUv.asked = []
    installing.Uv = NoUv
    krita = Host("Krita", "package", "5.2.9", "3.13", mount / "far/krita", (),
                 mount / "near/.config/kritarc")  # fmt: skip
    plan = installing.Plan(machine_at(mount), installing.Options(), [krita])
    installing.install(plan, Terminal(yes=True))


def main() -> None:
    """Print what was stored, and how many states of the disk were read."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--moments", type=int, default=60, help="of each command, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("only", nargs="*", metavar="ONLY", help="of what is stored")
    given = parser.parse_args()
    limits = (given.moments, given.seed)
    with tempfile.TemporaryDirectory(prefix="impasto-") as name:
        root, mount, aside = (Path(name, part) for part in ("kept", "seen", "aside"))
        for folder in (root / "near", root / "far", mount):
            folder.mkdir(parents=True)
        files = Disk(root)
        with mounted(files, mount):
            home = Home(mount / "near")
            try:
                home.check("apply", home.folder / "photo.png", "--preset", "Kept",
                         "--iterations", 2, "-o", home.folder / "painted.png")  # fmt: skip
                for what, command in commands(home).items():
                    if what == UNPACKED:
                        home.forget_weights()
                    if given.only and what not in given.only:
                        home.check(*command)
                        continue
                    looked_at = try_command(home, files, aside, command, limits)
                    print(f"{what}: {looked_at} states, each old or new", flush=True)
            finally:
                home.check("daemon", "stop")
    if not given.only or INSTALLED in given.only:
        with tempfile.TemporaryDirectory(prefix="impasto-") as name:
            root, mount = Path(name, "kept"), Path(name, "seen")
            mount.mkdir()
            looked_at = try_installation(root, mount, limits)
        print(f"{INSTALLED}: {looked_at} states, each old or new", flush=True)


if __name__ == "__main__":
    main()
