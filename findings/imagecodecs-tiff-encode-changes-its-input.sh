#!/usr/bin/env bash
# imagecodecs 2026.3.6 swaps the bytes of the array that it is given when tiff_encode writes a TIFF of the other byte order: the
# file is right, and the caller's array holds other numbers afterwards.
# Expected: 0 to 7 after as before. Seen: 0, 256, 512 and so on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet imagecodecs==2026.3.6 numpy==2.3.5
found=$("$folder/venv/bin/python" - <<'PYTHON'
import imagecodecs
import numpy

numbers = numpy.arange(8, dtype="<u2").reshape(2, 4)
imagecodecs.tiff_encode(numbers, photometric="minisblack", byteorder=">")
print(*numbers.ravel())
PYTHON
)
echo "0 to 7 after they were written: $found"
[ "$found" = "0 256 512 768 1024 1280 1536 1792" ]
