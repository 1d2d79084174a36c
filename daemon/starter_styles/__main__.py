"""`uv run --directory daemon python -m starter_styles [STYLE…]` paints them again."""

from __future__ import annotations

import sys
from pathlib import Path

from starter_styles.styles import STYLES, paint

FOLDER = Path(__file__).parents[1] / "src/impasto_daemon/presets/starter"

if __name__ == "__main__":
    for name in sys.argv[1:] or STYLES:
        path = FOLDER / f"{name}.jpg"
        paint(name).save(path, quality=85, optimize=True)
        print(f"{path} ({path.stat().st_size >> 10} KiB)")
