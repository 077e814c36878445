"""`python -m ssgui` is the `ssgui` command."""

import sys

from ssgui.cli import main

if __name__ == "__main__":
    sys.exit(main())
