"""Whether the terminal that a program was started from has gone: then SIGHUP means that, and not "read again"."""

import os


def has_terminal() -> bool:
    """Whether this process belongs to a terminal. Where there is no such thing it does not."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True
