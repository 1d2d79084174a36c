"""What colours are matched and mixed in: the numbers as they are, linear light, or as people see.

Each takes a picture, (3, H, W), to three numbers a pixel and back. The curve is sRGB's, also where
a picture is painted in other primaries.
"""

from __future__ import annotations

import torch
from torch import Tensor

_REC_601 = (0.299, 0.587, 0.114)
_REC_709 = (0.2126, 0.7152, 0.0722)
_TO_CONES = torch.tensor([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
], dtype=torch.float64)  # fmt: skip
_TO_LAB = torch.tensor([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
], dtype=torch.float64)  # fmt: skip
_FROM_CONES, _FROM_LAB = _TO_CONES.inverse(), _TO_LAB.inverse()
_HALVINGS = 12
"""Of what is known of how pale a colour has to become: to a 4096th."""


class ColourMixing:
    """The numbers as they are, with Rec. 601's luma as lightness."""

    weights = _REC_601

    def take(self, picture: Tensor) -> Tensor:
        """A picture in [0, 1] as it is mixed."""
        return picture

    def back(self, mixed: Tensor) -> Tensor:
        """What was mixed as a picture, which may leave [0, 1]."""
        return mixed

    def lightness(self, mixed: Tensor) -> Tensor:
        """(1, H, W)."""
        return (mixed * torch.tensor(self.weights).to(mixed).view(3, 1, 1)).sum(dim=0, keepdim=True)

    def grey(self, picture: Tensor) -> Tensor:
        """A picture's lightness as a grey, (1, H, W), in [0, 1]."""
        return self.back(self.lightness(self.take(picture))).clamp(0, 1)

    def relit(self, mixed: Tensor, like: Tensor) -> Tensor:
        """The lightness of another picture under one's colours.

        Luminance-only transfer, Gatys et al. 2016. With `keep_colours` it departs from them: the
        lightness is that of a painting in colours.
        """
        # Adding the same to R, G and B changes Y alone and leaves Cb and Cr.
        return mixed + self.lightness(like - mixed)

    def into_gamut(self, mixed: Tensor) -> Tensor:
        """A picture, in [0, 1]: what lies outside becomes paler, of the same hue.

        Only what is lighter than white or darker than black loses its lightness.
        """
        lightness = self.lightness(mixed)
        grey, away = lightness.clamp(0, 1), mixed - lightness
        end = torch.where(away > 0, 1 - grey, -grey)
        room = torch.where(away == 0, 1, end / away).amin(dim=0, keepdim=True)
        return self.back((grey + away * room.clamp(max=1)).clamp(0, 1))


class _LinearLight(ColourMixing):
    """As much light as there is, with Rec. 709's luminance."""

    weights = _REC_709

    def take(self, picture: Tensor) -> Tensor:
        return _decoded(picture)

    def back(self, mixed: Tensor) -> Tensor:
        return _encoded(mixed)


class _Oklab(ColourMixing):
    """Ottosson 2020, *A perceptual color space for image processing*: L, a and b."""

    def take(self, picture: Tensor) -> Tensor:
        return _times(_TO_LAB, _root(_times(_TO_CONES, _decoded(picture))))

    def back(self, mixed: Tensor) -> Tensor:
        return _encoded(_times(_FROM_CONES, _times(_FROM_LAB, mixed) ** 3))

    def lightness(self, mixed: Tensor) -> Tensor:
        return mixed[:1]

    def grey(self, picture: Tensor) -> Tensor:
        return _encoded(self.take(picture)[:1] ** 3).clamp(0, 1)

    def relit(self, mixed: Tensor, like: Tensor) -> Tensor:
        return torch.cat([like[:1], mixed[1:]])

    def into_gamut(self, mixed: Tensor) -> Tensor:
        whole = self.back(mixed)
        fits = _fits(whole)
        if bool(fits.all()):
            return whole.clamp(0, 1)
        grey = torch.cat([mixed[:1].clamp(0, 1), torch.zeros_like(mixed[1:])])
        away, low = mixed - grey, torch.zeros_like(mixed[:1])
        high = torch.ones_like(low)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            inside = _fits(self.back(grey + middle * away))
            low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
        return torch.where(fits, whole, self.back(grey + low * away)).clamp(0, 1)


MIXINGS: dict[str, ColourMixing] = {
    "encoded": ColourMixing(), "linear": _LinearLight(), "oklab": _Oklab(),
}  # fmt: skip
"""By `Settings.colour_mixing`."""


def _fits(picture: Tensor) -> Tensor:
    return ((picture >= -1e-4) & (picture <= 1 + 1e-4)).all(dim=0, keepdim=True)


def _decoded(picture: Tensor) -> Tensor:
    """Linear light of the numbers; below black as far as above."""
    size = picture.abs()
    return torch.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4).copysign(
        picture
    )


def _encoded(light: Tensor) -> Tensor:
    size = light.abs()
    power = 1.055 * size.clamp_min(1e-12) ** (1 / 2.4) - 0.055
    return torch.where(size <= 0.0031308, size * 12.92, power).copysign(light)


def _root(cones: Tensor) -> Tensor:
    return (cones.abs() ** (1 / 3)).copysign(cones)


def _times(matrix: Tensor, planes: Tensor) -> Tensor:
    return torch.einsum("ij,jhw->ihw", matrix.to(planes), planes)
