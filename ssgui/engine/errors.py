"""Errors of the engine.

    EngineError
     +-- BindError      a listener could not have its address
     +-- PluginError    a plugin could not be started
     +-- DialError      a connection could not be made; `kind` says which way

OSErrors are mapped to these at the socket edge (`dial_error`), so nothing above it reads errno.
"""

import errno
from enum import Enum
from typing import Final

from ssgui.engine.stages import Reason
from ssgui.protocol.address import join_host_port
from ssgui.protocol.errors import AuthenticationError, ClockError, RemoteProtocolError, ReplayError, TruncatedError

PROXY_WORDS: Final = "the proxy "  # that the detail of a dial begins with which failed by the upstream proxy


class EngineError(Exception):
    """Base of what the engine raises to its callers."""


class BindError(EngineError):
    """The address `host:port` could not be listened on, for TCP or for `udp`; a unix socket's is its path, and 0."""

    def __init__(self, host: str, port: int, cause: OSError, *, udp: bool = False) -> None:
        place = join_host_port(host, port)
        where = host if not port and "/" in host else f"UDP {place}" if udp else place
        self.why, self.errno = cause.strerror or str(cause), cause.errno or 0
        super().__init__(f"cannot listen on {where}: {self.why}")
        self.host, self.port, self.udp = host, port, udp
        self.in_use = cause.errno == errno.EADDRINUSE and where != host


class PluginError(EngineError):
    """A plugin could not be started; `missing` when its program is not there."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


class DialFailure(Enum):
    """The ways a dial fails; the value is the reason a connection then ends with."""

    REFUSED = Reason.CONNECT_REFUSED
    TIMEOUT = Reason.CONNECT_TIMEOUT
    UNREACHABLE = Reason.UNREACHABLE
    DNS = Reason.DNS_FAILED
    DENIED = Reason.DENIED
    PLUGIN = Reason.PLUGIN_FAILED


class DialError(EngineError):
    """`host:port` could not be reached. `by_proxy`: because of the upstream proxy, of `host` nothing is known."""

    def __init__(self, kind: DialFailure, host: str, port: int, detail: str = "", *, by_proxy: bool = False) -> None:
        super().__init__(f"{join_host_port(host, port)}: {detail or kind.value}")
        self.kind, self.detail, self.by_proxy = kind, detail or str(kind.value), by_proxy

    @property
    def reason(self) -> Reason:
        """The reason that a handler ends with because of this."""
        return self.kind.value


_KINDS = {errno.ECONNREFUSED: DialFailure.REFUSED, errno.ETIMEDOUT: DialFailure.TIMEOUT}


# What a socket says that was never connected.
CONNECT_ERRORS = frozenset({errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})


def dial_error(error: OSError, host: str, port: int) -> DialError:
    """Map what a connect said. What is neither refused nor timed out counts as unreachable."""
    if isinstance(error, TimeoutError):
        kind = DialFailure.TIMEOUT
    else:
        kind = _KINDS.get(error.errno or 0, DialFailure.UNREACHABLE)
    return DialError(kind, host, port, error.strerror or str(error))


def reason_of(error: RemoteProtocolError) -> Reason:
    """The reason that a protocol error ends a connection with."""
    if isinstance(error, AuthenticationError):
        return Reason.AUTH_FAILED
    if isinstance(error, ReplayError):
        return Reason.REPLAY
    if isinstance(error, TruncatedError):
        return Reason.TRUNCATED
    if isinstance(error, ClockError):
        return Reason.CLOCK_SKEW
    return Reason.BAD_REQUEST
