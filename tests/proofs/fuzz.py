"""Bytes made by a fuzzer that sees what of the code they reach, at every place that reads such.

    uv run --with atheris==3.0.0 python tests/proofs/fuzz.py TARGET [--minutes 10] [--corpus FOLDER]

The targets are those of `tests/hostile/targets.py`, and begin with their seeds; what is found stays
in FOLDER, so that a later run goes on from there. Ends with 1 at the first input that neither is
read nor is refused with a code, that takes more than ten seconds, or has the process grow by more
than twice what may be read; libFuzzer then leaves it in the current folder as crash-….
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import atheris

with atheris.instrument_imports(
    include=["impasto_protocol", "impasto_daemon", "impasto_installer"]
):
    from tests.hostile.targets import TARGETS

from impasto_protocol.limits import HEADER_BYTES

LARGEST = {"message": HEADER_BYTES, "picture": 20_000, "pack": 20_000, "recipe": 20_000}
"""Bytes; of what is not named here 4096."""
GROWTH_MIB = {"pack": 1024, "picture": 1024}
"""Twice what may be read; of what is not named here 300, of which 200 are the fuzzer's own."""


def main() -> None:
    """As the options have it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--corpus", type=Path)
    arguments = parser.parse_args()
    corpus = arguments.corpus or Path(tempfile.mkdtemp(prefix="impasto-fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[arguments.target].seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    begun_mib = int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) >> 10
    growth_mib = GROWTH_MIB.get(arguments.target, 300)
    options = [
        f"-max_total_time={round(arguments.minutes * 60)}", "-timeout=10",
        f"-max_len={LARGEST.get(arguments.target, 4096)}", "-seed=1",
        f"-rss_limit_mb={begun_mib + growth_mib}", "-print_final_stats=1", "-verbosity=0",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[arguments.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
