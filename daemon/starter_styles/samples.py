"""What the lists of styles show: the photograph of `impasto demo` painted in each starter style.

`uv run --directory daemon python -m starter_styles.samples [STYLE…]` paints them again, two minutes
each on a core.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from starter_styles.styles import STYLES

PACKAGE = Path(__file__).parents[1] / "src/impasto_daemon"
PHOTOGRAPH = PACKAGE / "demo/photograph.jpg"
STYLE_FOLDER = PACKAGE / "presets/starter"
SAMPLE_FOLDER = STYLE_FOLDER / "samples"
SIZE = (192, 128)
_PAINTED_PX = 288
_INSET_PX = 56
_FRAME_PX = 2


def compose(painting: Image.Image, style: Image.Image) -> Image.Image:
    """The painting with the style's own picture in its corner."""
    whole = ImageOps.fit(painting.convert("RGB"), SIZE, Image.Resampling.LANCZOS)
    inset = ImageOps.contain(style.convert("RGB"), (_INSET_PX, _INSET_PX))
    framed = ImageOps.expand(inset, _FRAME_PX, "white")
    whole.paste(framed, (SIZE[0] - framed.width, SIZE[1] - framed.height))
    return whole


def _paint(style: Path) -> Image.Image:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "painting.png")
        subprocess.run(
            ["impasto", "apply", PHOTOGRAPH, "--style", style, "--size", str(_PAINTED_PX),
             "--strength", "0.6", "--iterations", "120", "-o", output],
            check=True,
        )  # fmt: skip
        return Image.open(output).convert("RGB")


if __name__ == "__main__":
    SAMPLE_FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or STYLES:
        style = STYLE_FOLDER / f"{name}.jpg"
        sample = SAMPLE_FOLDER / f"{name}.webp"
        compose(_paint(style), Image.open(style)).save(sample, quality=80, method=6)
        print(f"{sample} ({sample.stat().st_size >> 10} KiB)")
