"""A style baked into a network: how it paints, and how it is trained."""

import itertools

import pytest
import torch

from impasto_daemon.engine import feed_forward as module
from impasto_daemon.engine import stylise as stylise_module
from impasto_daemon.engine.baking import bake
from impasto_daemon.engine.colour_match import luminance
from impasto_daemon.engine.events import Finished, Iteration, ScaleStarted
from impasto_daemon.engine.feed_forward import FeedForward, fresh_weights, paint
from impasto_daemon.engine.feed_forward_shapes import BAKED_PX, REACH_PX, TENSORS
from impasto_daemon.engine.guidance import Guided
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.schedule import schedule
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.presets.starter_presets import baking_photographs, starter_presets
from impasto_daemon.worker.baking_job import as_tensors
from impasto_daemon.worker.tensors import to_tensor
from impasto_protocol.settings import QUALITIES, STYLE_LAYERS, Settings, draft_of

SHALLOW = {"style_layers": STYLE_LAYERS[:3], "content_layers": ("relu3_2",)}
AT_ONCE = {"iterations": 0, "working_px": 32}


@pytest.fixture(scope="module")
def weights():
    """A network that makes something of a picture, if nothing to look at."""
    generator = torch.Generator().manual_seed(3)
    return {
        name: tensor + 0.3 * tensor.std() * torch.randn(tensor.shape, generator=generator)
        if tensor.dim() > 1
        else tensor
        for name, tensor in fresh_weights().items()
    } | {"last.weight": fresh_weights()["last.weight"] * 5}


@pytest.fixture
def paint_at_once(network, weights, noise):
    """paint_at_once(content, **settings): every event."""
    coloured = Style(noise(3, 40, 40, seed=9), network)

    def run(
        content, *, style=coloured, baked=weights, selection=None, conclude=lambda: False, **chosen
    ):
        settings = Settings(**{**AT_ONCE, **chosen})
        return list(
            stylise(
                content, [Guided(style, baked=baked)], settings, network, selection=selection,
                conclude=conclude,
            )
        )  # fmt: skip

    return run


def result(events):
    assert isinstance(events[-1], Finished)
    return events[-1].picture


def test_network_takes_less_than_a_mebibyte():
    assert 2 * sum(torch.Size(shape).numel() for shape in TENSORS.values()) < 2**20


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 300), (33, 17), (50, 31)])
def test_any_size_comes_back_painted(paint_at_once, noise, size):
    content = noise(3, *size)
    painted = result(paint_at_once(content))
    assert painted.shape == content.shape and painted.isfinite().all()
    assert painted.min() >= 0 and painted.max() <= 1 and not torch.equal(painted, content)


@pytest.mark.parametrize("tile_px", [64, 96])
def test_tiles_make_what_the_whole_makes(weights, noise, monkeypatch, tile_px):
    content = noise(3, 203, 310)
    network = FeedForward.of(weights, content, 0.7, torch.float32)
    whole = network.paint(content)
    monkeypatch.setattr(module, "TILE_PX", tile_px)
    between = []
    torch.testing.assert_close(network.paint(content, lambda: between.append(1)), whole)
    assert len(between) == -(-203 // tile_px) * -(-310 // tile_px) - 1


def test_margin_is_as_far_as_a_pixel_sees(weights):
    picture = torch.full((1, 3, 4 * REACH_PX, 8), 0.5)
    changed = picture.clone()
    changed[:, :, 2 * REACH_PX :] = 1
    network = FeedForward.of(weights, picture[0], 0.5, torch.float32)
    difference = (network.paint(picture[0]) - network.paint(changed[0])).abs().amax(dim=(0, 2))
    assert difference[2 * REACH_PX - 16] > 0
    assert difference[:REACH_PX].max() == 0


def test_network_made_ready_for_a_picture_is_the_one_that_was_trained(weights, noise):
    content = noise(3, 64, 48)
    ready = FeedForward.of(weights, content, 0.7, torch.float32).paint(content)
    trained = paint(content[None], weights, 0.7)[0].clamp(0, 1)
    torch.testing.assert_close(ready, trained, atol=1e-4, rtol=1e-4)


def test_a_small_strength_lays_it_on_thinly_and_none_keeps_the_picture(paint_at_once, noise):
    content = noise(3, 40, 32)
    moved = [
        float((result(paint_at_once(content, strength=s)) - content).abs().mean())
        for s in (0, 0.1, 0.2, 0.7)
    ]
    assert moved[0] == 0 and moved == sorted(moved) and moved[1] > 0
    assert moved[1] == pytest.approx(moved[2] / 2, rel=1e-3)


def test_what_is_not_selected_or_not_there_stays(paint_at_once, noise):
    content = noise(4, 60, 80)
    content[3, :, :20] = 0
    selection = torch.zeros(1, 60, 80)
    selection[:, :30] = 1
    painted = result(paint_at_once(content, selection=selection))
    assert torch.equal(painted[:, 30:], content[:, 30:])
    assert torch.equal(painted[:, :, :20], content[:, :, :20])
    assert torch.equal(painted[3], content[3])
    assert not torch.equal(painted[:3, :30, 20:], content[:3, :30, 20:])


@pytest.fixture(scope="module")
def swirls():
    """A style as it comes, and a photograph."""
    swirls = next(preset for preset in starter_presets() if preset.name == "Swirls")
    return as_tensors(swirls.baked.tensors), to_tensor(baking_photographs()[0])


def test_larger_sizes_keep_what_was_painted_and_add_what_is_finer(paint_at_once, swirls):
    """Things dissolved in strokes that were painted over strokes."""
    network, photograph = swirls
    content = resize(photograph, 256, 384)
    small = result(paint_at_once(resize(content, 128, 192), baked=network, working_px=192))
    enlarged = result(paint_at_once(content, baked=network, working_px=192))
    whole = result(paint_at_once(content, baked=network, working_px=192, refinement=1))
    finest = [float(picture.diff(dim=-1).abs().mean()) for picture in (enlarged, whole)]
    assert finest[1] > 1.2 * finest[0]
    kept = float((resize(whole, 128, 192) - small).abs().mean())
    assert kept < 0.3 * float((resize(content, 128, 192) - small).abs().mean())


def test_every_size_is_told_and_shown(paint_at_once, noise):
    events = paint_at_once(noise(3, 200, 256), refinement=1)
    sizes = [(e.height, e.width) for e in events if isinstance(e, ScaleStarted)]
    assert sizes == [(25, 32), (71, 91), (200, 256)], "in steps of at most six times"
    first, *told = [e for e in events if isinstance(e, Iteration)]
    assert (first.step, first.share) == (0, 0) and isinstance(events[0], Iteration)
    assert [(e.step, e.of, e.scale) for e in told] == [(1, 3, 1), (2, 3, 2), (3, 3, 3)]
    assert 0 < told[0].share < told[1].share < told[2].share == 1
    assert told[0].preview(50, 64).shape == first.preview(50, 64).shape == (3, 50, 64)
    assert not events[-1].converged and not events[-1].diverged


def test_first_look_is_what_is_painted_small(paint_at_once, swirls):
    """Of a picture no larger than that it is the painting."""
    network, photograph = swirls
    content = resize(photograph, 240, 320)
    selection = torch.zeros(1, 240, 320)
    selection[:, 60:180, 40:200] = 1
    for settings in ({}, {"strength": 0.3}, {"selection": selection}):
        events = paint_at_once(content, baked=network, working_px=320, **settings)
        looked = events[0].preview(240, 320)
        apart = (looked - result(events)).abs().mean()
        assert apart < 0.02 < (content - result(events)).abs().mean()


def test_colours_are_those_that_are_asked_for(paint_at_once, swirls):
    network, photograph = swirls
    content = resize(photograph, 240, 320)
    painted = {
        colours: result(
            paint_at_once(content, baked=network, working_px=160, refinement=1, colours=colours)
        )
        for colours in ("style", "matched", "luminance")
    }
    apart = {
        colours: float((of - content).mean(dim=(1, 2)).abs().max())
        for colours, of in painted.items()
    }
    assert apart["matched"] < 0.02 < apart["style"]
    lightness = painted["luminance"] - content
    inside = ((painted["luminance"] > 0.001) & (painted["luminance"] < 0.999)).all(dim=0)
    assert float((lightness - lightness.mean(dim=0))[:, inside].abs().max()) < 1e-5
    assert float(lightness.abs().mean()) > 0.02


def test_light_and_dark_are_the_lightness_of_what_is_painted_matched(paint_at_once, swirls):
    network, photograph = swirls
    content = luminance(resize(photograph, 96, 128), "encoded").repeat(3, 1, 1)
    coloured, found = (
        luminance(
            result(paint_at_once(content, baked=network, working_px=128, colours=colours)),
            "encoded",
        )
        for colours in ("style", "luminance")
    )
    inside = (found > 0.001) & (found < 0.999)
    assert float(torch.stack([coloured[inside], found[inside]]).corrcoef()[0, 1]) > 0.9999
    assert float(found.mean() - content.mean()) == pytest.approx(0, abs=0.01)
    assert float(found.std() / content.std()) == pytest.approx(1, abs=0.03)


def test_light_and_dark_that_are_matched_have_the_memory_of_one_channel(
    paint_at_once, noise, monkeypatch
):
    seen, colour_match = [], stylise_module.colour_match

    def looking(picture, *args):
        match = colour_match(picture, *args)
        seen.append(picture)
        return lambda painting: seen.append(painting) or match(painting)

    monkeypatch.setattr(stylise_module, "colour_match", looking)
    paint_at_once(noise(3, 100, 128), colours="luminance")
    assert len(seen) > 2
    assert all(3 * grey.untyped_storage().nbytes() == grey.nbytes for grey in seen)


def test_grey_in_grey_has_the_photographs_mean_and_contrast_where_that_is_asked_for(
    paint_at_once, swirls, network, noise
):
    baked, photograph = swirls
    content = luminance(resize(photograph, 96, 128), "encoded").repeat(3, 1, 1)
    chosen = {
        "style": Style(noise(1, 40, 40).repeat(3, 1, 1), network),
        "baked": baked,
        "working_px": 128,
    }
    own, found = (
        result(paint_at_once(content, colours=colours, **chosen))
        for colours in ("style", "matched")
    )
    for painted in (own, found):
        assert (painted.amax(0) - painted.amin(0)).max() < 1e-5
    assert (
        abs(float(found.mean() - content.mean())) < 0.01 < abs(float(own.mean() - content.mean()))
    )
    assert float(found.std() / content.std()) == pytest.approx(1, abs=0.03)


def test_it_ends_with_what_there_is_when_that_is_wanted(paint_at_once, noise):
    events = paint_at_once(noise(3, 100, 128), refinement=1, conclude=lambda: True)
    assert events[-1].steps == 1 and result(events).shape == (3, 100, 128)


def test_style_that_is_not_baked_is_refused(paint_at_once, noise):
    with pytest.raises(ValueError, match="not baked"):
        paint_at_once(noise(3, 20, 20), baked=None)


def painted_px(size, **settings):
    """The long edge at which a picture of that size, (height, width), is painted first."""
    return schedule(size, size, Settings(**{**QUALITIES["instant"], **settings}))[0].whole_px


def test_strokes_are_as_large_as_asked_in_a_picture_of_any_size():
    assert painted_px((3000, 4000)) == painted_px((300, 400)) == BAKED_PX
    assert painted_px((3000, 4000), style_scale=2.0) == BAKED_PX / 2
    assert painted_px((600, 900)) == 900, "which is about as large"
    assert painted_px((75, 100)) == 400, "and no more than four times larger"


def test_draft_shows_what_would_be_painted():
    instant = Settings(**QUALITIES["instant"])
    (stage,) = schedule((192, 256), (192, 256), draft_of(instant))
    assert stage.at_once and stage.whole_px == BAKED_PX
    (half,) = schedule((256, 256), (256, 256), draft_of(instant, 0.5))
    assert half.whole_px == BAKED_PX / 2 == 384


@pytest.fixture
def steps(network, noise):
    """steps(count, **options): that many of a short baking."""
    style = Style(noise(3, 64, 64, seed=9), network)
    photographs = [noise(3, 300, 280, seed=1), noise(3, 40, 60, seed=2)]

    def run(count, **options):
        began = bake(style, photographs, Settings(**SHALLOW), network, seconds=1e9, **options)
        return list(itertools.islice(began, count))

    return run


def test_baking_learns_the_style(steps):
    events = list(steps(30))
    styles = [
        sum(value for name, value in event.losses().items() if name.startswith("style"))
        for event in events
    ]
    assert sum(styles[-5:]) < 0.7 * sum(styles[:5])
    assert [event.step for event in events] == list(range(1, 31))
    assert events[0].spent_s < events[-1].spent_s


def test_baking_is_repeatable_and_goes_on_from_a_network(steps):
    one, other = (steps(2)[-1].weights() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in TENSORS)
    further = steps(1, start=one)[-1].weights()
    moved = {name: float((further[name] - one[name]).abs().max()) for name in TENSORS}
    assert 0 < max(moved.values()) < 1e-3, "a first step is short"


def test_baking_takes_the_time_it_is_given_and_no_more(network, noise):
    clock = itertools.count(0, 5)
    events = list(
        bake(
            Style(noise(3, 64, 64), network), [noise(3, 256, 256)], Settings(**SHALLOW), network,
            seconds=12, clock=lambda: next(clock),
        )
    )  # fmt: skip
    assert [event.spent_s for event in events] == [5, 10, 15]
    seen = events[-1].preview(noise(3, 32, 48), 0.5)
    assert seen.shape == (3, 32, 48) and seen.min() >= 0 and seen.max() <= 1
