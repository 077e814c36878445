"""Whether a port of this computer has a listener."""

import errno
import socket

_SECONDS = 0.5


def somebody_listens(port: int) -> bool:
    """On either loopback. An attempt that neither succeeds nor is refused counts as a yes: nothing is known."""
    return any(_answers(family, host, port) for family, host in _PLACES)


_PLACES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def _answers(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.settimeout(_SECONDS)
            one.connect((host, port))
    except OSError as error:
        missing = (errno.ECONNREFUSED, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENETUNREACH, errno.EHOSTUNREACH)
        return error.errno not in missing
    return True
