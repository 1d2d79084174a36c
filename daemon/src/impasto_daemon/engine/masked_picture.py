"""A picture taken apart into colours and masks for the network, and put together again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto_daemon.engine.alpha import extend_edges
from impasto_daemon.engine.colour_match import luminance, recoloured
from impasto_daemon.engine.padding import mirror_pad
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.sizes import Borders

_GREY = 4 / 255
"""So far apart may the channels of a grey pixel be."""
_ROWS = 256
"""So many rows are looked at together; most pictures have a colour in the first."""


@dataclass(frozen=True)
class MaskedPicture:
    """colours: (3, H, W) with a colour under every transparent pixel.

    alpha: (1, H, W), what is there. paint_mask: (1, H, W), what is there and is to be painted.
    original: (3 or 4, H, W), as it came, of the full size. strength: (1, H, W), how much of the
    strength each pixel gets; None: all. guides: (R, H, W), where each of R styles goes; None: all
    everywhere.
    """

    original: Tensor
    colours: Tensor
    alpha: Tensor
    paint_mask: Tensor
    strength: Tensor | None = None
    guides: Tensor | None = None

    @classmethod
    def of(
        cls,
        content: Tensor,
        selection: Tensor | None = None,
        strength: Tensor | None = None,
        guides: Tensor | None = None,
    ) -> MaskedPicture:
        """The masks of a picture, (3 or 4, H, W) float32; not finite pixels count as absent.

        selection: (1, H, W) in [0, 1], what is to be painted; the rest is only looked at.
        """
        low, high = content.aminmax()
        clean, finite = content, None
        if not (low >= 0 and high <= 1):  # nor are they when any pixel is not a number
            finite = content.isfinite().all(dim=0, keepdim=True)
            clean = torch.where(finite, content, 0).clamp(0, 1)
        alpha = clean[3:]
        if len(clean) == 3 or bool((alpha == 1).all()):
            alpha = clean.new_ones(()).expand_as(clean[:1])  # which costs nothing to resize
        if finite is not None:
            alpha = alpha * finite
        painted = alpha if selection is None else alpha * selection
        if strength is not None:
            painted = painted * (strength > 0)
        return cls(clean, extend_edges(clean[:3], alpha), alpha, painted, strength, guides)

    @property
    def empty(self) -> bool:
        """Nothing on it is to be painted."""
        return not bool((self.paint_mask > 0).any())

    @property
    def is_grey(self) -> bool:
        """What is to be painted of it has no colour but for what a codec may have left."""
        for colours, mask in zip(
            torch.split(self.colours, _ROWS, dim=1),
            torch.split(self.paint_mask, _ROWS, dim=1),
            strict=True,
        ):
            spread = colours.amax(dim=0, keepdim=True) - colours.amin(dim=0, keepdim=True)
            if bool(((spread > _GREY) & (mask > 0)).any()):
                return False
        return True

    def part(self, rows: slice, columns: slice) -> MaskedPicture:
        """A part of it, in px, as views."""
        return self._each(lambda plane: plane[:, rows, columns], self.original[:, rows, columns])

    def resized(self, height: int, width: int) -> MaskedPicture:
        """The same at another size, in px."""
        return self._each(lambda plane: resize(plane, height, width), self.original)

    def grown(self, borders: Borders) -> MaskedPicture:
        """The same mirrored beyond its borders."""
        return self._each(lambda plane: mirror_pad(plane, borders), self.original)

    def _each(self, change: Callable[[Tensor], Tensor], original: Tensor) -> MaskedPicture:
        planes = (self.colours, self.alpha, self.paint_mask)
        given = (None if plane is None else change(plane) for plane in (self.strength, self.guides))
        return MaskedPicture(original, *map(change, planes), *given)

    def grey(self, mixing: str) -> MaskedPicture:
        """The same with its lightness alone, as it is mixed; `original` stays."""
        return replace(self, colours=luminance(self.colours, mixing).repeat(3, 1, 1))

    def given(self, strength: float) -> Tensor:
        """How much of the style each pixel is given, (1, H, W), of a strength in [0, 1].

        Each 0.25 of it is a factor of ten between the terms. The style's part is made smaller and
        not the content's larger: with as much curvature everywhere L-BFGS is as fast as without.
        """
        if self.strength is None:
            return self.paint_mask
        return self.paint_mask * 10 ** (4 * strength * (self.strength - 1))

    def laid_on(
        self, painting: Tensor, colour_strength: float, mixing: str, covering: float
    ) -> Tensor:
        """A painting as large, (3, H, W), over the picture where little of it is wanted.

        colour_strength: how much it has of its own colours: 0 keeps the picture's. Its lightness
        stays. mixing: what they are mixed in. covering: the share of the strength from which on it
        covers all.
        """
        if colour_strength != 1:
            painting = recoloured(self.colours, painting, colour_strength, mixing)
        if self.strength is None:
            return painting
        return torch.lerp(self.colours, painting, (self.strength / covering).clamp(max=1))

    def finish(
        self, painting: Tensor, colour_strength: float, mixing: str, covering: float
    ) -> Tensor:
        """A painting of any size, (3, h, w), with the content's own size, channels and alpha.

        What is wholly transparent or not selected stays as it is, hidden colours too.
        """
        whole = resize(painting, *self.original.shape[-2:])
        whole = self.laid_on(whole, colour_strength, mixing, covering)
        seen = torch.where(self.paint_mask > 0, whole.clamp(0, 1), self.original[:3])
        return torch.cat([seen, self.original[3:]])


def make_grey(colours: Tensor) -> Tensor:
    """Give each pixel of (…, 3, H, W) the mean of its channels, in place."""
    return colours.copy_(colours.mean(dim=-3, keepdim=True))
