"""The window that asks whether to go on."""

from __future__ import annotations

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GimpUi, Gtk  # noqa: E402

from impasto_protocol.errors import Cancelled  # noqa: E402
from impasto_protocol.translations import _  # noqa: E402


def ask(words: str, consequence: str, go_on: str) -> None:
    """Raise Cancelled unless the painter presses the button that is called `go_on`."""
    GimpUi.init("impasto")
    dialog = Gtk.MessageDialog(
        message_type=Gtk.MessageType.QUESTION, text=words, secondary_text=consequence,
        title="Impasto", buttons=Gtk.ButtonsType.CANCEL,
    )  # fmt: skip
    dialog.add_button(go_on, Gtk.ResponseType.ACCEPT)
    dialog.set_default_response(Gtk.ResponseType.ACCEPT)
    answer = dialog.run()
    dialog.destroy()
    while Gtk.events_pending():
        Gtk.main_iteration()
    if answer != Gtk.ResponseType.ACCEPT:
        raise Cancelled(_("Painting was cancelled."))
