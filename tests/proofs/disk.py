"""A disk that forgets or is full, as a FUSE file system, and a home of Impasto on it. Linux only.

Needs `mfusepy`, libfuse 3, and root or `fusermount3`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import mfusepy
from PIL import Image
from tests.disk.crash_states import Record
from tests.proofs.home import Home as PlainHome

from impasto_daemon.files import open_regular
from impasto_daemon.presets import preset_file
from impasto_daemon.weights import store as weights
from impasto_protocol.codec import digest_of
from impasto_protocol.connection import read_connection
from impasto_protocol.limits import DIGEST_BYTES

ALL_SYNCED = "/.all-synced"
"""A look at this name says that everything was synced, as sync(2) does not reach FUSE."""
UNPACKED = "weights unpacked"


class Disk(mfusepy.Operations):  # type: ignore[misc]
    """What is below `root`. Each folder in it is as a file system of its own: no rename leaves it.

    record: of what is changed and synced. space: how many changes there is space for; None: all.
    """

    use_ns = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.record: Record | None = None
        self.space: int | None = None
        self.refused = 0

    def _at(self, path: str) -> Path:
        return Path(f"{self.root}{path}")

    def _take_space(self) -> None:
        if self.space is None:
            return
        self.space -= 1
        if self.space < 0:
            self.refused += 1
            raise mfusepy.FuseOSError(errno.ENOSPC)

    def _noted(self) -> None:
        if self.record:
            self.record.look()

    def _synced(self, path: str | None) -> int:
        if self.record:
            self.record.synced(None if path is None else self._at(path))
        return 0

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        if path == ALL_SYNCED:
            self._synced(None)
        found = os.lstat(self._at(path))
        keys = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_mtime_ns", "st_atime_ns",
                "st_ctime_ns")  # fmt: skip
        return {key.removesuffix("_ns"): getattr(found, key) for key in keys}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *(file.name for file in self._at(path).iterdir())]

    def statfs(self, path: str) -> dict[str, int]:
        found = os.statvfs(self._at(path))
        return {key: getattr(found, key) for key in dir(found) if key.startswith("f_")}

    def readlink(self, path: str) -> str:
        return str(self._at(path).readlink())

    def open(self, path: str, flags: int) -> int:
        return os.open(self._at(path), flags & ~os.O_APPEND)

    def create(self, path: str, mode: int, fi: object = None) -> int:
        self._take_space()
        opened = os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        self._noted()
        return opened

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._take_space()
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(self._at(path), length)
        self._noted()

    def release(self, path: str, fh: int) -> int:
        os.close(fh)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._take_space()
        return self._synced(path)

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        return self._synced(path)

    def rename(self, old: str, new: str) -> None:
        if old.split("/")[1] != new.split("/")[1]:
            raise mfusepy.FuseOSError(errno.EXDEV)
        source, target = self._at(old), self._at(new)
        self._take_space()
        if self.record:
            self.record.move(lambda: source.replace(target), source, target)
        else:
            source.replace(target)

    def chmod(self, path: str, mode: int) -> None:
        self._at(path).chmod(mode)
        self._noted()

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.chown(self._at(path), uid, gid)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        os.utime(self._at(path), ns=times)

    def mkdir(self, path: str, mode: int) -> None:
        self._take_space()
        self._at(path).mkdir(mode)
        self._noted()

    def rmdir(self, path: str) -> None:
        self._at(path).rmdir()
        self._noted()

    def unlink(self, path: str) -> None:
        self._at(path).unlink()
        self._noted()

    def symlink(self, target: str, source: str) -> None:
        self._take_space()
        self._at(target).symlink_to(source)
        self._noted()

    def mknod(self, path: str, mode: int, dev: int) -> None:
        self._take_space()
        os.mknod(self._at(path), mode, dev)
        self._noted()


@contextlib.contextmanager
def mounted(files: Disk, at: Path) -> Iterator[None]:
    """The file system, while the `with` lasts."""
    options = {"foreground": True, "nothreads": True, "fsname": "impasto-proof"}
    served = threading.Thread(
        target=mfusepy.FUSE, args=(files, str(at)), kwargs=options, daemon=True
    )
    served.start()
    while not at.is_mount():
        assert served.is_alive(), "it could not be mounted"
        time.sleep(0.05)
    try:
        yield
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(at)], check=True)
        served.join()


class Home(PlainHome):
    """A home on the disk, whose commands keep elsewhere what has no place there."""

    def __init__(self, near: Path) -> None:
        elsewhere = near.parents[1] / "temporary"
        elsewhere.mkdir(exist_ok=True)
        self.weights = os.environ.pop("IMPASTO_WEIGHTS")  # the home has its own
        super().__init__(near, TMPDIR=str(elsewhere))

    def forget_weights(self) -> None:
        """Have the next painting unpack them."""
        self.check("daemon", "stop")
        for file in self.folder.glob("data/weights/oxford.*"):
            file.unlink()


def commands(home: Home) -> dict[str, list[object]]:
    """All that stores something, by what it stores."""
    folder = home.folder
    paint = ["apply", folder / "photo.png", "--iterations", 2, "-o", folder / "painted.png"]
    return {
        "a new style": ["style", "add", "New", folder / "style.png"],
        "a replaced style": ["style", "add", "Kept", folder / "other.png", "--replace"],
        "a renamed style": ["style", "rename", "New", "Newer"],
        "a moved style": ["style", "move", "Kept", "Oils"],
        "a tagged style": ["style", "tag", "Kept", "favourite"],
        "a pack": ["style", "import", folder / "pack.zip", "--replace"],
        "a baked style": ["style", "bake", "Kept", "--minutes", 0.05],
        "an exported style": ["style", "export", "Kept", "-o", folder / "pack.zip"],
        "a removed style": ["style", "remove", "Newer"],
        "a painting": [*paint, "--preset", "Kept"],
        "weights of a file": ["weights", "use", home.weights],
        "another choice of weights": ["weights", "use", "oxford"],
        UNPACKED: [*paint, "--style", folder / "other.png"],
    }


def kept(folder: Path) -> dict[str, bytes]:
    """Each stored file by its name, read by Impasto's own code. Fails for one that is not whole."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name.startswith(("log/", "run/")) or path.name.startswith("."):
            continue
        if ".incoming-" in name or path.suffix in (".lock", ".sock"):
            continue
        read(path)
        found[name] = path.read_bytes()
    if (folder / "run/connection.json").exists():
        read_connection(folder / "run/connection.json")
    return found


def read(path: Path) -> None:
    """A file, by what reads it."""
    if path.parent.name == "presets":
        preset_file.read(path)
    elif path.parent.name == "weights" and path.suffix == ".safetensors":
        weights.load(path, data_dir=path.parent.parent)
    elif path.suffix == ".png":
        with Image.open(path) as image:
            image.load()
    elif path.suffix == ".json":
        json.loads(path.read_text())
    elif path.parent.name == "styles":
        with open_regular(path) as file:
            assert file.read(DIGEST_BYTES) == digest_of(file.read()), path
