"""`python -m impasto_daemon.starter [STYLE…]` paints the pictures of this folder again."""

from __future__ import annotations

import sys
from pathlib import Path

from impasto_daemon.starter.styles import STYLES, paint

if __name__ == "__main__":
    for name in sys.argv[1:] or STYLES:
        path = Path(__file__).with_name(f"{name}.jpg")
        paint(name).save(path, quality=85, optimize=True)
        print(f"{path} ({path.stat().st_size >> 10} KiB)")
