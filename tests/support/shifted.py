"""Our program with a clock that is off: python -m tests.support.shifted SECONDS ARGUMENTS...

Everything that tells the time of day asks `time.time`; nothing of the system is touched.
"""

import sys
import time

from ssgui.cli import main


def shift(seconds: float) -> None:
    """From now on it is so much later."""
    real = time.time
    time.time = lambda: real() + seconds


if __name__ == "__main__":
    shift(float(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
