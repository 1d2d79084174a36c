"""Where a painting is to go: looked at before anything is painted."""

from __future__ import annotations

import shutil
from pathlib import Path

from impasto_daemon.files import check_place
from impasto_daemon.images.pictures import format_of
from impasto_protocol.errors import DiskFull, PictureRejected

_LONGEST_PX = {"JPEG": 65_500, "WEBP": 16_383, "GIF": 65_535}
_LEAST_SHARE = {"PNG": 0.25, "TIFF": 0.25, "BMP": 1.0}
"""Of the pixels' own bytes, what a file takes at the least; others hardly take anything."""


def check_output(path: Path, height: int, width: int, pixel_bytes: int) -> None:
    """Make sure that a picture of that size could be written to `path`.

    pixel_bytes: bytes of a pixel. Raises PictureRejected for an unknown ending and what the format
    cannot hold, NotWritten for the place, DiskFull.
    """
    kind = format_of(path)
    longest_px = _LONGEST_PX.get(kind, max(height, width))
    if max(height, width) > longest_px:
        raise PictureRejected(
            f"A {kind} file holds at most {longest_px} pixels a side, and the painting will have "
            f"{width} x {height}.",
            next_step="Choose a file name that ends in .png, or paint it smaller with --size.",
        )
    folder = check_place(path)
    least_bytes = int(_LEAST_SHARE.get(kind, 0) * height * width * pixel_bytes)
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < least_bytes:
        raise DiskFull(
            f"{folder} has {free_bytes >> 20} MiB free, and the painting needs about "
            f"{max(1, least_bytes >> 20)}."
        )
