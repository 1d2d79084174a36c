"""Several styles in one painting: who has what, where, and what stays as it was."""

import weakref

import pytest
import torch

from impasto_daemon.engine import style as style_module
from impasto_daemon.engine.alpha import layer_masks
from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.feed_forward import fresh_weights
from impasto_daemon.engine.gram import gram_sum
from impasto_daemon.engine.guidance import Guided, guides_of, regions_of, shares
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.objective import Objective
from impasto_daemon.engine.schedule import refinement
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.presets.statistics import pack_statistics, unpack_statistics
from impasto_protocol.errors import Cancelled
from impasto_protocol.settings import QUALITIES, STYLE_LAYERS, Settings

SHALLOW = {"style_layers": STYLE_LAYERS[:3], "content_layers": ("relu3_2",)}
SIZE = 64


@pytest.fixture(scope="module")
def styles(network):
    """Two that differ: fine noise, and broad bars of another colour."""
    noise = torch.rand((3, SIZE, SIZE), generator=torch.Generator().manual_seed(9))
    bars = (torch.arange(SIZE) % 16 < 8).expand(3, SIZE, SIZE) * 0.4 + 0.3
    bars[2] = 0.2
    return Style(noise * torch.tensor([0.2, 0.5, 1.0]).view(3, 1, 1), network), Style(bars, network)


@pytest.fixture
def paint(network):
    """paint(content, styles, **settings): the picture."""

    def run(content, styles, *, strength_map=None, **chosen):
        settings = Settings(**{"iterations": 15, "tolerance": 0, "scales": 1, **SHALLOW, **chosen})
        *_, end = stylise(content, styles, settings, network, strength=strength_map)
        assert isinstance(end, Finished)
        return end.picture

    return run


def half(side=SIZE):
    """The right half."""
    mask = torch.zeros(1, side, side)
    mask[:, :, side // 2 :] = 1
    return mask


def told(*masks):
    """Styles with these masks, which nothing looks at otherwise."""
    return [Guided(None, mask=mask) for mask in masks]


def test_every_position_is_shared_out_by_weight_where_masks_overlap():
    masks = torch.tensor([[[1.0, 1.0, 0.0, 0.4, 0.0]], [[1.0, 0.0, 1.0, 0.4, 0.0]]])
    found = shares(masks, [3.0, 1.0])
    expected = [[[0.75, 1, 0, 0.6, 0]], [[0.25, 0, 1, 0.2, 0]]]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_style_without_a_mask_goes_where_no_mask_is():
    guides, covered = guides_of(told(None, half(4)), None, fill=False)
    torch.testing.assert_close(guides, torch.cat([1 - half(4), half(4)]))
    assert covered is None


@pytest.mark.parametrize("fill", [True, False])
def test_what_all_masks_leave_goes_to_the_first_style_or_to_none(fill):
    top = torch.zeros(1, 4, 4)
    top[:, :2] = 1
    guides, covered = guides_of(told(half(4), half(4) * top), None, fill=fill)
    assert torch.equal(guides[1:], half(4) * top)
    assert torch.equal(guides[:1], torch.ones(1, 4, 4) if fill else half(4))
    assert covered is None if fill else torch.equal(covered, half(4))
    _, given = guides_of(told(half(4), half(4) * top), top * 0.5, fill=fill)
    assert torch.equal(given, top * 0.5 if fill else half(4) * top * 0.5)


def test_each_half_is_nearer_to_its_own_style_than_when_they_change_sides(
    network, styles, paint, noise, maps
):
    content, layer = noise(3, SIZE, SIZE) * 0.2 + 0.4, "relu2_1"
    targets = [style.statistics(SIZE, [layer])[layer] for style in styles]
    found = {}
    for order in ((0, 1), (1, 0)):
        left, right = (styles[number] for number in order)
        painted = paint(content, [Guided(left), Guided(right, mask=half())])
        for number, side in zip(order, (slice(None, 24), slice(40, None)), strict=True):
            for seen, target in enumerate(targets):
                features = maps(network, painted[None, :, :, side], [layer])[layer]
                gram = gram_sum(features) / features[0, 0].numel()
                found[number, side.start, seen] = (gram - target).norm() / target.norm()
    for side in (None, 40):
        for seen, other in ((0, 1), (1, 0)):
            assert found[seen, side, seen] < 0.8 * found[other, side, seen]


def test_what_no_style_covers_may_stay_the_photograph(styles, paint, noise):
    content = noise(3, SIZE, SIZE)
    painted = paint(content, [Guided(styles[0], mask=half())], uncovered="photograph")
    assert torch.equal(painted[:, :, :32], content[:, :, :32])
    assert (painted - content)[:, :, 32:].abs().mean() > 0.02
    filled = paint(content, [Guided(styles[0], mask=half())])
    assert (filled - content)[:, :, :32].abs().mean() > 0.02


def test_map_of_strength_leaves_black_alone_and_paints_more_towards_white(styles, paint, noise):
    content, ramp = noise(3, SIZE, SIZE), torch.linspace(-0.2, 1, SIZE).clamp(0).expand(1, SIZE, -1)
    painted = paint(content, styles[1], strength_map=ramp)
    change = (painted - content).abs().mean(dim=(0, 1))
    assert change[:10].max() == 0
    assert 0 < change[12:24].mean() < 0.5 * change[-12:].mean()


def test_map_of_strength_that_is_white_changes_nothing(styles, paint, noise):
    content = noise(3, SIZE, SIZE)
    plain = paint(content, styles[0])
    assert torch.equal(paint(content, styles[0], strength_map=torch.ones(1, SIZE, SIZE)), plain)


def test_style_given_twice_paints_as_once(styles, paint, noise):
    content = noise(3, SIZE, SIZE)
    once = paint(content, styles[0], iterations=4)
    twice = paint(content, [Guided(styles[0]), Guided(styles[0], weight=3)], iterations=4)
    torch.testing.assert_close(twice, once, atol=2e-3, rtol=0)


def test_fine_layers_of_one_style_go_with_coarse_ones_of_another(network, styles, paint, noise):
    content, errors = noise(3, SIZE, SIZE), {}
    for order in ((0, 1), (1, 0)):
        chosen = [Guided(styles[number], layers=(layer,))
                  for number, layer in zip(order, ("relu1_1", "relu3_1"), strict=True)]  # fmt: skip
        painted = Style(paint(content, chosen), network)
        for layer in ("relu1_1", "relu3_1"):
            found, first, second = (s.statistics(SIZE, [layer])[layer] for s in (painted, *styles))
            # Below 1: nearer to the first than to the second.
            errors[order, layer] = (found - first).norm() / (found - second).norm()
    assert errors[(0, 1), "relu1_1"] < 0.8 * errors[(1, 0), "relu1_1"]
    assert errors[(1, 0), "relu3_1"] < 0.8 * errors[(0, 1), "relu3_1"]


def test_style_in_coarse_layers_alone_is_sharp_above_the_working_size(network, styles, noise):
    """Its place was left a blur, as a refinement has none of these layers."""
    chosen = Settings(iterations=1, working_px=32, refinement=1, tolerance=0)
    *_, end = stylise(noise(3, 64, 64), [Guided(styles[0], layers=("relu4_1",))], chosen, network)
    assert {name: value > 0 for name, value in end.losses.items() if "style" in name} == {
        f"style {layer}": True for layer in refinement(chosen).style_layers
    }


def test_coarse_style_has_a_refinements_layers_only_where_no_other_has_them(network, styles):
    fine, coarse = (
        Guided(style, layers=layers).target(SIZE, refinement(Settings()))
        for style, layers in zip(styles, (("relu1_1",), ("relu4_1",)), strict=True)
    )
    picture, guides = torch.ones(3, SIZE, SIZE), torch.cat([1 - half(), torch.ones(1, SIZE, SIZE)])
    everywhere, apart = MaskedPicture.of(picture), MaskedPicture.of(picture, guides=guides)
    for layer, alone in (("relu1_1", False), ("relu2_1", True)):
        (found,) = regions_of(everywhere, 0.5, [fine, coarse], layer)
        assert set(found.styles) == {1 if alone else 0}
        of_coarse = regions_of(apart, 0.5, [fine, coarse], layer)[-1]
        assert set(of_coarse.styles) == {1}
        expected = torch.ones(1, SIZE, SIZE) if alone else half()
        assert torch.equal(of_coarse.mask[None], layer_masks(expected, layer))


def test_size_of_the_strokes_is_each_styles_own(network, noise):
    style = Style(noise(3, 128, 128), network)
    settings = Settings(style_layers=("relu2_1",), style_loss="gram")
    target = Guided(style, scale=0.5).target(128, settings)
    (small,) = target.statistics["relu2_1"]
    assert torch.equal(small, style.statistics(64, ["relu2_1"])["relu2_1"])


def test_baked_styles_are_painted_each_in_its_place(styles, paint, noise):
    content, at_once = noise(3, SIZE, SIZE), QUALITIES["instant"] | {"strength": 1.0}
    networks = [fresh_weights(seed) for seed in (1, 2)]
    one, other = (paint(content, [Guided(styles[0], baked=baked)], **at_once) for baked in networks)
    both = [Guided(styles[0], baked=networks[0]),
            Guided(styles[0], baked=networks[1], mask=half())]  # fmt: skip
    painted = paint(content, both, **at_once)
    wanted, away = torch.where(half() > 0, other, one), [*range(26), *range(38, SIZE)]
    torch.testing.assert_close(painted[..., away], wanted[..., away], atol=1e-3, rtol=0)
    assert (one - other).abs().mean() > 1e-3


def test_part_of_a_style_counts_alone(network, noise, maps):
    picture = noise(3, SIZE, SIZE)
    part = Style(picture, network).of_part(half())
    features = maps(network, picture[None], ["relu1_1"])["relu1_1"][..., SIZE // 2 :]
    expected = gram_sum(features) / features[0, 0].numel()
    torch.testing.assert_close(part.statistics(SIZE, ["relu1_1"])["relu1_1"], expected)


def test_style_turned_by_a_right_angle_is_that_of_the_turned_picture(network, noise):
    picture = noise(3, SIZE, 48)
    square = torch.zeros(4, SIZE, SIZE)
    square[:, 8:56] = torch.cat([torch.rot90(picture, dims=(1, 2)), torch.ones(1, 48, SIZE)])
    expected = Style(square, network).statistics(SIZE, STYLE_LAYERS[:3])
    found = Style(picture, network).targets(SIZE, STYLE_LAYERS[:3], "gram", 90)
    for layer, gram in expected.items():
        assert float((found[layer][0] - gram).norm()) < 1e-3 * float(gram.norm())
    assert Style(picture, network).targets(SIZE, ["relu1_1"], "gram", -360).keys() == {"relu1_1"}


def test_style_is_no_larger_than_needed_when_it_is_turned(network, noise, monkeypatch):
    sides, turn = [], style_module.turned
    monkeypatch.setattr(
        style_module,
        "turned",
        lambda plane, *how: sides.append(plane.shape[-2:]) or turn(plane, *how),
    )
    Style(noise(3, 200, 600), network).targets(64, ["relu1_1"], "gram", 45)
    assert set(sides) == {(43, 128)}


def test_what_was_measured_of_a_style_turned_is_counted_and_bounded(network, noise, monkeypatch):
    style = Style(noise(3, 32, 32), network)
    kept = []
    monkeypatch.setattr(style_module, "_OTHERS_BYTES", 4 * 65 * 65 * 4)
    for degrees in range(0, 300, 10):
        found = style.targets(32, ["relu1_1"], "gram", degrees)
        assert found["relu1_1"][0].shape == (64, 64)
        kept.append((style.size_bytes - 32 * 32 * 12) // (65 * 65 * 4))
    assert kept[:8] == [1, 2, 3, 4, 5, 6, 2, 3] and max(kept) == 6


def test_cancel_is_heard_between_the_directions_of_a_style(network, noise):
    looks = []

    def between():
        looks.append(1)
        if len(looks) == 2:
            raise Cancelled("Stopped.")

    chosen = Settings(style_rotations=4, **SHALLOW)
    with pytest.raises(Cancelled):
        list(stylise(noise(3, 64, 64), Style(noise(3, 64, 64), network), chosen, network,
                     between=between))  # fmt: skip
    assert len(looks) == 2


def test_strokes_lie_as_they_are_turned(network, noise, paint):
    """Bars of a style that stand upright lie down once it is turned."""
    bars = (torch.arange(SIZE) % 8 < 4).float().expand(3, SIZE, SIZE).contiguous()
    content, style = noise(3, SIZE, SIZE) * 0.2 + 0.4, Style(bars, network)

    def lying(**chosen):
        painted = paint(content, style, strength=1, iterations=40, **chosen)
        return float(painted.diff(dim=1).abs().mean() / painted.diff(dim=2).abs().mean())

    upright, across, both = lying(), lying(style_rotation=90.0), lying(style_rotations=4)
    assert upright < 0.8 and across > 1.25
    assert 3 * upright < both < across / 3


@pytest.mark.parametrize("style_loss", ["gram", "wasserstein", "histogram", "shifted"])
def test_style_seen_at_several_sizes_and_in_several_directions_is_their_mean(
    network, noise, style_loss
):
    style = Style(noise(3, 128, 128), network)
    chosen = {"style_layers": STYLE_LAYERS[:2], "style_loss": style_loss}
    settings = Settings(**chosen, style_sizes=2, style_rotation=30.0, style_rotations=2)
    found = Guided(style).target(128, settings).statistics
    seen = [
        style.targets(size, STYLE_LAYERS[:2], style_loss, angle)
        for angle in (30, 210) for size in (128, 64)
    ]  # fmt: skip
    for layer in STYLE_LAYERS[:2]:
        for place, mean in enumerate(found[layer]):
            several = [one[layer][place] for one in seen]
            if mean is not None:
                torch.testing.assert_close(mean, sum(several) / 4)
            assert (mean is None) == (several[0] is None)


def test_neighbours_that_a_small_style_does_not_have_are_left_to_its_gram_matrix(network, noise):
    """At 48 px relu4_1 has six positions a side, relu5_1 has three."""
    layers, content = ("relu4_1", "relu5_1"), MaskedPicture.of(noise(3, 96, 96))
    style, picture = Style(noise(3, 48, 48, seed=1), network), noise(1, 3, 96, 96, seed=2)

    def terms(**chosen):
        settings = Settings(
            style_layers=layers, content_layers=("relu2_1",), normalisation="relative", **chosen
        )
        target = Guided(style).target(48, settings)
        return target, Objective(content, [target], settings, network).evaluate(picture)[0]

    target, paired = terms(style_loss="shifted")
    assert [one is None for one in target.statistics["relu5_1"]] == [False, True, True]
    assert not any(one is None for one in target.statistics["relu4_1"])
    _, plain = terms(style_loss="gram")
    assert float(paired["style relu5_1"]) == pytest.approx(float(plain["style relu5_1"]))
    assert float(paired["style relu4_1"]) != pytest.approx(float(plain["style relu4_1"]))


def test_style_that_is_too_small_for_neighbours_is_looked_at_once(network, noise, monkeypatch):
    looks, measure = [], Style._measure
    monkeypatch.setattr(Style, "_measure", lambda *args: looks.append(1) or measure(*args))
    style = Style(noise(3, 48, 48), network)
    for degrees, count in ((0, 1), (0, 1), (90, 2), (90, 2)):
        assert style.targets(48, ["relu5_1"], "shifted", degrees)["relu5_1"][1:] == (None, None)
        assert len(looks) == count
    nothing = style.of_part(torch.zeros(1, 48, 48))
    for _ in range(2):
        assert nothing.targets(48, ["relu5_1"], "gram") == {"relu5_1": (None,)}
        assert len(looks) == 3


def test_size_at_which_a_style_has_no_neighbours_is_not_in_their_mean(network, noise):
    style = Style(noise(3, 128, 128), network)
    settings = Settings(style_layers=("relu5_1",), style_loss="shifted", style_sizes=2)
    found = Guided(style).target(128, settings).statistics["relu5_1"]
    large, small = (style.targets(size, ["relu5_1"], "shifted")["relu5_1"] for size in (128, 64))
    assert small[1:] == (None, None)
    torch.testing.assert_close(found[0], (large[0] + small[0]) / 2)
    torch.testing.assert_close(found[1:], list(large[1:]))


def test_place_too_small_for_neighbours_is_matched_by_its_gram_matrix(network, noise):
    content, picture = noise(3, 32, 32), noise(1, 3, 32, 32, seed=2)
    style = Style(noise(3, 32, 32, seed=1), network)

    def seen(**chosen):
        selection = torch.zeros(1, 32, 32)
        selection[:, 9:12, 10:13] = 1
        chosen |= {"style_layers": ("relu1_1",), "content_weight": 0.0, "total_variation": 0.0}
        settings = Settings(**chosen)
        target = Guided(style).target(32, settings)
        masked = MaskedPicture.of(content, selection)
        terms, gradient = Objective(masked, [target], settings, network).evaluate(picture)
        return float(terms["style relu1_1"]), gradient

    torch.testing.assert_close(seen(style_loss="shifted"), seen(style_loss="gram"))


@pytest.mark.parametrize("side, size_px, count, expected", [
    (800, 4000, 3, [800, 362, 181]), (300, 128, 4, [128, 64]), (60, 500, 4, [60]),
    (300, 300, 1, [300]),
])  # fmt: skip
def test_sizes_of_a_style_begin_at_its_own_and_differ(side, size_px, count, expected):
    assert Style(torch.zeros(3, side, 1), None).sizes_px(size_px, count) == expected


def test_style_is_seen_at_each_of_its_sizes_once(network, noise):
    style = Style(noise(3, 128, 128), network)
    found = Guided(style).target(
        500, Settings(style_layers=("relu1_1",), style_sizes=4, style_loss="gram")
    )
    seen = [style.statistics(size, ["relu1_1"])["relu1_1"] for size in (128, 64)]
    torch.testing.assert_close(found.statistics["relu1_1"][0], sum(seen) / 2)


def test_soft_mask_that_leaves_the_photograph_is_a_map_of_strength(styles, network, noise):
    """Also on the border of a hard one, and with several styles in one place."""
    soft = torch.linspace(-0.2, 1, SIZE).clamp(0).repeat(1, SIZE, 1)
    soft[:, : SIZE // 2 + 3] = 0
    settings = Settings(**SHALLOW, content_weight=0.0, total_variation=0.0)
    target, content = Guided(styles[0]).target(SIZE, settings), noise(3, SIZE, SIZE)
    picture, found = noise(1, 3, SIZE, SIZE, seed=2), []
    for guided in (told(soft), told(soft * 0.75, soft * 0.25), told(None)):
        guides, strength = guides_of(guided, None, fill=False)
        masked = MaskedPicture.of(content, None, soft if strength is None else strength, guides)
        objective = Objective(masked, [target] * len(guided), settings, network)
        found.append(objective.evaluate(picture)[1])
    for gradient in found[:2]:
        assert float((gradient - found[2]).norm()) < 1e-3 * float(found[2].norm())


def test_few_of_the_looks_at_a_style_are_held_at_once(network, noise, monkeypatch):
    """All of them, 16 directions at four sizes, would take hundreds of MB."""
    style, alive, most = Style(noise(3, 128, 128), network), weakref.WeakSet(), 0

    def look(size, layers, *how):
        nonlocal most
        mean = torch.full((4, 4), float(size))
        alive.add(mean)
        most = max(most, len(alive))
        return dict.fromkeys(layers, (mean, None))

    monkeypatch.setattr(style, "targets", look)
    found = Guided(style).target(128, Settings(style_rotations=16, style_sizes=2))
    assert most <= 3
    for mean, none in found.statistics.values():
        assert torch.equal(mean, torch.full((4, 4), 96.0)) and none is None


def test_what_is_measured_of_a_style_is_what_a_file_keeps_of_it(network, noise):
    style = Style(noise(3, 90, 70), network)
    style.statistics(90, STYLE_LAYERS)
    measured = {key: gram.numpy() for key, gram in style.moments.items()}
    kept = unpack_statistics(pack_statistics(measured))
    assert len(kept) == len(STYLE_LAYERS)
    assert all((measured[key] == kept[key]).all() for key in kept)
