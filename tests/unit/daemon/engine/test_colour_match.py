"""A picture in another one's colours, against the definition and numpy."""

import numpy as np
import pytest
import torch

from impasto_daemon.engine.colour_match import colour_match, luminance, recoloured
from impasto_daemon.engine.colour_mixing import MIXINGS, ColourMixing
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.style import Style


def moments(picture, weights=None):
    weights = None if weights is None else weights.flatten().numpy()
    colours = picture.flatten(1).double().numpy()
    return np.average(colours, axis=1, weights=weights), np.cov(colours, aweights=weights, ddof=0)


@pytest.fixture
def style(noise):
    """Around a middle grey, so that what it becomes lies within the range; of many rows."""
    mixed = torch.tensor([[1, 0.4, 0.1], [0, 0.8, 0.3], [0.2, 0, 0.6]])
    return 0.5 + 0.2 * torch.einsum("ij,jhw->ihw", mixed, noise(3, 600, 8) - 0.5)


@pytest.fixture
def photograph(noise):
    mixed = torch.tensor([[0.3, 0, 0], [0.2, 0.2, 0], [0, 0.1, 0.4]])
    return 0.4 + 0.3 * torch.einsum("ij,jhw->ihw", mixed, noise(3, 500, 4) - 0.5)


def all_of(picture):
    return torch.ones_like(picture[:1])


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("how", ["matched", "cholesky"])
def test_mean_and_covariance_become_the_other_ones(style, photograph, how, mixing):
    photograph = 0.5 + (photograph - 0.5) / 2  # so that no colour has to become paler
    match = colour_match(style, all_of(style), photograph, all_of(photograph), how, mixing)
    take = MIXINGS[mixing].take
    for found, wanted in zip(moments(take(match(style))), moments(take(photograph)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-4)


def test_some_rows_are_mixed_at_a_time(style, photograph, monkeypatch):
    heights, take = set(), ColourMixing.take
    monkeypatch.setattr(
        ColourMixing, "take", lambda mix, rows: heights.add(rows.shape[1]) or take(mix, rows)
    )
    seen = all_of(style), photograph, all_of(photograph)
    colour_match(style, *seen, "matched", "encoded")(style)
    recoloured(style, style, 0.5, "encoded")
    assert max(heights) < 300


def test_square_roots_are_the_symmetric_and_the_triangular_one(style, photograph):
    """Gatys et al. 2016: A = Σc^½ Σs^-½, or L_c L_s^-1."""
    (of_style, covariance), (of_photo, wanted) = moments(style), moments(photograph)

    def power(matrix, exponent):
        values, vectors = np.linalg.eigh(matrix)
        return vectors * values**exponent @ vectors.T

    factors = {
        "matched": power(wanted, 0.5) @ power(covariance, -0.5),
        "cholesky": np.linalg.cholesky(wanted) @ np.linalg.inv(np.linalg.cholesky(covariance)),
    }
    for how, factor in factors.items():
        match = colour_match(style, all_of(style), photograph, all_of(photograph), how, "encoded")
        expected = np.einsum("ij,jhw->ihw", factor, style.numpy() - of_style[:, None, None])
        np.testing.assert_allclose(
            match(style).numpy(), expected + of_photo[:, None, None], atol=1e-3
        )


def test_only_what_counts_is_looked_at(style, photograph):
    weights = all_of(photograph)
    weights[:, :, 20:] = 0
    changed = photograph.clone()
    changed[:, :, 20:] = 1
    match = colour_match(style, all_of(style), changed, weights, "matched", "encoded")
    wanted = moments(photograph[:, :, :20])
    for found, of in zip(moments(match(style)), wanted, strict=True):
        np.testing.assert_allclose(found, of, atol=1e-5)


@pytest.mark.parametrize("how", ["matched", "cholesky"])
def test_one_colour_alone_and_none_have_no_noise_blown_up(style, photograph, how):
    flat = torch.full((3, 20, 20), 0.3)
    onto_flat = colour_match(style, all_of(style), flat, all_of(flat), how, "encoded")(style)
    torch.testing.assert_close(onto_flat, flat.mean().expand_as(style), atol=0.01, rtol=0)
    of_flat = colour_match(flat, all_of(flat), photograph, all_of(photograph), how, "encoded")(flat)
    assert of_flat.isfinite().all() and of_flat.std(dim=(1, 2)).max() < 1e-4
    grey = luminance(style, "encoded").expand_as(style)
    still = colour_match(grey, all_of(grey), grey, all_of(grey), how, "encoded")(grey)
    torch.testing.assert_close(still, grey, atol=1e-4, rtol=0)


def test_what_lies_outside_becomes_paler_of_the_same_hue_and_lightness(noise):
    wild = 0.5 + 2 * (noise(3, 40, 40) - 0.5)
    lightness = luminance(wild, "encoded")[0]
    wild = wild[:, (lightness > 0) & (lightness < 1)].unflatten(1, (1, -1))
    into_gamut = MIXINGS["encoded"].into_gamut
    tame = into_gamut(wild)
    assert tame.min() >= 0 and tame.max() <= 1 and wild.max() > 1.05 and wild.min() < -0.05
    torch.testing.assert_close(
        luminance(tame, "encoded"), luminance(wild, "encoded"), atol=1e-5, rtol=0
    )
    before, after = wild - luminance(wild, "encoded"), tame - luminance(tame, "encoded")
    crossed = torch.linalg.cross(before, after, dim=0)
    assert crossed.abs().max() < 1e-5 and (before * after).sum(dim=0).min() > -1e-6
    inside = (wild.amin(dim=0) >= 0) & (wild.amax(dim=0) <= 1)
    torch.testing.assert_close(tame[:, inside], wild[:, inside])
    assert torch.equal(into_gamut(torch.full((3, 2, 2), 1.5)), torch.ones(3, 2, 2))


def test_greys_stay_greys(noise):
    """Where there is no colour to make paler, there were specks of the strongest."""
    grey = noise(1, 300, 300).mul(255).round().div(255).repeat(3, 1, 1)
    torch.testing.assert_close(MIXINGS["encoded"].into_gamut(grey), grey)
    darker = 0.2 + 0.5 * grey
    match = colour_match(grey, all_of(grey), darker, all_of(grey), "matched", "encoded")
    torch.testing.assert_close(match(grey), darker, atol=1e-3, rtol=0)


def test_oklab_is_as_published():
    """Ottosson 2020, of white and of sRGB's red, green and blue."""
    primaries = torch.tensor([[1.0, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]])[:, None]
    expected = torch.tensor([
        [1.0, 0.62796, 0.86644, 0.45201],
        [0.0, 0.22486, -0.23389, -0.03246],
        [0.0, 0.12585, 0.17950, -0.31153],
    ])  # fmt: skip
    found = MIXINGS["oklab"].take(primaries)[:, 0]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_what_is_not_mixed_comes_back_as_it_was(noise, mixing):
    picture, mix = noise(3, 40, 50), MIXINGS[mixing]
    torch.testing.assert_close(mix.back(mix.take(picture)), picture, atol=2e-5, rtol=0)
    torch.testing.assert_close(mix.into_gamut(mix.take(picture)), picture, atol=2e-4, rtol=0)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_what_is_brought_back_keeps_hue_and_lightness_as_they_are_mixed(noise, mixing):
    mix = MIXINGS[mixing]
    wild = mix.take(noise(3, 40, 40))
    middle = mix.lightness(wild)
    grey = mix.take(torch.full((3, 1, 1), 0.5)) if mixing == "oklab" else middle
    away = wild - (torch.cat([middle, grey[1:].expand(2, 40, 40)]) if mixing == "oklab" else grey)
    tame = mix.take(mix.into_gamut(wild + 2 * away))
    torch.testing.assert_close(mix.lightness(tame), middle, atol=2e-3, rtol=0)
    after = tame - wild + away
    crossed = torch.linalg.cross(away, after, dim=0)
    assert crossed.abs().max() < 2e-3 and (away * after).sum(dim=0).min() > -1e-3
    assert after.norm() > away.norm()


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("size", [(40, 30), (600, 7)])
def test_painting_keeps_its_lightness_under_the_pictures_colours(noise, mixing, size):
    mix = MIXINGS[mixing]
    colours = 0.42 + 0.16 * noise(3, *size)  # none has to become paler
    painting = 0.4 + 0.2 * noise(3, *size, seed=4)
    found = mix.take(recoloured(colours, painting, 0.0, mixing))
    own, kept = mix.take(painting), mix.take(colours)
    torch.testing.assert_close(mix.lightness(found), mix.lightness(own), atol=1e-3, rtol=0)
    chroma = [each - mix.relit(torch.zeros_like(each), each) for each in (found, kept)]
    torch.testing.assert_close(*chroma, atol=2e-3, rtol=0)
    torch.testing.assert_close(recoloured(colours, painting, 1.0, mixing), painting, atol=1e-4,
                               rtol=0)  # fmt: skip


@pytest.mark.parametrize("mixing", MIXINGS)
def test_lightness_alone_is_that_which_is_put_under_the_colours(network, noise, mixing):
    """Saturated colours became darker where nothing was painted: red by a third."""
    photograph = MaskedPicture.of((3 * noise(3, 600, 7) - 1).clamp(0, 1))
    grey = photograph.grey(mixing)
    assert torch.equal(grey.colours[0], grey.colours[2])
    found = recoloured(photograph.colours, grey.colours, 0.0, mixing)
    torch.testing.assert_close(found, photograph.colours, atol=2e-3, rtol=0)
    style = Style(photograph.original, network).in_colours_of(grey, "luminance", mixing)
    torch.testing.assert_close(style._picture.colours, grey.colours, atol=2e-3, rtol=0)
