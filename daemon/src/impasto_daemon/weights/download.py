"""Downloading torchvision's networks: resumable, and in place only once its hash is right."""

from __future__ import annotations

import contextlib
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO

from impasto_daemon.files import not_written
from impasto_daemon.weights import store
from impasto_protocol.connection import lock_file, make_folders
from impasto_protocol.errors import DiskFull, DownloadFailed, WeightsBad
from impasto_protocol.networks import NETWORKS
from impasto_protocol.settings import VGG19

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 20
_SPARE_BYTES = 200 << 20


def fetch(
    data_dir: Path,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    network: str = VGG19,
    url: str = "",
) -> Path:
    """Download torchvision's weights of a network into the data folder; their path.

    What was begun is resumed.

    on_progress: called with bytes done and bytes in all, 0 when that is unknown.
    Raises DownloadFailed, WeightsBad when the hash is wrong, NotWritten. Only a wrong hash gives
    up what was downloaded so far.
    """
    url = url or store.published_url(network)
    prefix = store.published_prefix(url)
    name = "download.part" if network == VGG19 else f"{network}.part"
    part = store.torchvision_file(data_dir).with_name(name)
    try:
        make_folders(part.parent)
        lock = part.with_suffix(".lock").open("ab")
    except OSError as error:
        raise not_written(f"{part.parent} cannot be written to", error) from error
    with lock:
        if not _locked(lock):
            raise DownloadFailed(
                "Another program is downloading the weights already.",
                next_step="Wait for it to finish; `impasto weights status` tells.",
            )
        try:
            _download(url, part, on_progress)
        except OSError as error:
            raise not_written(f"{part} could not be written", error) from error
        try:
            path = store.convert(part, data_dir, prefix, network)
        except WeightsBad as error:
            part.unlink(missing_ok=True)
            raise WeightsBad(
                f"What was downloaded is not {NETWORKS[network].label}: its hash is wrong.",
                next_step="A proxy may have answered instead; check the network and try again.",
            ) from error
        part.unlink(missing_ok=True)
        return path


def _locked(lock: BinaryIO) -> bool:
    """Whether nobody else downloads; on a file system without locks it cannot be known."""
    try:
        return lock_file(lock)
    except OSError:
        return True


def _download(url: str, part: Path, on_progress: Callable[[int, int], None]) -> None:
    done = part.stat().st_size if part.exists() else 0
    response = _open(url, done)
    if response is None:
        return
    if response.headers.get("Content-Type", "").startswith("text/"):
        response.close()
        raise DownloadFailed(
            "A web page came instead of the weights.",
            next_step="A proxy may have answered; check the network and try again, it resumes.",
        )
    with response, part.open("ab") as file:
        if response.status != 206:
            file.truncate(0)
            done = 0
        total = 0 if response.length is None else done + response.length
        if shutil.disk_usage(part.parent).free < total - done + _SPARE_BYTES:
            raise DiskFull(
                f"The download needs {(total - done + _SPARE_BYTES) >> 20} MiB of free space."
            )
        done = _copy(response, file, done, total, on_progress)
        if total and done < total:
            raise DownloadFailed(f"The connection ended after {done >> 20} of {total >> 20} MiB.")


def _copy(
    response: HTTPResponse,
    file: BinaryIO,
    done: int,
    total: int,
    on_progress: Callable[[int, int], None],
) -> int:
    while chunk := _piece(response):
        file.write(chunk)
        done += len(chunk)
        on_progress(done, total)
    return done


def _piece(response: HTTPResponse) -> bytes:
    with _network():
        return response.read(_CHUNK_BYTES)


@contextlib.contextmanager
def _network() -> Iterator[None]:
    """What goes wrong inside is the network's fault, not the disk's, though both are OSError."""
    try:
        yield
    except (OSError, HTTPException) as error:
        raise DownloadFailed(f"The download did not complete: {_reason(error)}.") from error


def _open(url: str, done: int) -> HTTPResponse | None:
    """The answer to a request for what follows the first `done` bytes; None when that is nothing.

    What is resumed may have changed meanwhile; the hash of the whole finds that out.
    """
    request = urllib.request.Request(url)
    if done:
        request.add_header("Range", f"bytes={done}-")
    with _network():
        try:
            answer: HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
        except urllib.error.HTTPError as error:
            if error.code == 416 and done:
                return None
            raise
        return answer


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", "") or error or type(error).__name__)
