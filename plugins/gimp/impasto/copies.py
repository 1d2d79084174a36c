"""Copies of the masks, maps and layers that a series is painted by, the same for all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import layers
import masks
import sources
from gi.repository import Gimp
from recipe import Recipe

from impasto_protocol import more_styles


@contextmanager
def of_recipes(image: Gimp.Image, recipes: Sequence[Recipe]) -> Iterator[Mapping[str, int]]:
    """The numbers of copies of what recipes name, as long as one paints.

    They are known by their keys, such as `channel:Sky`; the first style by `style:` and its number.
    Raises HostUnsupported where a mask is not there; a style that is not is left out.
    """
    with ExitStack() as cleanup:
        numbers: dict[str, int] = {}
        for recipe in recipes:
            for key, found in _named(image, recipe):
                if key not in numbers:
                    # GIMP crashes over the copy of what is in an image that is closed meanwhile.
                    own = found.get_image() == image
                    copy = _copy_of(found) if own else sources.copy_apart(found)
                    numbers[key] = cleanup.enter_context(copy).get_id()
        yield numbers


@contextmanager
def _copy_of(found: Gimp.Layer | Gimp.Channel) -> Iterator[Gimp.Item]:
    """A copy that is not inserted, as long as one looks."""
    image = found.get_image()
    meant: Gimp.Item | None
    if not isinstance(found, Gimp.LayerMask):
        meant = copy = found.copy()
    else:  # GIMP copies not every mask without its layer
        copy = Gimp.Layer.from_mask(found).copy()
        meant = copy.get_mask()
        assert meant  # it was copied with it
    try:
        yield meant
    finally:
        layers.delete(copy, image)


def in_order(recipe: Recipe, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the process that works is told of them."""
    style = recipe["style"]
    if style["from"] == "layer":
        style = {**style, "id": numbers.get(f"style:{style['id']}", style["id"])}
    return {"copies": numbers, "style": style}


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
            yield f"style:{number}", style
