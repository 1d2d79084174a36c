"""What every part of Impasto speaks, and its version, which is that of them all."""

__version__ = "0.1.0"
