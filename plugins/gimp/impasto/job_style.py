"""The style of a painting: what its recipe names, or else the picture that is kept with that."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import style_sources
from gi.repository import Gimp
from layer_recipes import STYLE
from recipe import Recipe, style_name

from impasto_protocol.codec import Picture, digest_of
from impasto_protocol.errors import ImpastoError, StyleUnreadable, UnknownPreset
from impasto_protocol.messages import PresetGet
from impasto_protocol.style_names import name_now
from impasto_protocol.translations import _

if TYPE_CHECKING:
    from impasto_protocol.client import Client


@dataclass(frozen=True)
class JobStyle:
    """The name of a saved style, or a picture. note: why that is the one that is kept, if it is."""

    preset: str = ""
    picture: Picture | None = None
    note: str = ""

    @property
    def given(self) -> Picture | str:
        """The one that there is of them."""
        return self.picture or self.preset

    @property
    def is_kept(self) -> bool:
        """Whether it is the picture that is kept with a recipe."""
        return bool(self.note)


def find(client: Client, recipe: Recipe, kept: Gimp.Parasite | None) -> JobStyle:
    """The style of a recipe: if that is repeated, the very one that was painted in.

    kept: its picture. Raises StyleUnreadable or UnknownPreset where the style is gone, or another
    one now, and none is kept.
    """
    try:
        return find_named(client, recipe["style"], recipe.get("style-hash", ""))
    except (StyleUnreadable, UnknownPreset) as error:
        if not kept:
            raise
        note = _("{error} The picture that is kept with the painting was used instead.").format(
            error=error
        )
        return JobStyle(picture=style_sources.from_text(kept.get_data()), note=note)


def find_named(client: Client, style: Mapping[str, Any], wanted: str) -> JobStyle:
    """The style that a recipe names, as it is there. Raises StyleUnreadable or UnknownPreset.

    wanted: the hash of the very picture; empty: whichever it is now.
    """
    if style["from"] == "preset":
        name = style["name"]
        return JobStyle(preset=name_now(name, wanted, client.presets()) if wanted else name)
    picture = style_sources.read(style)
    if wanted not in ("", digest_of(picture.data).hex()):
        raise StyleUnreadable(
            _("“{name}” is another picture now than the one that was used.").format(
                name=style_name(style)
            ),
            next_step=_("Choose the style anew."),
        )
    return JobStyle(picture=picture)


def keep(client: Client, style: JobStyle, style_hash: str, painting: Gimp.Layer) -> None:
    """Keep the picture of a style with what was painted in it; nothing where that is gone.

    style_hash: that of the picture that was painted in. A saved style may be another one meanwhile.
    """
    picture = style.picture
    with contextlib.suppress(ImpastoError):  # a painting is not lost because a style is deleted
        if not picture:
            name = name_now(style.preset, style_hash, client.presets())
            _, (_, picture) = client.ask(PresetGet(name=name))
        text = style_sources.to_text(picture)
        painting.attach_parasite(Gimp.Parasite.new(STYLE, Gimp.PARASITE_PERSISTENT, text))
