"""What saved styles are called: in a file, and now, known again by their pictures."""

from __future__ import annotations

from collections.abc import Iterable

from impasto_protocol.errors import UnknownPreset
from impasto_protocol.messages import PresetInfo
from impasto_protocol.translations import _


def is_pack(data: bytes) -> bool:
    """Whether a file's content is a zip, in which each style has a name."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def name_now(name: str, style_hash: str, presets: Iterable[PresetInfo]) -> str:
    """What the style is called now that was called `name` and whose picture has that hash.

    style_hash: empty where it is not known, and any of that name will do. Raises UnknownPreset
    where it is not among the presets.
    """
    hashes = {info.name: info.style for info in presets}
    if name in hashes and style_hash in ("", hashes[name]):
        return name
    for other, found in hashes.items():
        if found == style_hash:
            return other
    if name in hashes:
        raise UnknownPreset(
            _("“{name}” is another style now than the one that was used.").format(name=name),
            next_step=_("Choose it anew, or import the former one."),
        )
    raise UnknownPreset(
        _("The style “{name}” is gone.").format(name=name),
        next_step=_("Import it again, or choose another one."),
    )
