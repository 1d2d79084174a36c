"""The command line. Standard output is for people, or one JSON document with `--json`."""
