"""What a painting would take, told beforehand; and whether it fits at all."""

from __future__ import annotations

from impasto_daemon.config import Config
from impasto_daemon.engine.budget import painting_work, peak_mib, plan_painting
from impasto_daemon.engine.schedule import Size, surroundings_px
from impasto_daemon.worker.memory import allowed_mib, free_mib
from impasto_daemon.worker.rates import Rate, Rates
from impasto_protocol import messages
from impasto_protocol.errors import TooBig
from impasto_protocol.settings import Settings


class Estimator:
    """rates: what is known of the devices."""

    def __init__(self, config: Config, rates: Rates) -> None:
        self._config, self._rates = config, rates

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
        """Raises TooBig where not even small tiles fit."""
        settings, free = request.settings, self._free_mib(request.settings)
        planes = request.planes
        for info in request.frames:
            size = info.height, info.width
            if info.role == "content" and (need := self._least_mib(size, settings, planes)) > free:
                most = self._largest(size, settings, free, planes)
                raise TooBig(
                    f"This needs {need} MiB of memory even in small tiles, and {free} are free; up "
                    f"to {most[0] * most[1] / 1e6:.1f} megapixels fit, such as {most[1]} x "
                    f"{most[0]} pixels."
                )

    def _largest(self, size: Size, settings: Settings, free: int, planes: int) -> Size:
        """The largest size of that shape that fits, to a few per cent."""
        low, high = 0.0, 1.0
        while high - low > 0.02:
            middle = (low + high) / 2
            fits = self._least_mib(_scaled(size, middle), settings, planes) <= free
            low, high = (middle, high) if fits else (low, middle)
        return _scaled(size, low)

    def _least_mib(self, size: Size, settings: Settings, planes: int) -> int:
        return peak_mib(plan_painting(size, size, settings, self._rate().kind, 0, planes))

    def _free_mib(self, settings: Settings) -> int:
        free = self._config.memory_mib or self._rate().memory_mib or free_mib()
        return allowed_mib(settings, free)

    def _rate(self) -> Rate:
        return self._rates.get(self._config.device.split(",")[0])


def _scaled(size: Size, factor: float) -> Size:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
