"""The window that tells how far a job is and ends it; GIMP's own progress bar can only cancel."""

from __future__ import annotations

from typing import Literal

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GimpUi, Gtk, Pango  # noqa: E402

from impasto_protocol.translations import _  # noqa: E402

_SPACE_PX = 12


class ProgressWindow:
    """A small window. wanted: None, "conclude" or "cancel". begun: there is a picture to keep.

    heading: what stands above, if anything. can_conclude: the job has something to show before
    its end.
    """

    def __init__(self, heading: str, *, can_conclude: bool) -> None:
        GimpUi.init("impasto")
        self.wanted: Literal["conclude", "cancel"] | None = None
        self.begun = False
        self._window = Gtk.Window(title="Impasto", resizable=False, border_width=_SPACE_PX)
        # Not made transient for the image's window: GIMP 3.0.4 crashed when that was closed.
        self._window.set_keep_above(True)
        self._window.connect("delete-event", lambda *_: self._want("cancel"))
        self._bar = Gtk.ProgressBar()
        self._bar.get_accessible().set_name(_("Progress"))
        self._words = Gtk.Label(xalign=0, width_chars=52, ellipsize=Pango.EllipsizeMode.END)
        buttons = Gtk.ButtonBox(layout_style=Gtk.ButtonBoxStyle.END, spacing=6)
        if can_conclude:
            finish = Gtk.Button(label=_("_Finish Now"), use_underline=True)
            finish.set_tooltip_text(_("End now, and keep what has been painted so far"))
            finish.connect("clicked", lambda _: self._want("conclude"))
            buttons.add(finish)
        cancel = Gtk.Button(label=_("_Cancel"), use_underline=True)
        cancel.set_tooltip_text(_("End now, and leave everything as it was"))
        cancel.connect("clicked", lambda _: self._want("cancel"))
        buttons.add(cancel)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        if heading:
            box.pack_start(Gtk.Label(label=heading, xalign=0, wrap=True, max_width_chars=52), False,
                           False, 0)  # fmt: skip
        for widget in (self._words, self._bar, buttons):
            box.pack_start(widget, False, False, 0)
        self._window.add(box)
        self._window.show_all()
        self.tick()

    def _want(self, what: Literal["conclude", "cancel"]) -> bool:
        self.wanted = what
        waits = what == "conclude" and not self.begun
        self._words.set_text(
            _("Ending as soon as there is a first picture") if waits else _("Ending")
        )
        return True

    def show(self, words: str, share: float | None) -> None:
        """Show how far it is; a share of None means that nobody knows."""
        if self.wanted is None:
            self._words.set_text(words)
        self._bar.pulse() if share is None else self._bar.set_fraction(share)

    def tick(self) -> None:
        """Let the window live; to be called often."""
        while Gtk.events_pending():
            Gtk.main_iteration()

    def close(self) -> None:
        """Take the window away."""
        self._window.destroy()
        self.tick()
