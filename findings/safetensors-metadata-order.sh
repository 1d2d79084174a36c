#!/usr/bin/env bash
# safetensors 0.8.0 writes the entries of a file's metadata in an order that differs from process to process (and from call to
# call), so the same tensors with the same two entries of metadata do not always give the same bytes. Whoever names a file by the
# hash of its bytes has several names for one thing. With one entry, or none, the bytes are always the same.
# Expected: one sha256 from twelve processes. Seen with 0.8.0: two, as many as there are orders of two entries.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet safetensors==0.8.0 numpy==2.3.5
cat >"$folder/save.py" <<'PYTHON'
import hashlib
import sys

import numpy
from safetensors.numpy import save

entries = dict([("source", "a file"), ("licence", "CC BY 4.0")][: int(sys.argv[1])])
print(hashlib.sha256(save({"weight": numpy.arange(4.0)}, metadata=entries or None)).hexdigest())
PYTHON
distinct() {
    for _ in $(seq 12); do "$folder/venv/bin/python" "$folder/save.py" "$1"; done | sort -u | wc -l
}
none=$(distinct 0) one=$(distinct 1) two=$(distinct 2)
echo "distinct files from twelve processes: $none without metadata, $one with one entry, $two with two"
[ "$none" = 1 ] && [ "$one" = 1 ] && [ "$two" = 2 ]
