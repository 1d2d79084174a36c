"""A dialog of a procedure: controls that scroll, a preview beside them, a line below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import arguments
import controls
import gi
import layer_recipes
import recipe
import remembered
import sources

gi.require_version("Gdk", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from controls import Controls  # noqa: E402
from daemon_link import DaemonLink, Follower  # noqa: E402
from estimates import Estimates  # noqa: E402
from gi.repository import Gdk, Gegl, Gimp, GimpUi, Gio, GObject, Gtk, Pango  # noqa: E402
from places import Places  # noqa: E402
from preview import Preview  # noqa: E402
from quality_chooser import CUSTOM, QualityChooser  # noqa: E402
from style_browser import StyleBrowser  # noqa: E402
from style_picture import StylePicture  # noqa: E402

from impasto_protocol.descriptions import describe_error, describe_estimate  # noqa: E402
from impasto_protocol.errors import (  # noqa: E402
    Cancelled,
    HostUnsupported,
    ImpastoError,
    TooLarge,
)
from impasto_protocol.fields import from_dict, to_dict  # noqa: E402
from impasto_protocol.settings import QUALITIES, Settings  # noqa: E402
from impasto_protocol.translations import _  # noqa: E402

if TYPE_CHECKING:
    from layer_recipes import KeptRecipe

    from impasto_protocol.messages import Estimate, Estimated

_SPACE_PX = 12
_HIGHEST_PX = 600
_FRAME_PX = 40
"""A window's title and borders, and a little of the screen."""
_AROUND_PX = 350
"""The height of a dialog without its preview."""
_LARGEST_PREVIEW_PX, _SMALLEST_PREVIEW_PX = 256, 96
_ENDS = (_("picture"), _("style"))
HINTS = {
    "file": _("First choose a picture file in the style you want, or drop one here."),
    "layer": _("First choose the open layer whose style you want."),
    "pattern": _("First choose the pattern whose style you want."),
    "preset": _("First choose one of the saved styles."),
}
_NOT_BAKED = _("Right click the style to bake it, or choose another quality.")
_NEEDS_SAVED = _("Only a saved style that is baked is painted at once; choose another quality.")
_SAVED_STYLES = (".safetensors", ".zip")


class _DialogClosed(Cancelled):
    nothing_chosen = True


class DialogWindow:
    """GIMP's dialog of a procedure: controls that scroll, a preview beside them, a line below.

    lacking: what the painter has to do before it can run, or nothing.
    """

    def __init__(
        self,
        procedure: Gimp.Procedure,
        config: Gimp.ProcedureConfig,
        title: str,
        lacking: Callable[[], str],
    ) -> None:
        GimpUi.init("impasto")
        Gegl.init(None)  # without it GEGL gives black for a pattern that is made smaller
        self.dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
        self.dialog.set_ok_label(_("_OK"))
        self._config, self._lacking = config, lacking
        self.controls = Controls()
        self._below = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=_SPACE_PX)
        self._below.pack_start(self.controls, False, False, 0)
        self._columns = Gtk.Box(spacing=2 * _SPACE_PX)
        self._hint = Gtk.Label(xalign=0, wrap=True, width_chars=40, no_show_all=True)
        self._line = Gtk.Label(xalign=0, wrap=True, width_chars=40)
        self._quality: QualityChooser | None = None
        self._browser: StyleBrowser | None = None
        self._preview: Preview | None = None
        self._style: StylePicture | None = None
        self._places: Places | None = None
        self._questions: Callable[[], Estimate] | None = None
        self._paintings: Callable[[], int] = lambda: 1
        self._found: Mapping[str, Estimated] = {}
        self._refusal = ""
        self._at_once = False
        self._estimates = Estimates(self._show_estimates)
        self._by_kind: dict[str, Gtk.Widget] = {}

    @property
    def browser(self) -> StyleBrowser:
        """The saved styles, fetched once somebody may want to see them."""
        if not self._browser:
            self._browser = StyleBrowser(self._config, self.refresh)
        return self._browser

    # What is in it ----------------------------------------------------------------------------

    def preview_of(
        self, source: Gimp.Layer, settings: Callable[[], Settings], style: StylePicture
    ) -> None:
        """A preview at the left."""
        self._style = style
        side = min(_LARGEST_PREVIEW_PX, max(_SMALLEST_PREVIEW_PX, _highest_px() - _AROUND_PX))
        self._preview = Preview(source, settings, style, side)
        self._columns.pack_start(_scrolled(self._preview), False, False, 0)

    def offer_recipe(self, made: KeptRecipe, name: str) -> None:
        """A button that sets everything as the layer of a name was painted."""
        button = Gtk.Button()
        label = Gtk.Label(
            label=_("As “{name}” Was Painted").format(name=name), ellipsize=Pango.EllipsizeMode.END
        )
        button.add(label)
        button.set_tooltip_text(
            _("Set the style and everything else. {whose}").format(whose=made.whose)
        )

        def show(_button: Gtk.Button) -> None:
            layer_recipes.show(made, self._config, self.browser.presets)

        button.connect("clicked", show)
        self.controls.add_wide(button)

    def add_style(self, kinds: Mapping[str, str]) -> None:
        """Where the style comes from, and below it only what the chosen kind needs."""
        choice = arguments.style_from(kinds)
        self.controls.add_arguments(self._config, [choice])
        for kind, label in arguments.STYLE_LABELS.items():
            if kind in kinds:
                widget = self.dialog.get_widget(f"style-{kind}", GObject.TYPE_NONE)
                controls.call(widget, label)
                self._by_kind[kind] = widget
        if "preset" in kinds:
            self._by_kind["preset"] = self.browser
        for widget in self._by_kind.values():
            self.controls.add_wide(widget)
        self._accept_files()

    def add_browser(self) -> None:
        """The saved styles alone."""
        self.controls.add_wide(self.browser)
        self._accept_files()

    def add_strokes(self) -> None:
        """Strength and stroke size."""
        strength, size = arguments.LOOK[:2]
        scale = controls.slider(self._config, strength, _ENDS)
        self.controls.add_row(strength[2], scale)
        self.controls.add_arguments(self._config, [size])

    def add_look(self, *, by_tick: bool) -> None:
        """Strength, stroke size and quality. by_tick: steps of one's own are under Advanced."""
        self.add_strokes()
        custom = _("Custom") if by_tick else _("As saved with the style")
        self._quality = QualityChooser(self._config, custom, by_tick=by_tick)
        self.controls.add_row(arguments.LOOK[2][2], self._quality)

    def add_places(self, image: Gimp.Image) -> None:
        """Further styles, and where each goes; closed at first unless it counts."""
        self._places = Places(self._config, image)
        if self._preview:
            self._preview.places = lambda: recipe.places_from_config(self._config)
        self._add_expander(_("More Styles a_nd Masks"), self._places, expanded=self._places.is_used)

    def add_advanced(self) -> None:
        """What most never need, closed at first unless it counts."""
        inside = Controls()
        for title, table in arguments.ADVANCED_GROUPS.items():
            inside.add_heading(title)
            if table[0][1] in arguments.BY_QUALITY:
                inside.add_wide(controls.custom_tick(self._config))
            found = inside.add_arguments(self._config, table)
            for name in found.keys() & set(arguments.BY_QUALITY):
                controls.sensitive_if(
                    self._config, found[name], "quality", lambda quality: quality == CUSTOM
                )
        _follow_quality(self._config)
        custom = self._config.get_property("quality") == CUSTOM
        self._add_expander(_("A_dvanced"), inside, expanded=custom)

    def _add_expander(self, label: str, inside: Gtk.Widget, *, expanded: bool) -> None:
        expander = Gtk.Expander(label=label, use_underline=True, margin_top=6)
        expander.set_expanded(expanded)
        expander.add(inside)
        self._below.pack_start(expander, False, False, 0)

    def estimate(
        self, questions: Callable[[], Estimate], paintings: Callable[[], int] = lambda: 1
    ) -> None:
        """Tell what so many paintings, one after the other, take, as long as a daemon runs."""
        self._questions, self._paintings = questions, paintings

    def _accept_files(self) -> None:
        self.dialog.drag_dest_set(Gtk.DestDefaults.ALL, [], Gdk.DragAction.COPY)
        self.dialog.drag_dest_add_uri_targets()
        self.dialog.connect("drag-data-received", self._drop)

    def _drop(
        self, _widget: Gtk.Widget, _context: Gdk.DragContext, _x: int, _y: int,
        data: Gtk.SelectionData, _info: int, _time: int,
    ) -> None:  # fmt: skip
        for uri in data.get_uris()[:1]:
            self.take_file(uri)

    def take_file(self, uri: str) -> None:
        """A file was dropped: a picture becomes the style, saved styles are kept and shown."""
        if not uri.lower().endswith(_SAVED_STYLES):
            self._choose_file(uri)
        elif self._browser:
            if "preset" in self._by_kind:
                self._config.set_property("style-from", "preset")
            self._browser.import_file(Gio.File.new_for_uri(uri).get_path() or "")

    def _choose_file(self, uri: str) -> None:
        if "file" in self._by_kind:
            self._config.set_property("style-file", Gio.File.new_for_uri(uri))
            self._config.set_property("style-from", "file")

    # What happens while it is open ------------------------------------------------------------

    def run(self) -> None:
        """Let the painter choose. Raises Cancelled."""
        followers: list[Follower] = [self._estimates]
        if self._preview:
            followers.append(self._preview)
        self._lay_out()
        link = DaemonLink(followers) if self._questions else None
        handler = self._config.connect("notify", self.refresh)
        self.dialog.connect("focus-in-event", self._come_back)
        self.dialog.connect("map", self._focus_first)
        self.refresh()
        try:
            accepted = self.dialog.run()
        finally:
            self._config.disconnect(handler)
            if link:
                link.close()
        chosen = self._browser and self._browser.get_visible()
        self.dialog.destroy()
        if not accepted:
            raise _DialogClosed(_("The dialog was closed."))
        if chosen:
            remembered.use_style(self._config.get_property("style-preset"))

    def refresh(self, *_: object) -> None:
        """Something was chosen or has arrived: show what follows from it."""
        kind = self._config.get_property("style-from") if self._by_kind else ""
        for other, widget in self._by_kind.items():
            widget.set_visible(other == kind)
        if self._style:
            self._style.follow()
            if self._browser:
                name = self._config.get_property("style-preset")
                self._style.take_preset(name, self._browser.thumbnail())
        if self._places and self._browser:
            self._places.offer(self._browser.names)
        if self._preview:
            self._preview.refresh()
        self._ask_estimates()
        self._show_line()

    def _come_back(self, *_: object) -> None:
        """The image may have been changed, or something else selected."""
        sources.look_again()
        if self._preview:
            self._preview.forget()
        if self._style:
            self._style.forget_layers()
        if self._places:
            self._places.look_again()
        self.refresh()

    def _focus_first(self, *_: object) -> None:
        """The keyboard begins at the controls, not at the preview."""
        self._below.child_focus(Gtk.DirectionType.TAB_FORWARD)

    def _ask_estimates(self) -> None:
        self._refusal = ""
        try:
            question = self._questions() if self._questions else None
            self._at_once = question is not None and not question.settings.iterations
            self._estimates.ask(self._for_each_quality(question) if question else {})
        except ImpastoError as error:
            # Others are told when it is to be painted.
            if isinstance(error, HostUnsupported | TooLarge):
                self._refusal = describe_error(error)
            self._estimates.ask({})

    def _for_each_quality(self, question: Estimate) -> dict[str, Estimate]:
        quality = self._config.get_property("quality")
        found = {
            name: replace(
                question, settings=from_dict(Settings, to_dict(question.settings) | values)
            )
            for name, values in QUALITIES.items()
        }
        return {quality: found.get(quality, question), **found}

    def _show_estimates(self, found: Mapping[str, Estimated]) -> None:
        self._found = found
        if self._quality:
            self._quality.tell_times(found)
        self._show_line()

    def _show_line(self) -> None:
        hint = self._lacking() or self._refusal or self._lacking_network()
        self.dialog.set_response_sensitive(Gtk.ResponseType.OK, not hint)
        quality = self._config.get_property("quality") if self._quality else ""
        if found := self._found.get(quality):
            self._line.set_text(describe_estimate(found, quality, self._paintings()))
        elif not self._found:  # otherwise the answer is on its way
            self._line.set_text("")
        self._hint.set_text(hint)
        self._hint.set_visible(bool(hint))

    def _lacking_network(self) -> str:
        """What to do where the style cannot be painted at once and is to be."""
        if not self._at_once:
            return ""
        if self._by_kind and self._config.get_property("style-from") != "preset":
            return _NEEDS_SAVED
        return _NOT_BAKED if self._browser and self._browser.lacks_network() else ""

    def _lay_out(self) -> None:
        self._columns.pack_start(_scrolled(self._below), True, True, 0)
        content = self.dialog.get_content_area()
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=_SPACE_PX)
        box.pack_start(self._columns, True, True, 0)
        box.pack_start(self._hint, False, False, 0)
        box.pack_start(self._line, False, False, 0)
        box.show_all()
        content.pack_start(box, True, True, 0)
        _, natural = self.dialog.get_preferred_size()
        screen = _work_area()
        self.dialog.set_default_size(
            min(natural.width, screen.width), min(natural.height, _highest_px())
        )


def _scrolled(widget: Gtk.Widget) -> Gtk.ScrolledWindow:
    """As large as what is in it, where there is room."""
    scrolled = Gtk.ScrolledWindow(
        hscrollbar_policy=Gtk.PolicyType.NEVER, propagate_natural_height=True,
        propagate_natural_width=True, min_content_height=80, overlay_scrolling=False,
    )  # fmt: skip
    scrolled.add(widget)
    return scrolled


def _work_area() -> Gdk.Rectangle:
    display = Gdk.Display.get_default()
    assert display
    monitor = display.get_primary_monitor() or display.get_monitor(0)
    assert monitor
    return monitor.get_workarea()


def _highest_px() -> int:
    """The height of a dialog at most, in px of the toolkit."""
    return min(_HIGHEST_PX, _work_area().height) - _FRAME_PX


def _follow_quality(config: Gimp.ProcedureConfig) -> None:
    """Show what a quality sets; it can be changed where the painter sets it."""

    def show(*_: object) -> None:
        quality = QUALITIES.get(config.get_property("quality"), {})
        for name in arguments.BY_QUALITY if quality else ():
            value = quality[name.replace("-", "_")]
            if config.get_property(name) != value:
                config.set_property(name, value)

    for name in ("quality", *arguments.BY_QUALITY):
        config.connect(f"notify::{name}", show)
    show()
