"""The styles of a painting beside the first, as editors keep them: in JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath

from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.codec import Picture
from impasto_protocol.errors import BadField
from impasto_protocol.fields import from_dict
from impasto_protocol.messages import STYLES, StyleUse, count_planes
from impasto_protocol.networks import LAYER_GROUPS
from impasto_protocol.translations import _

COLUMNS = (_("Style"), _("Weight"), _("Stroke size"), _("Take from it"), _("Where"))
"""What stands above the choices of each style in a dialog."""

WHERE = _(
    "White: this style, grey: mixed, black: not here. Everywhere else is what no mask covers; "
    "without any mask all styles are mixed."
)
"""What the choice of a mask is for."""

KINDS = ("preset", "file", "layer", "pattern")


@dataclass(frozen=True)
class MoreStyle:
    """One of them. kind, name: of KINDS; a file's name is its path. mask: as the editor knows it.

    layers: what is taken of it, of LAYER_GROUPS. weight, scale: as in StyleUse.
    Raises ValueError or BadField where it is none.
    """

    kind: str
    name: str
    mask: str = ""
    weight: float = 1.0
    scale: float = 1.0
    layers: str = "all"

    def __post_init__(self) -> None:
        texts = (self.kind, self.name, self.mask, self.layers)
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("a name that is no text")
        if self.kind not in KINDS or not self.name or self.layers not in LAYER_GROUPS:
            raise ValueError(f"no style: {self.kind} {self.name} {self.layers}")
        from_dict(StyleUse, {"weight": self.weight, "scale": self.scale})

    def chosen(self, style: Picture | str, mask: Picture | None) -> ChosenStyle:
        """The same with what it stands for: a picture, or the name of a preset; and its mask."""
        return ChosenStyle(style, mask, self.weight, self.scale, LAYER_GROUPS[self.layers])

    @property
    def label(self) -> str:
        """What it is called for people."""
        return PurePath(self.name).stem if self.kind == "file" else self.name


def read(text: str | None) -> list[MoreStyle]:
    """Those in a text; none in an empty one. Raises BadField."""
    if not (text or "").strip():
        return []
    try:
        found = [MoreStyle(**style) for style in json.loads(text or "")]
        if len(found) >= STYLES:
            raise ValueError(f"{len(found)} styles")
    except (ValueError, TypeError, RecursionError, BadField) as error:
        raise BadField(
            _("What is said of more styles cannot be read: {error}.").format(error=error),
            next_step=_("Choose them in the dialog under “More Styles and Masks”."),
        ) from error
    return found


@dataclass(frozen=True)
class Places:
    """In which styles is painted, and where, as an editor keeps it.

    mask, strength_mask: where the first style goes, and how much is painted where, as the editor
    knows its masks; empty: everywhere. more: the other styles. picture_map, style_map: layers of
    flat colours, or `file:` and a path. Raises BadField for maps that cannot be painted by.
    """

    mask: str = ""
    strength_mask: str = ""
    more: tuple[MoreStyle, ...] = ()
    picture_map: str = ""
    style_map: str = ""

    def __post_init__(self) -> None:
        if bool(self.picture_map) != bool(self.style_map):
            raise BadField(
                _("The map of the layer and that of the style go together."),
                next_step=_("Choose both, or none."),
            )
        if self.picture_map and (self.mask or self.more):
            raise BadField(
                _("Maps go with one style, and with no mask for it."),
                next_step=_("Take away the other styles and the mask, or the maps."),
            )

    @property
    def keys(self) -> list[str]:
        """All masks that there are, each as often as it is chosen."""
        return list(filter(None, [self.mask, self.strength_mask, *(s.mask for s in self.more)]))

    @property
    def planes(self) -> int:
        """As how many masks they and a map count in an estimate."""
        return count_planes(["mask"] * len(self.keys) + ["map"] * bool(self.picture_map))


def write(styles: Sequence[MoreStyle]) -> str:
    """The text; of none it is empty."""
    return json.dumps([asdict(style) for style in styles]) if styles else ""
