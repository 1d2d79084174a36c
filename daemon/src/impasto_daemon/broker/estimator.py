"""What a painting would take, told beforehand; and whether it fits at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

from impasto_daemon.config import Config
from impasto_daemon.engine.budget import painting_work, peak_mib, plan_painting
from impasto_daemon.engine.schedule import Size, surroundings_px
from impasto_daemon.worker.memory import (
    allowed_mib,
    content_size,
    free_mib,
    kept_mib,
    least_mib,
    pictures_beside,
)
from impasto_daemon.worker.rates import Rate, Rates
from impasto_protocol import messages
from impasto_protocol.errors import TooBig
from impasto_protocol.settings import Settings


class Estimator:
    """rates: what is known of the devices.

    busy: the processes, where all are at a job, one of which lets go of it before another begins.
    """

    def __init__(
        self, config: Config, rates: Rates, busy: Callable[[], Collection[int]] = tuple
    ) -> None:
        self._config, self._rates, self._busy = config, rates, busy

    def estimate(self, message: messages.Estimate) -> messages.Estimated:
        """The answer to a client that asks."""
        whole = message.height, message.width
        around = 2 * surroundings_px(whole)
        part = (
            min(message.height, (message.part_height or message.height) + around),
            min(message.width, (message.part_width or message.width) + around),
        )
        settings, planes = message.settings, message.planes
        rate, free = self._rate(), self._free_mib(settings)
        planned = plan_painting(whole, part, settings, rate.kind, free << 20, planes)
        return messages.Estimated(
            memory_mib=peak_mib(planned),
            free_mib=free,
            seconds=rate.seconds * painting_work(planned) / 1e12 if rate.seconds else None,
            evaluations=sum(stage.iterations for stage, _ in planned),
        )

    def check_size(self, request: messages.Stylise) -> None:
        """Raises TooBig where not even small tiles fit beside the pictures that come with them."""
        kind, free = self._rate().kind, self._free_mib(request.settings)
        kept, size = kept_mib(request, kind), content_size(request)
        need = least_mib(size, request, kind)
        if need > free or (need + kept > free and need > kept):
            left = free if need > free else free - kept
            raise TooBig(
                f"This needs {need} MiB of memory even in small tiles, and {left} are free; "
                f"{_such_as(self._largest(size, request, left))}"
            )
        self._check_pictures(request, 0 if kind.gpu else need)

    def _check_pictures(self, request: messages.Stylise, need: int) -> None:
        """Raises TooBig where those do not fit that come with a content.

        need: MiB that the painting takes itself of the main memory.
        """
        gpu = self._rate().kind.gpu
        room = free_mib(self._busy()) if gpu else self._free_mib(request.settings)
        pictures = pictures_beside(request)
        largest = max(pictures, key=lambda picture: picture.most, default=None)
        if largest is None:
            return
        kept = sum(picture.kept for picture in pictures)
        most = sum(picture.most for picture in pictures)
        share = min(
            1 - (kept - (room - need << 20)) / largest.kept,
            1 - (most - (room << 20)) / (largest.most - largest.fixed),
        )
        if share < 1:
            size = largest.frame.height, largest.frame.width
            painting = f", the painting {need} at least" if need else ""
            raise TooBig(
                f"The {largest.frame.role.replace('_', ' ')} picture takes {largest.most >> 20} "
                f"MiB of memory{painting}, and {room} are free; "
                f"{_such_as(_scaled(size, 0.99 * math.sqrt(max(0.0, share))))}",
                next_step="Make that picture smaller, then try again.",
            )

    def _largest(self, size: Size, request: messages.Stylise, free: int) -> Size:
        """The largest size of that shape that fits, to a few per cent."""
        low, high = 0.0, 1.0
        while high - low > 0.02:
            middle = (low + high) / 2
            fits = least_mib(_scaled(size, middle), request, self._rate().kind) <= free
            low, high = (middle, high) if fits else (low, middle)
        return _scaled(size, low)

    def _free_mib(self, settings: Settings) -> int:
        free = self._config.memory_mib or self._rate().memory_mib or free_mib(self._busy())
        return allowed_mib(settings, free)

    def _rate(self) -> Rate:
        return self._rates.get(self._config.device.split(",")[0])


def _scaled(size: Size, factor: float) -> Size:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _such_as(size: Size) -> str:
    height, width = size
    if height * width == 1:
        return "not even the smallest picture fits: close other programs, or give Impasto more."
    return f"up to {height * width / 1e6:.1f} megapixels fit, such as {width} x {height} pixels."
