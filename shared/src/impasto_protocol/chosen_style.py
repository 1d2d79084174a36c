"""A style that was chosen for a painting, with what it is to do there. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from impasto_protocol.codec import Picture
from impasto_protocol.messages import StyleUse


@dataclass(frozen=True)
class ChosenStyle:
    """One of the styles of a painting.

    style: a picture, or the name of a preset. mask: a grey picture as large as the content, white
    where it goes; None: wherever no mask is. weight, scale, layers: as in StyleUse.
    """

    style: Picture | str
    mask: Picture | None = None
    weight: float = 1.0
    scale: float = 1.0
    layers: tuple[str, ...] = ()

    @property
    def use(self) -> StyleUse:
        """What a message says of it."""
        preset = self.style if isinstance(self.style, str) else ""
        return StyleUse(preset, self.weight, self.mask is not None, self.scale, self.layers)


def in_message(chosen: Sequence[ChosenStyle]) -> tuple[dict[str, Any], dict[str, list[Picture]]]:
    """Fields of `Stylise` and pictures by role; one plain style as every daemon knows it."""
    uses = tuple(choice.use for choice in chosen)
    styles = [choice.style for choice in chosen if isinstance(choice.style, Picture)]
    masks = [choice.mask for choice in chosen if choice.mask]
    pictures = {"style": styles, "mask": masks}
    plain = len(uses) == 1 and uses[0] == StyleUse(uses[0].preset)
    fields: dict[str, Any] = {"preset": uses[0].preset} if plain else {"styles": uses}
    return fields, {role: found for role, found in pictures.items() if found}
