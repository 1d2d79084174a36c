"""OpenEXR files: light of a scene, its colours multiplied by alpha."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from impasto_daemon.images import pillow_image, scene_light
from impasto_daemon.images.source import Source, Space, Unsupported

_DEEP = (OpenEXR.deepscanline, OpenEXR.deeptile)
_MOST_NUMBERS = 256_000_000


class _Layer(NamedTuple):
    """Channels that are a picture. prefix: what stands before "R"; part: its number in the file."""

    prefix: str
    part: int
    channels: str

    @property
    def rank(self) -> tuple[bool, bool]:
        """The lower, the more it is the picture: without a name, or as Blender calls its own."""
        return self.prefix != "", not self.prefix.endswith("Combined.")


def decode(data: bytes) -> Source:
    """Its main layer. Raises Unsupported, or what OpenEXR raises for damage."""
    headers = [part.header for part in _parts(data, header_only=True)]
    _refuse_unread(headers)
    layers = [layer for number, header in enumerate(headers) for layer in _layers(header, number)]
    if not layers:
        raise Unsupported("is an OpenEXR without a picture's channels (R, G, B or Y)")
    layer = min(layers, key=lambda layer: layer.rank)
    parts = _parts(data)
    if len(parts) != len(headers):
        # OpenEXR leaves out what it could not decode, and raises nothing.
        raise ValueError("not the parts that its headers announced")
    header, channels = headers[layer.part], parts[layer.part].channels
    planes = [channels[layer.prefix + name].pixels for name in layer.channels]
    light = np.empty((*planes[0].shape, len(planes)), np.float32)
    for number, plane in enumerate(planes):
        light[..., number] = plane
    space: Space = "GRAY" if layer.channels[0] == "Y" else "RGB"
    if layer.channels[-1] == "A":
        light = _unmultiplied(light)
    told = header.get("chromaticities", scene_light.SRGB)
    source = scene_light.to_source(light, space, tuple(map(float, told)))
    return source.noting(*_notes(layers))


def _parts(data: bytes, *, header_only: bool = False) -> list[Any]:
    file = OpenEXR.File(io.BytesIO(data), separate_channels=True, header_only=header_only)
    return list(file.parts)


def _refuse_unread(headers: list[dict[str, Any]]) -> None:
    numbers = 0
    for header in headers:
        low, high = header["dataWindow"]
        width, height = (int(end) - int(start) + 1 for start, end in zip(low, high, strict=True))
        pillow_image.refuse_large(width, height)
        numbers += width * height * len(header["channels"])
    if any(header.get("type") in _DEEP for header in headers):
        raise Unsupported("is an OpenEXR of deep pixels")
    if numbers > _MOST_NUMBERS:
        raise Unsupported("is an OpenEXR with too many layers for its size")


def _layers(header: dict[str, Any], part: int) -> list[_Layer]:
    names = {channel.name for channel in header["channels"]}
    if {"Y", "BY", "RY"} <= names:
        raise Unsupported("is an OpenEXR of luminance and chroma")
    prefixes = sorted({name[: name.rfind(".") + 1] for name in names})
    found = [
        _Layer(prefix, part, "RGB")
        for prefix in prefixes
        if {prefix + name for name in "RGB"} <= names
    ]
    if not found and "Y" in names:
        found = [_Layer("", part, "Y")]
    return [
        layer._replace(channels=layer.channels + "A") if layer.prefix + "A" in names else layer
        for layer in found
    ]


def _unmultiplied(light: NDArray[np.float32]) -> NDArray[np.float32]:
    alpha = light[..., -1:]
    colours = light[..., :-1] / np.where(alpha > 0, alpha, 1)
    return np.concatenate([colours, alpha], axis=2)


def _notes(layers: list[_Layer]) -> tuple[str, ...]:
    return (f"The file has {len(layers)} layers; one was taken.",) if len(layers) > 1 else ()
