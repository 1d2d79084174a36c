"""The styles that come with Impasto as presets, whose statistics are taken when they are used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files

from impasto_daemon.pictures import read_picture, shrink
from impasto_daemon.preset_file import THUMBNAIL_PX, Preset
from impasto_daemon.starter.styles import STYLES
from impasto_protocol.codec import digest_of
from impasto_protocol.settings import Settings


def starter_presets() -> Iterator[Preset]:
    """A preset for each picture of this folder."""
    for style in STYLES:
        with as_file(files("impasto_daemon") / "starter" / f"{style}.jpg") as file:
            picture = read_picture(file)
        yield Preset(
            name=style.capitalize(),
            settings=Settings(),
            picture=picture,
            thumbnail=shrink(picture, THUMBNAIL_PX),
            network="",
            style=digest_of(picture.data).hex(),
            statistics={},
            folder="Starter",
        )
