"""VGG-19's weights: where they are, how they get there, and whether they are what they must be.

Nothing is parsed before its hash is known, but safetensors, which hold no code. torch is imported
only where tensors are touched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from impasto_daemon.files import open_regular, write_file
from impasto_protocol.errors import WeightsBad

if TYPE_CHECKING:
    import torch

_NAME = "vgg19_features.safetensors"
_LARGEST_BYTES = 200 << 20
_LARGEST_HEADER_BYTES = 1 << 16
_PREFIX = re.compile(r"-([0-9a-f]{8,64})\.pth$")


def find(named: str, data_dir: Path) -> Path | None:
    """The file that was `named`, else the one in the data folder, else None.

    Raises WeightsBad when a named file is not there: nothing else is quietly taken instead.
    """
    if not named:
        return stored(data_dir) if stored(data_dir).is_file() else None
    if not Path(named).is_file():
        raise WeightsBad(
            f"The weights file {named} is not there.",
            next_step="Correct its path, or run `impasto weights fetch`.",
        )
    return Path(named)


def stored(data_dir: Path) -> Path:
    """Where `fetch` and `adopt` put the weights."""
    return data_dir / "weights" / _NAME


def identify(named: str, data_dir: Path) -> str:
    """The sha256 of the weights to be used, as `load` tells it; empty without any."""
    try:
        path = find(named, data_dir)
        return _hash(path, path.stat().st_mtime_ns, path.stat().st_size) if path else ""
    except (OSError, WeightsBad):
        return ""


@lru_cache(maxsize=1)
def _hash(path: Path, changed: int, size: int) -> str:
    with _open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """The sixteen convolutions of VGG-19 in a safetensors file, and the sha256 of the file.

    float16 or float32, by torchvision's names. Raises WeightsBad unless the file holds exactly
    those tensors, all finite, and is as it was when `fetch` or `adopt` put it there.
    """
    import safetensors.torch

    data = _read(path)
    digest = hashlib.sha256(data).hexdigest()
    if _hash_file(path).is_file() and digest.encode() not in _read(_hash_file(path)):
        raise WeightsBad(f"{path} is damaged: it is not what was put there.")
    if int.from_bytes(data[:8], "little") > _LARGEST_HEADER_BYTES:
        raise WeightsBad(f"{path} is not a safetensors file of VGG-19.")
    try:
        tensors = safetensors.torch.load(data)
    except Exception as error:  # its errors share no base class but this
        raise WeightsBad(f"{path} is not a safetensors file, or is damaged.") from error
    _check(tensors, path)
    return tensors, digest


def _check(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    import torch

    from impasto_daemon.engine.network import CONVOLUTIONS

    if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != CONVOLUTIONS:
        raise WeightsBad(f"{path} does not hold exactly the convolutions of VGG-19.")
    for name, tensor in tensors.items():
        if tensor.dtype not in (torch.float16, torch.float32):
            raise WeightsBad(f"{path}: {name} is {tensor.dtype}, not float16 or float32.")
        if not bool(tensor.isfinite().all()):
            raise WeightsBad(f"{path}: {name} holds numbers that are not finite.")


def adopt(file: Path, data_dir: Path) -> Path:
    """Copy `file` into the data folder: a safetensors file as `load` wants it, or torchvision's
    own download, known by the hash in its published name. Raises WeightsBad for anything else.
    """
    if _head(file) == b"PK\x03\x04" or file.suffix in (".pth", ".pt"):
        return convert(file, data_dir, published_prefix())
    load(file)
    return _keep(_read(file), data_dir)


def published_url() -> str:
    """Where torchvision publishes VGG-19, IMAGENET1K_V1."""
    from torchvision.models import VGG19_Weights

    url: str = VGG19_Weights.IMAGENET1K_V1.url
    return url


def published_prefix(url: str = "") -> str:
    """The start of the sha256 that the published file's name carries."""
    found = _PREFIX.search(url or published_url())
    if not found:
        raise WeightsBad("The download's name carries no hash to check it by.")
    return found[1]


def convert(file: Path, data_dir: Path, prefix: str) -> Path:
    """Keep the convolutions of torchvision's `file` as safetensors in the data folder.

    Raises WeightsBad, before anything in it is parsed, unless its sha256 begins with `prefix`.
    """
    with _open(file) as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if not digest.startswith(prefix):
        raise WeightsBad(f"{file} is not the published VGG-19: its hash is {digest[:8]}…")
    import safetensors.torch
    import torch

    from impasto_daemon.engine.network import CONVOLUTIONS

    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
        kept = {name: tensors[name].contiguous() for name in CONVOLUTIONS}
    except Exception as error:  # eight digits of a hash promise little about what is inside
        raise WeightsBad(f"{file} does not hold the convolutions of VGG-19.") from error
    _check(kept, file)
    metadata = {"source": file.name, "sha256": digest}
    return _keep(safetensors.torch.save(kept, metadata=metadata), data_dir)


def _keep(data: bytes, data_dir: Path) -> Path:
    path = stored(data_dir)
    # First, or what is cut short here would be taken for damaged.
    _hash_file(path).unlink(missing_ok=True)
    write_file(path, data)
    write_file(_hash_file(path), hashlib.sha256(data).hexdigest().encode())
    return path


def _hash_file(path: Path) -> Path:
    """Where the sha256 of our own copy is kept; beside a file of the user's there is seldom one."""
    return path.with_suffix(".sha256")


def _open(path: Path) -> BufferedReader:
    try:
        return open_regular(path)
    except OSError as error:
        raise WeightsBad(f"{path} cannot be read: {error.strerror}.") from error


def _read(path: Path) -> bytes:
    with _open(path) as file:
        data = file.read(_LARGEST_BYTES + 1)
    if len(data) > _LARGEST_BYTES:
        raise WeightsBad(f"{path} is larger than VGG-19's weights can be.")
    return data


def _head(path: Path) -> bytes:
    with _open(path) as file:
        return file.read(4)
