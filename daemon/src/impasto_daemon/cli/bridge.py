"""`impasto bridge`: the daemon's messages over standard input and output, for editors' plug-ins."""

from __future__ import annotations

import sys

import click


@click.command(hidden=True)
def bridge() -> None:
    """Carry a plug-in's messages to the daemon; for plug-ins whose Python cannot load pyzmq."""
    from impasto_protocol.bridge import serve

    serve(sys.stdin.buffer, sys.stdout.buffer)
