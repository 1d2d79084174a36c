"""What a painting is made from, and how it is remembered between Krita's starts."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import chain, repeat

from krita import Krita

from impasto_protocol import more_styles
from impasto_protocol.errors import BadField, ImpastoError, StyleUnreadable, VersionSkew
from impasto_protocol.fields import to_dict
from impasto_protocol.messages import PresetInfo, Result
from impasto_protocol.more_styles import Places
from impasto_protocol.settings import Settings, kept_settings
from impasto_protocol.style_names import name_now
from impasto_protocol.translations import _

_GROUP, _LAST = "impasto", "last-recipe"


@dataclass(frozen=True)
class Recipe:
    """style: the name of a saved style. margin_px: how much around a selection is looked at.

    as_source: the painting takes the mode and opacity of its layer, and hides it.
    style_hash: that of its picture, by which it is known under another name; empty: not known.
    places: other styles, and where each goes. more_hashes: those of their pictures, or none.
    is_older: kept by an Impasto that did not refine.
    """

    style: str
    settings: Settings
    margin_px: int = 64
    as_source: bool = True
    style_hash: str = ""
    places: Places = Places()
    more_hashes: tuple[str, ...] = ()
    is_older: bool = False

    def __post_init__(self) -> None:
        if not self.style:
            raise StyleUnreadable(
                _("No style was chosen."),
                next_step=_("Click on one in the docker, or drag a picture onto the styles."),
            )

    @property
    def layer_name(self) -> str:
        """The painted layer's name."""
        names = " + ".join([self.style, *(style.label for style in self.places.more)])
        return f"{names} {self.settings.strength:.0%}"

    def as_made(self, result: Result) -> Recipe:
        """The same with what a repetition of its painting needs to be the same to the byte."""
        settings = replace(self.settings, memory_mib=result.memory_mib)
        return replace(self, settings=settings, style_hash=result.style, more_hashes=result.styles)

    def named_now(self, presets: Collection[PresetInfo]) -> Recipe:
        """The same with its styles as they are called now. Raises UnknownPreset.

        One beside the first that is not listed stays as it is: the daemon may have it by now.
        """
        name = name_now(self.style, self.style_hash, presets)
        hashes = chain(self.more_hashes, repeat(""))  # those of an older Impasto are not known
        more = tuple(
            replace(style, name=name_now(style.name, known, presets))
            if any(style.name == info.name or known == info.style for info in presets)
            else style
            for style, known in zip(self.places.more, hashes, strict=False)
        )
        return replace(self, style=name, places=replace(self.places, more=more))


def to_text(recipe: Recipe) -> str:
    """A recipe as JSON."""
    told = {
        "style": recipe.style,
        "style-hash": recipe.style_hash,
        "settings": to_dict(recipe.settings),
        "margin": recipe.margin_px,
        "as-source": recipe.as_source,
        "mask": recipe.places.mask,
        "strength-mask": recipe.places.strength_mask,
        "more-styles": more_styles.write(recipe.places.more),
        "more-hashes": recipe.more_hashes,
        "map": recipe.places.picture_map,
        "style-map": recipe.places.style_map,
    }
    return json.dumps(told)


def from_text(text: str) -> Recipe:
    """What `to_text` has made. Raises BadField when it is none, VersionSkew when it is newer."""
    try:
        told = json.loads(text)
        settings = kept_settings(told["settings"])
        # An older Impasto did not keep the rest.
        others = tuple(more_styles.read(told.get("more-styles", "")))
        maps = told.get("map", ""), told.get("style-map", "")
        places = Places(told.get("mask", ""), told.get("strength-mask", ""), others, *maps)
        more = told.get("as-source", True), told.get("style-hash", ""), places
        hashes, is_older = tuple(told.get("more-hashes", ())), "refinement" not in told["settings"]
        return Recipe(told["style"], settings, told["margin"], *more, hashes, is_older)
    except VersionSkew:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, ImpastoError) as error:
        raise BadField(_("The recipe cannot be read.")) from error


def remember(recipe: Recipe) -> None:
    """Keep a recipe as the last one."""
    Krita.instance().writeSetting(_GROUP, _LAST, to_text(recipe))


def last() -> Recipe:
    """The last recipe. Raises BadField when nothing has been painted yet, VersionSkew."""
    try:
        return from_text(Krita.instance().readSetting(_GROUP, _LAST, ""))
    except BadField as error:
        raise BadField(
            _("Nothing has been painted yet that could be repeated."),
            next_step=_("Choose a style in Impasto's docker and press Stylise."),
        ) from error
