"""The trained network's file: where it is, how it gets there, and whether it is whole."""
