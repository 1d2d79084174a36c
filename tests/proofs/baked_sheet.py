"""A sheet of what the baked styles that come with Impasto make of photographs, to be looked at.

    python tests/proofs/baked_sheet.py FILE.jpg PHOTOGRAPH… [--strength 0.5]

A photograph a column, a style a row, each painted at quality instant at its own size. Takes a
second for each megapixel.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from inputs import image_of, load_inputs, tensor_of
from PIL import Image, ImageOps

from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.guidance import Guided
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.presets.preset_file import Preset
from impasto_daemon.presets.starter_presets import starter_presets
from impasto_daemon.worker.baking_job import as_tensors
from impasto_protocol.settings import QUALITIES, Settings

CELL = (200, 150)
"""Width and height in px."""


def main() -> None:
    """Paint them all and save the sheet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("photographs", type=Path, nargs="+")
    parser.add_argument("--strength", type=float, default=0.5)
    arguments = parser.parse_args()
    network = load_inputs().network
    settings = Settings(**QUALITIES["instant"], strength=arguments.strength)
    photos = [Image.open(path).convert("RGB") for path in arguments.photographs]
    rows = [[Image.new("RGB", CELL, "white"), *photos]]
    for preset in starter_presets():
        if preset.baked:
            picture = preset.picture
            style = Image.frombytes("RGB", (picture.width, picture.height), bytes(picture.data))
            rows.append([style, *(paint(photo, preset, settings, network) for photo in photos)])
            print(preset.name, flush=True)
    sheet = Image.new("RGB", (CELL[0] * len(rows[0]), CELL[1] * len(rows)))
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            sheet.paste(ImageOps.fit(picture, CELL), (CELL[0] * across, CELL[1] * down))
    sheet.save(arguments.file, quality=80)


def paint(
    photo: Image.Image, preset: Preset, settings: Settings, network: FeatureNetwork
) -> Image.Image:
    """A photograph painted at once in a baked style."""
    assert preset.baked
    content, baked = tensor_of(photo), as_tensors(preset.baked.tensors)
    style = Guided(Style(content, network), baked=baked)
    *_, end = stylise(content, [style], settings, network)
    assert isinstance(end, Finished)
    return image_of(end.picture)


if __name__ == "__main__":
    main()
