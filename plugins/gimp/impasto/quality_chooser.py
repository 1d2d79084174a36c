"""The choice of a quality, with the time that each takes on this machine."""

from __future__ import annotations

from collections.abc import Mapping

import controls
import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, GObject, Gtk  # noqa: E402

from impasto_protocol.descriptions import QUALITY_LABELS, describe_quality  # noqa: E402
from impasto_protocol.messages import Estimated  # noqa: E402
from impasto_protocol.settings import QUALITIES, QUALITY_WORDS  # noqa: E402
from impasto_protocol.translations import _  # noqa: E402

CUSTOM = "custom"


class QualityChooser(Gtk.ComboBoxText):
    """Bound to `quality`. custom: what that is called; shown only while chosen if `by_tick`."""

    def __init__(self, config: Gimp.ProcedureConfig, custom: str, *, by_tick: bool) -> None:
        super().__init__()
        self._custom, self._by_tick = custom, by_tick
        for name in QUALITIES:
            self.append(name, QUALITY_LABELS[name])
        if not by_tick:
            self.append(CUSTOM, custom)
        self.set_tooltip_text(
            "\n".join(f"{QUALITY_LABELS[name]}: {words}" for name, words in QUALITY_WORDS.items())
        )
        controls.call(self, _("Quality"))
        self._show_custom(config.get_property("quality"))
        config.connect(
            "notify::quality", lambda *_: self._show_custom(config.get_property("quality"))
        )
        config.bind_property(
            "quality", self, "active-id",
            GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE,
        )  # fmt: skip

    def tell_times(self, found: Mapping[str, Estimated]) -> None:
        """Say beside each quality what it takes, where that is known."""
        for row in self.get_model():
            if row[1] in QUALITIES:
                row[0] = describe_quality(QUALITY_LABELS[row[1]], found.get(row[1]))

    def _show_custom(self, quality: str) -> None:
        if self._by_tick:
            there = len(self.get_model()) > len(QUALITIES)
            if quality == CUSTOM and not there:
                self.append(CUSTOM, self._custom)
            elif quality != CUSTOM and there:
                self.set_active_id(quality)  # or the configuration would follow the row that goes
                self.remove(len(QUALITIES))
