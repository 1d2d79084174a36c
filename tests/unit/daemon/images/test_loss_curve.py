"""The picture of the loss: where its lines are."""

import numpy as np

from impasto_daemon.images.loss_curve import LossPoint, draw_losses


def inked(picture, colour):
    """Rows and columns, in the plot, of the pixels of about that colour."""
    pixels = np.frombuffer(picture.data, np.uint8).reshape(picture.height, picture.width, 3)
    near = np.abs(pixels[40:535, 95:745].astype(int) - colour).max(axis=2) < 40
    return np.nonzero(near)


def test_loss_curve_falls_as_the_loss_does_on_a_logarithmic_axis():
    points = [LossPoint(step, 1, {"total": 10.0 ** -(step / 50)}) for step in range(1, 101)]
    rows, columns = inked(draw_losses(points), (0, 0, 0))
    line = np.polyfit(columns, rows, 1)
    assert line[0] > 0.4, "it falls"
    assert np.abs(rows - np.polyval(line, columns)).max() < 4, "straight: the axis is logarithmic"


def test_loss_curve_of_one_point_of_zeros_and_of_very_many_terms_is_drawn():
    assert draw_losses([LossPoint(1, 1, {"total": 0.0})]).height == 600
    assert draw_losses([LossPoint(1, 1, {"total": 5.0, "a": 0.0})]).height == 600
    many = {f"style relu{i}_1": 10.0 ** (i - 20) for i in range(1, 40)}
    assert draw_losses([LossPoint(s, 1, many) for s in (1, 100_000)]).height > 800


def test_finer_scale_is_marked_by_a_line():
    def curve(scale):
        return draw_losses([LossPoint(1, 1, {"a": 0.5}), LossPoint(99, scale, {"a": 0.5})])

    grey = (136, 136, 136)
    assert len(inked(curve(2), grey)[0]) > len(inked(curve(1), grey)[0]) + 100
