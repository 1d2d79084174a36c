"""Copies of the masks, maps and layers that a series is painted by, the same for all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import layers
import masks
from gi.repository import Gimp
from recipe import Recipe

from impasto_protocol import more_styles


@contextmanager
def of_recipes(image: Gimp.Image, recipes: Sequence[Recipe]) -> Iterator[Mapping[str, int]]:
    """The numbers of copies of what recipes name, as long as one paints.

    They are known by their keys, such as `channel:Sky`; the first style by its layer's number.
    Raises HostUnsupported where a mask is not there; a style that is not is left out.
    """
    with ExitStack() as cleanup:
        numbers: dict[str, int] = {}
        for recipe in recipes:
            for key, found in _named(image, recipe):
                if key not in numbers:
                    copy, meant = _copied(found)
                    cleanup.callback(layers.delete, copy, found.get_image())
                    numbers[key] = meant.get_id()
        yield numbers


def _copied(found: Gimp.Layer | Gimp.Channel) -> tuple[Gimp.Item, Gimp.Item]:
    """A copy, and what is meant in it: GIMP copies not every mask without its layer."""
    if not isinstance(found, Gimp.LayerMask):
        copy = found.copy()
        return copy, copy
    layer = Gimp.Layer.from_mask(found).copy()
    mask = layer.get_mask()
    assert mask  # it was copied with it
    return layer, mask


def in_order(recipe: Recipe, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the process that works is told of them."""
    style = recipe["style"]
    copy = numbers.get(str(style.get("id")))
    return {"copies": numbers, "style": {**style, "id": copy} if copy else style}


def _named(image: Gimp.Image, recipe: Recipe) -> Iterator[tuple[str, Gimp.Layer | Gimp.Channel]]:
    more = more_styles.read(recipe["more-styles"])
    where = [recipe["mask"], recipe["strength-mask"], recipe["map"], *(one.mask for one in more)]
    for key in filter(None, where):
        yield key, masks.find(image, key)
    for key in (recipe["style-map"], *(f"{one.kind}:{one.name}" for one in more)):
        kind, _colon, name = key.partition(":")
        if kind == "layer" and (layer := masks.layer_named(image, name)):
            yield key, layer
    if recipe["style"]["from"] == "layer":
        number = recipe["style"]["id"]
        style = Gimp.Item.get_by_id(number)
        if isinstance(style, Gimp.Layer | Gimp.Channel) and style.is_valid():
            yield str(number), style
