"""The program that painted the styles that come with Impasto; it is not installed."""
