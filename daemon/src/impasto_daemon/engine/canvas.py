"""The picture to be painted, taken apart for the network and put together again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from impasto_daemon.engine.alpha import extend_edges
from impasto_daemon.engine.pyramid import resize


@dataclass(frozen=True)
class Canvas:
    """colours: (3, H, W) with a colour under every transparent pixel. alpha: (1, H, W)."""

    content: Tensor
    colours: Tensor
    alpha: Tensor

    @classmethod
    def of(cls, content: Tensor) -> Canvas:
        """The canvas of a picture, (3 or 4, H, W) float32; not finite pixels count as absent."""
        finite = content.isfinite().all(dim=0, keepdim=True)
        clean = torch.where(finite, content, 0).clamp(0, 1)
        alpha = clean[3:] * finite if len(clean) == 4 else finite.to(clean.dtype)
        return cls(clean, extend_edges(clean[:3], alpha), alpha)

    @property
    def empty(self) -> bool:
        """Nothing on it can be seen."""
        return not bool((self.alpha > 0).any())

    def resized(self, height: int, width: int) -> Canvas:
        """The same at another size, in px."""
        return Canvas(
            self.content, resize(self.colours, height, width), resize(self.alpha, height, width)
        )

    def finish(self, painted: Tensor) -> Tensor:
        """A painting of any size, (3, h, w), with the content's own size, channels and alpha.

        Where the content is wholly transparent its hidden colours stay too.
        """
        whole = resize(painted, *self.content.shape[-2:]).clamp(0, 1)
        seen = torch.where(self.alpha > 0, whole, self.content[:3])
        return torch.cat([seen, self.content[3:]])
