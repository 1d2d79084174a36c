"""`impasto`, also as `python -m impasto_daemon.cli`."""

import sys


def main() -> None:
    """Run the command line, or say that parts of it are missing."""
    try:
        from impasto_daemon.cli.main import main
    except ImportError as error:
        sys.exit(f"Impasto is not complete: {error}. Run its installer again.")
    main()


if __name__ == "__main__":
    main()
