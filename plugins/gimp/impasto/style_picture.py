"""The style that a dialog's configuration names, as a small picture; files are read beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import style_sources
import thumbnails
from gi.repository import Gimp, GLib
from layers import Box

from impasto_protocol.codec import Picture
from impasto_protocol.errors import StyleUnreadable
from impasto_protocol.more_styles import MoreStyle
from impasto_protocol.translations import _

_STYLE_PX = 512


class StylePicture:
    """Follows the configuration. changed: called when there is another picture to be seen.

    of_presets: it can only be a saved style. pixbuf: the picture, if it is known. words: why it
    is not.
    """

    def __init__(
        self,
        config: Gimp.ProcedureConfig,
        changed: Callable[[], None],
        *,
        of_presets: bool = False,
    ) -> None:
        self._config, self._changed, self._of_presets = config, changed, of_presets
        self._source: Any = None
        self._more: dict[tuple[str, str], Picture] = {}
        self.pixbuf: thumbnails.Pixbuf | None = None
        self.words = ""

    def follow(self) -> None:
        """Look whether another style was chosen."""
        kind = "preset" if self._of_presets else self._config.get_property("style-from")
        chosen = self._config.get_property(f"style-{kind}")
        source = (kind, chosen.get_uri() if kind == "file" and chosen else chosen)
        if source == self._source:
            return
        self._source, self.pixbuf, self.words = source, None, ""
        if kind == "file" and chosen:
            path = chosen.get_path() or ""
            threading.Thread(target=self._read_file, args=(source, path), daemon=True).start()
        elif kind == "layer" and chosen and chosen.is_valid():
            self.pixbuf = thumbnails.of_layer(chosen, Box.of(chosen), _STYLE_PX)
        elif kind == "pattern" and chosen:
            self.pixbuf = thumbnails.of_pattern(chosen)

    def forget_layers(self) -> None:
        """Those that are styles, or maps of them, may look otherwise now."""
        if self._source and self._source[0] == "layer":
            self._source = None
        self._more = {key: found for key, found in self._more.items() if key[0] == "file"}

    def take_preset(self, name: str, pixbuf: thumbnails.Pixbuf | None) -> None:
        """Show the thumbnail of a saved style, if it is the chosen one."""
        if self._source == ("preset", name):
            self.pixbuf = pixbuf

    def for_draft(self) -> Picture | str | None:
        """The style as a draft takes it: a picture, the name of a saved style, or nothing yet."""
        kind, chosen = self._source or ("", None)
        if kind == "preset":
            return chosen or None
        return thumbnails.to_picture(self.pixbuf) if self.pixbuf else None

    def of_more(self, style: MoreStyle, find: style_sources.Find) -> Picture | str:
        """One of several styles as a draft takes it, read once. Raises StyleUnreadable."""
        if style.kind == "preset":
            return style.name
        key = style.kind, style.name
        if key not in self._more:
            if style.kind == "file":
                pixbuf = _of_file(style.name)
            else:
                source = style_sources.of_more(style, find)
                pixbuf = thumbnails.of_picture(style_sources.read(source))
            self._more[key] = thumbnails.to_picture(thumbnails.fitted(pixbuf, _STYLE_PX))
        return self._more[key]

    def map_of(self, key: str, find: style_sources.Find) -> Picture:
        """The map of the style that a key names, read once. Raises StyleUnreadable."""
        if ("map", key) not in self._more:
            self._more["map", key] = style_sources.of_key(key, find)
        return self._more["map", key]

    def _read_file(self, source: tuple[str, str], path: str) -> None:
        pixbuf, words = None, ""
        try:
            pixbuf = _of_file(path)
        except StyleUnreadable as error:
            words = str(error)
        GLib.idle_add(self._take_file, source, pixbuf, words)

    def _take_file(
        self, source: tuple[str, str], pixbuf: thumbnails.Pixbuf | None, words: str
    ) -> None:
        if source == self._source:
            self.pixbuf, self.words = pixbuf, words
            self._changed()


def _of_file(path: str) -> thumbnails.Pixbuf:
    """A picture file that GTK reads. Raises StyleUnreadable."""
    try:
        return thumbnails.of_file(path, _STYLE_PX)
    except GLib.Error as error:
        # GIMP itself may read it, which would hold the dialog up.
        raise StyleUnreadable(_("There is no preview of this kind of file.")) from error
