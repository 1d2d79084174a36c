"""The recipe that a painting carries as PNG, written, and read to paint by it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from impasto_daemon.files import open_regular
from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.codec import digest_of
from impasto_protocol.errors import BadField, PictureRejected, PictureUnreadable, StyleUnreadable
from impasto_protocol.fields import from_dict, to_dict
from impasto_protocol.messages import STYLES, PresetInfo, Result, StyleUse
from impasto_protocol.settings import Settings
from impasto_protocol.style_names import name_now

MAPS = ("strength_map", "picture_map", "style_map")
"""The options that name maps."""
NO_MASK = "none"

_KEY = "impasto"
_NO_RECIPE = "Choose a PNG that `impasto apply` has painted."


@dataclass(frozen=True)
class StyleSource:
    """A style that was painted in. file: its name, without its folder; empty: a preset is it.

    hash: of the file, or of the preset's picture. mask: the name of a file; empty: none.
    use: what else was said of it.
    """

    use: StyleUse
    file: str = ""
    hash: str = ""
    mask: str = ""


@dataclass(frozen=True)
class Recipe:
    """settings, styles in their order; maps: names of files by option."""

    settings: Settings
    styles: tuple[StyleSource, ...]
    maps: dict[str, str]

    def text(self, result: Result) -> dict[str, str]:
        """What a PNG is to carry of it, painted with that result."""
        hashes = (result.style, *result.styles)
        told = {
            # With the memory that it was planned for it is the same to the byte.
            "settings": to_dict(replace(self.settings, memory_mib=result.memory_mib)),
            "style": result.style,
            "weights": result.weights,
            "styles": [
                {
                    "file": source.file, "hash": source.hash or found, "mask": source.mask,
                    **to_dict(source.use),
                }
                for source, found in zip(self.styles, hashes, strict=False)
            ],
            "maps": self.maps,
        }  # fmt: skip
        return {_KEY: json.dumps(told)}

    def options(self, folders: Sequence[Path], given: dict[str, Any]) -> dict[str, Any]:
        """The options that it stands for, but those `given` instead.

        Files are looked for in folders, by their names.
        Raises StyleUnreadable where one is not there, or a style is another picture now.
        """
        styles = sorted(self.styles, key=lambda source: not source.file)  # as the options have it
        found = [_found(source.file, folders) for source in styles if source.file]
        for file, source in zip(found, styles, strict=False):
            if digest_of(file.read_bytes()).hex() != source.hash:
                raise StyleUnreadable(
                    f"{file} is another picture than the one that the recipe names.",
                    next_step="Name it with --style to paint in it all the same.",
                )
        masks = [] if "masks_of" in given else [source.mask for source in styles]
        return {
            "files": tuple(found),
            "presets": tuple(source.use.preset for source in styles if not source.file),
            "masks_of": tuple(str(_found(mask, folders)) if mask else NO_MASK for mask in masks),
            "weights_of": tuple(source.use.weight for source in styles),
            "scales_of": tuple(source.use.scale for source in styles),
            "layers_of": tuple(source.use.layers for source in styles),
            **{
                option: _found(name, folders)
                for option, name in self.maps.items()
                if option not in given
            },
            **given,
        }

    def under_names_now(
        self, chosen: Sequence[ChosenStyle], presets: Sequence[PresetInfo]
    ) -> list[ChosenStyle]:
        """The styles that `options` stand for, known by their pictures. Raises UnknownPreset."""
        hashes = [source.hash for source in self.styles if not source.file]
        named = iter(hashes)
        return [
            replace(choice, style=name_now(choice.style, next(named), presets))
            if isinstance(choice.style, str)
            else choice
            for choice in chosen
        ]


def read_recipe(path: Path) -> Recipe:
    """That of a painting. Raises PictureUnreadable, PictureRejected."""
    from PIL import Image

    from impasto_daemon.images import pillow_image  # noqa: F401  it says how large one may be

    try:
        with open_regular(path) as file, Image.open(file, formats=["PNG"]) as image:
            image.load()
            text = str(image.info.get(_KEY, ""))
    except FileNotFoundError as error:
        raise PictureUnreadable(
            f"There is no file {path}.", next_step="Check the name and the folder."
        ) from error
    # Pillow answers damage with OSError, SyntaxError, ValueError and others.
    except Exception as error:
        raise PictureRejected(f"{path.name} is no PNG.", next_step=_NO_RECIPE) from error
    if not text:
        raise PictureRejected(f"{path.name} carries no recipe.", next_step=_NO_RECIPE)
    try:
        return _of(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, BadField) as error:
        raise PictureRejected(
            f"The recipe of {path.name} cannot be read.", next_step=_NO_RECIPE
        ) from error


def _of(told: dict[str, Any]) -> Recipe:
    """What `Recipe.text` has made; before it named styles there was but one's hash."""
    styles = tuple(
        StyleSource(
            from_dict(StyleUse, style),
            _name(style["file"]),
            str(style["hash"]),
            _name(style["mask"]),
        )
        for style in told.get("styles", [])[:STYLES]
    )
    named = told.get("maps", {})
    maps = {option: _name(named[option]) for option in MAPS if option in named}
    return Recipe(from_dict(Settings, told["settings"]), styles, maps)


def _name(text: object) -> str:
    """Without its folder: a picture must not say which of the painter's files is opened."""
    return Path(str(text)).name


def _found(name: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise StyleUnreadable(
        f"The recipe names the file {name}, which is not beside the picture or the recipe.",
        next_step="Put it there, or name the styles with --style and --preset.",
    )
