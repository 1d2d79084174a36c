"""The recipes of painted layers, kept on them with their styles' pictures, and so in .xcf files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import layers
import recipe
import style_sources
from gi.repository import Gimp, Gio
from recipe import Recipe

from impasto_protocol.codec import digest_of
from impasto_protocol.errors import BadField, VersionSkew
from impasto_protocol.messages import PresetInfo
from impasto_protocol.translations import _

STYLE = "impasto-style"
_RECIPE, _LAST = "impasto-recipe", "impasto-last-recipe"
_PIXELS = "pixels"
"""What the recipe of a layer holds beside: a digest of its painting."""


@dataclass(frozen=True)
class KeptRecipe:
    """A recipe that is to be painted by.

    style: its style's picture, if that is kept. whose: what a painter is told of a recipe that is
    repeated. changed: the layer that it is kept on is no longer as it was painted.
    """

    recipe: Recipe
    style: Gimp.Parasite | None = None
    whose: str = ""
    changed: bool = False


def keep(made: KeptRecipe, layer: Gimp.Layer) -> None:
    """Keep the recipe of a painting on its layer.

    That is not in an image yet, or undo would have a step of it.
    """
    # A palette changes what comes into its image.
    indexed = layer.get_image().get_base_type() == Gimp.ImageBaseType.INDEXED
    pixels = "" if indexed else layers.digest(layer)
    layer.attach_parasite(_parasite(_RECIPE, {**made.recipe, _PIXELS: pixels}))
    if made.style:
        layer.attach_parasite(made.style)


def keep_last(made: KeptRecipe) -> None:
    """Keep a recipe as that of the last run."""
    Gimp.attach_parasite(_parasite(_LAST, made.recipe))
    if made.style:
        Gimp.attach_parasite(made.style)
    else:  # or that of another recipe would be taken for it
        Gimp.detach_parasite(STYLE)


def find(layer: Gimp.Layer) -> KeptRecipe:
    """The recipe of a layer, or else that of the last run. Raises BadField, VersionSkew."""
    if own := _of_layer(layer):
        return own
    if not (parasite := Gimp.get_parasite(_LAST)):
        raise BadField(
            _("Nothing has been painted yet that could be repeated."),
            next_step=_("Use Filters ▸ Artistic ▸ Impasto Style Transfer first."),
        )
    last = recipe.from_text(bytes(parasite.get_data()))
    name = recipe.layer_name(last)
    whose = _("By the last recipe, “{name}”: “{name2}” has none of its own.").format(
        name=name, name2=layer.get_name()
    )
    return KeptRecipe(last, Gimp.get_parasite(STYLE), whose)


def of_layer(layer: Gimp.Layer) -> KeptRecipe | None:
    """The recipe that is kept on a layer, if there is one that can be read."""
    with contextlib.suppress(VersionSkew):
        return _of_layer(layer)
    return None


def _of_layer(layer: Gimp.Layer) -> KeptRecipe | None:
    if not (parasite := layer.get_parasite(_RECIPE)):
        return None
    try:
        own = recipe.from_text(bytes(parasite.get_data()))
    except (BadField, ValueError):  # any program may write there, and numbers below 0
        return None
    changed = own.pop(_PIXELS, "") not in ("", layers.digest(layer))
    whose = (
        _("By the recipe of “{name}”, which has been changed since.")
        if changed
        else _("By the recipe of “{name}”.")
    ).format(name=layer.get_name())
    return KeptRecipe(own, layer.get_parasite(STYLE), whose, changed)


def show(
    made: KeptRecipe, config: Gimp.ProcedureConfig, presets: Sequence[PresetInfo] = ()
) -> None:
    """Have the arguments of a procedure say what a recipe says.

    A style that is gone becomes a picture file, in GIMP's own folder. presets: the saved styles, as
    far as they are known.
    """
    recipe.show(made.recipe, config, presets)
    style, style_hash = made.recipe["style"], made.recipe.get("style-hash", "")
    if not recipe.show_style(style, config, presets, style_hash) and made.style:
        file = _write(style_sources.png(made.style.get_data()), recipe.style_name(style))
        recipe.show_style({"from": "file", "uri": file.get_uri()}, config)


def _write(picture: bytes, name: str) -> Gio.File:
    folder = Path(Gimp.directory()) / "impasto-styles" / digest_of(picture).hex()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    plain = "".join(letter for letter in name if letter not in '/\\:*?"<>|')
    file = Gio.File.new_for_path(str(folder / f"{plain or 'style'}.png"))
    file.replace_contents(picture, None, False, Gio.FileCreateFlags.NONE, None)
    return file


def _parasite(name: str, made: Recipe) -> Gimp.Parasite:
    return Gimp.Parasite.new(name, Gimp.PARASITE_PERSISTENT, json.dumps(made).encode())
