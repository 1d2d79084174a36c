"""What a network is called. Knows no torch, so that whoever has none may compare."""

from __future__ import annotations

from impasto_protocol.settings import Settings


def network_name(settings: Settings, weights_hash: str) -> str:
    """The name of the network of those settings: all that its features depend on."""
    return f"{settings.network}-{settings.pooling}-{weights_hash}"
