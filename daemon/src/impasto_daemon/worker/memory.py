"""How much memory a job needs, and how much there is. Knows no torch."""

from __future__ import annotations

import math
import os

from impasto_daemon.engine.sizes import fit
from impasto_protocol.settings import Settings

_BYTES_PER_PX = 3150
_BYTES_PER_PX_HELD = 150
_FIXED_MIB = 200


def estimate_mib(height: int, width: int, settings: Settings) -> int:
    """Memory that painting so many pixels takes at most, in MiB, beside the network itself."""
    painted = math.prod(fit(height, width, settings.working_px)) * _bytes_per_px(settings)
    return _FIXED_MIB + (painted + height * width * _BYTES_PER_PX_HELD >> 20)


def largest_px(memory_mib: int, settings: Settings) -> int:
    """The most pixels whose painting at their full size fits into so many MiB."""
    each = _bytes_per_px(settings) + _BYTES_PER_PX_HELD
    return max(0, ((memory_mib - _FIXED_MIB) << 20) // each)


def _bytes_per_px(settings: Settings) -> int:
    return _BYTES_PER_PX + (24 * settings.history if settings.optimiser == "lbfgs" else 0)


def usable_mib() -> int:
    """Most of this machine's memory, in MiB; 4096 where it does not tell."""
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 0.7) >> 20
    except (AttributeError, ValueError, OSError):
        return 4096
