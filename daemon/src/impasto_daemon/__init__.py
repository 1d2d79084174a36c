"""Impasto's daemon, engine and command line."""

from impasto_protocol import __version__ as __version__
