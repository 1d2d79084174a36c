"""Styles kept by name: their files, packs of them, and what is known of their pictures."""
