#!/usr/bin/env bash
# Pillow 13.0.0 lists "MM\0+" among what a TIFF may begin with, which is BigTIFF with high bytes first, and then looks for its 43 at
# the third byte, where only the other order has it: such a file is never identified. The same picture with low bytes first is read.
# Expected: both are opened. Seen: UnidentifiedImageError for one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet imagecodecs==2026.3.6 numpy==2.3.5 pillow==13.0.0
found=$("$folder/venv/bin/python" -W ignore - <<'PYTHON'
import io

import imagecodecs
import numpy
from PIL import Image

for order in "<", ">":
    pixels = numpy.zeros((8, 8, 3), numpy.uint8)
    data = imagecodecs.tiff_encode(pixels, photometric="rgb", bigtiff=True, byteorder=order)
    try:
        print(Image.open(io.BytesIO(data)).size[0], end=" ")
    except Image.UnidentifiedImageError:
        print("not identified", end=" ")
PYTHON
)
echo "width of a BigTIFF with low bytes first, and with high bytes first: $found"
[ "$found" = "8 not identified " ]
