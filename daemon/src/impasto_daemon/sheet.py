"""Several pictures side by side in one."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from impasto_daemon.pictures import from_image, to_image
from impasto_protocol.codec import Picture

_GAP_PX = 8


def make_sheet(pictures: Sequence[Picture]) -> Picture:
    """The pictures from left to right on white, all as high as the last."""
    height = pictures[-1].height
    images = [
        to_image(picture).convert("RGB").resize(
            (max(1, round(picture.width * height / picture.height)), height),
            Image.Resampling.LANCZOS,
        )
        for picture in pictures
    ]  # fmt: skip
    width = sum(image.width + _GAP_PX for image in images) + _GAP_PX
    sheet = Image.new("RGB", (width, height + 2 * _GAP_PX), "white")
    left = _GAP_PX
    for image in images:
        sheet.paste(image, (left, _GAP_PX))
        left += image.width + _GAP_PX
    return from_image(sheet)
