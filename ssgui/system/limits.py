"""How many descriptors the process may have."""

import logging
import sys

_log = logging.getLogger(__name__)
UNKNOWN_LIMIT = 16384  # Windows counts sockets differently and has no such limit
# macOS says "unlimited" and then refuses more than this (OPEN_MAX in its headers).
_DARWIN_MOST = 10240


def raise_nofile() -> int:
    """Raise the soft limit of open files to the hard one; returns what it is now.

    A connection costs two descriptors, so the usual soft limit of 1,024 is 480 connections.
    """
    try:
        import resource
    except ImportError:
        return UNKNOWN_LIMIT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    wanted = _DARWIN_MOST if sys.platform == "darwin" and (unlimited or hard > _DARWIN_MOST) else hard
    if soft in (wanted, resource.RLIM_INFINITY):
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        _log.warning("the limit of open files stays at %d: %s", soft, error)
        return soft
    return wanted
