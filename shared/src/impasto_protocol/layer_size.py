"""How much of a layer can be painted at once, in either editor."""

from __future__ import annotations

from impasto_protocol.errors import TooLarge
from impasto_protocol.limits import FRAME_BYTES
from impasto_protocol.translations import _


def check(width: int, height: int, pixel_bytes: int, beside_bytes: int = 0) -> None:
    """Raise TooLarge where that is more than a frame holds.

    Both editors count bytes in 32 bits: where there are more, GEGL writes beyond them, and Krita
    crashes. beside_bytes: what an editor keeps beside them.
    """
    if width * height * pixel_bytes + beside_bytes > FRAME_BYTES:
        raise TooLarge(
            _("{width} x {height} pixels are too many to be painted at once.").format(
                width=width, height=height
            ),
            next_step=_("Select a part of the layer and paint that."),
        )
