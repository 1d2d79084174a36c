"""Layers of many pixels, which Krita is asked for or not."""

from functools import partial
from unittest.mock import Mock

from impasto import layers, seen
from impasto.layers import Box, ConversionDocument, Space

from impasto_protocol.errors import TooLarge


def keeper(model, depth, **more):
    """A layer or a document of a colour space."""
    space = {"colorModel": model, "colorDepth": depth, "colorProfile": "sRGB-elle-V2-srgbtrc.icc"}
    return Mock(**{f"{name}.return_value": found for name, found in {**space, **more}.items()})


def asked_for(painter, cases):
    """For each: whether it is, of so many pixels, of a colour space, in a document of another."""
    return [_is_asked_for(Box(0, 0, *size), own, around) for size, own, around in cases]


def _is_asked_for(box, own, around):
    document = keeper(*around)
    node = keeper(*own, type="paintlayer", childNodes=[], layerStyleToAsl="")
    node.pixelData.side_effect = MemoryError
    converter = ConversionDocument(document)
    space, _ = converter.sendable(Space.of(node))
    try:
        layers.read(converter, node, space, box, partial(seen.pixels, converter, document, node))
    except TooLarge:
        return False
    except MemoryError:
        return True
