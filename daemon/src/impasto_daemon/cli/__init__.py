"""The command line. Standard output is for people, or one JSON document with `--json`."""

from impasto_daemon.cli.main import main

__all__ = ["main"]
