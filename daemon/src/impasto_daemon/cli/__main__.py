"""`python -m impasto_daemon.cli` is `impasto`."""

from impasto_daemon.cli import main

if __name__ == "__main__":
    main()
