"""Puts Impasto in place and takes it away again. Of other packages only what runs without them."""
