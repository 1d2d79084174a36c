"""Files of a network's weights: read, written, taken in from elsewhere, and known by their tensors.

Nothing is parsed before its hash is known, but safetensors, which hold no code. torch is imported
only where it is needed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from impasto_daemon.files import open_regular, write_file
from impasto_protocol.connection import sync_names
from impasto_protocol.errors import WeightsBad
from impasto_protocol.networks import NETWORKS
from impasto_protocol.settings import VGG19

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST_BYTES = 200 << 20
_LARGEST_HEADER_BYTES = 1 << 16
_PREFIX = re.compile(r"-([0-9a-f]{8,64})\.pth$")


def own_file(data_dir: Path) -> Path:
    """Where `adopt` puts a file of the user's."""
    return data_dir / "weights" / "vgg19_features.safetensors"


def torchvision_file(data_dir: Path, network: str = VGG19) -> Path:
    """Where `convert` puts torchvision's weights of a network."""
    name = "torchvision" if network == VGG19 else network
    return data_dir / "weights" / f"{name}.safetensors"


def load(path: Path, network: str = VGG19, data_dir: Path | None = None) -> dict[str, Tensor]:
    """The tensors of one of `NETWORKS` in a safetensors file.

    float16 or float32, by torchvision's names. Raises WeightsBad unless the file holds exactly
    those tensors, all finite, and, in that data folder, is as it was when it was put there.
    """
    import torch

    data = read(path)
    is_ours = data_dir and path.resolve().parent == (data_dir / "weights").resolve()
    if is_ours and not _was_put(data, path):
        raise WeightsBad(f"{path} is damaged: it is not what was put there.")
    found = arrays(data, path, network)
    _check_shapes(found, path, network)
    return {name: torch.from_numpy(array.copy()) for name, array in found.items()}


def is_copy(path: Path, file: Path) -> bool:
    """Whether `file` still holds what was put at `path`, also where that is not known."""
    try:
        return _was_put(read(file), path)
    except WeightsBad:
        return False


def arrays(data: bytes, path: Path, network: str = VGG19) -> dict[str, NDArray[Any]]:
    """What `load` gives, as arrays of the content of the file `path`. Raises WeightsBad.

    Loads no torch; the shapes of a network that is not a VGG are not looked at.
    """
    if int.from_bytes(data[:8], "little") > _LARGEST_HEADER_BYTES:
        raise WeightsBad(f"{path} is not a safetensors file of a network's weights.")
    try:
        found = safetensors.numpy.load(data)
    except Exception as error:  # its errors share no base class but this
        raise WeightsBad(f"{path} is not a safetensors file, or is damaged.") from error
    if NETWORKS[network].blocks:
        _check_shapes(found, path, network)
    _check_numbers(found, path)
    return found


def hash_tensors(tensors: Mapping[str, NDArray[Any]]) -> str:
    """What a network is called: a sha256 of its tensors' names, shapes and values.

    Not of a file's bytes: safetensors writes metadata in an order that differs from time to time,
    and the same values may be float16 or float32.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name], "<f4")
        digest.update(f"{name} {values.shape} ".encode())
        digest.update(values.data)
    return digest.hexdigest()


def reordered(data: bytes) -> bytes:
    """A safetensors file with its two entries of metadata changed about; others as they are."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    entries = header.get("__metadata__", {})
    if len(entries) != 2:
        return data
    header["__metadata__"] = dict(reversed(entries.items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return data[:8] + text.ljust(length) + data[8 + length :]


def adopt(file: Path, data_dir: Path, network: str = VGG19) -> Path:
    """Copy `file` into the data folder: a safetensors file as `load` wants it, or torchvision's
    own download, known by the hash in its published name. Raises WeightsBad for anything else.
    """
    if _head(file) == b"PK\x03\x04" or file.suffix in (".pth", ".pt"):
        return convert(file, data_dir, published_prefix(published_url(network)), network)
    load(file, network, data_dir)
    to = own_file(data_dir) if network == VGG19 else torchvision_file(data_dir, network)
    return _write(read(file), to)


def keep(tensors: Mapping[str, Tensor], path: Path, *, source: str = "") -> Path:
    """Write tensors to a file of ours. source: what is said of them in it. Raises NotWritten."""
    import safetensors.torch

    # One entry at most, or the same tensors would not always give the same bytes.
    metadata = {"source": source} if source else None
    return _write(safetensors.torch.save(dict(tensors), metadata=metadata), path)


def published_url(network: str = VGG19) -> str:
    """Where torchvision publishes a network, IMAGENET1K_V1."""
    from torchvision.models import get_model_weights

    url: str = get_model_weights(network).IMAGENET1K_V1.url
    return url


def published_prefix(url: str) -> str:
    """The start of the sha256 that the published file's name carries."""
    found = _PREFIX.search(url)
    if not found:
        raise WeightsBad("The download's name carries no hash to check it by.")
    return found[1]


def convert(file: Path, data_dir: Path, prefix: str, network: str = VGG19) -> Path:
    """Keep what is used of torchvision's `file` as safetensors in the data folder.

    Raises WeightsBad, before anything in it is parsed, unless its sha256 begins with `prefix`.
    """
    with _open(file) as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if not digest.startswith(prefix):
        label = NETWORKS[network].label
        raise WeightsBad(f"{file} is not the published {label}: its hash is {digest[:8]}…")
    import torch

    from impasto_daemon.engine.network import tensor_shapes

    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
        kept = {name: tensors[name].contiguous() for name in tensor_shapes(network)}
        found = {name: tensor.numpy() for name, tensor in kept.items()}
        _check_shapes(found, file, network)
        _check_numbers(found, file)
    except WeightsBad:
        raise
    except Exception as error:  # eight digits of a hash promise little about what is inside
        raise WeightsBad(_not_its(file, network)) from error
    return keep(kept, torchvision_file(data_dir, network), source=f"{file.name}, sha256 {digest}")


def read(path: Path) -> bytes:
    """A file's content. Raises WeightsBad when it cannot be read or is far too large."""
    with _open(path) as file:
        data = file.read(_LARGEST_BYTES + 1)
    if len(data) > _LARGEST_BYTES:
        raise WeightsBad(f"{path} is larger than a network's weights can be.")
    return data


def _check_shapes(tensors: Mapping[str, NDArray[Any]], path: Path, network: str) -> None:
    from impasto_daemon.engine.convolutions import vgg_tensors

    if NETWORKS[network].blocks:
        shapes = vgg_tensors(network)
    else:
        from impasto_daemon.engine.network import tensor_shapes

        shapes = tensor_shapes(network)
    if {name: array.shape for name, array in tensors.items()} != shapes:
        raise WeightsBad(_not_its(path, network))


def _not_its(file: Path, network: str) -> str:
    return f"{file} does not hold exactly the convolutions of {NETWORKS[network].label}."


def _check_numbers(tensors: Mapping[str, NDArray[Any]], path: Path) -> None:
    for name, array in tensors.items():
        if array.dtype not in (np.float16, np.float32):
            raise WeightsBad(f"{path}: {name} is {array.dtype}, not float16 or float32.")
        if not np.isfinite(array).all():
            raise WeightsBad(f"{path}: {name} holds numbers that are not finite.")


def _write(data: bytes, path: Path) -> Path:
    # First, or what is cut short here would be taken for damaged.
    if _hash_file(path).exists():
        _hash_file(path).unlink()
        sync_names(path.parent)
    write_file(path, data)
    write_file(_hash_file(path), hashlib.sha256(data).hexdigest().encode())
    return path


def _was_put(data: bytes, path: Path) -> bool:
    kept = _hash_file(path)
    return not kept.is_file() or hashlib.sha256(data).hexdigest().encode() in read(kept)


def _hash_file(path: Path) -> Path:
    """Where the sha256 of our own copy is kept; beside a file of the user's it is any file's."""
    return path.with_suffix(".sha256")


def _open(path: Path) -> BufferedReader:
    try:
        return open_regular(path)
    except OSError as error:
        raise WeightsBad(f"{path} cannot be read: {error.strerror}.") from error


def _head(path: Path) -> bytes:
    with _open(path) as file:
        return file.read(4)
