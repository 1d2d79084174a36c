"""Nothing painted is lost, whatever becomes of the place that it was to go to."""

import signal

import numpy as np
import pytest
from PIL import Image, ImageCms

from impasto_daemon.cli.job_progress import Interrupts
from impasto_daemon.cli.painting_run import OutputFiles, PaintingRun
from impasto_daemon.cli.recipe import Recipe
from impasto_daemon.images import pictures
from impasto_daemon.images.metadata import KeptMetadata
from impasto_daemon.images.pictures import write_picture
from impasto_protocol.client import new_job_id
from impasto_protocol.errors import NotWritten
from impasto_protocol.messages import Progress, Result
from impasto_protocol.settings import Settings

RESULT = Result(job=new_job_id(), steps=1, seconds=1, device="cpu", weights="w", style="s")
RECIPE = Recipe(Settings(), styles=(), maps={})


@pytest.fixture
def write():
    """Writes a painting as the command line does at its end."""
    return lambda path, painted, kept=None: OutputFiles().write(path, painted, RECIPE, RESULT, kept)


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


@pytest.mark.parametrize("name", ["gone/x.png", "x.png"])
def test_painting_that_is_kept_elsewhere_has_its_colour_profile(home, write, picture, name):
    (home / "gone").touch()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    metadata = KeptMetadata(profile, xmp=b"\xff" if name == "x.png" else b"<x/>")
    with pytest.raises(NotWritten):
        write(home / name, picture(), metadata)
    (kept,) = home.rglob("x-*.png")
    assert same(kept, picture())
    with Image.open(kept) as image:
        assert image.info["icc_profile"] == profile
        assert ("xmp" in image.info) == (name != "x.png")


def test_painting_whose_profile_cannot_be_written_is_kept_without(home, write, picture):
    with pytest.raises(NotWritten):
        write(home / "x.png", picture(), KeptMetadata("no bytes"))
    (kept,) = home.rglob("x-*.png")
    assert same(kept, picture())


@pytest.fixture
def run(home, picture, monkeypatch):
    """Paints into x.png, with Ctrl-C so many times in the middle of the first file.

    Returns whether it came to its end.
    """

    class Painted:
        def result(self, on_event):
            on_event(RESULT, [picture()])
            return RESULT, [picture()]

    def begin(presses, variations=0):
        left = iter(range(presses))

        def write(*arguments, **named):
            for _ in left:
                signal.raise_signal(signal.SIGINT)
            return write_picture(*arguments, **named)

        monkeypatch.setattr(pictures, "write_picture", write)
        with Interrupts() as interrupts:
            run = PaintingRun(
                lambda settings: Painted(), RECIPE, home / "x.png", KeptMetadata(), True, interrupts
            )  # fmt: skip
            try:
                run.paint_variations(variations) if variations else run.paint()
            except KeyboardInterrupt:
                return False
        return True

    return begin


def test_ctrl_c_while_the_painting_is_written_leaves_it(home, run, picture):
    assert run(presses=1)
    assert same(home / "x.png", picture())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_ctrl_c_while_the_painting_is_written_leaves_none(home, run):
    assert not run(presses=2)
    assert not [*home.glob("*.png")]


def test_ctrl_c_while_a_variation_is_written_ends_with_that_one(home, run):
    assert run(presses=1, variations=3)
    assert {path.name for path in home.glob("*.png")} == {"x-1.png", "x-sheet.png"}


def test_loss_curve_of_a_painting_that_was_begun_anew_is_that_of_the_second(
    home, picture, monkeypatch
):
    steps, drawn = [0, 5, 10, 0, 5, 10, 15], []

    class Painted:
        def result(self, on_event):
            for step in steps:
                on_event(
                    Progress(
                        job=RESULT.job, phase="painting", step=step, of=15, losses={"total": 1.0}
                    ), [],
                )  # fmt: skip
            return RESULT, [picture()]

    def write(self, _, points):
        drawn.extend(point.step for point in points)

    monkeypatch.setattr(PaintingRun, "_write_losses", write)
    recipe = Recipe(Settings(snapshots=(5,)), styles=(), maps={})
    with Interrupts() as interrupts:
        PaintingRun(
            lambda settings: Painted(), recipe, home / "x.png", KeptMetadata(), True, interrupts
        ).paint()
    assert drawn == [0, 5, 10, 15]


def test_ctrl_c_between_two_variations_ends_with_the_next_as_it_stands(home, picture):
    begun, kept = [], []

    class Painted:
        def result(self, on_event):
            on_event(RESULT, [picture()])
            return RESULT, [picture()]

        def cancel(self, *, keep):
            kept.append(keep)

    def stylise(settings):
        begun.append(settings)
        if len(begun) == 2:
            signal.raise_signal(signal.SIGINT)
        return Painted()

    with Interrupts() as interrupts:
        run = PaintingRun(stylise, RECIPE, home / "x.png", KeptMetadata(), True, interrupts)
        run.paint_variations(9)
    assert kept == [True]
    assert {path.name for path in home.glob("*.png")} == {"x-1.png", "x-2.png", "x-sheet.png"}
