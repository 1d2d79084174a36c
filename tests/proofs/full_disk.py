"""The disk becomes full at every change in turn, for each command that stores something.

    uv run --with mfusepy python tests/proofs/full_disk.py [ONLY…]

The real programs work in a home on a FUSE file system that has space for no change, then for one,
for two, and so on, beyond 24 in larger steps, until nothing of the command is refused; it stays
full until the command has ended. Each command ends with 0, or with 1 and an error that says what
to do; every stored file is the old one or the new one, whole, and nothing half written is left;
with space the same command then works. An hour on two cores; needs libfuse 3, `IMPASTO_WEIGHTS`
and root, or `fusermount3`. Ends with 1 at the first thing that is not so. Linux only.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.proofs.disk import UNPACKED, Disk, Home, commands, kept, mounted

STARTED = "a daemon"


def half_written(folder: Path) -> list[str]:
    """What a command that has ended should not leave."""
    return [str(path) for path in folder.rglob(".i*") if path.name[:5] in (".impa", ".inco")]


def spaces() -> Iterator[int]:
    """Every number of changes up to 24, and then fewer of them, as a large file is many."""
    yield from range(25)
    yield from (int(25 * 1.3**power) for power in itertools.count())


def restore(home: Home, saved: Path) -> None:
    """Have everything that is stored be as it was."""
    for path in saved.iterdir():
        if path.is_dir():
            shutil.rmtree(home.folder / path.name)
            shutil.copytree(path, home.folder / path.name)
        else:
            shutil.copy(path, home.folder / path.name)


def try_command(
    home: Home, disk: Disk, what: str, command: list[object], saved: Path
) -> Counter[str]:
    """How often it failed, by what it said."""
    root, said = disk.root / "near", Counter[str]()
    before = kept(root)
    for space in spaces():
        if what in (STARTED, UNPACKED):
            home.check("daemon", "stop")
        disk.space, disk.refused = space, 0
        code, errors = home.run(*command)
        disk.space = None
        where = (what, space, code, errors)
        assert code in (0, 1) and "Traceback" not in errors, where
        assert code == 0 or len(errors.strip().splitlines()) > 1, where
        after = kept(root)
        if code:
            said[errors.replace(f"{home.folder}/", "")] += 1
            lasting = {name for name in before if "styles/" not in name and "rates" not in name}
            assert {name: after.get(name) for name in lasting} == {
                name: before[name] for name in lasting
            }, where
        assert not half_written(root), (where, half_written(root))
        if code == 0 and not disk.refused:
            return said
        restore(home, saved)
        if what == UNPACKED:
            home.forget_weights()
        home.check(*command)
        restore(home, saved)
    raise AssertionError("it goes on for ever")


def main() -> None:
    """Print how often each command failed, and with which words."""
    parser = argparse.ArgumentParser()
    parser.add_argument("only", nargs="*", metavar="ONLY", help="of what is stored")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="impasto-") as name:
        root, mount = Path(name, "kept"), Path(name, "seen")
        for folder in (root / "near", mount):
            folder.mkdir(parents=True)
        disk = Disk(root)
        with mounted(disk, mount):
            home = Home(mount / "near")
            try:
                all_of_them = {STARTED: ["daemon", "start"], **commands(home)}
                for number, (what, command) in enumerate(all_of_them.items()):
                    if what == UNPACKED:
                        home.forget_weights()
                    saved = Path(name, f"saved-{number}")
                    left_out = shutil.ignore_patterns("run", "log", "*.sock")
                    shutil.copytree(home.folder, saved, ignore=left_out)
                    if given.only and what not in given.only:
                        home.check(*command)
                        continue
                    said = try_command(home, disk, what, command, saved)
                    print(f"{what}: failed {said.total()} times", *said, sep="\n    ", flush=True)
            finally:
                disk.space = None
                home.check("daemon", "stop")
            log = (root / "near/log/daemon.log").read_text()
            assert "Traceback" not in log, log[log.index("Traceback") :][:4000]


if __name__ == "__main__":
    main()
