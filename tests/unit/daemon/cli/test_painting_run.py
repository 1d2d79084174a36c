"""Nothing painted is lost, whatever becomes of the place that it was to go to."""

import numpy as np
import pytest
from PIL import Image

from impasto_daemon.cli.painting_run import OutputFiles
from impasto_daemon.cli.recipe import Recipe
from impasto_protocol.client import new_job_id
from impasto_protocol.errors import NotWritten
from impasto_protocol.messages import Result
from impasto_protocol.settings import Settings


@pytest.fixture
def write():
    """Writes a painting as the command line does at its end."""
    result = Result(job=new_job_id(), steps=1, seconds=1, device="cpu", weights="w", style="s")
    recipe = Recipe(Settings(), styles=(), maps={})
    return lambda path, painted: OutputFiles().write(path, painted, recipe, result)


def same(path, painted):
    expected = np.frombuffer(painted.data, np.uint8).reshape(painted.height, painted.width, 3)
    return np.array_equal(np.asarray(Image.open(path)), expected)


def test_painting_whose_folder_is_gone_is_kept_and_its_place_told(home, write, picture):
    (home / "gone").touch()
    with pytest.raises(NotWritten) as caught:
        write(home / "gone" / "x.webp", picture())
    (kept,) = (home / "data" / "unsaved").glob("x-*.png")
    assert str(kept) in str(caught.value) and "Copy it" in caught.value.next_step
    assert same(kept, picture())


def test_painting_that_its_format_cannot_hold_is_kept_beside_it(home, write, picture):
    wide = picture(2, 17_000)
    with pytest.raises(NotWritten) as caught:
        write(home / "x.webp", wide)
    (kept,) = home.glob("x-*.png")
    assert str(kept) in str(caught.value) and same(kept, wide)
