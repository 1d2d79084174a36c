"""How the pixels of an image go to the daemon and come back: its own numbers, unconverted."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
from gi.repository import Babl, Gegl, Gimp  # noqa: E402

from impasto_protocol.colour_space import (  # noqa: E402
    SRGB,
    Colour,
    ColourSpace,
    measure,
    measure_grey,
)

_BABL_TYPES = {"uint8": "u8", "uint16": "u16", "float32": "float"}
_MARKS = {"linear": "", "perceptual": "~"}
"""What stands behind a letter in babl's names: the space's own curve is an apostrophe."""


def dtype_of(drawable: Gimp.Drawable) -> str:
    """How a drawable's numbers go: 8 and 16 bits stay what they are, all others become float32."""
    precision = drawable.get_image().get_precision().value_nick
    return {"u8-": "uint8", "u16": "uint16"}.get(precision[:3], "float32")


def channels_of(drawable: Gimp.Drawable) -> int:
    """Of how many numbers each pixel of a drawable is."""
    return (1 if drawable.is_gray() else 3) + drawable.has_alpha()


class Form(NamedTuple):
    """A form of pixels.

    mark: babl's, of a transfer. home: a format of babl's in the image's own space, or None for
    sRGB.
    """

    mark: str
    home: Babl.Object | None
    dtype: str
    space: ColourSpace

    @classmethod
    def of(cls, drawable: Gimp.Drawable) -> Form:
        """That of a drawable; a profile that is more than primaries and curves is read as sRGB."""
        precision, dtype = drawable.get_image().get_precision().value_nick, dtype_of(drawable)
        mark = "'" if "non-linear" in precision else _MARKS[precision.rsplit("-", 1)[1]]
        form = cls(mark, drawable.get_format(), dtype, SRGB)
        measured = measure_grey if drawable.is_gray() else measure
        space = measured(lambda numbers: form.look(numbers, grey=drawable.is_gray()))
        return form._replace(space=space) if space else cls("'", None, dtype, SRGB)

    def name(self, channels: int, dtype: str | None = None) -> str:
        """What babl calls pixels of so many channels."""
        marks = {1: "Y#", 2: "Y#A", 3: "R#G#B#", 4: "R#G#B#A"}[channels].replace("#", self.mark)
        name = f"{marks} {_BABL_TYPES[dtype or self.dtype]}"
        return Babl.get_name(Babl.format_with_space(name, self.home)) if self.home else name

    def look(self, numbers: Sequence[Colour], *, grey: bool) -> Sequence[Colour]:
        """The linear light, in sRGB's primaries, of colours or greys in these numbers."""
        name = self.name(1 if grey else 3, "float32")
        row = Gegl.Rectangle.new(0, 0, len(numbers), 1)
        buffer = Gegl.Buffer.new(name, 0, 0, len(numbers), 1)
        flat = [part for colour in numbers for part in (colour[:1] if grey else colour)]
        buffer.set(row, name, array("f", flat).tobytes())
        seen = array("f", buffer.get(row, 1.0, "RGB float", Gegl.AbyssPolicy.NONE))
        return [(seen[at], seen[at + 1], seen[at + 2]) for at in range(0, len(seen), 3)]
