"""How much memory a job needs, and how much there is. Knows no torch."""

from __future__ import annotations

import os

from impasto_protocol.settings import Settings

_BYTES_PER_PX = 2900
_FIXED_MIB = 200


def estimate_mib(pixels: int, settings: Settings) -> int:
    """Memory that painting so many pixels takes at most, in MiB, beside the network itself."""
    history = 24 * settings.history if settings.optimiser == "lbfgs" else 0
    return _FIXED_MIB + (pixels * (_BYTES_PER_PX + history) >> 20)


def largest_px(memory_mib: int, settings: Settings) -> int:
    """The most pixels whose painting fits into so many MiB."""
    history = 24 * settings.history if settings.optimiser == "lbfgs" else 0
    return max(0, ((memory_mib - _FIXED_MIB) << 20) // (_BYTES_PER_PX + history))


def usable_mib() -> int:
    """Most of this machine's memory, in MiB; 4096 where it does not tell."""
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 0.7) >> 20
    except (AttributeError, ValueError, OSError):
        return 4096
