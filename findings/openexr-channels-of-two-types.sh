#!/usr/bin/env bash
# OpenEXR 3.5.3 reads a picture's channels as one array by default, and gives up a file whose R, G and B are half and whose A is float,
# which the format allows, renderers write and OpenEXR.File itself has just written. With separate_channels=True it is read.
# Expected: the default reads it too, as floats or as two arrays. Seen: ValueError, "cannot coalesce channels".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet openexr==3.5.3 numpy==2.3.5
found=$("$folder/venv/bin/python" - <<'PYTHON'
import io

import numpy
import OpenEXR

channels = {name: numpy.zeros((4, 4), "f4" if name == "A" else "f2") for name in "RGBA"}
file = io.BytesIO()
header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
OpenEXR.File(header, channels).write(file)
for separate in True, False:
    try:
        print(len(OpenEXR.File(io.BytesIO(file.getvalue()), separate_channels=separate).channels()), end=" ")
    except ValueError:
        print("refused", end=" ")
PYTHON
)
echo "channels read one by one, and by default: $found"
[ "$found" = "4 refused " ]
