"""What a painting is made from: the style and the settings, as it is sent and repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import arguments
from gi.repository import Gimp, Gio

from impasto_protocol import more_styles
from impasto_protocol.errors import BadField, StyleUnreadable, UnknownPreset
from impasto_protocol.fields import from_dict, to_dict
from impasto_protocol.messages import PresetInfo
from impasto_protocol.more_styles import MoreStyle, Places
from impasto_protocol.settings import (
    QUALITIES,
    VARIATION_NOISE,
    Settings,
    kept_settings,
    variations_of,
)
from impasto_protocol.style_names import name_now
from impasto_protocol.translations import _

Recipe = dict[str, Any]
"""As it is sent to the process that works and kept on the layer: plain enough for JSON.

style-hash, more-hashes: those of its styles' pictures, once something has been painted.
"""

_ADDED = {"as-source": True, "mask": "", "strength-mask": "", "more-styles": "",
          "map": "", "style-map": ""}  # fmt: skip
"""What recipes have not always had."""
_LISTS = {"content-layers": str, "style-layers": str, "snapshots": int,
          "content-layer-weights": float, "style-layer-weights": float}  # fmt: skip
_OPTIONAL = ("content-weight", "style-weight")
_RESULT = arguments.names(arguments.RESULT)
_PLACES = arguments.names(arguments.PLACES)


def from_config(config: Gimp.ProcedureConfig) -> Recipe:
    """The recipe that the arguments of a procedure amount to. Raises BadField."""
    settings = settings_from_config(config)
    places_from_config(config)  # which raises
    return {
        "style": style_from_config(config),
        "settings": to_dict(settings),
        **{name: config.get_property(name) for name in _RESULT},
        **{name: config.get_property(name) or "" for name in _PLACES},
    }


def variations(made: Recipe, count: int) -> list[Recipe]:
    """So many recipes for the same with another seed each; of one it is the recipe itself."""
    if count == 1:
        return [made]
    several = variations_of(from_dict(Settings, made["settings"]), count)
    return [{**made, "settings": to_dict(settings)} for settings in several]


def settings_from_config(config: Gimp.ProcedureConfig) -> Settings:
    """The settings that the arguments of a procedure amount to. Raises BadField."""
    values = {name: config.get_property(name) for name in arguments.SETTINGS}
    quality = QUALITIES.get(config.get_property("quality"), {})
    for name, item in _LISTS.items():
        values[name] = _split(name, values[name], item)
    for name in _OPTIONAL:
        values[name] = None if values[name] < 0 else values[name]
    if values["seed"] and not values["start-noise"]:
        values["start-noise"] = VARIATION_NOISE
    values = {name.replace("-", "_"): value for name, value in values.items()} | quality
    try:
        return from_dict(Settings, values)
    except BadField as error:
        error.next_step = _("Correct it under Advanced, or press Reset.")
        raise


def from_preset(config: Gimp.ProcedureConfig) -> Recipe:
    """The recipe of a saved style. Raises StyleUnreadable when none was named."""
    name = config.get_property("style-preset")
    if not name:
        raise StyleUnreadable(
            _("No saved style was chosen."), next_step=_("Choose one and try again.")
        )
    chosen = _over_preset(config)
    return {
        **_ADDED,
        "style": {"from": "preset", "name": name},
        "settings": to_dict(from_dict(Settings, chosen)),
        "over-preset": chosen,
        **{name: config.get_property(name) for name in _RESULT},
    }


def show(recipe: Recipe, config: Gimp.ProcedureConfig, presets: Sequence[PresetInfo] = ()) -> None:
    """Have the arguments of a procedure say what a recipe says, but for the first style.

    The memory that it was planned for is nothing that a painter has chosen. presets: the saved
    styles, as far as they are known.
    """
    settings = to_dict(from_dict(Settings, recipe["settings"]))
    same = (
        name for name, values in QUALITIES.items() if all(settings[n] == values[n] for n in values)
    )
    config.set_property("quality", next(same, "custom"))
    for name in set(arguments.SETTINGS) - {"memory-mib"}:
        value = settings[name.replace("-", "_")]
        if name in _LISTS:
            value = ",".join(map(str, value))
        config.set_property(name, -1 if value is None else value)
    more = [_named_now(style, found, presets) for style, found in more_with_hashes(recipe)]
    values = {**recipe, "more-styles": more_styles.write(more)}
    for name in [*_RESULT, *_PLACES]:
        config.set_property(name, values[name])


def _named_now(style: MoreStyle, style_hash: str, presets: Sequence[PresetInfo]) -> MoreStyle:
    """A style under the name that it has now, if it is a saved one that is there."""
    if style.kind == "preset" and style_hash:
        with suppress(UnknownPreset):
            return replace(style, name=name_now(style.name, style_hash, presets))
    return style


def settings_over_preset(config: Gimp.ProcedureConfig, own: Settings) -> Settings:
    """A saved style's own settings with what the arguments of a procedure say instead."""
    return replace(own, **_over_preset(config))


def _over_preset(config: Gimp.ProcedureConfig) -> dict[str, Any]:
    # The layers of snapshots are made before a style's own settings are known.
    chosen: dict[str, Any] = {"snapshots": (), **QUALITIES.get(config.get_property("quality"), {})}
    if not config.get_property("own-settings"):
        chosen |= {
            "strength": config.get_property("strength"),
            "style_scale": config.get_property("style-scale"),
        }
    return chosen


def to_save(config: Gimp.ProcedureConfig) -> Recipe:
    """What is to be kept under which name."""
    kept = {name: config.get_property(name) for name in ("strength", "style-scale")}
    values = {name.replace("-", "_"): value for name, value in kept.items()}
    return {
        "save": config.get_property("name"),
        "replace": config.get_property("replace"),
        "style": style_from_config(config),
        "settings": to_dict(from_dict(Settings, values)),
    }


def snapshots(recipe: Recipe) -> list[int]:
    """The steps after which the painting so far is kept, in order; older recipes have none."""
    return sorted(set(recipe["settings"].get("snapshots", ())))


def more_with_hashes(recipe: Recipe) -> list[tuple[MoreStyle, str]]:
    """Its styles beside the first, each with its picture's hash; that is empty if not known."""
    styles = more_styles.read(recipe["more-styles"])
    hashes = [*recipe.get("more-hashes", ()), *[""] * len(styles)]
    return list(zip(styles, hashes, strict=False))


def layer_name(recipe: Recipe) -> str:
    """The painted layer's name: the styles' and the strength."""
    others = [style.label for style in more_styles.read(recipe["more-styles"])]
    names = " + ".join([style_name(recipe["style"]), *others])
    return f"{names} {recipe['settings']['strength']:.0%}"


def planes_from_config(config: Gimp.ProcedureConfig) -> int:
    """As how many masks the arguments of a procedure count in an estimate. Raises BadField."""
    return places_from_config(config).planes


def places_from_config(config: Gimp.ProcedureConfig) -> Places:
    """In which styles the arguments of a procedure have it painted, and where. Raises BadField."""
    mask, strength, more, *maps = (config.get_property(name) or "" for name in _PLACES)
    return Places(mask, strength, tuple(more_styles.read(more)), *maps)


def style_from_config(config: Gimp.ProcedureConfig) -> dict[str, Any]:
    """Where the style is to be taken from. Raises StyleUnreadable when nothing was chosen."""
    kind = config.get_property("style-from")
    chosen = config.get_property(f"style-{kind}")
    if not chosen:
        raise StyleUnreadable(
            _("No style was chosen: {kind} is wanted.").format(
                kind=_within(arguments.STYLE_FROM[kind])
            ),
            next_step=_("Choose one in the dialog, or take the style from elsewhere."),
        )
    if kind == "file":
        return {"from": kind, "uri": chosen.get_uri()}
    if kind == "preset":
        return {"from": kind, "name": chosen}
    if kind == "pattern":
        return {"from": kind, "name": chosen.get_name()}
    return {"from": kind, "id": chosen.get_id(), "name": chosen.get_name()}


def show_style(
    style: dict[str, Any],
    config: Gimp.ProcedureConfig,
    presets: Sequence[PresetInfo] = (),
    style_hash: str = "",
) -> bool:
    """Have the arguments of a procedure name the style of a recipe; whether it is still there.

    presets: the saved styles, as far as they are known. style_hash: that of the style's picture.
    """
    kind = style["from"]
    chosen: Any = style.get("name")
    if kind == "file":
        chosen = Gio.File.new_for_uri(style["uri"])
        chosen = chosen if chosen.query_exists(None) else None
    elif kind == "pattern":
        chosen = Gimp.Pattern.get_by_name(chosen)
    elif kind == "layer":  # by its name, too: in another session the number is another layer's
        layer = Gimp.Item.get_by_id(style["id"])
        chosen = layer if layer and layer.get_name() == chosen else None
    elif presets:
        try:
            chosen = name_now(chosen, style_hash, presets)
        except UnknownPreset:
            chosen = None
    if chosen:
        config.set_property("style-from", kind)
        config.set_property(f"style-{kind}", chosen)
    return bool(chosen)


def style_name(style: Mapping[str, Any]) -> str:
    """The style's name for people."""
    if style["from"] == "file":
        return Path(Gio.File.new_for_uri(style["uri"]).get_basename() or "style").stem
    return str(style["name"])


def from_text(text: bytes) -> Recipe:
    """The recipe that was kept as JSON, by this or an older version.

    Raises BadField where it is none, VersionSkew where a newer Impasto has made it.
    """
    try:
        recipe: Recipe = {**_ADDED, **json.loads(text)}
        recipe["settings"] = to_dict(kept_settings(recipe["settings"]))
        layer_name(recipe)
        more_styles.read(recipe["more-styles"])
        if recipe["style"]["from"] not in arguments.STYLE_FROM or set(_RESULT) - recipe.keys():
            raise ValueError(_("it is not whole"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadField(
            _("The recipe that is kept cannot be read."),
            next_step=_("Paint with Filters ▸ Artistic ▸ Impasto Style Transfer instead."),
        ) from error
    return recipe


def _split(name: str, text: str | None, item: Callable[[str], Any]) -> tuple[Any, ...]:
    try:
        return tuple(item(part.strip()) for part in (text or "").split(",") if part.strip())
    except ValueError as error:
        raise BadField(
            _("{name} must be numbers with commas between them.").format(name=name), field=name
        ) from error


def _within(words: str) -> str:
    """Words as they stand within a sentence."""
    return words[:1].lower() + words[1:]
