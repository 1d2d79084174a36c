"""How much memory a painting takes at its peak, by size.

    python tests/benchmarks/engine_memory.py

Each size has a process of its own, as a process's peak never comes down again. Not for Windows.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator

from figures import Figure, print_table

SIZES_PX = (256, 512, 768)
EVALUATIONS = 3
"""Enough, as L-BFGS takes all its memory at the start."""


def main() -> None:
    """Print bytes per pixel for each size, or, given a size, a line `height width bytes`."""
    if len(sys.argv) > 1:
        print(*peak_bytes(int(sys.argv[1])))
        return
    print_table("peak memory of a painting at one scale", peaks())


def peaks() -> Iterator[Figure]:
    """What each size takes, in all, per pixel, and as a share of what the daemon reckons with."""
    from impasto_daemon.worker.memory import estimate_mib
    from impasto_protocol.settings import Settings

    for size_px in SIZES_PX:
        command = [sys.executable, __file__, str(size_px)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        height, width, taken = map(int, answer.splitlines()[-1].split())
        pixels, estimate = height * width, estimate_mib(height, width, Settings()) << 20
        yield Figure(f"{size_px} px: peak over the loaded network", [taken / 2**20], "MiB")
        yield Figure(f"{size_px} px: per pixel", [taken / pixels], "B/px")
        yield Figure(f"{size_px} px: share of the daemon's estimate", [taken / estimate], below=1)


def peak_bytes(size_px: int) -> tuple[int, int, int]:
    """Height and width of the picture, and bytes that painting it took beyond the network."""
    from inputs import load_inputs, painting, photograph, tensor_of

    from impasto_daemon.engine.style import Style
    from impasto_daemon.engine.stylise import stylise
    from impasto_protocol.settings import Settings

    network = load_inputs().network
    content, style = tensor_of(photograph(size_px)), tensor_of(painting(size_px))
    before = _peak_so_far()
    settings = Settings(iterations=EVALUATIONS, scales=1, tolerance=0)
    for _ in stylise(content, Style(style, network), settings, network):
        pass
    return *content.shape[1:], _peak_so_far() - before


def _peak_so_far() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
