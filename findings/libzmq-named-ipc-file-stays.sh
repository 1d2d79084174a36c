#!/usr/bin/env bash
# libzmq 4.3.5, as pyzmq 27.3.0 brings it: the file of an ipc socket that was bound at a path of one's own stays after unbind, close and
# the end of the context, and after the end of the process; that of `ipc://*`, whose path libzmq chooses, goes. So whether the file is
# there tells nothing of whether anybody listens, and a connect to it succeeds without an error.
# Expected: both go with an orderly end, as the file of a path of one's own is replaced by the next bind anyway.
# Seen: "a path of one's own: there; connect: no error" and "ipc://*: gone".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyzmq==27.3.0
cat >"$folder/bind.py" <<'PYTHON'
import sys
from pathlib import Path

import zmq

context = zmq.Context()
socket = context.socket(zmq.ROUTER)
socket.bind(sys.argv[1])
endpoint = socket.last_endpoint.decode().rstrip("\0")
file = Path(endpoint.removeprefix("ipc://"))
assert zmq.zmq_version() == "4.3.5" and file.is_socket()
socket.unbind(endpoint)
socket.close()
context.term()
print(file)
PYTHON
cat >"$folder/connect.py" <<'PYTHON'
import sys

import zmq

with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
    socket.connect(f"ipc://{sys.argv[1]}")
PYTHON
is_there() { if [ -e "$1" ]; then echo there; else echo gone; fi; }
own=$(is_there "$("$folder/venv/bin/python" "$folder/bind.py" "ipc://$folder/socket")")
wild=$(is_there "$(cd "$folder" && "$folder/venv/bin/python" "$folder/bind.py" 'ipc://*')")
"$folder/venv/bin/python" "$folder/connect.py" "$folder/socket" && connected="no error" || connected="an error"
echo "a path of one's own: $own; connect: $connected"
echo "ipc://*: $wild"
[ "$own" = there ] && [ "$wild" = gone ] && [ "$connected" = "no error" ]
