"""A picture seen tile by tile has the loss and the gradient of the picture seen whole."""

import itertools
import weakref
from importlib.resources import files

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from impasto_daemon.engine.guidance import StyleTarget
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.objective import Objective, term_weights
from impasto_daemon.engine.optimise import LBFGS
from impasto_daemon.engine.padding import mask_padding, pad_to_network
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.tiles import WHOLE, Tiling, cut, margin_px
from impasto_daemon.weights import oxford
from impasto_protocol.settings import STYLE_LAYERS, Settings

TILINGS = [Tiling(2, 2), Tiling(1, 3, keep_targets=False)]
SHALLOW = {"style_layers": STYLE_LAYERS[:3], "content_layers": ("relu3_1",)}
DEFAULT = Settings().style_loss


@pytest.fixture(scope="module")
def exact():
    """Oxford's network in float64."""
    return FeatureNetwork(oxford.unpack(), weights_hash="oxford", precision=torch.float64)


def content(kind, height=53, width=70):
    """A picture that is opaque, has a transparent corner, or of which a part is selected."""
    picture = torch.rand(4, height, width, dtype=torch.float64)
    picture[3] = 1
    selection = None
    if kind != "opaque":
        picture[3, :20, :30] = 0
        picture[3, 30:, 20:55] = 0.3
    if kind == "selection":
        selection = torch.zeros(1, height, width, dtype=torch.float64)
        selection[:, 10:45, 25:] = 0.7
    if kind != "guided":
        return MaskedPicture.of(picture, selection)
    strength, guides = torch.ones(1, height, width), torch.zeros(3, height, width)
    strength[:, 20:40, 10:60] = torch.linspace(0, 1, 50)
    guides[0, :, :40] = 1
    guides[1, :, 30:] = torch.linspace(0.2, 1, width - 30)
    guides[2] = 0.3
    return MaskedPicture.of(picture, selection, strength.double(), guides.double())


def plain_regions(masked, targets, layer, mask_of):
    """What each position weighs for each style, and how much of the whole each style has.

    Guided Gram matrices, Gatys et al. 2017, with what a position is given shared out by weight.
    """
    given = masked.paint_mask
    if masked.strength is not None:
        given = given / 100 ** (1 - masked.strength)  # at the default strength
    given = mask_of(given)
    everything = mask_of(masked.paint_mask).sum()
    there = {n: target for n, target in enumerate(targets) if layer in target.statistics}
    weights = {n: target.weight for n, target in there.items()}
    if masked.guides is None:
        for n in there:
            yield n, given, given.sum() / everything * weights[n] / sum(weights.values())
        return
    masks = {n: mask_of(masked.guides[n : n + 1]) for n in there}
    covered = mask_of(masked.guides.sum(dim=0, keepdim=True)).clamp(1e-12, 1)
    weighed = sum(weights[n] * masks[n] for n in there)
    for n in there:
        share = torch.where(weighed > 0, weights[n] * masks[n] / weighed, 0)
        share = share * sum(masks.values()).clamp(max=1) / covered * given
        yield n, share, share.sum() / everything


def plain_errors(maps, mask, targets, style_loss):
    """How far maps, (C, H, W), are from each target, relative to it."""

    def mean(one, other, mask):
        return torch.einsum("chw,dhw,hw->cd", one, other, mask) / mask.sum()

    if style_loss == "wasserstein":
        ones = torch.ones_like(maps[:1])
        (target,) = targets
        found = mean(torch.cat([maps, ones]), torch.cat([maps, ones]), mask)
        yield gaussian_distance(found, target)
        return
    pairs, shares = [(maps, maps, mask)], [1]
    if style_loss == "shifted":
        pairs += [
            (maps[..., :-4], maps[..., 4:], torch.minimum(mask[..., :-4], mask[..., 4:])),
            (maps[:, :-4], maps[:, 4:], torch.minimum(mask[:-4], mask[4:])),
        ]
        across, down = (0.25 * float(paired.sum() / mask.sum()) for _, _, paired in pairs[1:])
        shares = [1 - across - down, across, down]
    for pair, target, share in zip(pairs, targets, shares, strict=True):
        yield share * (mean(*pair) - target).square().sum() / target.square().sum()


def gaussian_distance(found, target):
    """Squared Wasserstein-2 distance of Gaussians, over that of the target from nothing.

    By the square root of S T, whose eigenvalues are those of the symmetric product.
    """
    (mean, covariance), (centre, other) = (
        (sums[-1, :-1], sums[:-1, :-1] - torch.outer(sums[-1, :-1], sums[-1, :-1]))
        for sums in (found, target)
    )
    noise, one = 1e-3 * other.diagonal().mean(), torch.eye(len(other), dtype=torch.float64)
    covariance, other = (
        matrix + (noise + 1e-6 * sums[:-1, :-1].trace()) * one
        for matrix, sums in ((covariance, found), (other, target))
    )
    factor = torch.linalg.cholesky(other)
    roots = torch.linalg.svdvals(torch.linalg.cholesky(covariance).T @ factor)
    apart = (mean - centre).square().sum() + covariance.trace() + other.trace() - 2 * roots.sum()
    return apart / (other.trace() + centre.square().sum())


def plain_loss(masked, picture, targets, settings, network):
    """Loss and gradient by autograd, as Gatys et al. 2016 have them, relative, with masks."""
    alpha, beta = term_weights(settings)
    picture = picture.clone().requires_grad_()

    def maps(of):
        found, x = {}, (pad_to_network(of) - network._mean) / network._std
        x = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="replicate")
        for module, name in network._steps:
            x = module(x)
            found[name] = x
        return found

    def mask_of(plane, features):
        size = tuple(features.shape[-2:])
        return torch.nn.functional.adaptive_avg_pool2d(mask_padding(plane)[None], size)[0, 0]

    ours, theirs = maps(picture), maps(masked.colours[None])
    loss = 0
    for layer in settings.content_layers:
        error = mask_of(masked.alpha, ours[layer]) * (ours[layer] - theirs[layer]).square()
        energy = mask_of(masked.paint_mask, ours[layer]) * theirs[layer].square()
        loss = loss + alpha * error.sum() / energy.sum() / len(settings.content_layers)
    for layer in settings.style_layers:
        maps_here = ours[layer][0]
        for n, mask, share in plain_regions(
            masked,
            targets,
            layer,
            lambda plane: mask_of(plane, ours[layer]),  # noqa: B023
        ):
            for error in plain_errors(
                maps_here, mask, targets[n].statistics[layer], settings.style_loss
            ):
                loss = loss + beta * share * error / len(settings.style_layers)
    painted = masked.paint_mask
    across = torch.minimum(painted[..., 1:], painted[..., :-1])
    down = torch.minimum(painted[:, 1:], painted[:, :-1])
    across = across * (picture[..., 1:] - picture[..., :-1]).square()
    down = down * (picture[..., 1:, :] - picture[..., :-1, :]).square()
    smoothness = (across.sum() + down.sum()) / (3 * painted.sum())
    loss = loss + 4 * settings.total_variation * smoothness
    return loss.detach(), *torch.autograd.grad(loss, picture)


@pytest.mark.parametrize("kind, layers, several", [
    ("selection", {}, False),
    ("opaque", SHALLOW, False),
    ("alpha", {"style_layers": ("relu1_2", "relu4_1"), "content_layers": ("relu2_2", "relu4_1")},
     False),
    ("guided", {"style_layers": ("relu1_1", "relu3_1", "relu4_1")}, True),
    ("selection", SHALLOW, True),
    ("alpha", {**SHALLOW, "style_loss": "wasserstein"}, False),
    ("guided", {"style_layers": STYLE_LAYERS[:3], "style_loss": "wasserstein"}, True),
    ("opaque", {**SHALLOW, "style_loss": "shifted"}, False),
    ("guided", {"style_layers": STYLE_LAYERS[:3], "style_loss": "shifted"}, True),
])  # fmt: skip
def test_loss_and_gradient_of_tiles_are_those_of_the_paper(exact, kind, layers, several):
    settings = Settings(**{"normalisation": "relative", "style_loss": "gram", **layers})
    masked = content(kind)
    style = Style(torch.rand(3, 45, 60, dtype=torch.float64), exact)
    targets = [StyleTarget(style.targets(60, settings.style_layers, settings.style_loss))]
    if several:
        other, third = (
            Style(torch.rand(3, 50, 40, dtype=torch.float64) ** power, exact) for power in (3, 0.3)
        )
        targets += [
            StyleTarget(other.targets(50, settings.style_layers, settings.style_loss), weight=0.5),
            StyleTarget(third.targets(50, ["relu1_1", "relu3_1"], settings.style_loss), weight=2),
        ]
    picture = torch.rand(1, 3, 53, 70, dtype=torch.float64)
    loss, gradient = plain_loss(masked, picture, targets, settings, exact)
    for tiling in (Tiling(), *TILINGS):
        terms, found = Objective(masked, targets, settings, exact, tiling).evaluate(picture)
        assert float(sum(terms.values())) == pytest.approx(float(loss), rel=1e-10)
        torch.testing.assert_close(found, gradient, rtol=1e-8, atol=1e-10 * gradient.abs().max())


@pytest.mark.parametrize("tiling", [WHOLE, *TILINGS])
def test_selection_is_smoothed_as_much_as_a_whole_picture(exact, tiling):
    """It was by its share of what is looked at, while content and style are per painted pixel."""
    settings, picture = Settings(**SHALLOW), torch.rand(1, 3, 48, 64, dtype=torch.float64)
    target = StyleTarget(Style(picture[0], exact).targets(64, settings.style_layers, DEFAULT))
    selection = torch.zeros(1, 48, 64, dtype=torch.float64)
    selection[:, 20:28, :32] = 0.5
    faint = torch.full((1, 48, 64), 0.1, dtype=torch.float64)
    for selected, part in (
        (selection, picture[..., 20:28, :32]), (faint, picture), (None, picture),
    ):  # fmt: skip
        masked = MaskedPicture.of(picture[0], selected)
        terms, _ = Objective(masked, [target], settings, exact, tiling).evaluate(picture)
        mean = sum(part.diff(dim=axis).square().sum() for axis in (2, 3)) / part.numel()
        assert float(terms["total variation"]) == pytest.approx(4 * float(mean))


@pytest.mark.parametrize("weights", [(), (1, 1, 4)])
def test_layers_that_are_to_count_alike_have_gradients_as_large_as_their_weights(exact, weights):
    """Each is what a painting in that layer alone adds, beside nothing else."""
    masked, rest = content("alpha"), {"content_weight": 0.0, "total_variation": 0.0}
    picture = torch.rand(1, 3, 53, 70, dtype=torch.float64)
    target = StyleTarget(
        Style(torch.rand(3, 45, 60, dtype=torch.float64), exact).targets(
            60, STYLE_LAYERS[:3], DEFAULT
        )
    )
    of = {"style_layers": STYLE_LAYERS[:3], "style_layer_weights": weights, **rest}
    for tiling in (WHOLE, Tiling(2, 2)):
        even = Objective(masked, [target], Settings(normalisation="even", **of), exact, tiling)
        terms, _ = even.evaluate(picture)
        alone, norms = {}, {}
        for layer in STYLE_LAYERS[:3]:
            single = Settings(style_layers=(layer,), **rest)
            found, gradient = Objective(masked, [target], single, exact).evaluate(picture)
            alone[layer], norms[layer] = float(found[f"style {layer}"]), float(gradient.norm())
        given = {layer: float(terms[f"style {layer}"]) / alone[layer] for layer in alone}
        sizes = [given[layer] * norms[layer] for layer in STYLE_LAYERS[:3]]
        shares = [weight / sum(weights or (1, 1, 1)) for weight in weights or (1, 1, 1)]
        assert [size / sum(sizes) for size in sizes] == pytest.approx(shares, rel=1e-6)
        again, _ = even.evaluate(picture)
        assert float(sum(again.values())) == pytest.approx(float(sum(terms.values())), rel=1e-9)


def test_layers_are_evened_out_beside_no_other_graph(network, noise, monkeypatch):
    segments, held = Objective._segments, weakref.WeakSet()
    beside = []

    def look(objective, *args, graph):
        if graph:
            beside.append(len(held))
        for segment in segments(objective, *args, graph=graph):
            if graph:
                held.add(segment.features)
            yield segment

    monkeypatch.setattr(Objective, "_segments", look)
    target = StyleTarget(Style(noise(3, 32, 32), network).targets(32, STYLE_LAYERS[:3], DEFAULT))
    objective = Objective(
        MaskedPicture.of(noise(3, 48, 48)), [target], Settings(normalisation="even", **SHALLOW),
        network,
    )  # fmt: skip
    objective.evaluate(noise(1, 3, 48, 48, seed=2))
    assert beside == [0] * 4
    objective.evaluate(noise(1, 3, 48, 48, seed=2))
    assert beside == [0] * 5  # a picture of one tile is looked at once


@pytest.mark.parametrize("style_loss", ["wasserstein", "histogram", "shifted"])
def test_style_in_tiles_is_matched_as_the_whole_is(exact, monkeypatch, style_loss):
    """Also where a tile has a mask that another has not, and of a style seen in tiles."""
    masked, settings = content("guided"), Settings(style_loss=style_loss)
    picture = torch.rand(1, 3, 53, 70, dtype=torch.float64)
    styles = torch.rand(3, 3, 90, 120, dtype=torch.float64)
    found = []
    for tiling, tile_px in ((WHOLE, 1024), (Tiling(2, 2), 64)):
        monkeypatch.setattr("impasto_daemon.engine.style._TILE_PX", tile_px)
        targets = [
            StyleTarget(Style(one, exact).targets(120, STYLE_LAYERS, style_loss)) for one in styles
        ]
        terms, gradient = Objective(masked, targets, settings, exact, tiling).evaluate(picture)
        found.append((float(sum(terms.values())), gradient))
    (loss, gradient), (of_tiles, by_tiles) = found
    assert of_tiles == pytest.approx(loss, rel=1e-6)
    assert float((by_tiles - gradient).norm()) < 1e-5 * float(gradient.norm())


def test_float32_keeps_the_loss_and_the_gradient_to_the_rounding(network):
    masked = content("alpha", 110, 150)
    planes = (masked.original, masked.colours, masked.alpha, masked.paint_mask)
    masked = MaskedPicture(*(plane.float() for plane in planes))
    target = Style(torch.rand(3, 100, 100), network).targets(100, STYLE_LAYERS, "gram")
    picture, settings = torch.rand(1, 3, 110, 150), Settings(style_loss="gram")
    whole, tiled = (
        Objective(masked, [StyleTarget(target)], settings, network, tiling).evaluate(picture)
        for tiling in (Tiling(), Tiling(2, 3))
    )
    total, of_tiles = (float(sum(terms.values())) for terms, _ in (whole, tiled))
    assert of_tiles == pytest.approx(total, rel=1e-5)
    assert float((tiled[1] - whole[1]).norm()) < 1e-5 * float(whole[1].norm())


def test_style_larger_than_a_tile_has_the_statistics_of_the_whole(exact, monkeypatch):
    picture = torch.rand(4, 150, 200, dtype=torch.float64)
    picture[3, :, :60] = 0
    whole = Style(picture, exact).statistics(200, STYLE_LAYERS)
    monkeypatch.setattr("impasto_daemon.engine.style._TILE_PX", 64)
    torch.testing.assert_close(Style(picture, exact).statistics(200, STYLE_LAYERS), whole)


@pytest.mark.parametrize("layer", ["relu1_2", "relu2_2", "relu3_4", "relu4_2", "relu5_1"])
def test_margin_covers_what_a_layer_sees(exact, layer):
    margin, core = margin_px([layer]), 16
    side = 2 * margin + core + 32
    picture = torch.rand(1, 3, side, side, dtype=torch.float64)
    tiles = cut(side, side, Tiling(side // core, side // core), margin)
    tile = next(t for t in tiles if t.rows.begin >= margin and t.columns.begin >= margin)
    (whole,) = (segment.features for segment in exact.segments(picture, [layer]))
    (seen,) = (segment.features for segment in exact.segments(tile.window(picture), [layer]))
    stride = side // whole.shape[-1]
    rows, columns = (slice(s.begin // stride, s.end // stride) for s in (tile.rows, tile.columns))
    torch.testing.assert_close(tile.core(seen, layer), whole[..., rows, columns])


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 9), st.integers(0, 9))
def test_tiles_cover_the_padded_picture_once(height, width, count, margin):
    tiles = cut(height, width, Tiling(count, count + 1), 16 * margin)
    for side, found in ((height, {t.rows for t in tiles}), (width, {t.columns for t in tiles})):
        ordered = sorted(found, key=lambda span: span.begin)
        assert ordered[0].begin == 0 and side <= ordered[-1].end < side + 16
        assert all(a.end == b.begin for a, b in itertools.pairwise(ordered))
        sizes = [span.end - span.begin for span in ordered]
        assert max(sizes) - min(sizes) <= 16
        for span in ordered:
            assert span.begin % 16 == span.end % 16 == span.first % 16 == 0
            assert span.first == max(0, span.begin - 16 * margin)
            assert span.last == min(side, span.end + 16 * margin)
    assert len(tiles) == len({t.rows for t in tiles}) * len({t.columns for t in tiles})


def test_eight_steps_in_tiles_lead_to_the_same_picture_and_leave_no_seam(exact):
    """In float64, as each step makes more of the last bit, where two numbers are nearly equal."""
    photograph, painting = (
        of_the_demo(name, 64, 64).double() for name in ("photograph", "painting")
    )
    masked = MaskedPicture.of(photograph)
    target = Style(painting, exact).targets(64, STYLE_LAYERS, DEFAULT)
    pictures = []
    for tiling in (WHOLE, Tiling(2, 2)):
        objective = Objective(masked, [StyleTarget(target)], Settings(), exact, tiling)
        optimiser = LBFGS(masked.colours[None])
        for _ in range(8):
            terms, gradient = objective.evaluate(optimiser.trial)
            optimiser.step(torch.stack(list(terms.values())).sum(), gradient)
        pictures.append(optimiser.picture[0])
    whole, tiled = pictures
    assert float((tiled - whole).abs().max()) < 0.01 / 255
    for axis in (1, 2):
        at_once, beside = (
            (picture - masked.colours).diff(dim=axis).abs().mean(dim=0).mean(dim=2 - axis)[31]
            for picture in pictures
        )
        assert float(beside) < 1.001 * float(at_once)


def of_the_demo(name, width, height):
    """A picture of the demo, (3, height, width)."""
    with (files("impasto_daemon") / "demo" / f"{name}.jpg").open("rb") as file:
        pixels = np.array(Image.open(file).convert("RGB").resize((width, height)))
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255
