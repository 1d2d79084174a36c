"""What a painting is made from, and how it is remembered between Krita's starts."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from krita import Krita

from impasto_protocol.errors import BadField, ImpastoError, StyleUnreadable
from impasto_protocol.fields import from_dict, to_dict
from impasto_protocol.settings import Settings

_GROUP, _LAST = "impasto", "last-recipe"


@dataclass(frozen=True)
class Recipe:
    """style: the name of a saved style. margin_px: how much around a selection is looked at.

    as_source: the painting takes the mode and opacity of its layer, and hides it.
    """

    style: str
    settings: Settings
    margin_px: int = 64
    as_source: bool = True

    def __post_init__(self) -> None:
        if not self.style:
            raise StyleUnreadable(
                "No style was chosen.",
                next_step="Click on one in the docker, or drag a picture onto the styles.",
            )

    @property
    def layer_name(self) -> str:
        """The painted layer's name."""
        return f"{self.style} {self.settings.strength:.0%}"

    def within(self, memory_mib: int) -> Recipe:
        """The same, planned for so much memory: what a painting's bytes depend on."""
        return replace(self, settings=replace(self.settings, memory_mib=memory_mib))


def remember(recipe: Recipe) -> None:
    """Keep a recipe as the last one."""
    told = {
        "style": recipe.style, "settings": to_dict(recipe.settings),
        "margin": recipe.margin_px, "as-source": recipe.as_source,
    }  # fmt: skip
    Krita.instance().writeSetting(_GROUP, _LAST, json.dumps(told))


def last() -> Recipe:
    """The last recipe. Raises BadField when nothing has been painted yet."""
    try:
        told = json.loads(Krita.instance().readSetting(_GROUP, _LAST, ""))
        settings = from_dict(Settings, told["settings"], known_only=True)
        return Recipe(told["style"], settings, told["margin"], told.get("as-source", True))
    except (ValueError, KeyError, TypeError, ImpastoError) as error:
        raise BadField(
            "Nothing has been painted yet that could be repeated.",
            next_step="Choose a style in Impasto's docker and press Stylise.",
        ) from error
