"""A picture as a decoder hands it over, before anything is turned, converted or scaled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from numpy.typing import NDArray
from PIL import Image

Space = Literal["GRAY", "RGB", "CMYK"]


SAVE_ANEW = "Open the {picture} in an editor and save it as PNG, JPEG or WebP."

SCALE_DOWN = "Scale the {picture} down in an editor first."


class Unsupported(Exception):
    """A file that is whole but not read.

    The message goes on a sentence that begins with a name. next_step: with {picture} for what the
    picture is called.
    """

    def __init__(self, message: str, next_step: str = SAVE_ANEW) -> None:
        super().__init__(message)
        self.next_step = next_step


@dataclass(frozen=True)
class Source:
    """One picture of a file, lying as the file has it, in the file's own colours.

    pixels: (H, W, C) uint8 or uint16, 0 to the largest number; straight alpha comes last.
    icc, xmp: as the file has them, unchecked. exif: with the orientation. dpi: across and down.
    notes: for a painter.
    """

    pixels: NDArray[Any]
    space: Space
    icc: bytes = b""
    exif: Image.Exif = field(default_factory=Image.Exif)
    xmp: bytes | str = b""
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    def noting(self, *notes: str) -> Source:
        """The same with notes added."""
        return replace(self, notes=(*self.notes, *notes))
