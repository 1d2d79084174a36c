"""The numbers both sides hold each other to. Standard library only."""

from __future__ import annotations

PROTOCOL_MAJOR = 1
PROTOCOL_MINOR = 8

HEADER_BYTES = 64 * 1024
"""Most bytes of a header; at this size the worst msgpack can unfold to is about 9 MB."""

LIST_ITEMS = 1000
"""Most items of a list or map in a header."""

PARTS = 24
"""Most parts of a message: the header and its pixel frames."""

FRAME_BYTES = 2048 * 1024 * 1024
"""Most bytes of one pixel frame, unless the daemon's `welcome` says less."""

PICTURE_PX = 200_000_000
"""Most pixels of a picture file that is read; four channels of 16 bits fit into a frame."""

DIGEST_BYTES = 16

PACK_PRESETS = 256
"""Most presets of a pack; their names fit into a header."""

PING_EVERY_S = 2.0
SILENCE_S = 10.0
"""A daemon that has not answered for this long is taken for gone."""

FROZEN_S = 600.0
"""A client that has not been heard for this long is: an editor at a huge file does not ping."""

UNREACHABLE_S = 3.0
"""The same where its link is known to be broken: time enough for it to come back and ping."""
