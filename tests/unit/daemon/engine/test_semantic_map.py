"""Maps of flat colours as painters draw them: soft edges, a photograph's noise, mistakes."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from impasto_daemon.engine.semantic_map import NoSuchColour, colours_of, regions
from impasto_daemon.images.arrays import from_array
from impasto_daemon.worker.tensors import to_tensor
from impasto_protocol.settings import MAP_COLOURS

RED, BLUE, PURPLE = (220, 30, 30), (30, 30, 220), (125, 30, 125)


def drawn(*colours, size=(120, 80), soft=False):
    """Upright stripes; soft: with edges of several pixels."""
    width, height = size
    image = Image.new("RGB", size)
    pen = ImageDraw.Draw(image)
    for index, colour in enumerate(colours):
        pen.rectangle((index * width // len(colours), 0, width, height), fill=colour)
    if soft:
        image = image.resize((width // 4, height // 4), Image.Resampling.BOX).resize(size)
    return tensor(image)


def tensor(image):
    return to_tensor(from_array(np.asarray(image)))


def test_each_colour_becomes_a_mask_in_both_maps():
    here, there = regions(drawn(RED, BLUE), drawn(BLUE, RED, RED, RED))
    assert here.sum(dim=0).unique().tolist() == there.sum(dim=0).unique().tolist() == [1.0]
    left, right = sorted(here, key=lambda mask: float(mask[:, :60].mean()), reverse=True)
    assert left[:, :60].min() == 1 and right[:, 60:].min() == 1
    assert sorted(there.mean(dim=(1, 2)).tolist()) == pytest.approx([0.25, 0.75])


def test_soft_edge_is_shared_by_its_two_sides_and_is_no_third_colour():
    """Where red meets blue lies the purple that stands for something else."""
    flat = drawn(RED, BLUE, PURPLE, size=(240, 80), soft=True)
    assert len(colours_of(flat)) == 3
    here, _ = regions(flat, flat)
    (purple,) = [mask for mask in here if mask[:, -20:].mean() == 1]
    assert purple[:, :140].max() < 0.05


def test_noise_of_a_jpeg_is_no_colour(tmp_path):
    file = tmp_path / "map.jpg"
    Image.fromarray((drawn(RED, BLUE).permute(1, 2, 0).numpy() * 255).astype("uint8")).save(
        file, quality=60
    )
    found = tensor(Image.open(file).convert("RGB"))
    assert len(colours_of(found)) == 2
    here, _ = regions(found, drawn(RED, BLUE))
    assert here.sum(dim=0).sub(1).abs().max() < 1e-5


def test_colour_that_the_styles_map_lacks_is_named():
    with pytest.raises(NoSuchColour, match="#1e1edc"):
        regions(drawn(RED, BLUE), drawn(RED, RED))


def test_colour_that_only_the_styles_map_has_belongs_to_none():
    here, there = regions(drawn(RED, RED), drawn(RED, BLUE))
    assert len(here) == len(there) == 1
    assert there[0, :, :60].min() == 1 and there[0, :, 62:].max() == 0


def test_more_colours_than_can_be_meant_are_refused():
    shades = [(value, value, 255 - value) for value in range(0, 255, 2)]
    with pytest.raises(ValueError, match=str(MAP_COLOURS)):
        colours_of(drawn(*[(r * 60, g * 60, b * 60) for r in range(5) for g in range(2)
                           for b in range(2)]))  # fmt: skip
    assert len(colours_of(drawn(*shades, size=(256, 8)))) <= MAP_COLOURS


def test_map_without_flat_colours_is_refused():
    noise = torch.rand((3, 200, 200), generator=torch.Generator().manual_seed(1))
    for maps in ((noise, drawn(RED)), (drawn(RED), noise)):
        with pytest.raises(ValueError, match="without flat colours"):
            regions(*maps)


def test_map_of_one_colour_is_all_of_the_style():
    here, there = regions(torch.full((3, 8, 8), 0.5), torch.full((3, 6, 9), 0.5))
    assert here.unique().tolist() == there.unique().tolist() == [1.0]
