"""The recipe that a painting carries as PNG, written, and read to paint by it again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from impasto_daemon.files import open_regular
from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.codec import digest_of
from impasto_protocol.errors import BadField, PictureRejected, PictureUnreadable, StyleUnreadable
from impasto_protocol.fields import from_dict, to_dict, unknown_names
from impasto_protocol.messages import STYLES, PresetInfo, Result, StyleUse
from impasto_protocol.settings import Settings, kept_settings
from impasto_protocol.style_names import name_now

MAPS = {
    "strength_map": "--strength-map",
    "picture_map": "--map",
    "style_map": "--style-map",
    "start_file": "--start",
}
"""The options that name maps and a start, as they are written."""
NO_FILE = "none"
"""What is given for no mask, and no start."""

_KEY = "impasto"
_SOURCE = {"file", "hash", "mask", "mask_hash"}
"""What is told of a style beside its use."""
_NO_RECIPE = "Choose a PNG that `impasto apply` has painted."


@dataclass(frozen=True)
class FileSource:
    """A file that was painted by. name: without its folder. hash: of it; empty: not known."""

    name: str = ""
    hash: str = ""


@dataclass(frozen=True)
class StyleSource:
    """A style that was painted in. file: its name, without its folder; empty: a preset is it.

    hash: of the file, or of the preset's picture. mask: None: it has none.
    use: what else was said of it.
    """

    use: StyleUse
    file: str = ""
    hash: str = ""
    mask: FileSource | None = None


@dataclass(frozen=True)
class Recipe:
    """settings, styles in their order; maps: files by option of MAPS; size_px: as --size has it."""

    settings: Settings
    styles: tuple[StyleSource, ...]
    maps: dict[str, FileSource]
    size_px: int = 0

    def text(self, result: Result) -> dict[str, str]:
        """What a PNG is to carry of it, painted with that result."""
        hashes, none = (result.style, *result.styles), FileSource()
        told = {
            # With the memory that it was planned for it is the same to the byte.
            "settings": to_dict(replace(self.settings, memory_mib=result.memory_mib)),
            "style": result.style,
            "weights": result.weights,
            "styles": [
                {
                    "file": source.file, "hash": source.hash or found,
                    "mask": (source.mask or none).name, "mask_hash": (source.mask or none).hash,
                    **to_dict(source.use),
                }
                for source, found in zip(self.styles, hashes, strict=False)
            ],
            "maps": {option: file.name for option, file in self.maps.items()},
            "map_hashes": {option: file.hash for option, file in self.maps.items()},
            "size_px": self.size_px,
        }  # fmt: skip
        return {_KEY: json.dumps(told)}

    def options(self, folders: Sequence[Path], given: dict[str, Any]) -> dict[str, Any]:
        """The options that it stands for, but those `given` instead.

        Files are looked for in folders, by their names.
        Raises StyleUnreadable where one is not there, or is another picture now.
        """
        styles = sorted(self.styles, key=lambda source: not source.file)  # as the options have it
        files = [FileSource(source.file, source.hash) for source in styles if source.file]
        masks = [] if "masks_of" in given else [source.mask for source in styles]
        return {
            "files": tuple(_found(file, folders, "--style") for file in files),
            "presets": tuple(source.use.preset for source in styles if not source.file),
            "masks_of": tuple(
                str(_found(mask, folders, "--mask-of")) if mask else NO_FILE for mask in masks
            ),
            "weights_of": tuple(source.use.weight for source in styles),
            "scales_of": tuple(source.use.scale for source in styles),
            "layers_of": tuple(source.use.layers for source in styles),
            **{
                option: _found(file, folders, MAPS[option])
                for option, file in self.maps.items()
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
        told = json.loads(text)
        if _is_newer(told):
            raise PictureRejected(
                f"The recipe of {path.name} was made by a newer Impasto.",
                next_step="Update Impasto, then try again.",
            )
        return _of(told)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, BadField) as error:
        raise PictureRejected(
            f"The recipe of {path.name} cannot be read.", next_step=_NO_RECIPE
        ) from error


def _is_newer(told: dict[str, Any]) -> bool:
    """Whether there are settings or maps in it that this version does not know."""
    return bool(
        unknown_names(Settings, told["settings"])
        or any(unknown_names(StyleUse, style) - _SOURCE for style in told.get("styles", []))
        or told.get("maps", {}).keys() - MAPS.keys()
    )


def _of(told: dict[str, Any]) -> Recipe:
    """What `Recipe.text` has made; before it named styles there was but one's hash."""
    styles = tuple(
        StyleSource(
            from_dict(StyleUse, style),
            _name(style["file"]),
            str(style["hash"]),
            _file(style["mask"], style.get("mask_hash", "")) if style["mask"] else None,
        )
        for style in told.get("styles", [])[:STYLES]
    )
    named, hashes = told.get("maps", {}), told.get("map_hashes", {})
    maps = {
        option: _file(named[option], hashes.get(option, "")) for option in MAPS if option in named
    }
    size_px = told.get("size_px", 0)
    if type(size_px) is not int or size_px < 0:
        raise ValueError("size_px")
    return Recipe(kept_settings(told["settings"]), styles, maps, size_px)


def _file(name: object, digest: object) -> FileSource:
    return FileSource(_name(name), str(digest))


def _name(text: object) -> str:
    """Without its folder: a picture must not say which of the painter's files is opened."""
    return Path(str(text)).name


def _found(source: FileSource, folders: Sequence[Path], option: str) -> Path:
    """The file in one of the folders. option: what names another one."""
    without = f" Without one: {option} {NO_FILE}." if option == MAPS["start_file"] else ""
    there = list[Path]()
    for path in (folder / source.name for folder in folders):
        with contextlib.suppress(OSError):  # it cannot be read
            if path.is_file():
                if source.hash in ("", digest_of(path.read_bytes()).hex()):
                    return path
                there.append(path)
    if there:
        raise StyleUnreadable(
            f"{there[0]} is another picture than the one that the recipe names.",
            next_step=f"Name it with {option} to paint by it all the same.{without}",
        )
    raise StyleUnreadable(
        f"The recipe names the file {source.name}, which is not beside the picture or the recipe, "
        "or cannot be read.",
        next_step=f"Put it there, or name another one with {option}.{without}",
    )
