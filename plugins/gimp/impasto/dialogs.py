"""The three dialogs in which a painter chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import arguments
import controls
import layer_recipes
from dialog_window import HINTS, DialogWindow
from gi.repository import Gimp
from style_picture import StylePicture

from impasto_protocol.errors import BadField
from impasto_protocol.settings import Settings
from impasto_protocol.translations import _

if TYPE_CHECKING:
    from impasto_protocol.messages import Estimate


def ask_stylize(
    procedure: Gimp.Procedure,
    config: Gimp.ProcedureConfig,
    found: Sequence[Gimp.Layer],
    estimate: Callable[[], Estimate],
) -> None:
    """Have the painter choose style and settings for layers. Raises Cancelled.

    The first is shown; where it has been painted itself, its recipe can be taken.
    estimate: the question what painting that would take as it is set.
    """
    source = found[0]
    window = DialogWindow(
        procedure, config, _("Impasto Style Transfer"), lambda: _lacking_style(config)
    )
    window.preview_of(source, lambda: estimate().settings, StylePicture(config, window.refresh))
    if own := layer_recipes.of_layer(source):
        window.offer_recipe(own, source.get_name())
    window.controls.add_heading(_("Style"))
    window.add_style(arguments.STYLE_FROM)
    window.controls.add_heading(_("Painting"))
    window.add_look(by_tick=True)
    seed, *rest = arguments.LOOK[3:]
    added = window.controls.add_arguments(config, [seed, *arguments.VARIATIONS, *rest])
    # What is painted at once is the same with any seed.
    controls.sensitive_if(config, added["variations"], "iterations", bool)
    window.controls.add_heading(_("Result"))
    window.controls.add_arguments(config, arguments.RESULT)
    window.add_places(source.get_image())
    window.add_advanced()

    def paintings() -> int:
        varied = config.get_property("variations") if config.get_property("iterations") else 1
        return len(found) * varied

    window.estimate(estimate, paintings)
    window.run()


def ask_preset(
    procedure: Gimp.Procedure,
    config: Gimp.ProcedureConfig,
    found: Sequence[Gimp.Layer],
    estimate: Callable[[Settings], Estimate],
) -> None:
    """Have the painter choose a saved style for layers. Raises Cancelled.

    The first is shown.
    estimate: the question what painting that would take, by the style's own settings.
    """
    window = DialogWindow(
        procedure, config, _("Impasto: Apply Preset"),
        lambda: "" if config.get_property("style-preset") else HINTS["preset"],
    )  # fmt: skip

    def of_chosen() -> Estimate:
        own = window.browser.settings()
        if not own:
            raise BadField(_("The style is not known yet."))
        return estimate(own)

    style = StylePicture(config, window.refresh, of_presets=True)
    window.preview_of(found[0], lambda: of_chosen().settings, style)
    window.add_browser()
    window.controls.add_heading(_("Painting"))
    window.controls.add_arguments(config, arguments.APPLY[:1])
    window.add_look(by_tick=False)
    window.controls.add_heading(_("Result"))
    window.controls.add_arguments(config, arguments.RESULT)
    window.estimate(of_chosen, lambda: len(found))
    window.run()


def ask_save(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig) -> None:
    """Have the painter name a style. Raises Cancelled."""

    def lacking() -> str:
        if not (config.get_property("name") or "").strip():
            return _("First type a name for the style.")
        return _lacking_style(config)

    window = DialogWindow(procedure, config, _("Impasto: Save Style as Preset"), lacking)
    window.controls.add_arguments(config, arguments.NAME)
    window.controls.add_heading(_("Style"))
    window.add_style(arguments.SAVED_FROM)
    window.controls.add_heading(_("Painting"))
    window.add_strokes()
    window.controls.add_arguments(config, arguments.REPLACE)
    window.run()


def _lacking_style(config: Gimp.ProcedureConfig) -> str:
    kind = config.get_property("style-from")
    chosen = config.get_property(f"style-{kind}")
    return "" if chosen else HINTS[kind]
