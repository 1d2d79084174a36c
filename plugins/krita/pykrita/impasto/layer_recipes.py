"""The recipes of a document's painted layers, kept in the document, and so in its .kra file.

Each is an annotation under the unique id of its layer. A copy of the layer, or one that it was
merged into without a change, is known by its pixels.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from typing import Any

from impasto_protocol.errors import BadField, UnknownPreset
from impasto_protocol.messages import PresetInfo
from impasto_protocol.translations import _

from . import recipe
from .landmarks import fingerprint
from .qt import QtCore
from .recipe import Recipe

_KEY, _LAST = "impasto/recipe/", "impasto/last-recipe"


def keep(document: Any, layer: Any, made: Recipe) -> None:
    """Keep the recipe that a layer was painted by, and that it is the document's last."""
    told = json.dumps({"recipe": recipe.to_text(made), "pixels": fingerprint(layer)})
    for key in (_key(layer), _LAST):
        document.setAnnotation(key, made.layer_name, QtCore.QByteArray(told.encode()))


def find(document: Any, layer: Any) -> Recipe | None:
    """The recipe that a layer was painted by, if one is kept."""
    kept = {key: _read(document, key) for key in document.annotationTypes() if _KEY in key}
    if found := kept.get(_key(layer)):
        return found[0]
    pixels = fingerprint(layer) if kept else ""
    return next((made for made, known in filter(None, kept.values()) if known == pixels), None)


def last(document: Any) -> Recipe | None:
    """The recipe of the document's last painting, if one is kept."""
    found = _read(document, _LAST) if _LAST in document.annotationTypes() else None
    return found and found[0]


def to_repeat(document: Any, layer: Any) -> tuple[Recipe, str]:
    """The recipe of a layer, or the last one; and whose it is. Raises BadField without any."""
    if layer and (own := find(document, layer)):
        return own, _("This repeats the recipe of “{name}”.").format(name=layer.name())
    made = recipe.last()
    whose = _("“{name}” has no recipe of its own: ").format(name=layer.name()) if layer else ""
    return made, _("{whose}this repeats the last one, {layer_name}.").format(
        whose=whose, layer_name=made.layer_name
    )


def style_name(made: Recipe, styles: Iterable[PresetInfo]) -> str:
    """What the style of a recipe is called now. Raises UnknownPreset when it is gone."""
    hashes = {info.name: info.style for info in styles}
    if made.style in hashes and made.style_hash in ("", hashes[made.style]):
        return made.style
    for name, style_hash in hashes.items():
        if style_hash == made.style_hash:
            return name
    if made.style in hashes:
        raise UnknownPreset(
            _("“{style}” is another style now than the one that was used.").format(
                style=made.style
            ),
            next_step=_("Choose it in the list and press Stylise, or import the former one."),
        )
    raise UnknownPreset(
        _("The style “{style}” is gone.").format(style=made.style),
        next_step=_("Import it again, or choose another one."),
    )


def _key(layer: Any) -> str:
    return f"{_KEY}{layer.uniqueId().toString()}"


def _read(document: Any, key: str) -> tuple[Recipe, str] | None:
    with contextlib.suppress(ValueError, KeyError, TypeError, BadField):
        told = json.loads(bytes(document.annotation(key)))
        return recipe.from_text(told["recipe"]), told["pixels"]
    return None
