#!/bin/sh
# macOS's own python3 is too old, and comes first.
for python in python3.14 python3.13 python3.12 python3.11 python3.10 python3; do
    command -v "$python" >/dev/null && break
done
"$python" "$(dirname "$0")/install.py" "$@"
printf 'Press Return to close this window. ' && read -r _
