"""Who a server sent away: clients that could not authenticate, that were played again, or that a clock betrayed."""

from collections import deque

from ssgui.engine.stages import Reason, Role, Stage
from ssgui.protocol.address import split_host_port
from ssgui.services.connections.records import Connection, Listener

WINDOW_SECONDS = 600.0
_MOST = 512
_REASONS = frozenset({
    Reason.AUTH_FAILED, Reason.REPLAY, Reason.CLOCK_SKEW, Reason.BAD_REQUEST, Reason.HANDSHAKE_TIMEOUT,
})  # fmt: skip


def is_stranger(one: Connection) -> bool:
    """Whether a server ended `one` before it knew what it wanted."""
    early = all(stage in (Stage.INIT, Stage.DESTROYED) for stage, _ in one.timeline)
    return one.role is Role.SERVER and early and one.reason in _REASONS


def host_of_client(one: Connection) -> str:
    """The address that `one` came from."""
    return split_host_port(one.client)[0]


class Strangers(Listener):
    """Listens to connections, and counts those of the last ten minutes by address."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, str]] = deque(maxlen=_MOST)

    def closed(self, one: Connection) -> None:
        if is_stranger(one) and one.ended is not None:
            self._seen.append((one.ended, host_of_client(one)))

    def count(self, host: str, now: float) -> tuple[int, int]:
        """How many came from `host`, and from how many other addresses some did."""
        recent = [one for at, one in self._seen if now - at < WINDOW_SECONDS]
        return recent.count(host), len(set(recent) - {host})

    def most(self, now: float) -> tuple[str, int]:
        """The address that most came from, and how many; ("", 0) for none."""
        hosts = [one for at, one in self._seen if now - at < WINDOW_SECONDS]
        found = max(set(hosts), key=hosts.count, default="")
        return found, hosts.count(found)
