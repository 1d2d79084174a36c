"""The window that tells what went wrong and what to do."""

from __future__ import annotations

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gimp, GimpUi, Gtk  # noqa: E402

from impasto_protocol.translations import _  # noqa: E402


def show_error(words: str, next_step: str, error: Exception) -> None:
    """Show a sentence and the next step until it is closed; the details can be copied."""
    GimpUi.init("impasto")
    dialog = Gtk.MessageDialog(
        message_type=Gtk.MessageType.WARNING, text=words, secondary_text=next_step,
        title="Impasto", buttons=Gtk.ButtonsType.CLOSE,
    )  # fmt: skip
    copy = Gtk.Button(label=_("Copy _Diagnostics"), use_underline=True, halign=Gtk.Align.START,
                      relief=Gtk.ReliefStyle.NONE)  # fmt: skip
    copy.get_style_context().add_class("dim-label")
    copy.set_tooltip_text(_("Copy what a bug report needs: no pictures, no names"))
    copy.connect("clicked", _copy, error)
    below = dialog.get_message_area()
    assert isinstance(below, Gtk.Box)
    below.pack_end(copy, False, False, 0)
    copy.show()
    dialog.set_default_response(Gtk.ResponseType.CLOSE)
    dialog.run()
    dialog.destroy()


def _copy(button: Gtk.Button, error: Exception) -> None:
    clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
    clipboard.set_text(_diagnose(error), -1)
    clipboard.store()
    button.set_label(_("_Diagnostics Copied"))


def _diagnose(error: Exception) -> str:
    try:
        from impasto_protocol.descriptions import diagnostics
    except ImportError:
        return f"GIMP {Gimp.version()}\nerror: {type(error).__name__}: {error}"
    return diagnostics(f"GIMP {Gimp.version()}", error)
