"""`uv run --directory daemon python -m starter_styles.networks MINUTES STYLE…` bakes them further.

The daemon that runs does, whose presets they must be (`impasto style starter`); what they are
baked into is then among the styles that come with Impasto.
"""

from __future__ import annotations

import sys
from pathlib import Path

from impasto_daemon.cli.job_progress import await_result
from impasto_daemon.presets.baked_network import write_network
from impasto_daemon.presets.preset_file import unpack
from impasto_protocol.client import Client

NETWORKS = Path(__file__).parents[1] / "src/impasto_daemon/presets/starter/networks"


def main(minutes: str, *styles: str) -> None:
    """Bake them one after the other; an interrupt ends one with what there is."""
    with Client.connect(name="starter styles") as client:
        for style in styles:
            await_result(client.bake(style, minutes=float(minutes)), shown=True)
            baked = unpack(style, client.export_presets([style])).baked
            assert baked, f"{style} is not baked"
            path = NETWORKS / f"{style}.safetensors"
            print(f"{path}: {path.write_bytes(write_network(baked))} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
