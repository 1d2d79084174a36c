"""What the controls say for each document: remembered while Krita runs, afterwards by its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from krita import Krita

from impasto_protocol.more_styles import Places
from impasto_protocol.settings import QUALITIES, Settings

from . import layer_recipes
from .recipe import Recipe


class Choice(NamedTuple):
    """What the controls say. style: a name, empty where none is chosen.

    style_hash: that of its picture, by which it is known when renamed; empty: not known.
    """

    style: str
    settings: Settings
    as_source: bool
    places: Places = Places()
    style_hash: str = ""

    @classmethod
    def of(cls, made: Recipe) -> Choice:
        """What they said when something was painted by a recipe; its memory was for that one."""
        settings = replace(made.settings, memory_mib=0)
        if made.is_older:
            settings = _refined(settings)
        return cls(made.style, settings, made.as_source, made.places, made.style_hash)

    def recipe(self) -> Recipe:
        """The recipe that they amount to. Raises StyleUnreadable where no style is chosen."""
        return Recipe(self.style, self.settings, as_source=self.as_source, places=self.places)


def _refined(settings: Settings) -> Settings:
    """Those of a quality that is refined today, where these are of it as it was."""
    found = (replace(settings, **values) for values in QUALITIES.values())
    return next((each for each in found if replace(each, refinement=0) == settings), settings)


class DocumentSettings:
    """read: what the controls say. show: has them say something. empty: has them name no masks."""

    def __init__(
        self,
        read: Callable[[], Choice],
        show: Callable[[Choice], None],
        empty: Callable[[], None],
    ) -> None:
        self._read, self._show, self._empty = read, show, empty
        self._chosen: dict[str, Choice] = {}
        self._document = ""

    def follow(self) -> None:
        """Another document may have come to the front: have the controls say what is its own.

        Of one that is new to this Krita, what it was last painted by; else they stay, but for the
        masks, which are layers of another.
        """
        document = Krita.instance().activeDocument()
        now = document.rootNode().uniqueId().toString() if document else ""
        if now == self._document:
            return
        if self._document:
            self._chosen[self._document] = self._read()
        self._document = now
        if now in self._chosen:
            self._show(self._chosen[now])
        elif document and (last := layer_recipes.last(document)):
            self._show(Choice.of(last))
        elif document:
            self._empty()
