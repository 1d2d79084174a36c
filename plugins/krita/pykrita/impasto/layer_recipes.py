"""The recipes of a document's painted layers, kept in the document, and so in its .kra file.

Each is an annotation under the unique id of its layer. A copy of the layer, or one that it was
merged into without a change, is known by its pixels.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from impasto_protocol.errors import BadField, ProtocolError
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
    """The recipe that a layer was painted by, if one is kept. Raises VersionSkew."""
    own, kept = _key(layer), {}
    for key in document.annotationTypes():
        if _KEY in key:
            kept[key] = _read(document, key, BadField if key == own else ProtocolError)
    if found := kept.get(own):
        return found[0]
    pixels = fingerprint(layer) if kept else ""
    return next((made for made, known in filter(None, kept.values()) if known == pixels), None)


def last(document: Any) -> Recipe | None:
    """The recipe of the document's last painting, if one is kept."""
    found = _read(document, _LAST) if _LAST in document.annotationTypes() else None
    return found and found[0]


def to_edit(document: Any, layer: Any) -> Recipe:
    """The recipe of a layer. Raises BadField where it has none, VersionSkew."""
    if layer and (own := find(document, layer)):
        return own
    raise BadField(
        _("The active layer has no recipe: Impasto has not painted it."),
        next_step=_("Choose a layer that Impasto painted."),
    )


def to_repeat(document: Any, layer: Any) -> tuple[Recipe, str]:
    """The recipe of a layer, or the last one; and whose it is. Raises BadField, VersionSkew."""
    if layer and (own := find(document, layer)):
        return own, _("This repeats the recipe of “{name}”.").format(name=layer.name())
    made = recipe.last()
    whose = _("“{name}” has no recipe of its own: ").format(name=layer.name()) if layer else ""
    return made, _("{whose}this repeats the last one, {layer_name}.").format(
        whose=whose, layer_name=made.layer_name
    )


def _key(layer: Any) -> str:
    return f"{_KEY}{layer.uniqueId().toString()}"


def _read(
    document: Any, key: str, passed_over: type[ProtocolError] = ProtocolError
) -> tuple[Recipe, str] | None:
    with contextlib.suppress(ValueError, KeyError, TypeError, passed_over):
        told = json.loads(bytes(document.annotation(key)))
        return recipe.from_text(told["recipe"]), told["pixels"]
    return None
