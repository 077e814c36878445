"""What the engine tells: one frozen record per thing that happened. Times are monotonic seconds."""

from functools import lru_cache
from itertools import pairwise
from typing import Any

import msgspec

from ssgui.engine.stages import Reason, Role, Stage
from ssgui.protocol.address import Address

Endpoint = tuple[str, int] | tuple[str, int, int, int]


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A connection was accepted; `id` is its handler's, `conn` its session's."""

    id: int
    conn: int
    t: float
    role: Role
    inbound: str
    client: str


class StageChanged(msgspec.Struct, frozen=True, gc=False):
    """A handler entered `stage`. `target` is "host:port" once known, `route` "proxy", "direct" or "reject".

    `rule` is the rule that the route rests on ("" for the default), `server` the one that was chosen.
    """

    id: int
    t: float
    stage: Stage
    target: str
    route: str
    rule: str = ""
    server: str = ""


class Closed(msgspec.Struct, frozen=True, gc=False):
    """A handler is DESTROYED: why, payload bytes each way, and when it entered each stage, DESTROYED last.

    It says everything about the connection once more, for a reader that hears only of ends. `detail` says more than
    the reason, where there is more to say; `user` is a 2022 server's. `first_up` and `first_down` are when payload
    first went each way. `acked` is how many bytes of ours a server's kernel took of which nothing came back: known
    only of a client's connection that nobody answered, and only where the system tells.
    """

    id: int
    t: float
    reason: Reason
    up: int
    down: int
    timeline: tuple[tuple[Stage, float], ...]
    target: str
    client: str
    detail: str = ""
    user: str = ""
    conn: int = 0
    role: Role = Role.LOCAL
    inbound: str = ""
    route: str = ""
    rule: str = ""
    server: str = ""
    first_up: float | None = None
    first_down: float | None = None
    acked: int | None = None

    @property
    def stages(self) -> dict[str, float]:
        """Seconds spent in each stage, by its name. One comes twice where another server was tried."""
        spent: dict[str, float] = {}
        for (stage, start), (_, end) in pairwise(self.timeline):
            spent[stage.name] = spent.get(stage.name, 0.0) + end - start
        return spent


# The journal keeps the raw parts of an event; these make it of them when it is read.


def opened(number: int, conn: int, t: float, role: Role, inbound: str, client: Endpoint) -> Opened:
    """A connection that was accepted from the socket address `client`."""
    return Opened(number, conn, t, role, inbound, peer_name(client))


def stage_changed(
    number: int, t: float, stage: Stage, target: Address | None, route: str, rule: str, server: str
) -> StageChanged:
    """A handler that entered `stage`."""
    return StageChanged(number, t, stage, _text(target), str(route), rule, server)


def closed(
    number: int,
    timeline: tuple[tuple[Stage, float], ...],
    reason: Reason,
    up: int,
    down: int,
    target: Address | None,
    client: Endpoint,
    detail: str,
    user: str,
    *rest: Any,
) -> Closed:
    """The end of a handler that entered each stage when `timeline` says; `rest` are the fields of `Closed` from `conn`
    on.
    """
    return Closed(
        number, timeline[-1][1], reason, up, down, timeline, _text(target), peer_name(client), detail, user, *rest
    )  # fmt: skip


@lru_cache(maxsize=1024)  # a connection tells its target five times
def _text(target: Address | None) -> str:
    return "" if target is None else str(target)


def peer_name(address: Endpoint) -> str:
    """A peer's address as text; an IPv4 address that came to a dual-stack listener looks like one."""
    host, port = address[0], address[1]
    if ":" not in host:
        return f"{host}:{port}"
    if host.startswith("::ffff:") and "." in host:
        return f"{host[7:]}:{port}"
    return f"[{host}]:{port}"


Event = Opened | StageChanged | Closed
