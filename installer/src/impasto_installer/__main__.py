"""`python -m impasto_installer` is the installer."""

import sys

from impasto_installer.main import main

if __name__ == "__main__":
    sys.exit(main())
