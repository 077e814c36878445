"""The vocabulary of the original Shadowsocks: stages, stream status, and why a connection ended.

A client's connection passes INIT (nothing heard yet), ADDR (what does it want?), DNS, CONNECTING, STREAM.
A server's INIT reads the address itself, so it goes from INIT to DNS. DNS and CONNECTING are passed through
even when the address is a literal: they then take no time, and every connection has the same shape. A client
that cannot reach one of its servers goes back to DNS, for another. Datagrams have no connections: a client that
asks to send some goes from ADDR to UDP_ASSOC, a server's association from INIT.
"""

from enum import IntEnum, IntFlag, StrEnum


class Role(StrEnum):
    """Which end of the tunnel a relay is."""

    LOCAL = "local"
    SERVER = "server"


class Stage(IntEnum):
    """Where a connection stands; the numbers are the original's."""

    INIT = 0
    ADDR = 1
    UDP_ASSOC = 2
    DNS = 3
    CONNECTING = 4
    STREAM = 5
    DESTROYED = -1


class StreamStatus(IntFlag):
    """State of one direction. READING: its source leg is not paused. WRITING: bytes are held for its sink."""

    NONE = 0
    READING = 1
    WRITING = 2


class Reason(StrEnum):
    """Why a connection is DESTROYED; there is always exactly one."""

    FINISHED = "finished"
    CLIENT_RESET = "client-reset"
    SERVER_RESET = "server-reset"
    DNS_FAILED = "dns-failed"
    CONNECT_REFUSED = "connect-refused"
    CONNECT_TIMEOUT = "connect-timeout"
    UNREACHABLE = "unreachable"
    HANDSHAKE_TIMEOUT = "handshake-timeout"
    IDLE_TIMEOUT = "idle-timeout"
    BAD_REQUEST = "bad-request"
    DENIED = "denied"
    NO_ANSWER = "no-answer"
    AUTH_FAILED = "auth-failed"
    REPLAY = "replay"
    CLOCK_SKEW = "clock-skew"
    TRUNCATED = "truncated"
    PLUGIN_FAILED = "plugin-failed"
    NETWORK_LOST = "network-lost"
    CLOSED_BY_USER = "closed-by-user"
    SHUTDOWN = "shutdown"


_COMMON = {
    Stage.DNS: frozenset({Stage.CONNECTING, Stage.DESTROYED}),
    Stage.CONNECTING: frozenset({Stage.STREAM, Stage.DESTROYED}),
    Stage.STREAM: frozenset({Stage.DESTROYED}),
    Stage.UDP_ASSOC: frozenset({Stage.DESTROYED}),
    Stage.DESTROYED: frozenset[Stage](),
}
TRANSITIONS: dict[Role, dict[Stage, frozenset[Stage]]] = {
    Role.LOCAL: {
        Stage.INIT: frozenset({Stage.ADDR, Stage.DESTROYED}),
        Stage.ADDR: frozenset({Stage.DNS, Stage.UDP_ASSOC, Stage.DESTROYED}),
        **_COMMON,
        Stage.DNS: frozenset({Stage.DNS, Stage.CONNECTING, Stage.DESTROYED}),
        Stage.CONNECTING: frozenset({Stage.DNS, Stage.STREAM, Stage.DESTROYED}),
    },
    Role.SERVER: {
        Stage.INIT: frozenset({Stage.DNS, Stage.UDP_ASSOC, Stage.DESTROYED}),
        **_COMMON,
    },
}
