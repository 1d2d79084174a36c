"""The styles that come with Impasto as presets, whose statistics are taken when they are used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files

from impasto_daemon.images.pictures import read_picture, shrink
from impasto_daemon.presets.baked_network import BakedNetwork, read_network
from impasto_daemon.presets.preset_file import THUMBNAIL_PX, Preset
from impasto_protocol.codec import Picture, digest_of
from impasto_protocol.settings import Settings

STARTER_STYLES = (
    "swirls", "dots", "knife", "lights", "watercolour", "gouache", "ink", "charcoal", "pastel",
    "woodcut", "glass", "mosaic", "marbling", "batik",
)  # fmt: skip
"""Each is a picture in `starter/`, `NAME.jpg`, and one that is painted in it, in `samples/`; the
network that it is baked into is in `networks/`."""

_PHOTOGRAPHS = ("coffee", "rocket", "astronaut")


def starter_presets() -> Iterator[Preset]:
    """A preset for each of STARTER_STYLES."""
    for style in STARTER_STYLES:
        picture, sample = _read(f"{style}.jpg"), _read("samples", f"{style}.webp")
        yield Preset(
            name=style.capitalize(),
            settings=Settings(),
            picture=picture,
            thumbnail=shrink(sample, THUMBNAIL_PX),
            network="",
            style=digest_of(picture.data).hex(),
            statistics={},
            folder="Starter",
            baked=starter_network(style),
        )


def baking_photographs() -> list[Picture]:
    """What styles are baked from where no photographs are named."""
    with as_file(files("impasto_daemon") / "demo" / "photograph.jpg") as file:
        found = [read_picture(file)]
    return found + [_read("photographs", f"{name}.jpg") for name in _PHOTOGRAPHS]


def starter_network(style: str) -> BakedNetwork | None:
    """What one of STARTER_STYLES is baked into; None where it is not."""
    folder = files("impasto_daemon").joinpath("presets", "starter", "networks")
    if not (file := folder / f"{style}.safetensors").is_file():
        return None
    return read_network(file.read_bytes())


def _read(*path: str) -> Picture:
    with as_file(files("impasto_daemon").joinpath("presets", "starter", *path)) as file:
        return read_picture(file)
