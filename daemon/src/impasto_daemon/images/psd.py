"""Photoshop files: the merged picture that they hold beside their layers."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from impasto_daemon.images import pillow_image
from impasto_daemon.images.source import Source, Unsupported

_HEAD_BYTES = 26
_MODES = {
    0: "bitmap", 1: "grey", 2: "indexed", 3: "RGB", 4: "CMYK", 7: "multichannel", 8: "duotone",
    9: "Lab",
}  # fmt: skip
_READ = ("bitmap", "grey", "indexed", "RGB", "CMYK", "duotone")


def decode(data: bytes) -> Source:
    """The merged picture. Raises Unsupported, or what Pillow raises for damage."""
    bits, mode = int.from_bytes(data[22:24]), _MODES.get(int.from_bytes(data[24:26]), "")
    if bits > 8:
        raise Unsupported(f"is a PSD of {bits} bits, of which only 8 are read")
    if mode not in _READ:
        raise Unsupported(f"is a PSD of a colour mode that is not read ({mode or 'unknown'})")
    with Image.open(io.BytesIO(data), formats=("PSD",)) as image:
        source = pillow_image.to_source(image)
    if source.pixels.shape[2] == 4 and source.space == "RGB" and not _is_transparent(data):
        # A fourth channel is then a selection that was saved.
        return replace(source, pixels=source.pixels[..., :3])
    return source


def _is_transparent(data: bytes) -> bool:
    """The merged picture's alpha is its transparency: the number of layers is negative."""
    at = _HEAD_BYTES
    for _ in ("colour mode data", "resources"):
        at += 4 + int.from_bytes(data[at : at + 4])
    return int.from_bytes(data[at + 8 : at + 10], signed=True) < 0
