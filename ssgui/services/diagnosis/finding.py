"""What a diagnosis is: a kind, how bad it is, the numbers that it rests on, and what to do next."""

from enum import StrEnum
from typing import Literal

import msgspec

Severity = Literal["info", "warn", "err"]


class FindingKind(StrEnum):
    """What is wrong. Those of a server hold for all that goes through it, the others for one connection."""

    NO_NETWORK = "no-network"
    NETWORK_LOST = "network-lost"
    # the way to the server
    SERVER_DNS = "server-dns"
    SERVER_ADDRESS = "server-address"  # its name resolves to what no server has
    SERVER_REFUSED = "server-refused"
    SERVER_TIMEOUT = "server-timeout"
    SERVER_UNREACHABLE = "server-unreachable"
    WAY_FAILED = "way-failed"  # the proxy before it
    PLUGIN_DEAD = "plugin-dead"
    PATH_FULL = "path-full"
    UNDELIVERED = "undelivered"
    # what the server does
    WRONG_KEY = "wrong-key"
    KEY_OR_CLOCK = "key-or-clock"
    CLOCK_OFF = "clock-off"
    CLOCK_DRIFTS = "clock-drifts"
    UNREADABLE = "unreadable"
    PLUGIN_SILENT = "plugin-silent"
    SERVER_SILENT = "server-silent"
    SERVER_RESETS = "server-resets"
    UNANSWERED = "unanswered"  # and too little is known to say why
    REPLAY = "replay"
    # the target
    TARGET_DNS = "target-dns"
    TARGET_REFUSED = "target-refused"
    TARGET_TIMEOUT = "target-timeout"
    TARGET_UNREACHABLE = "target-unreachable"
    TARGET_SILENT = "target-silent"
    TARGET_STUCK = "target-stuck"  # it takes no more
    RESET = "reset"
    CUT_SHORT = "cut-short"
    # the program, or on a server the client
    PROGRAM_STALLED = "program-stalled"
    CLIENT_STALLED = "client-stalled"
    PROGRAM_SILENT = "program-silent"
    NOT_A_REQUEST = "not-a-request"
    DENIED = "denied"
    IDLE = "idle"
    HALF_CLOSED = "half-closed"
    STRANGER = "stranger"  # to a server
    CLIENT_CLOCK = "client-clock"


class Finding(msgspec.Struct, frozen=True):
    """One diagnosis. Numbers are 0, and texts empty, where they say nothing; texts may come from strangers.

    `action` is a key: test-server, open-server, check-clock, restart-plugin, open-settings, show-program, close,
    always-direct, always-proxy; "" for none. `place` is "host:port" of what was dialled, `target` the connection's.
    `seconds` is how long it lasts or took; `count` of `attempts` connections are meant; `others` targets answered
    meanwhile; `size` bytes wait or were sent, `rate` bytes a second move. `ahead` is how far another clock, whose is
    said by `source`, is ahead of ours. `name` is a program, plugin, user, rule or side; `words` what somebody said.
    """

    kind: FindingKind
    severity: Severity
    action: str = ""
    server: str = ""
    place: str = ""
    target: str = ""
    seconds: float = 0.0
    count: int = 0
    attempts: int = 0
    others: int = 0
    size: int = 0
    rate: float = 0.0
    ahead: float | None = None
    source: str = ""
    synchronised: bool | None = None
    name: str = ""
    words: str = ""
    addresses: tuple[str, ...] = ()
    ongoing: bool = False
    confirmed: bool = False
    direct: bool = False
