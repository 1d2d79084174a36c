"""The painting as its callers see it: events, sizes, alpha, repeatability, endings."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import GRAM

from impasto_daemon.engine import stylise as module
from impasto_daemon.engine.events import Finished, Iteration, ScaleStarted, Snapshot
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.objective import Objective
from impasto_daemon.engine.resizing import enlarge, resize
from impasto_daemon.engine.schedule import scale_sizes, schedule, split_iterations
from impasto_daemon.engine.style import Style, preset_sizes_px
from impasto_daemon.engine.stylise import CHECK_EVERY, stylise
from impasto_daemon.weights import oxford
from impasto_protocol.settings import STYLE_LAYERS, Settings

SHALLOW = {"style_layers": STYLE_LAYERS[:3], "content_layers": ("relu3_2",)}
"""Layers that leave out the weights that most of the time goes into, where any will do."""


@pytest.fixture(scope="module")
def looked_at(network):
    """A style whose statistics are taken once."""
    return Style(torch.rand((3, 40, 40), generator=torch.Generator().manual_seed(9)), network)


@pytest.fixture
def paint(network, looked_at):
    """paint(content, **settings): every event of a short painting."""

    def run(content, *, style=looked_at, conclude=lambda: False, **chosen):
        chosen = {"iterations": 4, "tolerance": 0, **SHALLOW, **chosen}
        return list(stylise(content, style, Settings(**chosen), network, conclude=conclude))

    return run


def result(events):
    assert isinstance(events[-1], Finished)
    return events[-1]


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 300), (33, 17), (16, 16), (50, 31)])
def test_any_size_comes_back_as_it_was_sent(paint, noise, size):
    painted = result(paint(noise(3, *size), iterations=2)).picture
    assert painted.shape == (3, *size)
    assert painted.isfinite().all() and painted.min() >= 0 and painted.max() <= 1


def test_painting_changes_the_picture_and_lowers_the_loss(paint, noise):
    content = noise(3, 40, 40)
    events = paint(content, iterations=12)
    steps = [event for event in events if isinstance(event, Iteration)]
    assert steps[-1].losses["total"] < 0.7 * steps[0].losses["total"]
    assert not torch.equal(result(events).picture, content)


def test_same_seed_gives_the_same_bytes_and_another_seed_others(paint, noise):
    content = noise(3, 40, 32)
    one, same, other = (
        result(paint(content, start_noise=0.5, seed=seed, iterations=6)).picture
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_seeds_begin_as_far_apart_in_a_large_picture_as_in_a_small_one(paint, monkeypatch):
    starts, optimiser = [], module._optimiser
    monkeypatch.setattr(
        module, "_optimiser", lambda start, *rest: starts.append(start) or optimiser(start, *rest)
    )
    chosen = {"start_noise": 0.2, "iterations": 1, "scales": 1, "working_px": 32}
    for side in (32, 500):
        for seed in (1, 2):
            paint(torch.full((3, side, side), 0.5), seed=seed, **chosen)
    for one, other in (starts[:2], starts[2:]):
        assert float((one - other).std()) == pytest.approx(0.2 * math.sqrt(1 / 6), rel=0.05)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [(120, 160), (96, 90), (24, 20)])
def test_number_of_threads_changes_no_bit(noise, precision, size):
    """It follows what other programs leave free."""
    network = FeatureNetwork(oxford.unpack(), weights_hash="oxford", precision=precision)
    settings = Settings(iterations=2, scales=1, tolerance=0)
    content, before, pictures = noise(3, *size), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 8):
            torch.set_num_threads(threads)
            style = Style(noise(3, 90, 70, seed=1), network)
            pictures.append(result(list(stylise(content, style, settings, network))).picture)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(pictures[0], other) for other in pictures[1:])


def test_alpha_comes_back_bit_for_bit_and_hidden_colours_too(paint, noise):
    content = noise(4, 40, 40)
    content[3, :, :20] = 0
    painted = result(paint(content)).picture
    assert torch.equal(painted[3], content[3])
    assert torch.equal(painted[:3, :, :20], content[:3, :, :20])
    assert not torch.equal(painted[:3, :, 20:], content[:3, :, 20:])


@pytest.mark.parametrize("where", ["content", "style"])
def test_what_hides_under_zero_alpha_does_not_matter(network, noise, where):
    pictures = {"content": noise(4, 40, 40), "style": noise(4, 48, 48, seed=1)}
    found = []
    for hidden in (0.0, 1.0, math.nan):
        spoilt = {name: picture.clone() for name, picture in pictures.items()}
        for picture in spoilt.values():
            picture[3, :, :20] = 0
        spoilt[where][:3, :, :20] = hidden
        style = Style(spoilt["style"], network)
        events = stylise(spoilt["content"], style, Settings(iterations=4, **SHALLOW), network)
        found.append(result(list(events)).picture[:3, :, 20:])
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_what_is_not_selected_stays_bit_for_bit(network, noise):
    content, selection = noise(4, 40, 40), torch.zeros(1, 40, 40)
    selection[:, 10:30, 5:20] = 0.4
    style = Style(noise(3, 40, 40, seed=1), network)
    chosen = Settings(iterations=6, tolerance=0)
    painted = result(list(stylise(content, style, chosen, network, selection=selection))).picture
    inside = (selection[0] > 0).expand(4, -1, -1)
    assert torch.equal(painted[~inside], content[~inside])
    assert (painted[:3, 10:30, 5:20] != content[:3, 10:30, 5:20]).float().mean() > 0.9


def test_selection_is_painted_in_the_style_and_not_what_surrounds_it(network, noise):
    """The style is matched by the selected half alone, however unlike it the other half is."""
    content = torch.cat([noise(3, 48, 48), torch.zeros(3, 48, 48)], dim=2)
    style = Style(noise(3, 48, 48, seed=1), network)
    chosen = Settings(iterations=1, tolerance=0, scales=1)
    selection = torch.zeros(1, 48, 96)
    selection[:, :, :48] = 1
    alone, beside, whole = (
        next(e for e in events if isinstance(e, Iteration)).losses["style relu1_1"]
        for events in (
            stylise(content[:, :, :48], style, chosen, network),
            stylise(content, style, chosen, network, selection=selection),
            stylise(content, style, chosen, network),
        )
    )
    assert abs(beside - alone) < 0.1 * abs(whole - alone)


def test_kept_colours_are_those_of_the_photograph(paint, noise):
    content = noise(3, 40, 40) * 0.4 + 0.3
    painted = result(paint(content, iterations=8, keep_colours=True)).picture
    inside = ((painted > 0.001) & (painted < 0.999)).all(dim=0)
    change = (painted - content)[:, inside]
    assert float(change.abs().max()) > 0.02
    # The same was added to red, green and blue, so hue and chroma (Cb, Cr) are what they were.
    assert float((change - change.mean(dim=0)).abs().max()) < 1e-5
    plain = result(paint(content, iterations=8)).picture - content
    assert float((plain - plain.mean(dim=0)).abs().max()) > 0.02


def chroma(picture):
    return picture - (picture * torch.tensor((0.299, 0.587, 0.114)).view(3, 1, 1)).sum(0)


def test_light_and_dark_alone_are_painted_and_colours_stay(paint, noise):
    """Gatys et al. 2016: the style is seen without colours, and the photograph's stay."""
    content = noise(3, 40, 40) * 0.3 + 0.35
    painted = result(paint(content, iterations=8, colours="luminance")).picture
    assert float((painted - content).abs().max()) > 0.02
    inside = ((painted > 0.001) & (painted < 0.999)).all(dim=0)
    torch.testing.assert_close(
        chroma(painted)[:, inside], chroma(content)[:, inside], atol=1e-5, rtol=0
    )
    after = result(paint(content, iterations=8, keep_colours=True)).picture
    assert float((painted - after).abs().mean()) > 0.005, "and not as if they were put back at last"


@pytest.mark.parametrize("mixing", ["encoded", "linear", "oklab"])
def test_light_and_dark_that_are_not_painted_leave_the_photograph(paint, noise, mixing):
    content = (3 * noise(3, 32, 32) - 1).clamp(0, 1)
    chosen = {"style_weight": 0.0, "total_variation": 0.0, "iterations": 1, "scales": 1}
    painted = result(paint(content, colours="luminance", colour_mixing=mixing, **chosen)).picture
    torch.testing.assert_close(painted, content, atol=2e-3, rtol=0)


def test_strength_of_colour_blends_and_leaves_light_and_dark(paint, noise):
    content = noise(3, 40, 40) * 0.4 + 0.3
    none, half, all_of_it, kept = (
        result(paint(content, iterations=8, **chosen)).picture
        for chosen in (
            {"colour_strength": 0}, {"colour_strength": 0.5}, {}, {"keep_colours": True},
        )
    )  # fmt: skip
    assert torch.equal(none, kept) and not torch.equal(half, none)
    inside = torch.stack([none, all_of_it])
    inside = ((inside > 0.001) & (inside < 0.999)).all(dim=1).all(dim=0)
    blend = (none + all_of_it) / 2
    torch.testing.assert_close(half[:, inside], blend[:, inside], atol=1e-5, rtol=0)


@pytest.mark.parametrize("how", ["matched", "cholesky"])
def test_style_in_the_colours_of_the_photograph(paint, noise, network, how):
    """A blue style over a yellow photograph leaves it yellow."""
    yellow = torch.tensor([0.7, 0.6, 0.2]).view(3, 1, 1) + 0.2 * (noise(3, 40, 40) - 0.5)
    blue = Style(yellow.flip(0) + 0.1 * noise(1, 40, 40, seed=4), network)
    apart = {
        name: result(paint(yellow, style=blue, iterations=20, strength=0.9, colours=name)).picture
        for name in ("style", how)
    }
    shift = {name: float((of - yellow).mean(dim=(1, 2)).abs().max()) for name, of in apart.items()}
    assert shift[how] < 0.03 < 0.1 < shift["style"]


@pytest.mark.parametrize("start_noise", [0.0, 0.5])
def test_picture_without_colours_stays_so_in_a_style_without_colours(
    paint, noise, network, start_noise
):
    """Of 255, channels were 2 to 4 apart on average, and 18 at most."""
    grey, style = (
        noise(1, 40, 40, seed=seed).repeat(3, 1, 1) for seed in (1, 2)
    )  # fmt: skip
    tinted = grey + torch.tensor([0.002, 0, -0.002]).view(3, 1, 1)  # as a codec leaves it
    for content in (grey, tinted.clamp(0, 1)):
        found = result(paint(content, style=Style(style, network), start_noise=start_noise)).picture
        assert not torch.equal(found, content)
        assert (found.amax(0) - found.amin(0)).max() < 1e-5
    coloured = result(paint(grey)).picture
    assert (coloured.amax(0) - coloured.amin(0)).mean() > 0.01


def test_working_size_paints_small_and_gives_back_the_full_size(paint, noise):
    events = paint(noise(4, 60, 80), working_px=40)
    started = [event for event in events if isinstance(event, ScaleStarted)]
    assert (started[-1].height, started[-1].width) == (30, 40)
    assert result(events).picture.shape == (4, 60, 80)
    larger = paint(noise(3, 30, 20), working_px=400)
    assert [e for e in larger if isinstance(e, ScaleStarted)][-1].height == 30


@pytest.fixture
def refined(network, looked_at, noise, monkeypatch):
    """refined(**settings): a photograph, its painting at half the size, and what that became."""

    def run(*, content=None, style=looked_at, strength_map=None, **chosen):
        content = noise(3, 96, 96) if content is None else content
        contents = []

        class Watched(Objective):
            def __init__(self, masked, *rest):
                contents.append(masked.colours[:, 8:-8, 8:-8].clone())
                super().__init__(masked, *rest)

        monkeypatch.setattr(module, "Objective", Watched)
        chosen = Settings(
            **{"iterations": 2, "scales": 1, "working_px": 48, "refinement": 1, "tolerance": 0},
            **{**SHALLOW, **chosen},
        )
        events = list(stylise(content, style, chosen, network, strength=strength_map))
        small = [e.picture for e in events if isinstance(e, Iteration) and e.scale == 1][-1]
        assert len(contents) == 2
        return content, small, contents[1]

    return run


@pytest.mark.parametrize("chosen", [{}, {"strength": 0.0, "content_weight": 0.1}])
def test_painting_is_refined_from_itself_alone(refined, chosen):
    _, small, content = refined(**chosen)
    assert torch.equal(content, enlarge(small, 96, 96))


@pytest.mark.parametrize("strength, kept", [(0.05, 0.8), (0.2, 0.2)])
def test_little_style_leaves_what_is_finer_in_a_photograph_above_the_working_size(
    refined, strength, kept
):
    """It was a blur: nothing looked at the photograph there."""
    photograph, small, content = refined(strength=strength)
    finer = photograph - enlarge(resize(photograph, 48, 48), 96, 96)
    expected = (enlarge(small, 96, 96) + kept * finer).clamp(0, 1)
    torch.testing.assert_close(content, expected, atol=1e-6, rtol=0)


def test_map_of_strength_leaves_what_is_finer_in_a_photograph_where_it_is_dark(refined):
    strength = torch.ones(1, 96, 96)
    strength[:, :, :48] = 0.05
    for chosen in ({}, {"style_weight": 1.0}):
        photograph, small, content = refined(strength_map=strength, **chosen)
        soft = enlarge(small, 96, 96)
        assert torch.equal(content[:, :, 48:], soft[:, :, 48:])
        finer = photograph - enlarge(resize(photograph, 48, 48), 96, 96)
        expected = (soft + (0.8 if chosen else 0.9) * finer).clamp(0, 1)
        torch.testing.assert_close(content[:, :, :48], expected[:, :, :48], atol=1e-6, rtol=0)


def test_what_is_finer_in_a_photograph_without_colours_has_none(refined, noise, network):
    grey = noise(1, 96, 96).repeat(3, 1, 1)
    tinted = (grey + torch.tensor([0.005, 0, -0.005]).view(3, 1, 1)).clamp(0, 1)
    style = Style(noise(1, 40, 40, seed=2).repeat(3, 1, 1), network)
    _, _, content = refined(content=tinted, style=style, strength=0.05)
    assert (content.amax(0) - content.amin(0)).max() < 1e-5


def test_wholly_transparent_content_comes_back_unchanged(paint, noise):
    content = noise(4, 20, 20)
    content[3] = 0
    events = paint(content)
    assert torch.equal(result(events).picture, content)
    assert result(events).steps == 0


def test_not_finite_pixels_never_leave(paint, noise):
    content = noise(3, 30, 30)
    content[0, 4, 4], content[1, 9, 9] = math.nan, math.inf
    assert result(paint(content)).picture.isfinite().all()


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_pictures_are_painted_without_undefined_numbers(paint, noise, network, value):
    flat = torch.full((3, 32, 32), value)
    for content, style in ((flat, noise(3, 32, 32)), (noise(3, 32, 32), flat), (flat, flat)):
        painted = result(paint(content, style=Style(style, network))).picture
        assert painted.isfinite().all()


@pytest.mark.parametrize("blind", [False, True])
def test_layers_are_evened_out_also_where_none_has_a_gradient(noise, network, blind):
    """As the style weighs nothing, or as the network sees the same in everything."""
    if blind:
        nothing = {name: torch.zeros_like(tensor) for name, tensor in oxford.unpack().items()}
        network = FeatureNetwork(nothing, weights_hash="nothing")
    settings = Settings(
        iterations=2, normalisation="even", style_weight=None if blind else 0.0, **SHALLOW
    )
    style = Style(noise(3, 32, 32, seed=1), network)
    end = result(list(stylise(noise(3, 32, 32), style, settings, network)))
    assert not end.diverged and math.isfinite(end.losses["total"])


def test_scales_go_from_coarse_to_fine(paint, noise):
    events = paint(noise(3, 64, 80), scales=3, iterations=7)
    started = [event for event in events if isinstance(event, ScaleStarted)]
    assert [(e.scale, e.scales, e.height, e.width) for e in started] == [
        (1, 3, 16, 20), (2, 3, 32, 40), (3, 3, 64, 80),
    ]  # fmt: skip
    counts = [event.scale for event in events if isinstance(event, Iteration)]
    assert counts == sorted(counts) and len(counts) == 7


def test_fewer_iterations_than_scales_paint_the_finest(paint, noise):
    events = paint(noise(3, 64, 80), scales=3, iterations=2)
    started = [event for event in events if isinstance(event, ScaleStarted)]
    assert [(e.scale, e.scales, e.height) for e in started] == [(1, 1, 64)]
    assert result(events).steps == 2 and not result(events).diverged


@pytest.mark.parametrize(
    "longest_px, refinement, painted_px, refined",
    [(400, 6, 400, 0), (480, 6, 480, 0), (482, 6, 384, 1), (480, 0, 384, 0), (300, 6, 300, 0)],
)
def test_picture_hardly_larger_is_painted_at_its_own_size(
    longest_px, refinement, painted_px, refined
):
    size, settings = (300, longest_px), Settings(working_px=384, refinement=refinement)
    stages = schedule(size, size, settings)
    assert [stage.whole_px for stage in stages if not stage.refines][-1] == painted_px
    assert sum(stage.refines for stage in stages) == refined


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 8))
def test_scales_double_and_end_at_the_full_size(height, width, scales):
    sizes = scale_sizes(height, width, scales)
    assert sizes[-1] == (height, width)
    assert scales == 0 or len(sizes) <= scales
    for (h, w), (taller, wider) in itertools.pairwise(sizes):
        assert abs(taller - 2 * h) <= 1 and abs(wider - 2 * w) <= 1
        assert min(h, w) >= 16


@given(st.integers(1, 100_000), st.integers(1, 8))
def test_every_iteration_is_given_to_one_scale(iterations, scales):
    shares = split_iterations(iterations, scales)
    assert sum(shares) == iterations and len(shares) == scales and shares[-1] >= 1


@pytest.mark.parametrize(
    "normalisation, times", [("relative", (0, 1, 2, 3, 4)), ("even", (0, 3.3, 4.3, 5.3, 6.3))]
)
def test_iterations_carry_step_terms_and_seconds_left(network, noise, normalisation, times):
    """The first takes longer where layers are evened out."""
    settings = Settings(iterations=4, tolerance=0, normalisation=normalisation)
    events = list(
        stylise(noise(3, 20, 20), Style(noise(3, 20, 20), network), settings, network,
                clock=iter(times).__next__)
    )  # fmt: skip
    steps = [event for event in events if isinstance(event, Iteration)]
    assert [(e.step, e.of) for e in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [e.seconds_left for e in steps] == pytest.approx([3, 2, 1, 0])
    assert [e.share for e in steps] == pytest.approx([time / times[-1] for time in times[1:]])
    assert set(steps[0].losses) == {
        "content relu4_2", *(f"style {layer}" for layer in STYLE_LAYERS), "total variation",
        "total",
    }  # fmt: skip
    terms = [value for name, value in steps[0].losses.items() if name != "total"]
    assert steps[0].losses["total"] == pytest.approx(sum(terms))


def test_share_that_is_done_grows_with_the_work_and_not_with_the_evaluations(network, noise):
    settings = Settings(iterations=4, scales=1, working_px=32, refinement=1, tolerance=0, **GRAM)
    events = stylise(noise(3, 256, 256), Style(noise(3, 64, 64), network), settings, network)
    shares = {e.step: e.share for e in events if isinstance(e, Iteration)}
    assert len(shares) == 7 and shares[4] < 0.5 and shares[7] == 1
    assert list(shares.values()) == sorted(shares.values())


def test_snapshots_come_after_the_steps_asked_for(paint, noise):
    content = noise(4, 20, 24)
    events = paint(content, snapshots=(1, 3), iterations=4)
    shots = [event for event in events if isinstance(event, Snapshot)]
    assert [shot.step for shot in shots] == [1, 3]
    assert all(shot.picture.shape == content.shape for shot in shots)
    assert not torch.equal(shots[0].picture, shots[1].picture)


def test_closing_the_generator_cancels(network, noise):
    style = Style(noise(3, 20, 20), network)
    events = stylise(noise(3, 20, 20), style, Settings(iterations=1000), network)
    assert isinstance(next(events), ScaleStarted)
    next(events)
    before = network.evaluations
    events.close()
    assert list(events) == [] and network.evaluations == before


def test_concluding_ends_with_the_picture_as_it_stands(paint, noise):
    answers = iter([False, False, True])
    events = paint(noise(3, 20, 20), iterations=1000, conclude=lambda: next(answers))
    assert result(events).steps == 3 and not result(events).converged


def test_painting_stops_when_it_no_longer_gets_better(paint, noise):
    content = noise(3, 16, 16)
    finished = result(paint(content, iterations=2000, tolerance=0.2))
    assert finished.converged and finished.steps < 2000
    assert finished.steps % CHECK_EVERY == 0


def test_other_start_leads_to_another_picture(network, noise):
    content, style = noise(3, 20, 20), Style(noise(3, 20, 20, seed=3), network)
    chosen = Settings(iterations=2)
    plain = result(list(stylise(content, style, chosen, network))).picture
    started = result(
        list(stylise(content, style, chosen, network, start=noise(3, 20, 20, seed=5)))
    ).picture
    assert not torch.equal(plain, started)


@pytest.mark.parametrize("selected", [False, True])
def test_start_of_another_size_is_brought_to_the_contents(network, noise, selected):
    content, style = noise(3, 24, 32), Style(noise(3, 20, 20, seed=3), network)
    selection = torch.zeros(1, 24, 32)
    selection[:, 12:, 16:] = 1
    large, chosen = noise(3, 48, 64, seed=5), Settings(iterations=2, start_noise=0.2, **SHALLOW)
    one, same = (
        result(list(stylise(
            content, style, chosen, network, start=start, selection=selection if selected else None
        ))).picture
        for start in (large, resize(large, 24, 32))
    )  # fmt: skip
    assert torch.equal(one, same)


@pytest.mark.parametrize("chosen", [
    {"optimiser": "adam"}, {"normalisation": "gatys"},
    {"optimiser": "adam", "normalisation": "gatys", "start_noise": 0.5},
    {"box": False}, {"start_noise": 1.0},
    {"style_scale": 0.5}, {"style_layers": ("relu3_1",), "content_layers": ("relu2_2", "relu3_1")},
    {"style_layer_weights": (1.0, 0.0, 2.0)}, {"content_weight": 0.0},
])  # fmt: skip
def test_every_way_of_painting_lowers_the_loss(paint, noise, chosen):
    # Not the seed of the painting, whose noise would be this very content.
    events = paint(noise(3, 32, 32, seed=7), iterations=25, scales=1, **chosen)
    steps = [event for event in events if isinstance(event, Iteration)]
    assert steps[-1].losses["total"] < steps[0].losses["total"]


class Broken:
    """A network that gives undefined features from the time after `after` pictures on."""

    def __init__(self, network, after):
        self._network, self._left = network, after
        self.device, self.kind = network.device, network.kind

    def segments(self, picture, layers):
        self._left -= 1
        yield from self._network.segments(picture * math.nan if self._left < 0 else picture, layers)


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_divergence_keeps_the_last_good_picture(network, noise, optimiser):
    content = noise(4, 20, 20)
    broken = Broken(network, after=10)
    style = Style(noise(3, 20, 20), network)
    chosen = Settings(iterations=200, optimiser=optimiser, tolerance=0, **SHALLOW)
    *_, end = stylise(content, style, chosen, broken)
    assert end.diverged and not end.converged and end.steps < 200
    assert end.picture.shape == content.shape
    assert end.picture.isfinite().all()
    assert not torch.equal(end.picture, content)
    assert math.isfinite(end.losses["total"])


def test_loss_that_is_told_is_that_of_the_picture(network, noise, monkeypatch):
    """Steps that are taken back, as with a first move that is far too large, tell nothing."""
    monkeypatch.setattr("impasto_daemon.engine.optimise._FIRST_MOVE", 100.0)
    monkeypatch.setattr("impasto_daemon.engine.optimise._LARGEST_MOVE", 100.0)
    chosen = Settings(iterations=12, scales=1, tolerance=0, **SHALLOW)
    events = list(
        stylise(noise(3, 32, 32), Style(noise(3, 32, 32, seed=1), network), chosen, network)
    )
    told = [event.losses["total"] for event in events if isinstance(event, Iteration)]
    assert all(after <= before for before, after in itertools.pairwise(told))
    assert len(set(told)) < len(told)
    assert result(events).losses["total"] == told[-1]


def test_moments_that_no_picture_has_end_in_a_picture(network, noise):
    """As a stranger's file may have them: a covariance with negative eigenvalues."""
    style = Style(noise(3, 24, 24), network)
    style.statistics(24, SHALLOW["style_layers"])
    for key, moments in style.moments.items():
        style.moments[key] = -torch.eye(len(moments))
        style.moments[key][-1, -1] = 1
    settings = Settings(iterations=2, scales=1, **SHALLOW)
    end = result(list(stylise(noise(3, 24, 24), style, settings, network)))
    assert end.diverged and end.picture.isfinite().all()


def test_loop_does_not_wait_for_the_device(network, noise, monkeypatch):
    waits = []
    for name in ("item", "tolist", "cpu", "numpy", "__float__", "__bool__", "__int__", "nonzero"):
        run = getattr(torch.Tensor, name)

        def counted(self, *args, _run=run, _name=name):
            waits.append(_name)
            return _run(self, *args)

        monkeypatch.setattr(torch.Tensor, name, counted)
    style = Style(noise(3, 20, 20), network)
    chosen = Settings(
        iterations=2 * CHECK_EVERY, scales=1, tolerance=1e-6, style_loss="gram", **SHALLOW
    )
    seen = []
    for event in stylise(noise(3, 20, 20), style, chosen, network):
        if isinstance(event, Iteration):
            seen.append(len(waits))
    inside = [after - before for before, after in itertools.pairwise(seen)]
    # Steps 1 to 25 without a wait; the look at the loss after step 25 comes before the 26th event.
    assert [step for step, waited in enumerate(inside, start=2) if waited] == [CHECK_EVERY + 1]


@pytest.mark.gpu
def test_loop_does_not_wait_for_the_gpu(noise):
    network = FeatureNetwork(oxford.unpack(), weights_hash="oxford", device="cuda")
    style = Style(noise(3, 40, 40), network)
    events = stylise(noise(3, 40, 40), style, Settings(iterations=CHECK_EVERY - 1), network)
    next(events), next(events)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(CHECK_EVERY - 3):
            next(events)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_known_statistics_spare_the_style_pass(network, noise):
    picture = noise(3, 100, 80)
    first = Style(picture, network)
    for size in preset_sizes_px(100):
        first.statistics(size, STYLE_LAYERS)
    again = Style(picture, network, moments=dict(first.moments))
    before = network.evaluations
    for size in (64, 70, 91, 100, 400):
        assert set(again.statistics(size, STYLE_LAYERS)) == set(STYLE_LAYERS)
    assert network.evaluations == before


@given(st.integers(1, 5000), st.floats(1, 5000))
@settings(max_examples=200)
def test_a_preset_keeps_every_size_it_is_asked_for(long_edge, size):
    from impasto_daemon.engine.style import _nearest_size_px

    sizes = preset_sizes_px(long_edge)
    assert sizes == tuple(sorted(set(sizes))) and sizes[-1] <= long_edge
    if size <= 1024:
        assert _nearest_size_px(size, long_edge) in sizes


def test_content_layer_that_is_blank_is_no_trouble(paint):
    assert result(paint(torch.zeros(3, 16, 16), content_layers=("relu5_4",))).steps == 4


def test_check_interval_is_what_the_settings_say():
    assert (
        str(module.CHECK_EVERY) in Settings.__dataclass_fields__["tolerance"].metadata["spec"].doc
    )
