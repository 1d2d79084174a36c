"""Several pictures in one: side by side, or as a contact sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from impasto_daemon.images.pictures import flatten, from_image, to_image
from impasto_protocol.codec import Picture

_GAP_PX = 8
_CELL_PX = 480
_LABEL_PX = 28
_FONT_PX = 18


def make_sheet(pictures: Sequence[Picture]) -> Picture:
    """The pictures from left to right on white, all as high as the last."""
    height = pictures[-1].height
    images = [
        flatten(to_image(picture)).resize(
            (max(1, round(picture.width * height / picture.height)), height),
            Image.Resampling.LANCZOS,
        )
        for picture in pictures
    ]
    width = sum(image.width + _GAP_PX for image in images) + _GAP_PX
    sheet = Image.new("RGB", (width, height + 2 * _GAP_PX), "white")
    left = _GAP_PX
    for image in images:
        sheet.paste(image, (left, _GAP_PX))
        left += image.width + _GAP_PX
    return from_image(sheet)


def make_thumbnail(picture: Picture) -> Picture:
    """A picture as small as a contact sheet shows it, what is transparent on white."""
    image = flatten(to_image(picture))
    image.thumbnail((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS)
    return from_image(image)


def make_contact_sheet(pictures: Sequence[Picture], labels: Sequence[str]) -> Picture:
    """The pictures, all of one shape, row by row on white with a label under each.

    Long edges are at most 480 px; there are about as many rows as columns.
    """
    images = [to_image(make_thumbnail(picture)) for picture in pictures]
    font = ImageFont.load_default(_FONT_PX)
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    widest = max(*(math.ceil(font.getlength(label)) for label in labels), images[0].width)
    across, down = widest + _GAP_PX, images[0].height + _LABEL_PX + _GAP_PX
    sheet = Image.new("RGB", (columns * across + _GAP_PX, rows * down + _GAP_PX), "white")
    draw = ImageDraw.Draw(sheet)
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        left = _GAP_PX + place % columns * across
        top = _GAP_PX + place // columns * down
        sheet.paste(image, (left + (widest - image.width) // 2, top))
        draw.text((left + widest / 2, top + image.height + _LABEL_PX / 2), label, "black", font,
                  anchor="mm")  # fmt: skip
    return from_image(sheet)
